//! Proxies that the environment names, as curl reads them.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use std::net::IpAddr;
use thiserror::Error;
use tower::BoxError;

/// Proxies on the way to services.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Proxies {
    #[default]
    None,
    /// Proxies of `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, except for addresses in `NO_PROXY`. Addresses of this
    /// machine are always reached directly.
    Environment,
}

/// A connection by a proxy could not be opened.
#[derive(Debug, Error)]
#[error("the proxy {proxy} failed")]
pub struct ProxyFailed {
    /// URL of the proxy, without its password.
    pub proxy: String,
    #[source]
    pub(crate) cause: BoxError,
}

impl Proxies {
    /// URL of the proxy for a service, without its password; `None` if the service is reached directly.
    pub fn url_for(self, service: &str) -> Option<String> {
        match self {
            Self::None => None,
            Self::Environment => url_by(&Matcher::from_env(), service),
        }
    }
}

fn url_by(matcher: &Matcher, service: &str) -> Option<String> {
    let service: Uri = service.parse().ok()?;
    let host = service.host()?.trim_start_matches('[').trim_end_matches(']');
    let is_here = match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost") || host.to_lowercase().ends_with(".localhost"),
    };
    if is_here { None } else { matcher.intercept(&service).map(|proxy| proxy.uri().to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_never_reached_by_a_proxy() {
        let matcher = Matcher::builder().all("http://me:s3cret@proxy:3128").build();
        let by = |service: &str| url_by(&matcher, service);
        assert_eq!(by("https://box.example.org/").as_deref(), Some("http://proxy:3128/"));
        for own in ["http://127.0.0.1:7200", "https://127.8.0.1", "https://[::1]:7200", "http://LocalHost/"] {
            assert_eq!(by(own), None, "{own}");
        }
        assert_eq!(by("https://localhost.example.org").as_deref(), Some("http://proxy:3128/"));
        assert_eq!(Proxies::default().url_for("https://box"), None);
    }
}
