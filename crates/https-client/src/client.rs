//! Client: settings that all clients share.

use crate::proxy::{Proxies, ProxyFailed};
use crate::tls::Tls;
use reqwest::{Client, ClientBuilder, redirect};
use tower::BoxError;
use tower::util::MapErrLayer;

/// Builder of a client with these certificates. It uses HTTP/1.1 and no proxies, and follows no redirects, because
/// tokens would go to another address.
pub fn builder(tls: &Tls) -> ClientBuilder {
    common(tls).no_proxy()
}

/// Same for requests to one service, by the proxy for its URL, if there is one.
pub fn builder_for(service: &str, tls: &Tls, proxies: Proxies) -> ClientBuilder {
    let Some(proxy) = proxies.url_for(service) else { return builder(tls) };
    let named = move |cause| BoxError::from(ProxyFailed { proxy: proxy.clone(), cause });
    common(tls).connector_layer(MapErrLayer::new(named))
}

fn common(tls: &Tls) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("signalbox/", env!("CARGO_PKG_VERSION")))
        .http1_only()
        .redirect(redirect::Policy::none())
        .referer(false)
        .tcp_nodelay(true)
        .tls_backend_preconfigured(tls.client_config())
}
