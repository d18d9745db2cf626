//! Actor: what the audit log can know about the sender of a request.
//!
//! A request of a user, or with a token of its own, has the name of the user or the token. With the shared token, or
//! without any, a name is known only if a proxy in front of the server authenticates users and passes the name in a
//! configured header (`user_header`).

use crate::access::Identity;
use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::header::{ORIGIN, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};
use protocol::{Actor, Via};
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

/// Largest number of characters of a user's or program's name; the rest is dropped.
const MAX_NAME_CHARS: usize = 200;

/// Header in which a proxy passes the user's name, if configured.
#[derive(Clone, Debug, Default)]
pub struct UserHeader(pub Option<String>);

/// Sender of a request.
pub struct By(pub Actor);

impl<S> FromRequestParts<S> for By
where
    S: Send + Sync,
    UserHeader: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let address = address_of(&parts.extensions);
        let identity = parts.extensions.get::<Identity>();
        Ok(Self(sender(&parts.headers, address, identity, &UserHeader::from_ref(state))))
    }
}

/// IP address from which a request came.
pub fn address_of(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|at| at.0.ip())
}

/// Sender of a request with these headers.
pub fn sender(
    headers: &HeaderMap,
    address: Option<IpAddr>,
    identity: Option<&Identity>,
    UserHeader(user_header): &UserHeader,
) -> Actor {
    let by = actor(headers, address.map(|ip| ip.to_string()), user_header.as_deref());
    match identity.and_then(|identity| Some((identity.name()?, identity.access_token()))) {
        // Others could send any name in the header.
        Some((name, token)) => {
            Actor { name: Some(name.to_owned()), token: token.map(|token| token.id.clone()), ..by }
        }
        None => by,
    }
}

fn actor(headers: &HeaderMap, address: Option<String>, user_header: Option<&str>) -> Actor {
    let text = |name: &str| {
        let value = String::from_utf8_lossy(headers.get(name)?.as_bytes());
        let value: String = value.chars().filter(|c| !c.is_control()).take(MAX_NAME_CHARS).collect();
        Some(value.trim().to_owned()).filter(|v| !v.is_empty())
    };
    // Browsers say from which page a request comes; the guard only accepts our own.
    let from_page = headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site");
    Actor {
        via: if from_page { Via::Page } else { Via::Program },
        name: user_header.and_then(text),
        token: None,
        address,
        agent: text(USER_AGENT.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_user_name_is_trusted_only_from_the_configured_header() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-user", HeaderValue::from_static("ada"));
        headers.insert(USER_AGENT, HeaderValue::from_static("curl/8.5.0"));
        let unnamed = actor(&headers, Some("127.0.0.1".into()), None);
        assert_eq!((unnamed.via, unnamed.name), (Via::Program, None));
        assert_eq!(unnamed.agent.as_deref(), Some("curl/8.5.0"));
        let named = actor(&headers, None, Some("x-forwarded-user"));
        assert_eq!(named.name.as_deref(), Some("ada"));
        headers.insert(ORIGIN, HeaderValue::from_static("http://127.0.0.1:7200"));
        assert_eq!(actor(&headers, None, None).via, Via::Page);
    }

    #[test]
    fn the_name_of_a_client_is_shortened() {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_str(&"x".repeat(5_000)).unwrap());
        assert_eq!(actor(&headers, None, None).agent.unwrap().len(), MAX_NAME_CHARS);
    }
}
