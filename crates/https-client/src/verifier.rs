//! Verifier of services: passes each certificate on to the library's verifier with the current CAs.

use crate::tls::Tls;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme};
use std::sync::Arc;

/// Certificates of both sides, read when a handshake needs them.
#[derive(Debug)]
struct Current {
    tls: Tls,
    provider: Arc<CryptoProvider>,
}

impl Tls {
    /// Configuration of the TLS library: TLS 1.2 and 1.3. Reads nothing yet.
    pub fn client_config(&self) -> ClientConfig {
        let provider = Arc::new(ring::default_provider());
        let current = Arc::new(Current { tls: self.clone(), provider: Arc::clone(&provider) });
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports TLS 1.2 and 1.3")
            // Nothing is accepted that the verifier of the library rejects.
            .dangerous()
            .with_custom_certificate_verifier(Arc::clone(&current) as _)
            .with_client_cert_resolver(current);
        if self.may_change() {
            // A resumed session would not be verified with changed files.
            config.resumption = Resumption::disabled();
        }
        config
    }
}

impl ServerCertVerifier for Current {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verifier = self.tls.verifier().map_err(|error| Error::Other(OtherError(Arc::new(error))))?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Current {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.tls.client_certificate()
    }

    fn has_certs(&self) -> bool {
        self.tls.client_certificate().is_some()
    }
}
