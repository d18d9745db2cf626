//! Discovery document of the provider: its addresses, and what it supports.

use crate::failure::SignInFailed;
use serde::Deserialize;
use url::{Host, Url};

/// Path of the document below the issuer.
pub(crate) const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Document as it is sent. Other fields are ignored.
#[derive(Deserialize)]
pub(crate) struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

/// How the client authenticates itself with its secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ClientSecretIn {
    Header,
    Body,
}

/// Checked document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Metadata {
    pub issuer: String,
    pub authorization: Url,
    pub token: Url,
    pub keys: Url,
    pub end_session: Option<Url>,
    pub secret_in: ClientSecretIn,
    /// Whether each answer through the browser names the issuer.
    pub names_issuer: bool,
}

/// Whether an address can't be read or changed on the way: HTTPS, or this machine.
pub fn is_protected(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "https" && url.has_host() || url.scheme() == "http" && is_here
}

impl Metadata {
    /// Checks a document.
    ///
    /// # Errors
    /// If it is of another issuer, or has an address without HTTPS.
    pub fn new(document: Document, issuer: &str) -> Result<Self, SignInFailed> {
        if document.issuer != issuer {
            return Err(SignInFailed::BadAnswer {
                reason: format!(
                    "the issuer in the discovery document is '{}', but the configuration says '{issuer}'; they must be equal, also in a slash at the \
                     end",
                    document.issuer
                ),
            });
        }
        // A provider elsewhere must not lead to services of this machine by plain HTTP.
        let is_allowed =
            |url: &Url| is_protected(url) && (url.scheme() == "https" || issuer.starts_with("http://"));
        let address = |what: &str, text: &str| {
            let url = Url::parse(text).ok().filter(is_allowed);
            url.ok_or_else(|| SignInFailed::BadAnswer {
                reason: format!("the {what} '{text}' in the discovery document is not an https:// URL"),
            })
        };
        let methods = document.token_endpoint_auth_methods_supported;
        let only_body = methods.is_some_and(|methods| {
            let has = |method: &str| methods.iter().any(|one| one == method);
            has("client_secret_post") && !has("client_secret_basic")
        });
        Ok(Self {
            issuer: document.issuer,
            authorization: address("authorization_endpoint", &document.authorization_endpoint)?,
            token: address("token_endpoint", &document.token_endpoint)?,
            keys: address("jwks_uri", &document.jwks_uri)?,
            end_session: document
                .end_session_endpoint
                .map(|url| address("end_session_endpoint", &url))
                .transpose()?,
            secret_in: if only_body { ClientSecretIn::Body } else { ClientSecretIn::Header },
            names_issuer: document.authorization_response_iss_parameter_supported,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ISSUER: &str = "https://id.example.org/realm";

    fn read(more: &Value) -> Result<Metadata, SignInFailed> {
        read_of(ISSUER, more)
    }

    fn read_of(issuer: &str, more: &Value) -> Result<Metadata, SignInFailed> {
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": "https://id.example.org/authorize",
            "token_endpoint": "https://id.example.org/token",
            "jwks_uri": "https://keys.example.org/",
            "scopes_supported": ["openid"],
        });
        for (key, value) in more.as_object().unwrap() {
            document[key] = value.clone();
        }
        Metadata::new(serde_json::from_value(document).unwrap(), issuer)
    }

    #[test]
    fn the_document_must_be_of_the_configured_issuer() {
        assert!(read(&json!({})).is_ok());
        for other in ["https://id.example.org/realm/", "https://evil.example/realm"] {
            let error = read(&json!({"issuer": other})).unwrap_err().to_string();
            assert!(error.contains(other) && error.contains(ISSUER), "{error}");
        }
    }

    #[test]
    fn addresses_without_https_are_rejected_unless_the_provider_is_on_this_machine() {
        let here = "http://127.0.0.1:9/realm";
        for key in ["authorization_endpoint", "token_endpoint", "jwks_uri", "end_session_endpoint"] {
            let away =
                ["http://id.example.org/", "http://localhost.example.org/", "file:///etc/passwd", "token"];
            for url in away {
                for issuer in [ISSUER, here] {
                    let error = read_of(issuer, &json!({key: url})).unwrap_err().to_string();
                    assert!(error.contains(key), "{error}");
                }
            }
            for url in ["http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/"] {
                assert!(read_of(here, &json!({key: url})).is_ok(), "{key} {url}");
                assert!(read(&json!({key: url})).is_err(), "{key} {url}");
            }
            assert!(read(&json!({key: "https://a/"})).is_ok(), "{key}");
        }
    }

    #[test]
    fn the_secret_is_in_the_body_only_if_the_provider_wants_nothing_else() {
        let secret_in = |methods: Value| {
            read(&json!({"token_endpoint_auth_methods_supported": methods})).unwrap().secret_in
        };
        assert_eq!(read(&json!({})).unwrap().secret_in, ClientSecretIn::Header);
        assert_eq!(secret_in(json!(["client_secret_post"])), ClientSecretIn::Body);
        assert_eq!(secret_in(json!(["client_secret_post", "client_secret_basic"])), ClientSecretIn::Header);
    }
}
