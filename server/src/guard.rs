//! Guard: checks Host and Origin of a request and the token, and sets security headers.
//!
//! A page of another site must not start operations here. Browsers send where a request comes from (`Origin`) and the
//! name of the server (`Host`); an unknown name is a rebound one (DNS rebinding).

use crate::config::BasePath;
use crate::problem::RouteError;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_wire::{Addresses, HostNames, Token, bearer, host_of};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use protocol::ProblemType;
use std::net::SocketAddr;
use std::sync::Arc;

/// Cookie of a browser with the right token.
const COOKIE: &str = "signalbox_token";

/// How clients reach the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Plain HTTP, or a proxy's HTTPS.
    Plain,
    /// TLS. With `hsts`, browsers use only HTTPS for the host name, on all its ports, for a year.
    Tls { hsts: bool },
}

/// Rules of the guard.
pub struct Guard {
    token: Option<Token>,
    names: HostNames,
    /// Path of the cookie, which is not for other programs on the same host.
    base_path: BasePath,
    transport: Transport,
}

impl Guard {
    /// Beyond loopback, all plain addresses are allowed, because rebinding needs a name.
    pub fn new(
        token: Option<Token>,
        listen: SocketAddr,
        allowed_names: Vec<String>,
        base_path: BasePath,
        transport: Transport,
    ) -> Self {
        let addresses = if listen.ip().is_loopback() { Addresses::Loopback } else { Addresses::All };
        Self { token, names: HostNames::new(addresses, allowed_names), base_path, transport }
    }

    fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), RouteError> {
        let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
        let host = host_of(uri, headers);
        if !self.names.allow(host) {
            return Err(RouteError::new(
                ProblemType::Forbidden,
                format!(
                    "The host name '{host}' is not allowed. Use the server's IP address, \
                     or add the name to allowed_names in the configuration."
                ),
            ));
        }
        if let Some(origin) = text(header::ORIGIN) {
            let same =
                origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host));
            if !same {
                return Err(RouteError::new(
                    ProblemType::Forbidden,
                    format!(
                        "Requests from pages of {origin} are not allowed. Use Signalbox's own page or its API."
                    ),
                ));
            }
        } else if !method.is_safe() && text(HeaderName::from_static("sec-fetch-site")) == Some("cross-site") {
            return Err(RouteError::new(
                ProblemType::Forbidden,
                "Requests from pages of other sites are not allowed.",
            ));
        }
        Ok(())
    }

    fn has_token(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
        let mut cookie = cookies
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == COOKIE);
        bearer(headers).is_some_and(|given| token.matches(given))
            || cookie.any(|(_, given)| token.matches(percent_decode_str(given).collect::<Vec<u8>>()))
    }
}

/// Layer around all routes.
pub async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    if let Err(failed) = guard.check(method, uri, headers) {
        return failed.into_response();
    }
    // Probes need no token and reveal nothing.
    let probe = matches!(uri.path(), "/healthz" | "/readyz");
    if !probe && !guard.has_token(headers) {
        return match token_in_link(&guard, method, uri) {
            Some(redirect) => redirect,
            None => RouteError::new(
                ProblemType::Unauthorized,
                "Authentication required. Open /?token=YOUR-TOKEN once in this browser, \
                 or send 'Authorization: Bearer YOUR-TOKEN'. Use the token that the server was started with.",
            )
            .into_response(),
        };
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Other sites can't embed our resources.
    let same_origin = HeaderValue::from_static("same-origin");
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), same_origin.clone());
    if guard.transport != Transport::Plain {
        // Nor keep a handle to our windows. Browsers ignore it on plain HTTP, with an error in the console.
        headers.insert(HeaderName::from_static("cross-origin-opener-policy"), same_origin);
    }
    if guard.transport == (Transport::Tls { hsts: true }) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}

/// Handles `/?token=…` once: sets a cookie, and removes the token from the address bar.
fn token_in_link(guard: &Guard, method: &Method, uri: &Uri) -> Option<Response> {
    let token = guard.token.as_ref()?;
    let given = token_of_query(uri.query()?)?;
    if method != Method::GET || !token.matches(given) {
        return None;
    }
    let base = &guard.base_path;
    let path = if base.is_empty() { "/" } else { base.as_str() };
    // A cookie can't hold all characters of a token.
    let value = utf8_percent_encode(token.as_str(), NON_ALPHANUMERIC);
    let secure = if guard.transport == Transport::Plain { "" } else { "; Secure" };
    let cookie =
        format!("{COOKIE}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}; Max-Age=31536000");
    let headers = [
        (header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?),
        (header::LOCATION, HeaderValue::from_str(&format!("{base}{}", uri.path())).ok()?),
    ];
    Some((StatusCode::SEE_OTHER, headers).into_response())
}

