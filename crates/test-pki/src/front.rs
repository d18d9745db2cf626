//! TLS in front of a service that has none.

use crate::{Ca, Certificate};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// TLS server on a free port of loopback that passes everything on to a service, until the runtime ends.
pub struct TlsFront {
    pub address: SocketAddr,
    handshakes: Arc<AtomicUsize>,
}

/// TLS with this certificate; clients need one of `clients`, if given.
pub fn server_config(certificate: &Certificate, clients: Option<&Ca>) -> Arc<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let versions = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("supported versions");
    let authenticated = match clients {
        None => versions.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_file(&ca.file).expect("a CA")).expect("a CA");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            versions.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let chain = vec![CertificateDer::from_pem_file(&certificate.certificate).expect("a certificate")];
    let key = PrivateKeyDer::from_pem_file(&certificate.key).expect("a key");
    Arc::new(authenticated.with_single_cert(chain, key).expect("a certificate with its key"))
}

impl TlsFront {
    /// Starts it in front of a service.
    pub async fn start(config: Arc<ServerConfig>, service: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let handshakes = Arc::new(AtomicUsize::new(0));
        let (acceptor, count) = (TlsAcceptor::from(config), Arc::clone(&handshakes));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    let Ok(mut secured) = acceptor.accept(stream).await else { return };
                    count.fetch_add(1, Ordering::SeqCst);
                    if let Ok(mut plain) = TcpStream::connect(service).await {
                        // Either side may break off.
                        let _ = tokio::io::copy_bidirectional(&mut secured, &mut plain).await;
                    }
                });
            }
        });
        Self { address, handshakes }
    }

    /// Completed handshakes.
    pub fn handshakes(&self) -> usize {
        self.handshakes.load(Ordering::SeqCst)
    }

    /// URL with this host name.
    pub fn url(&self, name: &str) -> String {
        format!("https://{name}:{}", self.address.port())
    }
}
