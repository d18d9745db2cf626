//! Guard: checks Host and Origin of a request, authenticates its sender, and sets security headers.
//!
//! A page of another site must not start operations here. Browsers send where a request comes from (`Origin`) and the
//! name of the server (`Host`); an unknown name is a rebound one (DNS rebinding).

use crate::access::{Access, Given, RefusedFor};
use crate::actor::{UserHeader, address_of, sender};
use crate::config::BasePath;
use crate::cookies::Cookies;
use crate::limits::{LimitSettings, Limits, timed_body};
use crate::problem::RouteError;
use crate::sign_in;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_wire::{Addresses, HostNames, host_of};
use protocol::{Action, ProblemType};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Paths that need no credential: probes, which reveal nothing.
pub const PUBLIC: [&str; 2] = ["/healthz", "/readyz"];

/// Whether a request reads a file of the built page: code, styles and icons, the same for everybody and without data. A
/// page whose session has ended still needs its code, to say so.
fn is_file_of_page(method: &Method, path: &str) -> bool {
    let is_icon = |path: &str| path.starts_with("/favicon") && path.ends_with(".svg");
    method.is_safe() && (path.starts_with("/pkg/") || path.starts_with("/vendor/") || is_icon(path))
}

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
    cookies: Cookies,
    names: HostNames,
    base_path: BasePath,
    transport: Transport,
    user_header: UserHeader,
    limits: Limits,
}

impl Guard {
    /// Beyond loopback, all plain addresses are allowed, because rebinding needs a name.
    pub fn new(
        access: Access,
        cookies: Cookies,
        listen: SocketAddr,
        allowed_names: Vec<String>,
        base_path: BasePath,
        transport: Transport,
    ) -> Self {
        let addresses = if listen.ip().is_loopback() { Addresses::Loopback } else { Addresses::All };
        let (names, user_header) = (HostNames::new(addresses, allowed_names), UserHeader::default());
        let limits = Limits::new(LimitSettings::default());
        Self { access, cookies, names, base_path, transport, user_header, limits }
    }

    /// Trusts a proxy's header with the user's name, as the handlers do.
    #[must_use]
    pub fn with_user_header(self, user_header: UserHeader) -> Self {
        Self { user_header, ..self }
    }

    /// Counts requests in limits that others use, too.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Records a refused request in the audit log.
    fn note_refused(&self, request: &Parts, why: &str) {
        let by = sender(
            &request.headers,
            address_of(&request.extensions),
            request.extensions.get(),
            &self.user_header,
        );
        let detail = format!("{} {}: {why}", request.method, request.uri.path());
        self.access.note_refused(Action::Request, by, &detail);
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
                    format!("Requests from pages of {origin} are not allowed. Use the dashboard or the API."),
                ));
            }
        } else if !method.is_safe() && text(HeaderName::from_static("sec-fetch-site")) == Some("cross-site") {
            return Err(RouteError::new(
                ProblemType::Forbidden,
                "Requests from pages of other sites are not allowed. Use the dashboard or the API.",
            ));
        }
        Ok(())
    }
}

/// Layer around all routes.
pub async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut response = guarded(&guard, request, next).await;
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

async fn guarded(guard: &Guard, mut request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let from = address_of(request.extensions());
    if let Err(failed) = guard.check(method, uri, headers) {
        if let Err(limited) = guard.limits.request(None, from) {
            return limited.into_response();
        }
        guard.note_refused(
            &request.into_parts().0,
            "sent from a page of another site, or to a host name that is not allowed",
        );
        return failed.into_response();
    }
    let mut in_scope = None;
    let identity = sign_in::identify(&guard.access, &guard.cookies, headers, from);
    if let Err(limited) = guard.limits.request(identity.as_ref(), from) {
        return limited.into_response();
    }
    match identity {
        Some(identity) => {
            let has_scope = identity.scope().is_some();
            request.extensions_mut().insert(identity);
            if has_scope {
                // A handler can refuse what the role allows. Other refusals bring their request along.
                let (parts, body) = request.into_parts();
                in_scope = Some(parts.clone());
                request = Request::from_parts(parts, body);
            }
        }
        None if PUBLIC.contains(&uri.path()) || sign_in::PUBLIC.contains(&uri.path()) => {}
        None if is_file_of_page(method, uri.path()) => {}
        None => {
            if sign_in::has_credential(&guard.cookies, headers) {
                // Without the path: programs with an old token may send requests to many.
                let by = sender(headers, from, None, &UserHeader::default());
                guard.access.note_refused(Action::Request, by, "invalid, expired or revoked credential");
            }
            return without_identity(guard, method, uri, headers, from);
        }
    }
    let (request, body_time) = timed_body(request, guard.limits.settings().body_timeout);
    let mut response = next.run(request).await;
    if body_time.is_some_and(|time| time.is_over()) {
        response = guard.limits.slow_body(from);
    }
    if let Some(RefusedFor { why, request }) = response.extensions_mut().remove() {
        guard.note_refused(&request, &why);
    } else if response.status() == StatusCode::FORBIDDEN
        && let Some(request) = &in_scope
    {
        guard.note_refused(request, "outside of the role's kinds");
    }
    response
}