/// Token of a link. A plus is itself, as in tokens of Base64 that are pasted into a link; a space is `%20`.
fn token_of_query(query: &str) -> Option<String> {
    let query = query.replace('+', "%2B");
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "token").map(|(_, token)| token.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(token: Option<&str>) -> Guard {
        let listen = "127.0.0.1:7200".parse().unwrap();
        Guard::new(
            token.map(Token::new),
            listen,
            vec!["box.example.org".into()],
            BasePath::default(),
            Transport::Plain,
        )
    }

    fn allows(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        guard(None).check(&Method::POST, &"/api/v1/operations".parse().unwrap(), &headers).is_ok()
    }

    #[test]
    fn only_configured_host_names_and_the_own_origin_are_accepted() {
        assert!(allows("127.0.0.1:7200", None));
        assert!(allows("localhost:7200", Some("http://localhost:7200")));
        assert!(allows("[::1]:7200", Some("http://[::1]:7200")));
        assert!(allows("box.example.org", Some("https://box.example.org")));
        assert!(!allows("evil.example.org:7200", None), "a name that was bound to our address");
        assert!(!allows("127.0.0.1:7200", Some("http://evil.example.org")));
        assert!(!allows("127.0.0.1:7200", Some("http://127.0.0.1:9999")));
        assert!(!allows("127.0.0.1:7200", Some("null")));
        assert!(!allows("192.168.1.4:7200", None), "we listen on loopback alone");
    }

    #[test]
    fn below_a_base_path_the_cookie_is_for_that_path_only() {
        let answer = |base: &str, path: &str| {
            let listen = "127.0.0.1:7200".parse().unwrap();
            let base = base.parse().unwrap();
            let guard =
                Guard::new(Some(Token::new("s3cret")), listen, vec![], base, Transport::Tls { hsts: true });
            let answer = token_in_link(&guard, &Method::GET, &path.parse().unwrap()).unwrap();
            let text = |name| answer.headers()[name].to_str().unwrap().to_owned();
            (text(header::SET_COOKIE), text(header::LOCATION))
        };
        let (cookie, location) = answer("/signalbox", "/hosts?token=s3cret");
        assert!(cookie.contains("; Path=/signalbox;") && cookie.contains("; Secure;"), "{cookie}");
        assert_eq!(location, "/signalbox/hosts");
        let (cookie, location) = answer("", "/hosts?token=s3cret");
        assert!(cookie.contains("; Path=/;"), "{cookie}");
        assert_eq!(location, "/hosts");
    }

    #[test]
    fn a_token_is_accepted_only_as_bearer_or_cookie() {
        let with = |name: HeaderName, value: &str| {
            let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
            guard(Some("s3cret")).has_token(&headers)
        };
        assert!(with(header::AUTHORIZATION, "Bearer s3cret"));
        assert!(with(header::AUTHORIZATION, "bearer s3cret"), "the scheme is case-insensitive");
        assert!(with(header::COOKIE, "a=b; signalbox_token=s3cret"));
        assert!(!with(header::AUTHORIZATION, "Bearer s3cre"));
        assert!(!with(header::COOKIE, "signalbox_token="));
        assert!(guard(None).has_token(&HeaderMap::new()));
    }

    #[test]
    fn a_token_with_any_characters_survives_link_and_cookie() {
        for (token, link) in [
            ("p&s;s=% \u{e9}\"", "/?token=p%26s%3Bs%3D%25%20%C3%A9%22"),
            ("ab+c/d==", "/?token=ab+c/d=="),
            ("ab+c/d==", "/hosts?tab=1&token=ab%2Bc%2Fd%3D%3D"),
        ] {
            let guard = guard(Some(token));
            let answer = token_in_link(&guard, &Method::GET, &link.parse().unwrap()).expect(link);
            let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
            let pair = cookie.split("; ").next().unwrap();
            assert!(
                guard.has_token(&HeaderMap::from_iter([(header::COOKIE, pair.parse().unwrap())])),
                "{cookie}"
            );
            assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        }
    }
}
