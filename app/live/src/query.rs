//! URLs with any text encoded safely. Pure.

/// Percent-encodes text for a query.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b',' => {
                out.push(byte as char)
            }
            _ => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                out.push('%');
                out.push(HEX[usize::from(byte >> 4)] as char);
                out.push(HEX[usize::from(byte & 15)] as char);
            }
        }
    }
    out
}

/// Decoded query parameters; a leading question mark is optional.
pub fn pairs(search: &str) -> Vec<(String, String)> {
    let pairs = search.trim_start_matches('?').split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(n, v)| (decode(n), decode(v)))
        .collect()
}

/// Percent-decodes text; invalid sequences stay unchanged.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|two| *byte == b'%' && two.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        let code = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(match (code, byte) {
            (Some(code), _) => code,
            (None, b'+') => b' ',
            (None, byte) => *byte,
        });
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A path with a query; empty parameters are left out.
pub fn url<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = path.to_owned();
    let mut sign = '?';
    for (name, value) in pairs {
        if !value.is_empty() {
            out.push(sign);
            out.push_str(&encode(name));
            out.push('=');
            out.push_str(&encode(value));
            sign = '&';
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_text_is_safe_in_a_query() {
        assert_eq!(encode("a b&c=d/é"), "a%20b%26c%3Dd%2F%C3%A9");
        assert_eq!(url("/operations", [("state", "running"), ("q", "")]), "/operations?state=running");
        assert_eq!(
            url("/operations", [("q", "x y"), ("state", "failed")]),
            "/operations?q=x%20y&state=failed"
        );
        assert_eq!(url("/operations", [("q", "")]), "/operations");
    }

    proptest! {
        #[test]
        fn encoded_values_round_trip(name in ".{1,12}", value in ".{1,12}") {
            let address = url("/operations", [(name.as_str(), value.as_str())]);
            prop_assert_eq!(pairs(address.split_once('?').unwrap().1), [(name, value)]);
        }
    }

    #[test]
    fn a_query_encoded_by_others_is_decoded() {
        let own = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(pairs("?q=a+b%2Bc&&x"), [own("q", "a b+c"), own("x", "")]);
        assert_eq!(pairs("q=100%&y=%zz"), [own("q", "100%"), own("y", "%zz")]);
        assert_eq!(pairs(""), []);
    }
}
