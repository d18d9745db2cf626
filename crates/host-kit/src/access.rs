//! Access control: requests need the host's token, and web pages must be known.
//!
//! A page whose name was bound to this machine's address (DNS rebinding) sends requests as if it were the host's own
//! page. Without a token, the name in the request keeps it out.

use crate::ApiError;
use crate::tokens::HostTokens;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http_wire::{Addresses, HostNames, bearer, host_of};
use protocol::ProblemType;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Access rules for requests.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// Tokens, one of which every request must have, if set.
    pub tokens: Option<HostTokens>,
    /// Origins of allowed pages; other programs send no `Origin`.
    pub origins: Vec<String>,
}

impl Access {
    fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), ApiError> {
        // Browsers send the origin of the page. Without this check, any page could start operations on a loopback host.
        if let Some(origin) = headers.get(header::ORIGIN) {
            let known = origin.to_str().is_ok_and(|origin| self.origins.iter().any(|known| known == origin));
            if !known {
                let why = format!(
                    "Requests from pages of {} are not allowed. Use the dashboard, or add this origin to the allowed \
                     origins of the host.",
                    String::from_utf8_lossy(origin.as_bytes()).chars().take(100).collect::<String>()
                );
                return Err(ApiError::new(ProblemType::Forbidden, why));
            }
        }
        let Some(tokens) = &self.tokens else { return by_address(host_of(uri, headers)) };
        match bearer(headers) {
            Some(given) if tokens.accept(given) => Ok(()),
            Some(_) => Err(ApiError::new(
                ProblemType::Unauthorized,
                "The token is wrong. Use the token that the host was started with, or a token from the token file of the host.",
            )),
            None => Err(ApiError::new(
                ProblemType::Unauthorized,
                "Authentication required: send the token of this host as 'Authorization: Bearer TOKEN'.",
            )),
        }
    }
}

/// Admits requests by an address or as localhost. A host does not know where it is served, so all addresses are its
/// own.
fn by_address(host: &str) -> Result<(), ApiError> {
    if HostNames::new(Addresses::All, Vec::new()).allow(host) {
        return Ok(());
    }
    let why = format!(
        "The host name '{}' in the URL is not allowed for a host without a token. Use the host's IP address or localhost, or set a token.",
        host.chars().take(100).collect::<String>()
    );
    Err(ApiError::new(ProblemType::Forbidden, why))
}

/// Checks a request, and responds for a handler that panics.
pub(crate) async fn guard(State(access): State<Arc<Access>>, request: Request, next: Next) -> Response {
    if let Err(refusal) = access.admit(request.uri(), request.headers()) {
        return refusal.into_response();
    }
    let path = request.uri().path().to_owned();
    AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(path, "a request handler panicked");
        let why = format!("The host failed to handle {path}. This is a bug in the host; see its log.");
        ApiError::new(ProblemType::Internal, why).into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    /// Whether a request with these headers is admitted, or the status otherwise.
    fn admit(access: &Access, pairs: &[(header::HeaderName, &'static str)]) -> Result<(), u16> {
        let mut headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("127.0.0.1:7301"))]);
        for (name, value) in pairs {
            headers.insert(name, HeaderValue::from_static(value));
        }
        access.admit(&Uri::from_static("/host/v1/about"), &headers).map_err(|refusal| refusal.problem.status)
    }

    fn with_token() -> Access {
        Access { tokens: Some(HostTokens::new(["secret".to_owned()])), origins: vec![] }
    }

    #[test]
    fn a_web_page_is_admitted_only_if_its_origin_is_listed() {
        let access = Access { tokens: None, origins: vec!["http://127.0.0.1:7200".into()] };
        assert_eq!(admit(&access, &[]), Ok(()));
        assert_eq!(admit(&access, &[(header::ORIGIN, "http://127.0.0.1:7200")]), Ok(()));
        for origin in ["http://evil.example", "null", "http://127.0.0.1:72000", ""] {
            assert_eq!(admit(&access, &[(header::ORIGIN, origin)]), Err(403), "{origin}");
        }
    }

    #[test]
    fn without_a_token_only_ip_addresses_are_accepted_and_with_one_any_name() {
        let access = Access::default();
        assert_eq!(admit(&access, &[(header::HOST, "192.168.1.4:7301")]), Ok(()));
        for host in ["evil.example", "localhost.evil.example", ""] {
            assert_eq!(admit(&access, &[(header::HOST, host)]), Err(403), "{host}");
        }
        // Over HTTP/2, the name is in the URL.
        let by_url = |url| access.admit(&Uri::from_static(url), &HeaderMap::new()).is_ok();
        assert!(by_url("http://127.0.0.1:7301/host/v1/about"));
        assert!(!by_url("http://evil.example:7301/host/v1/about"));
        // A token keeps pages out, too, and hosts beyond loopback have names.
        let named = [(header::HOST, "gpu-1:7301"), (header::AUTHORIZATION, "Bearer secret")];
        assert_eq!(admit(&with_token(), &named), Ok(()));
    }

    #[test]
    fn with_a_token_nothing_else_admits_a_request() {
        for given in ["Bearer secret", "bearer secret", "BEARER secret"] {
            assert_eq!(admit(&with_token(), &[(header::AUTHORIZATION, given)]), Ok(()), "{given}");
        }
        for given in ["Bearer secre", "Bearer secrets", "Bearer Secret", "Basic secret", "secret", "Bearer "]
        {
            assert_eq!(admit(&with_token(), &[(header::AUTHORIZATION, given)]), Err(401), "{given}");
        }
        assert_eq!(admit(&with_token(), &[]), Err(401));
    }
}
