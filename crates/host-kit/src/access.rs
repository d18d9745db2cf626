//! Access control: requests need the host's token, and web pages must be known.
//!
//! A page whose name was bound to this machine's address (DNS rebinding) sends requests as if it were the host's own
//! page. Without a token, the name in the request keeps it out.

use crate::Refusal;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use protocol::ProblemType;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Access rules for requests.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// Token required of every request, if set.
    pub token: Option<String>,
    /// Origins of allowed pages; other programs send no `Origin`.
    pub origins: Vec<String>,
}

impl Access {
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        // Browsers send the origin of the page. Without this check, any page could start operations on a loopback host.
        if let Some(origin) = headers.get(header::ORIGIN) {
            let known = origin.to_str().is_ok_and(|origin| self.origins.iter().any(|known| known == origin));
            if !known {
                let why = format!(
                    "Requests from pages of {} are not allowed. Use the dashboard, or add that origin to the allowed \
                     origins of the host.",
                    String::from_utf8_lossy(origin.as_bytes()).chars().take(100).collect::<String>()
                );
                return Err(Refusal::new(ProblemType::Forbidden, why));
            }
        }
        let Some(token) = &self.token else { return plain(headers) };
        let given = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.as_bytes().split_at_checked(7))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
            .map(|(_, given)| given);
        match given {
            Some(given) if same(given, token.as_bytes()) => Ok(()),
            Some(_) => Err(Refusal::new(
                ProblemType::Unauthorized,
                "The token is wrong. Use the token that the host was started with.",
            )),
            None => Err(Refusal::new(
                ProblemType::Unauthorized,
                "Authentication required: send the token of this host as 'Authorization: Bearer TOKEN'.",
            )),
        }
    }
}

/// Whether the client reached the host by an address or as localhost, to which a page's name can't be bound. Browsers
/// always send the name.
fn plain(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(host) = headers.get(header::HOST) else { return Ok(()) };
    let known = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()).is_some_and(|host| {
        let name = host.host();
        name.eq_ignore_ascii_case("localhost") || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
    });
    if known {
        return Ok(());
    }
    let why = format!(
        "The name '{}' is not allowed for a host without a token. Use its IP address, or set a token.",
        String::from_utf8_lossy(host.as_bytes()).chars().take(100).collect::<String>()
    );
    Err(Refusal::new(ProblemType::Forbidden, why))
}

/// Comparison whose time depends only on the length.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && std::hint::black_box(a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b))) == 0
}

/// Checks a request, and responds for a handler that panics.
pub(crate) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = access.admit(request.headers()) {
        return refusal.into_response();
    }
    let path = request.uri().path().to_owned();
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(path, "a request handler panicked");
        let why = format!("The host failed to handle {path}. This is a bug in the host; see its log.");
        Refusal::new(ProblemType::Internal, why).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn a_page_is_admitted_only_when_its_origin_is_listed() {
        let access = Access { token: None, origins: vec!["http://127.0.0.1:7200".into()] };
        assert!(access.admit(&headers(&[])).is_ok());
        assert!(access.admit(&headers(&[(header::ORIGIN, "http://127.0.0.1:7200")])).is_ok());
        for origin in ["http://evil.example", "null", "http://127.0.0.1:72000", ""] {
            assert_eq!(access.admit(&headers(&[(header::ORIGIN, origin)])).unwrap_err().problem.status, 403);
        }
    }

    #[test]
    fn without_a_token_it_is_asked_by_an_address_and_by_no_name_that_can_be_bound_to_it() {
        let access = Access::default();
        for host in ["127.0.0.1:7301", "localhost", "LOCALHOST:7301", "[::1]:7301", "192.168.1.4:7301"] {
            assert!(access.admit(&headers(&[(header::HOST, host)])).is_ok(), "{host}");
        }
        for host in
            ["evil.example", "evil.example:7301", "127.0.0.1.evil.example", "localhost.evil.example", ""]
        {
            let refusal = access.admit(&headers(&[(header::HOST, host)])).unwrap_err();
            assert_eq!(refusal.problem.status, 403, "{host}");
        }
        // A token keeps pages out, too, and hosts beyond loopback have names.
        let access = Access { token: Some("secret".into()), origins: vec![] };
        let named = [(header::HOST, "gpu-1:7301"), (header::AUTHORIZATION, "Bearer secret")];
        assert!(access.admit(&headers(&named)).is_ok());
    }

    #[test]
    fn with_a_token_nothing_but_the_token_is_admitted() {
        let access = Access { token: Some("secret".into()), origins: vec![] };
        assert!(access.admit(&headers(&[(header::AUTHORIZATION, "Bearer secret")])).is_ok());
        for given in ["Bearer secre", "Bearer secrets", "Bearer Secret", "Basic secret", "secret", "Bearer "]
        {
            let refusal = access.admit(&headers(&[(header::AUTHORIZATION, given)])).unwrap_err();
            assert_eq!(refusal.problem.status, 401, "{given}");
        }
        assert_eq!(access.admit(&headers(&[])).unwrap_err().problem.status, 401);
    }
}
