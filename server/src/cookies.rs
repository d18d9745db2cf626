//! Cookies of browsers: of a user's session, and of a token.

use crate::config::BasePath;
use access::Secret;
use axum::http::{HeaderMap, HeaderValue, header};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// Cookie of a browser with a valid token.
const TOKEN: &str = "signalbox_token";
/// Cookie of a session, if `__Host-` is not possible: on plain HTTP, and below a base path.
const SESSION: &str = "signalbox_session";
/// Cookie of a session, which no other host and no plain HTTP can set.
const HOST_SESSION: &str = "__Host-signalbox_session";
/// Cookie of a browser that signs in through the provider, if `__Host-` is not possible.
const SIGN_IN: &str = "signalbox_sign_in";
/// Cookie of a browser that signs in through the provider.
const HOST_SIGN_IN: &str = "__Host-signalbox_sign_in";

/// Names and attributes of the cookies.
#[derive(Clone)]
pub struct Cookies {
    /// They are not for other programs on the same host.
    path: String,
    secure: bool,
}

impl Cookies {
    /// Cookies below a base path; `secure` if the server uses TLS.
    pub fn new(base_path: &BasePath, secure: bool) -> Self {
        let path = if base_path.is_empty() { "/".to_owned() } else { base_path.as_str().to_owned() };
        Self { path, secure }
    }

    /// Whether browsers accept names with `__Host-`.
    fn is_for_host(&self) -> bool {
        self.secure && self.path == "/"
    }

    fn session_name(&self) -> &'static str {
        if self.is_for_host() { HOST_SESSION } else { SESSION }
    }

    fn sign_in_name(&self) -> &'static str {
        if self.is_for_host() { HOST_SIGN_IN } else { SIGN_IN }
    }

    fn set(&self, name: &str, value: &str, same_site: &str, seconds: u64) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let path = &self.path;
        let cookie =
            format!("{name}={value}; Path={path}; HttpOnly; SameSite={same_site}{secure}; Max-Age={seconds}");
        HeaderValue::from_str(&cookie).expect("base paths and encoded values have no control characters")
    }

    /// Sets the cookie of a session. It is sent when a link of another site leads here, so that users stay signed in.
    pub fn session(&self, secret: &Secret, seconds: u64) -> HeaderValue {
        self.set(self.session_name(), secret.as_str(), "Lax", seconds)
    }

    /// Sets the cookie of a token.
    pub fn token(&self, token: &str, seconds: u64) -> HeaderValue {
        // A cookie can't hold all characters of a token.
        self.set(TOKEN, &utf8_percent_encode(token, NON_ALPHANUMERIC).to_string(), "Strict", seconds)
    }

    /// Sets the cookie of a browser that signs in through the provider, which leads back here by a link.
    pub fn sign_in(&self, browser: &str, seconds: u64) -> HeaderValue {
        self.set(self.sign_in_name(), browser, "Lax", seconds)
    }

    /// Secret of a browser that signs in through the provider, in a request.
    pub fn sign_in_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        value_of(headers, self.sign_in_name())
    }

    /// Removes the cookies of the session and of the token.
    pub fn removed(&self) -> [HeaderValue; 2] {
        [self.set(self.session_name(), "", "Lax", 0), self.set(TOKEN, "", "Strict", 0)]
    }

    /// Secret of a session in a request.
    pub fn session_of<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        value_of(headers, self.session_name())
    }

    /// Token in a request.
    pub fn token_of<'a>(&self, headers: &'a HeaderMap) -> Option<Cow<'a, [u8]>> {
        Some(percent_decode_str(value_of(headers, TOKEN)?).into())
    }
}

fn value_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, _)| *found == name).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(base: &str, secure: bool) -> String {
        let cookies = Cookies::new(&base.parse().unwrap(), secure);
        cookies.session(&Secret::new([7; access::RANDOM_BYTES]), 60).to_str().unwrap().to_owned()
    }

    #[test]
    fn the_cookie_of_a_session_has_the_strictest_form_that_is_possible() {
        let strict = session("", true);
        assert!(strict.starts_with("__Host-signalbox_session=sbx_"), "{strict}");
        assert!(strict.contains("; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"), "{strict}");
        assert!(
            session("", false).starts_with("signalbox_session=sbx_"),
            "browsers refuse __Host- on plain HTTP"
        );
        let below = session("/box", true);
        assert!(below.starts_with("signalbox_session=") && below.contains("; Path=/box; "), "{below}");
    }

    #[test]
    fn only_the_own_cookie_is_read() {
        let headers = HeaderMap::from_iter([(
            header::COOKIE,
            HeaderValue::from_static(
                "signalbox_session=plain; __Host-signalbox_session=tls; signalbox_token=a%2Bb",
            ),
        )]);
        let read = |secure| Cookies::new(&BasePath::default(), secure).session_of(&headers);
        assert_eq!((read(false), read(true)), (Some("plain"), Some("tls")));
        let token = Cookies::new(&BasePath::default(), true);
        assert_eq!(token.token_of(&headers).as_deref(), Some(&b"a+b"[..]));
    }
}
