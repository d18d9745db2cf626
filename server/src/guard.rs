//! Guard: checks Host and Origin of a request, authenticates its sender, and sets security headers.
//!
//! A page of another site must not start operations here. Browsers send where a request comes from (`Origin`) and the
//! name of the server (`Host`); an unknown name is a rebound one (DNS rebinding).

use crate::access::Access;
use crate::config::BasePath;
use crate::problem::RouteError;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_wire::{Addresses, HostNames, bearer, host_of};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use protocol::{ProblemType, Time};
use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Cookie of a browser with a valid token.
const COOKIE: &str = "signalbox_token";
/// Longest validity of the cookie, in seconds: a year.
const COOKIE_SECONDS: u64 = 31_536_000;

/// Paths that need no credential: probes, which reveal nothing.
pub const PUBLIC: [&str; 2] = ["/healthz", "/readyz"];

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
    access: Access,
    names: HostNames,
    /// Path of the cookie, which is not for other programs on the same host.
    base_path: BasePath,
    transport: Transport,
}

impl Guard {
    /// Beyond loopback, all plain addresses are allowed, because rebinding needs a name.
    pub fn new(
        access: Access,
        listen: SocketAddr,
        allowed_names: Vec<String>,
        base_path: BasePath,
        transport: Transport,
    ) -> Self {
        let addresses = if listen.ip().is_loopback() { Addresses::Loopback } else { Addresses::All };
        Self { access, names: HostNames::new(addresses, allowed_names), base_path, transport }
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
}

/// Secret of a request: a bearer token, or else the cookie.
fn secret_of(headers: &HeaderMap) -> Option<Cow<'_, [u8]>> {
    if let Some(given) = bearer(headers) {
        return Some(given.into());
    }
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, given) = pairs.find(|(name, _)| *name == COOKIE)?;
    Some(percent_decode_str(given).into())
}

/// Layer around all routes.
pub async fn guard(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    if let Err(failed) = guard.check(method, uri, headers) {
        return failed.into_response();
    }
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|at| at.0.ip());
    match guard.access.identify(secret_of(headers).as_deref(), from) {
        Some(identity) => {
            request.extensions_mut().insert(identity);
        }
        None if PUBLIC.contains(&uri.path()) => {}
        None => {
            return match token_in_link(&guard, method, uri, from) {
                Some(redirect) => redirect,
                None => RouteError::new(
                    ProblemType::Unauthorized,
                    "Authentication required. Open /?token=YOUR-TOKEN once in this browser, \
                     or send 'Authorization: Bearer YOUR-TOKEN'. Use the token that the server was started with, or one \
                     that `signalbox token create` printed; it may have expired or been revoked.",
                )
                .into_response(),
            };
        }
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
fn token_in_link(guard: &Guard, method: &Method, uri: &Uri, from: Option<IpAddr>) -> Option<Response> {
    let given = token_of_query(uri.query()?)?;
    if method != Method::GET {
        return None;
    }
    let identity = guard.access.identify(Some(given.as_bytes()), from)?;
    let expires_at = identity.access_token().and_then(|token| token.expires_at);
    let valid = expires_at.map_or(COOKIE_SECONDS, |end| end.seconds_since(Time::now()).max(0.0) as u64);
    let max_age = valid.min(COOKIE_SECONDS);
    let base = &guard.base_path;
    let path = if base.is_empty() { "/" } else { base.as_str() };
    // A cookie can't hold all characters of a token.
    let value = utf8_percent_encode(&given, NON_ALPHANUMERIC);
    let secure = if guard.transport == Transport::Plain { "" } else { "; Secure" };
    let cookie =
        format!("{COOKIE}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}; Max-Age={max_age}");
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
    use http_wire::Token;
    use store::Sqlite;
    use tokio_util::sync::CancellationToken;

    fn access(token: Option<&str>) -> Access {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(&folder.path().join("signalbox.db")).unwrap());
        Access::open(token.map(Token::new), store, CancellationToken::new()).unwrap()
    }

    fn guard(token: Option<&str>) -> Guard {
        let listen = "127.0.0.1:7200".parse().unwrap();
        Guard::new(
            access(token),
            listen,
            vec!["box.example.org".into()],
            BasePath::default(),
            Transport::Plain,
        )
    }

    fn identified(guard: &Guard, headers: &HeaderMap) -> bool {
        guard.access.identify(secret_of(headers).as_deref(), None).is_some()
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
                Guard::new(access(Some("s3cret")), listen, vec![], base, Transport::Tls { hsts: true });
            let answer = token_in_link(&guard, &Method::GET, &path.parse().unwrap(), None).unwrap();
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
            identified(&guard(Some("s3cret")), &headers)
        };
        assert!(with(header::AUTHORIZATION, "Bearer s3cret"));
        assert!(with(header::AUTHORIZATION, "bearer s3cret"), "the scheme is case-insensitive");
        assert!(with(header::COOKIE, "a=b; signalbox_token=s3cret"));
        assert!(!with(header::AUTHORIZATION, "Bearer s3cre"));
        assert!(!with(header::COOKIE, "signalbox_token="));
        assert!(identified(&guard(None), &HeaderMap::new()), "without a token, none is needed");
        assert!(!identified(&guard(Some("s3cret")), &HeaderMap::new()));
    }

    #[test]
    fn a_valid_cookie_does_not_replace_an_invalid_bearer_token() {
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, "Bearer revoked".parse().unwrap()),
            (header::COOKIE, "signalbox_token=s3cret".parse().unwrap()),
        ]);
        assert!(!identified(&guard(Some("s3cret")), &headers));
    }

    #[test]
    fn a_token_with_any_characters_survives_link_and_cookie() {
        for (token, link) in [
            ("p&s;s=% \u{e9}\"", "/?token=p%26s%3Bs%3D%25%20%C3%A9%22"),
            ("ab+c/d==", "/?token=ab+c/d=="),
            ("ab+c/d==", "/hosts?tab=1&token=ab%2Bc%2Fd%3D%3D"),
        ] {
            let guard = guard(Some(token));
            let answer = token_in_link(&guard, &Method::GET, &link.parse().unwrap(), None).expect(link);
            let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
            let pair = cookie.split("; ").next().unwrap();
            assert!(
                identified(&guard, &HeaderMap::from_iter([(header::COOKIE, pair.parse().unwrap())])),
                "{cookie}"
            );
            assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        }
    }
}
