//! Host names under which a service may be addressed.
//!
//! A page whose name was bound to this machine's address (DNS rebinding) sends requests as if it were the service's own
//! page. Browsers always send the name (`Host`), and rebinding needs a name, so an unknown name is refused.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use std::net::IpAddr;

/// Plain IP addresses that are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// For a service that listens on loopback.
    Loopback,
    /// For a service that others reach, or that does not know where it listens.
    All,
}

/// Allowed names: `localhost`, plain addresses, and names of the configuration.
#[derive(Debug, Clone)]
pub struct HostNames {
    addresses: Addresses,
    names: Vec<String>,
}

impl HostNames {
    /// Rule with these addresses and names; names are case-insensitive.
    pub fn new(addresses: Addresses, names: Vec<String>) -> Self {
        Self { addresses, names }
    }

    /// Whether a host, with or without a port, is allowed.
    pub fn allow(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let name = authority.host();
        // A user name before the host is no host, and only a port may follow it.
        let port = host.strip_prefix(name).and_then(|rest| {
            let digits = if rest.is_empty() { rest } else { rest.strip_prefix(':')? };
            digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits)
        });
        if port.is_none() {
            return false;
        }
        if name.eq_ignore_ascii_case("localhost") || self.names.iter().any(|n| n.eq_ignore_ascii_case(name)) {
            return true;
        }
        match name.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => self.addresses == Addresses::All || address.is_loopback(),
            Err(_) => false,
        }
    }
}

/// Host of a request as the client wrote it: `Host`, or the authority of HTTP/2. Empty without either.
pub fn host_of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> &'a str {
    match headers.get(header::HOST) {
        Some(host) => host.to_str().unwrap_or_default(),
        None => uri.authority().map(Authority::as_str).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn without_a_token_a_service_is_addressed_only_by_ip_address() {
        let names = HostNames::new(Addresses::All, vec![]);
        for host in
            ["127.0.0.1:7301", "localhost", "LOCALHOST:7301", "[::1]:7301", "[::1]", "192.168.1.4:7301"]
        {
            assert!(names.allow(host), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:7301",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil.example@127.0.0.1",
            "127.0.0.1:evil.example",
            "localhost:80:80",
            "[::1]00",
            "",
        ] {
            assert!(!names.allow(host), "{host}");
        }
    }

    #[test]
    fn on_loopback_only_loopback_and_configured_names_are_accepted() {
        let names = HostNames::new(Addresses::Loopback, vec!["box.example.org".into()]);
        for host in ["127.0.0.1:7200", "[::1]:7200", "localhost", "BOX.example.org", "box.example.org:443"] {
            assert!(names.allow(host), "{host}");
        }
        for host in ["192.168.1.4:7200", "[2001:db8::1]:7200", "evil.example.org", "box.example.org.evil"] {
            assert!(!names.allow(host), "{host}");
        }
    }

    #[test]
    fn the_host_of_a_request_is_read_in_both_http_versions() {
        let one = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("box:7200"))]);
        assert_eq!(host_of(&Uri::from_static("/hosts"), &one), "box:7200");
        assert_eq!(host_of(&Uri::from_static("http://box:7200/hosts"), &HeaderMap::new()), "box:7200");
        assert_eq!(host_of(&Uri::from_static("/hosts"), &HeaderMap::new()), "");
    }
}
