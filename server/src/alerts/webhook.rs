//! One request to a webhook. Follows no redirects, and sends nothing anywhere but to the configured address.

use super::failed::Failed;
use super::settings::SecretUrl;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Header with the ID of the message, the same for each try, so that a receiver can recognize a repetition.
const DELIVERY_ID: &str = "signalbox-delivery";

/// Client of one destination.
pub(super) struct Webhook {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: SecretUrl,
    timeout: Duration,
}

impl Webhook {
    /// Client for an address. Reads the trusted certificates, which blocks.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn new(url: SecretUrl, timeout: Duration) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS can't be set up: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_connect_timeout(Some(timeout));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        // Messages are rare: a kept connection would be closed by then.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Ok(Self { client, url, timeout })
    }

    /// Sends a message; returns the status of success.
    ///
    /// # Errors
    /// Why it is not delivered.
    pub async fn send(&self, id: &str, body: Vec<u8>) -> Result<u16, Failed> {
        let request = Request::post(self.url.expose().as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("signalbox/", env!("CARGO_PKG_VERSION")))
            .header(DELIVERY_ID, id)
            .body(Full::from(body))
            .map_err(|_| Failed::Transient(None, "the URL is not usable".into()))?;
        let response = tokio::time::timeout(self.timeout, self.client.request(request)).await;
        match response.map_err(|_| Failed::timeout(self.timeout))? {
            Ok(response) => outcome(response.status()),
            Err(error) => Err(Failed::Transient(None, deepest(&error))),
        }
    }
}

/// Meaning of a status.
fn outcome(status: StatusCode) -> Result<u16, Failed> {
    let code = status.as_u16();
    match code {
        200..=299 => Ok(code),
        300..=399 => Err(Failed::Refused(code, "redirect responses are not followed".into())),
        408 | 425 | 429 | 500..=599 => Err(Failed::Transient(Some(code), format!("responded with {status}"))),
        _ => Err(Failed::Refused(code, format!("responded with {status}"))),
    }
}

/// Innermost cause of an error. The outer ones only repeat that the request failed.
fn deepest(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_that_may_pass_are_tried_again() {
        let of = |code: u16| outcome(StatusCode::from_u16(code).unwrap());
        assert_eq!(of(204), Ok(204));
        for code in [429, 500, 503] {
            assert!(matches!(of(code), Err(Failed::Transient(Some(status), _)) if status == code), "{code}");
        }
        for code in [302, 307, 400, 404] {
            assert!(matches!(of(code), Err(Failed::Refused(status, _)) if status == code), "{code}");
        }
    }
}
