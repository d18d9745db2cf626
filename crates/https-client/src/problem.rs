//! What went wrong with TLS, as sentences that users can act on.

use crate::error::{causes, find};
use crate::proxy::ProxyFailed;
use crate::tls::TlsFileError;
use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, InvalidMessage};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use std::io;

/// Why a connection with TLS failed. Its text continues the address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TlsProblem {
    /// No trusted CA signed the certificate.
    UnknownIssuer,
    /// The certificate has expired; when, if known, in RFC 3339.
    Expired { at: Option<String> },
    /// The certificate is not valid yet; until when, if known, in RFC 3339.
    NotYetValid { until: Option<String> },
    /// The certificate is not valid for the name in the URL.
    WrongName { names: Vec<String> },
    /// The service uses the certificate of a CA as its own.
    CaAsOwn,
    /// Another reason to reject the certificate.
    BadCertificate { cause: String },
    /// The service requires a client certificate.
    ClientCertificateMissing,
    /// The service rejects the client certificate.
    ClientCertificateRejected { cause: String },
    /// The service answered something other than TLS.
    NotTls,
    /// The service closed the connection during the handshake.
    Closed,
    /// The certificates of the client can't be used.
    Unusable { cause: String },
    /// Another failure of the handshake.
    Other { cause: String },
}

impl TlsProblem {
    /// What failed; continues the address, without a full stop.
    pub fn reason(&self) -> String {
        match self {
            Self::UnknownIssuer => "has a certificate that no trusted CA signed".to_owned(),
            Self::Expired { at: Some(at) } => format!("has a certificate that expired at {at}"),
            Self::Expired { at: None } => "has an expired certificate".to_owned(),
            Self::NotYetValid { until: Some(until) } => {
                format!("has a certificate that is not valid before {until}")
            }
            Self::NotYetValid { until: None } => "has a certificate that is not valid yet".to_owned(),
            Self::WrongName { names } if names.is_empty() => {
                "has a certificate without any host name".to_owned()
            }
            Self::WrongName { names } => {
                format!("has a certificate that is valid only for: {}", names.join(", "))
            }
            Self::CaAsOwn => "uses the certificate of a CA as its own".to_owned(),
            Self::BadCertificate { cause } => format!("has an invalid certificate ({cause})"),
            Self::ClientCertificateMissing => "requires a client certificate".to_owned(),
            Self::ClientCertificateRejected { cause } => {
                format!("rejected the client certificate ({cause})")
            }
            Self::NotTls => "does not answer with TLS".to_owned(),
            Self::Closed => "closed the connection during the TLS handshake".to_owned(),
            Self::Unusable { cause } => format!("can't be reached with TLS: {cause}"),
            Self::Other { cause } => format!("did not complete the TLS handshake ({cause})"),
        }
    }

    /// What to do; a sentence.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::UnknownIssuer => {
                "If the certificate is from a private CA, set 'ca' to a PEM file with the CA's certificate."
            }
            Self::Expired { .. } => "Renew the certificate, and check the clocks of both machines.",
            Self::NotYetValid { .. } => "Check the clocks of both machines.",
            Self::WrongName { .. } => {
                "Use a URL with a name from the certificate, or a certificate for the name in the URL."
            }
            Self::CaAsOwn => "Have the CA issue a server certificate (without CA:TRUE) for the service.",
            Self::BadCertificate { .. } => "Replace the certificate.",
            Self::ClientCertificateMissing => {
                "Set 'client_certificate' and 'client_key' of the [[host]] to PEM files. Other connections can't use a \
                 client certificate."
            }
            Self::ClientCertificateRejected { .. } => {
                "Use a client certificate that has not expired, from a CA that the service trusts."
            }
            Self::NotTls => "If the service uses plain HTTP, use a URL that begins with http://.",
            Self::Closed => {
                "Check that the service uses TLS. If it uses plain HTTP, use a URL that begins with http://."
            }
            Self::Unusable { .. } => "The problem is on the machine that connects, not at this address.",
            Self::Other { .. } => "Check the log and the TLS settings of the service.",
        }
    }
}

impl fmt::Display for TlsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.reason(), self.advice())
    }
}

/// TLS problem among the causes of an error, if there is one.
pub fn problem_of(error: &(dyn Error + 'static)) -> Option<TlsProblem> {
    find::<rustls::Error>(error).map(of_rustls)
}

/// TLS problem for which a client could not connect, if there is one.
pub fn connect_problem(error: &reqwest::Error) -> Option<TlsProblem> {
    let is_https = error.url().is_some_and(|url| url.scheme() == "https");
    if !error.is_connect() || !is_https {
        return None;
    }
    let is_closed = || {
        causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| {
            use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
            matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe)
        })
    };
    problem_of(error)
        .or_else(|| (find::<ProxyFailed>(error).is_none() && is_closed()).then_some(TlsProblem::Closed))
}

fn of_rustls(error: &rustls::Error) -> TlsProblem {
    match error {
        rustls::Error::Other(other) if let Some(error) = other.0.downcast_ref::<TlsFileError>() => {
            TlsProblem::Unusable { cause: error.to_string() }
        }
        rustls::Error::InvalidCertificate(error) => of_certificate(error),
        rustls::Error::NoCertificatesPresented => {
            TlsProblem::BadCertificate { cause: "none was sent".to_owned() }
        }
        rustls::Error::AlertReceived(alert) => of_alert(*alert),
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => TlsProblem::NotTls,
        other => TlsProblem::Other { cause: other.to_string() },
    }
}

fn of_certificate(error: &CertificateError) -> TlsProblem {
    match error {
        CertificateError::UnknownIssuer => TlsProblem::UnknownIssuer,
        CertificateError::Expired => TlsProblem::Expired { at: None },
        CertificateError::ExpiredContext { not_after, .. } => TlsProblem::Expired { at: text_of(*not_after) },
        CertificateError::NotValidYet => TlsProblem::NotYetValid { until: None },
        CertificateError::NotValidYetContext { not_before, .. } => {
            TlsProblem::NotYetValid { until: text_of(*not_before) }
        }
        CertificateError::NotValidForName => TlsProblem::WrongName { names: Vec::new() },
        CertificateError::NotValidForNameContext { presented, .. } => {
            TlsProblem::WrongName { names: presented.iter().map(|name| plain_name(name)).collect() }
        }
        // The library has no variant of its own for it.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            TlsProblem::CaAsOwn
        }
        other => TlsProblem::BadCertificate { cause: other.to_string() },
    }
}

fn of_alert(alert: AlertDescription) -> TlsProblem {
    use AlertDescription as Alert;
    match alert {
        Alert::CertificateRequired => TlsProblem::ClientCertificateMissing,
        Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::CertificateRevoked
        | Alert::CertificateExpired
        | Alert::CertificateUnknown
        | Alert::UnknownCA
        | Alert::AccessDenied
        | Alert::DecryptError => TlsProblem::ClientCertificateRejected { cause: format!("{alert:?}") },
        alert => TlsProblem::Other { cause: format!("it sent the alert {alert:?}") },
    }
}

fn text_of(time: UnixTime) -> Option<String> {
    let seconds = i64::try_from(time.as_secs()).ok()?;
    Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

/// The library describes names such as `DnsName("localhost")` and `IpAddress(127.0.0.1)`.
fn plain_name(described: &str) -> String {
    let inner = described.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(described);
    inner.trim_matches('"').to_owned()
}
