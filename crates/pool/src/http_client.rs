//! HTTP clients of a pool: their settings, and the URL of their service.

use crate::{PoolConfig, PoolError};
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::ClientBuilder;

/// Settings shared by the clients of a pool.
pub(crate) fn builder(base_url: &str, config: &PoolConfig) -> Result<ClientBuilder, PoolError> {
    let mut headers = HeaderMap::new();
    if let Some(token) = &config.token {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {token}"))
            .map_err(|_| PoolError::BadToken { url: base_url.to_owned() })?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
    let builder = https_client::builder_for(base_url, &config.tls, config.proxies);
    Ok(builder.default_headers(headers).connect_timeout(config.connect_timeout))
}

/// Checks the URL, and removes a trailing slash.
pub(crate) fn checked_base(base_url: &str) -> Result<String, PoolError> {
    let refuse = |cause: &str| Err(PoolError::BadUrl { url: base_url.to_owned(), cause: cause.into() });
    let url = match reqwest::Url::parse(base_url.trim()) {
        Ok(url) => url,
        Err(e) => return refuse(&e.to_string()),
    };
    if !matches!(url.scheme(), "http" | "https") {
        return refuse("it does not start with http:// or https://");
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Not in the message, because it is a secret.
        return Err(PoolError::BadUrl {
            url: format!("{}://…@{}", url.scheme(), url.host_str().unwrap_or_default()),
            cause: "it has a user name or password; use a token instead".into(),
        });
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refuse("it has a query or a fragment");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

pub(crate) fn bad_url(url: &str, error: &reqwest::Error) -> PoolError {
    PoolError::BadUrl { url: url.to_owned(), cause: error.to_string() }
}
