//! Symbols: names of instruments that are also names of files and folders, and so are checked where they come in.

use std::fmt;

/// An instrument as its source calls it. 1 to 20 letters, digits, `.`, `-` and `_`, the first a letter or digit,
/// so that it can be a file name anywhere and never a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Symbol(String);

impl Symbol {
    /// The symbol, checked.
    ///
    /// # Errors
    /// A sentence that says what a symbol looks like.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if text.is_empty() {
            return Err("A symbol is needed, like MSFT.".to_owned());
        }
        let shown: String = text.chars().take(30).collect();
        if text.len() > 20 {
            return Err(format!("'{shown}' is too long: a symbol has at most 20 characters."));
        }
        if !text.chars().all(allowed) || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(format!(
                "'{shown}' is not a symbol: use letters, digits, '.', '-' and '_', beginning with a letter or digit, like MSFT or BRK.B."
            ));
        }
        // A folder whose name ends in a dot is another folder on some systems.
        if text.ends_with('.') {
            return Err(format!("'{shown}' is not a symbol: it must not end in '.'."));
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
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
    fn real_symbols_are_taken() {
        for good in ["MSFT", "BRK.B", "0700.HK", "EUR_USD", "BTC-USD", "a", " MSFT "] {
            assert!(Symbol::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn path_tricks_are_refused() {
        for bad in
            ["", "..", ".", "../x", "a/b", "a\\b", ".hidden", "-x", "a b", "MSFT\0", "ünï", "C:", "a.", "*"]
        {
            assert!(Symbol::new(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_taken_is_one_plain_step_of_a_path(text in "\\PC{0,24}") {
            if let Ok(symbol) = Symbol::new(&text) {
                let steps: Vec<_> = Path::new(symbol.as_str()).components().collect();
                prop_assert_eq!(steps.len(), 1);
                prop_assert!(matches!(steps[0], Component::Normal(_)));
            }
        }
    }
}
