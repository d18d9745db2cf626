//! Tokens: comparison, and the `Authorization` header.

use axum::http::{HeaderMap, header};
use std::fmt;
use subtle::ConstantTimeEq;

/// Secret that requests have to present. Its `Debug` form does not reveal it.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Token with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for a cookie or a header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is empty, so that everyone could guess it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares in a time that depends on the lengths alone.
    pub fn matches(&self, given: impl AsRef<[u8]>) -> bool {
        self.0.as_bytes().ct_eq(given.as_ref()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Token of `Authorization: Bearer …`. The scheme is case-insensitive (RFC 9110, section 11.1).
pub fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn given(authorization: &'static str) -> Option<String> {
        let headers =
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(authorization))]);
        bearer(&headers).map(|token| String::from_utf8(token.to_vec()).unwrap())
    }

    #[test]
    fn the_token_scheme_is_case_insensitive() {
        for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
            let line: &'static str = format!("{scheme} s3cret").leak();
            assert_eq!(given(line).as_deref(), Some("s3cret"), "{scheme}");
        }
        for other in ["Basic s3cret", "s3cret", "Bearer", "", "Bearers3cret"] {
            assert_eq!(given(other), None, "{other}");
        }
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn only_the_whole_token_matches() {
        let token = Token::new("s3cret");
        assert!(token.matches("s3cret"));
        for other in ["", "s3cre", "s3crets", "S3cret", "s3cres"] {
            assert!(!token.matches(other), "{other}");
        }
    }

    #[test]
    fn a_token_is_unreadable_in_log_lines() {
        assert!(!format!("{:?}", Token::new("s3cret")).contains("s3cret"));
    }
}