/// Response without a valid credential: a browser that opens a page is asked to sign in.
fn without_identity(
    guard: &Guard,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    from: Option<IpAddr>,
) -> Response {
    if let Some(redirect) = token_in_link(guard, method, uri, from) {
        return redirect;
    }
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if method == Method::GET && accepted.contains("text/html") && !uri.path().starts_with("/api/") {
        // A wrong token must not come back in the address.
        let has_token = uri.query().and_then(token_of_query).is_some();
        let to = uri.path_and_query().map_or("/", |whole| whole.as_str());
        let to = sign_in::address(&guard.base_path, if has_token { uri.path() } else { to });
        if let Ok(to) = HeaderValue::from_str(&to) {
            let headers =
                [(header::LOCATION, to), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
            return (StatusCode::SEE_OTHER, headers).into_response();
        }
    }
    let detail = "Authentication required. Sign in at /sign-in, or send 'Authorization: Bearer YOUR-TOKEN'. Use the \
                  token that the server was started with, or one that `signalbox token create` printed; your token may have expired or been revoked.";
    RouteError::new(ProblemType::Unauthorized, detail).into_response()
}

/// Handles `/?token=…` once: sets a cookie, and removes the token from the address bar.
fn token_in_link(guard: &Guard, method: &Method, uri: &Uri, from: Option<IpAddr>) -> Option<Response> {
    let given = token_of_query(uri.query()?)?;
    if method != Method::GET {
        return None;
    }
    let identity = guard.access.identify(Some(Given::TokenCookie(given.as_bytes())), from)?;
    let headers = [
        (header::SET_COOKIE, guard.cookies.token(&given, sign_in::token_cookie_seconds(&identity))),
        (header::LOCATION, HeaderValue::from_str(&format!("{}{}", guard.base_path, uri.path())).ok()?),
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
    use crate::access::ThroughProvider;
    use http_wire::Token;
    use store::Sqlite;
    use tokio_util::sync::CancellationToken;

    fn access(token: Option<&str>) -> Access {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Sqlite::open(&folder.path().join("signalbox.db")).unwrap());
        let through_provider = ThroughProvider::No;
        Access::open(token.map(Token::new), through_provider, store, CancellationToken::new()).unwrap()
    }

    fn guard(token: Option<&str>) -> Guard {
        let listen = "127.0.0.1:7200".parse().unwrap();
        let base = BasePath::default();
        let cookies = Cookies::new(&base, false);
        let names = vec!["box.example.org".into()];
        Guard::new(access(token), cookies, listen, names, base, Transport::Plain)
    }

    fn identified(guard: &Guard, headers: &HeaderMap) -> bool {
        sign_in::identify(&guard.access, &guard.cookies, headers, None).is_some()
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
            let base: BasePath = base.parse().unwrap();
            let (cookies, tls) = (Cookies::new(&base, true), Transport::Tls { hsts: true });
            let guard = Guard::new(access(Some("s3cret")), cookies, listen, vec![], base, tls);
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
    fn a_browser_that_opens_a_page_is_asked_to_sign_in_and_a_program_gets_an_error() {
        let guard = guard(Some("s3cret"));
        let answer = |path: &str, accept: &'static str| {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            let answer = without_identity(&guard, &Method::GET, &path.parse().unwrap(), &headers, None);
            let location = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
            (answer.status().as_u16(), location)
        };
        let to = |to: &str| (303, Some(format!("/sign-in?to={to}")));
        assert_eq!(answer("/operations?state=failed", "text/html,*/*"), to("%2Foperations%3Fstate%3Dfailed"));
        assert_eq!(answer("/hosts?token=wrong", "text/html"), to("%2Fhosts"));
        assert_eq!(answer("/hosts", "*/*"), (401, None));
        assert_eq!(answer("/api/v1/snapshot", "text/html"), (401, None));
    }

    #[test]
    fn only_files_of_the_built_page_are_public() {
        let is_public = |path| is_file_of_page(&Method::GET, path);
        assert!(["/pkg/signalbox.js", "/vendor/uplot.css", "/favicon-failed.svg"].into_iter().all(is_public));
        let others =
            ["/", "/pkg", "/pkgs/a", "/favicon/data", "/hash.txt", "/operations/pkg/a", "/api/v1/snapshot"];
        assert!(!others.into_iter().any(is_public));
        assert!(!is_file_of_page(&Method::POST, "/pkg/signalbox.js"));
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
