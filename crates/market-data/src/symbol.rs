//! Symbols: instrument names as used by their source. They also become file names and URL path segments, where special
//! characters are escaped.

use std::fmt;
use std::fmt::Write as _;

/// Maximum length of a symbol.
pub const MAX_SYMBOL_CHARS: usize = 32;

/// Instrument name as used by its source: `MSFT`, `BRK.B`, `^GSPC`, `EURUSD=X`, `BTC/USDT`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Symbol(String);

impl Symbol {
    /// Validates a symbol.
    ///
    /// # Errors
    /// A message that says what a symbol looks like.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".-_^=/:$!&+".contains(c);
        if text.is_empty() {
            return Err("Symbol is required, e.g. MSFT.".to_owned());
        }
        let shown: String = text.chars().take(MAX_SYMBOL_CHARS + 10).collect();
        if text.len() > MAX_SYMBOL_CHARS {
            return Err(format!(
                "'{shown}' is too long. A symbol has at most {MAX_SYMBOL_CHARS} characters."
            ));
        }
        let begins = |c: char| c.is_ascii_alphanumeric() || matches!(c, '^' | '$');
        if !text.chars().all(allowed)
            || !text.starts_with(begins)
            || !text.contains(|c: char| c.is_ascii_alphanumeric())
            || text.contains("..")
        {
            return Err(format!(
                "'{shown}' is not a valid symbol. Use letters, digits and . - _ ^ = / : $ ! & +. Begin with a letter, digit, ^ or $, include a letter or digit, and do not use '..'. Examples: MSFT, BRK.B, ^GSPC, BTC/USDT."
            ));
        }
        // Some systems drop a trailing dot from folder names.
        if text.ends_with(['.', '/']) {
            return Err(format!("'{shown}' is not a valid symbol. It must not end in '.' or '/'."));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// File or folder name of the symbol: `/`, `:` and `&` become `%2F`, `%3A` and `%26`. Symbols have no `%`, so the
    /// names are unique.
    pub fn file_name(&self) -> String {
        encode(&self.0, |c| !matches!(c, '/' | ':' | '&' | '!' | '$'))
    }

    /// Symbol as a URL path segment.
    pub fn url_step(&self) -> String {
        encode(&self.0, |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    }

    /// Symbol of a file or folder name.
    ///
    /// # Errors
    /// As [`Self::new`], and if [`Self::file_name`] would write the name differently.
    pub fn of_file_name(name: &str) -> Result<Self, String> {
        let mut text = String::with_capacity(name.len());
        let mut rest = name;
        while let Some(at) = rest.find('%') {
            text.push_str(&rest[..at]);
            let code = rest.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            let Some(code) = code else { return Err(format!("'{name}' is not the name of a symbol.")) };
            text.push(char::from(code));
            rest = &rest[at + 3..];
        }
        text.push_str(rest);
        Self::new(&text)
    }
}

fn encode(text: &str, plain: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 6);
    for c in text.chars() {
        if plain(c) {
            out.push(c);
        } else {
            // Writing to a string can't fail. Symbols are ASCII.
            let _ = write!(out, "%{:02X}", u32::from(c));
        }
    }
    out
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::{Component, Path};

    #[test]
    fn real_symbols_are_accepted() {
        for good in [
            "MSFT", "BRK.B", "0700.HK", "EUR_USD", "BTC-USD", "a", " MSFT ", "^GSPC", "EURUSD=X", "BTC/USDT",
            "ES=F", "X:BTCUSD", "$SPX", "DX-Y.NYB", "ES1!", "M&M.NS",
        ] {
            assert!(Symbol::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn path_traversal_is_rejected() {
        for bad in [
            "", "..", ".", "../x", "a/../b", "a\\b", ".hidden", "-x", "a b", "MSFT\0", "ünï", "a.", "*",
            "/etc", "a/", "^", "%2e%2e", "a%2Fb",
        ] {
            assert!(Symbol::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_symbol_has_a_file_name_and_a_url_segment() {
        let symbol = Symbol::new("BTC/USDT").unwrap();
        assert_eq!((symbol.file_name().as_str(), symbol.url_step().as_str()), ("BTC%2FUSDT", "BTC%2FUSDT"));
        let symbol = Symbol::new("^GSPC").unwrap();
        assert_eq!((symbol.file_name().as_str(), symbol.url_step().as_str()), ("^GSPC", "%5EGSPC"));
        assert!(Symbol::of_file_name("%").is_err() && Symbol::of_file_name("a%2").is_err());
        assert!(Symbol::of_file_name("%2E%2E%2Fx").is_err(), "a name that leads elsewhere");
    }

    proptest! {
        #[test]
        fn an_accepted_symbol_is_one_path_segment_and_parses_back(text in "\\PC{0,24}|[A-Z^$][A-Z./:=&!_-]{0,12}") {
            if let Ok(symbol) = Symbol::new(&text) {
                let name = symbol.file_name();
                let steps: Vec<_> = Path::new(&name).components().collect();
                prop_assert_eq!(steps.len(), 1);
                prop_assert!(matches!(steps[0], Component::Normal(_)));
                prop_assert!(!name.contains([':', '/', '\\']));
                prop_assert_eq!(Symbol::of_file_name(&name).unwrap(), symbol);
            }
        }
    }
}
