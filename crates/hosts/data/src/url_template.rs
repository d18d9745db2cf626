//! URL template of a source, with percent-encoded placeholders.

use market_data::wording::excerpt;
use std::fmt::Write as _;
use url::Url;

const PLACES: [&str; 4] = ["symbol", "timeframe", "start", "end"];
/// Query parameters with secrets.
const SECRET_NAMES: [&str; 7] = ["key", "apikey", "api_key", "token", "secret", "password", "access_token"];

/// Validates a URL template.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check_template(template: &str) -> Result<(), String> {
    let filled = fill(template, |name| PLACES.contains(&name).then(|| "x".to_owned()))?;
    if !template.contains("{symbol}") {
        return Err("it must contain {symbol}.".to_owned());
    }
    match Url::parse(&filled) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(()),
        Ok(url) => Err(format!("it must start with https:// or http://, not {}://.", url.scheme())),
        Err(e) => Err(format!(
            "'{}' is not a URL ({e}). Example: https://example.org/{{symbol}}_{{timeframe}}.csv.",
            excerpt(template, 100)
        )),
    }
}

/// Replaces each `{name}` by the percent-encoded result of `value`.
pub(crate) fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        let close = after.find('}').ok_or("it has an unclosed '{'.")?;
        let name = &after[..close];
        let value = value(name).ok_or_else(|| {
            format!(
                "unknown placeholder {{{}}}. Use {{symbol}}, {{timeframe}}, {{start}} and {{end}}.",
                excerpt(name, 30)
            )
        })?;
        encode(&value, &mut out);
        rest = &after[close + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// URL for logs and messages, without user name, password and keys.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // These fail only for URLs without a host, which were rejected before.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let text = url.to_string();
    let Some((address, query)) = text.split_once('?') else { return text };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if SECRET_NAMES.contains(&name.to_lowercase().as_str()) => format!("{name}=…"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{address}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_a_url_are_encoded() {
        let filled = fill("http://h/{symbol}?t={end}", |n| {
            Some(if n == "symbol" { "a/b c^=".into() } else { "10:00+é".into() })
        });
        assert_eq!(filled.unwrap(), "http://h/a%2Fb%20c%5E%3D?t=10%3A00%2B%C3%A9");
    }

    #[test]
    fn secrets_of_a_url_are_hidden() {
        let url = Url::parse("https://me:secret@h/q?symbol=A&ApiKey=abc&x=1").unwrap();
        assert_eq!(shown(&url), "https://h/q?symbol=A&ApiKey=…&x=1");
    }
}
