//! TLS: certificate and key from files, which can be replaced while the server runs.

use crate::watched_files::WatchedFiles;
use anyhow::{Context, bail};
use axum::Router;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::HOST;
use http::{HeaderMap, StatusCode, Uri};
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Interval of checks for replaced files.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);
/// Protocols in order of preference (ALPN). Browsers open at most six HTTP/1.1 connections to a server, and one with
/// HTTP/2.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Files of the certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertificateFiles {
    /// Certificate of the server, followed by those of its issuers (PEM).
    pub certificate: PathBuf,
    /// Private key (PEM).
    pub key: PathBuf,
}

/// Server side of TLS. Clones share the certificate.
#[derive(Clone)]
pub struct Tls {
    files: CertificateFiles,
    current: Arc<CurrentCertificate>,
    acceptor: TlsAcceptor,
}

#[derive(Debug)]
struct CurrentCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for CurrentCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

impl Tls {
    /// Reads the files. Accepts TLS 1.2 and 1.3.
    ///
    /// # Errors
    /// A sentence that names the file, if one can't be read, or they do not belong together.
    pub fn open(files: CertificateFiles) -> anyhow::Result<Self> {
        let current = Arc::new(CurrentCertificate(RwLock::new(Arc::new(read(&files)?))));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<CurrentCertificate>::clone(&current));
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(Self { files, current, acceptor: TlsAcceptor::from(Arc::new(config)) })
    }

    pub fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    /// Uses new files for new connections, until `stop` is cancelled. Keeps the certificate if the new files are
    /// invalid.
    pub async fn reload(self, stop: CancellationToken) {
        let Self { files, current, .. } = self;
        let watched = WatchedFiles::new([files.certificate.clone(), files.key.clone()]);
        let certificate = files.certificate.clone();
        let apply = |new: anyhow::Result<CertifiedKey>| match new {
            Ok(new) => {
                *current.0.write() = Arc::new(new);
                tracing::info!(
                    certificate = %certificate.display(),
                    "loaded a new certificate; open connections keep the previous certificate"
                );
            }
            Err(error) => tracing::warn!(
                "the new certificate is not used, and the previous certificate stays in use; trying again every 5 s: {error:#}"
            ),
        };
        watched.follow(RELOAD_INTERVAL, stop, move |_| read(&files), apply).await;
    }
}

fn read(files: &CertificateFiles) -> anyhow::Result<CertifiedKey> {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("can't read the TLS certificate {certificate}; it must be in PEM form"))?;
    if chain.is_empty() {
        bail!(
            "{certificate} has no certificate. It must have the server's certificate in PEM form \
             (BEGIN CERTIFICATE), followed by its intermediate certificates"
        );
    }
    let private = PrivateKeyDer::from_pem_file(&files.key).with_context(|| {
        format!("can't read the TLS key {key}; it must be in PEM form, without a password")
    })?;
    CertifiedKey::from_der(chain, private, &ring::default_provider())
        .with_context(|| format!("the TLS key {key} can't be used with the certificate {certificate}; use the key of this certificate"))
}

/// Routes for plain HTTP: all requests are redirected to HTTPS. `port` replaces the port of the request, if it came in
/// on a different one.
pub fn redirects(port: Option<u16>) -> Router {
    Router::new().fallback(async move |uri: Uri, headers: HeaderMap| redirect(port, &uri, &headers))
}

fn redirect(port: Option<u16>, uri: &Uri, headers: &HeaderMap) -> Response {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = match port {
        None => host.to_owned(),
        Some(443) => without_port(host).to_owned(),
        Some(port) => format!("{}:{port}", without_port(host)),
    };
    let to = format!("https://{authority}{path}");
    match to.parse::<Uri>() {
        Ok(_) if !host.is_empty() => Redirect::permanent(&to).into_response(),
        _ => (StatusCode::BAD_REQUEST, "This server uses HTTPS. Use a URL that starts with https://.\n")
            .into_response(),
    }
}

/// `a:80` and `[::1]:80` without the port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn write(folder: &Path, names: &[&str]) -> CertificateFiles {
        let made =
            rcgen::generate_simple_self_signed(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>())
                .unwrap();
        let files = CertificateFiles { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
        std::fs::write(&files.certificate, made.cert.pem()).unwrap();
        std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }

    #[test]
    fn unusable_files_are_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), &["localhost"]);
        assert!(Tls::open(files.clone()).is_ok());
        let fails = |files: CertificateFiles| format!("{:#}", Tls::open(files).err().unwrap());

        let missing = CertificateFiles { certificate: folder.path().join("none.pem"), ..files.clone() };
        assert!(fails(missing).contains("none.pem"));
        let swapped = CertificateFiles { certificate: files.key.clone(), key: files.certificate.clone() };
        assert!(fails(swapped).contains("key.pem has no certificate"));
        let key = std::fs::read(&files.key).unwrap();
        write(folder.path(), &["localhost"]);
        std::fs::write(&files.key, key).unwrap();
        let text = fails(files);
        assert!(text.contains("key.pem can't be used with the certificate"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_replaced_certificate_is_used_and_an_invalid_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = write(folder.path(), &["localhost"]);
        let tls = Tls::open(files.clone()).unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(tls.clone().reload(stop.clone()));
        let current = || tls.current.0.read().cert[0].to_vec();
        let first = current();

        std::fs::write(&files.certificate, "broken").unwrap();
        tokio::time::sleep(RELOAD_INTERVAL * 3).await;
        assert_eq!(current(), first);
        write(folder.path(), &["localhost", "other"]);
        while current() == first {
            tokio::time::sleep(RELOAD_INTERVAL).await;
        }
        stop.cancel();
        task.await.unwrap();
    }

    #[test]
    fn plain_http_is_redirected_to_the_same_address_over_https() {
        let to = |port: Option<u16>, host: &str, path: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            let answer = redirect(port, &path.parse().unwrap(), &headers);
            assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
            answer.headers()["location"].to_str().unwrap().to_owned()
        };
        assert_eq!(to(None, "box:7200", "/hosts?a=b"), "https://box:7200/hosts?a=b");
        assert_eq!(to(Some(443), "box:80", "/"), "https://box/");
        assert_eq!(to(Some(7200), "[::1]", "/"), "https://[::1]:7200/");
        assert_eq!(
            redirect(None, &"/".parse().unwrap(), &HeaderMap::new()).status(),
            StatusCode::BAD_REQUEST
        );
    }
}
