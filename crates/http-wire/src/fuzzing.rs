//! What holds for any header; `make fuzz` searches for one that breaks it.

use crate::{Addresses, HostNames, bearer, host_of};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use std::net::IpAddr;

/// The token of a header is part of it, and only names of this machine are allowed.
pub fn headers(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let authorization = HeaderMap::from_iter([(header::AUTHORIZATION, value.clone())]);
    if let Some(token) = bearer(&authorization) {
        assert!(bytes.ends_with(token.trim_ascii_end()) || bytes.trim_ascii().ends_with(token));
    }
    let host = HeaderMap::from_iter([(header::HOST, value)]);
    let uri = Uri::from_static("/");
    let host = host_of(&uri, &host);
    let names = HostNames::new(Addresses::Loopback, vec!["box.example.org".to_owned()]);
    if names.allow(host) {
        let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
        let name = name.map_or(host, |(name, _)| name).to_ascii_lowercase();
        let address = name.trim_matches(['[', ']']).parse::<IpAddr>();
        let is_here = address.is_ok_and(|address| address.is_loopback());
        assert!(is_here || name == "localhost" || name == "box.example.org", "{host} is allowed");
    }
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("headers", headers);
}
