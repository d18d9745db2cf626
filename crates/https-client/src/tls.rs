//! TLS set-up: trusted certificates, and the client's own certificate for mutual TLS.

use parking_lot::Mutex;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use thiserror::Error;

/// Verifier with the certificates of the system, which are read once per process.
static SYSTEM: Mutex<Option<Arc<WebPkiServerVerifier>>> = Mutex::new(None);

/// Files in PEM form.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TlsFiles {
    /// Certificates of the only CAs to trust; without it, those of the system are trusted.
    pub ca: Option<PathBuf>,
    /// Certificate of the client, followed by those of its issuers, for a service that requires one.
    pub client_certificate: Option<PathBuf>,
    /// Private key of that certificate, without a password.
    pub client_key: Option<PathBuf>,
}

/// Why files can't be used.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TlsFileError {
    #[error("can't read {} '{}' ({cause}). It must be a file in PEM form{}", .what, .file.display(), .note)]
    Unreadable { what: &'static str, file: PathBuf, cause: String, note: &'static str },
    #[error("{} '{}' has no certificate. It must have certificates in PEM form (BEGIN CERTIFICATE)", .what, .file.display())]
    NoCertificate { what: &'static str, file: PathBuf },
    #[error("{} '{}' can't be used: {cause}", .what, .file.display())]
    Unusable { what: &'static str, file: PathBuf, cause: String },
    #[error("'{set}' is set, but '{missing}' is not. Mutual TLS needs both files")]
    Incomplete { set: &'static str, missing: &'static str },
    #[error(
        "this machine has no trusted CA certificates. Install the package ca-certificates, or set SSL_CERT_FILE to a \
         file with certificates"
    )]
    NoSystemCertificates,
    #[error("TLS can't be set up: {0}")]
    Other(String),
}

/// TLS set-up of a client; by default with the certificates of the system. Clones share it.
#[derive(Clone, Default)]
pub struct Tls {
    /// `None`: nothing but the certificates of the system.
    files: Option<Arc<Watched>>,
}

/// Files, with what was read from them.
struct Watched {
    files: TlsFiles,
    read: Mutex<ReadFiles>,
}

struct ReadFiles {
    stamps: Stamps,
    contents: Contents,
}

/// Modification time and size of each file; `None` for a missing one.
type Stamps = [Option<(SystemTime, u64)>; 3];

/// Contents of the files.
#[derive(Clone)]
struct Contents {
    /// `None`: the certificates of the system.
    verifier: Option<Arc<WebPkiServerVerifier>>,
    client: Option<Arc<CertifiedKey>>,
}

impl Tls {
    /// Reads the files. They are read again for a new connection if they have changed; if they are unusable then, the
    /// previous contents stay.
    ///
    /// # Errors
    /// [`TlsFileError`].
    pub fn open(files: TlsFiles) -> Result<Self, TlsFileError> {
        if files == TlsFiles::default() {
            return Ok(Self::default());
        }
        let stamps = stamps(&files);
        let contents = Contents::read(&files)?;
        let read = Mutex::new(ReadFiles { stamps, contents });
        Ok(Self { files: Some(Arc::new(Watched { files, read })) })
    }

    /// Whether the certificates may change.
    pub(crate) fn may_change(&self) -> bool {
        self.files.is_some()
    }

    /// Verifier with the trusted CAs.
    pub(crate) fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, TlsFileError> {
        match self.files.as_ref().and_then(|files| files.contents().verifier) {
            Some(verifier) => Ok(verifier),
            None => system_verifier(),
        }
    }

    /// Certificate of the client with its key.
    pub(crate) fn client_certificate(&self) -> Option<Arc<CertifiedKey>> {
        self.files.as_ref().and_then(|files| files.contents().client)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.files {
            Some(watched) => watched.files.fmt(f),
            None => f.write_str("certificates of the system"),
        }
    }
}

impl Watched {
    /// Contents of the files, which are read again if they have changed.
    fn contents(&self) -> Contents {
        let mut read = self.read.lock();
        let now = stamps(&self.files);
        if now != read.stamps {
            read.stamps = now;
            match Contents::read(&self.files) {
                Ok(contents) => read.contents = contents,
                Err(error) => tracing::warn!(
                    "the changed TLS files are not used, and the previous files stay in use: {error}"
                ),
            }
        }
        read.contents.clone()
    }
}

impl Contents {
    fn read(files: &TlsFiles) -> Result<Self, TlsFileError> {
        let client = match (&files.client_certificate, &files.client_key) {
            (Some(certificate), Some(key)) => Some(Arc::new(certified(certificate, key)?)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(TlsFileError::Incomplete { set: "client_certificate", missing: "client_key" });
            }
            (None, Some(_)) => {
                return Err(TlsFileError::Incomplete { set: "client_key", missing: "client_certificate" });
            }
        };
        let verifier = files.ca.as_deref().map(|file| verifier_of(roots_in(file)?)).transpose()?;
        Ok(Self { verifier, client })
    }
}

fn system_verifier() -> Result<Arc<WebPkiServerVerifier>, TlsFileError> {
    let mut system = SYSTEM.lock();
    if let Some(verifier) = &*system {
        return Ok(Arc::clone(verifier));
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(TlsFileError::NoSystemCertificates);
    }
    let verifier = verifier_of(roots)?;
    *system = Some(Arc::clone(&verifier));
    Ok(verifier)
}

fn verifier_of(roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, TlsFileError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| TlsFileError::Other(error.to_string()))
}

fn roots_in(file: &Path) -> Result<RootCertStore, TlsFileError> {
    const WHAT: &str = "the CA";
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file, WHAT)? {
        roots.add(certificate).map_err(|error| TlsFileError::Unusable {
            what: WHAT,
            file: file.to_owned(),
            cause: error.to_string(),
        })?;
    }
    Ok(roots)
}

fn certificates(file: &Path, what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsFileError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read = read.map_err(|error| TlsFileError::Unreadable {
        what,
        file: file.to_owned(),
        cause: error.to_string(),
        note: "",
    })?;
    match read.is_empty() {
        true => Err(TlsFileError::NoCertificate { what, file: file.to_owned() }),
        false => Ok(read),
    }
}

fn certified(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsFileError> {
    let chain = certificates(certificate, "the client certificate")?;
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| TlsFileError::Unreadable {
        what: "the key of the client certificate",
        file: key.to_owned(),
        cause: error.to_string(),
        note: ", without a password",
    })?;
    CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(|error| {
        TlsFileError::Unusable {
            what: "the key",
            file: key.to_owned(),
            cause: format!("it does not belong to the certificate '{}' ({error})", certificate.display()),
        }
    })
}

fn stamps(files: &TlsFiles) -> Stamps {
    [&files.ca, &files.client_certificate, &files.client_key].map(|file| {
        let found = file.as_ref()?.metadata().ok()?;
        Some((found.modified().ok()?, found.len()))
    })
}
