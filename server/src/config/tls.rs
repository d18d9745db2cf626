//! TLS: files of the certificate, redirects, and whether browsers must use HTTPS.

use crate::tls::CertificateFiles;
use anyhow::bail;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Arguments for TLS.
#[derive(clap::Args, Default)]
pub struct TlsArgs {
    /// TLS certificate (PEM), followed by its intermediate certificates; the server then uses HTTPS. Needs --tls-key
    #[arg(long, env = "SIGNALBOX_TLS_CERTIFICATE", value_name = "FILE")]
    tls_certificate: Option<PathBuf>,
    /// Private key of the TLS certificate (PEM, without a password)
    #[arg(long, env = "SIGNALBOX_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
}

/// `[tls]` of the configuration file.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FileTls {
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    /// Address on which plain HTTP is redirected to HTTPS.
    redirect_from: Option<SocketAddr>,
    /// Whether browsers are told to use only HTTPS for the host name; true by default.
    hsts: Option<bool>,
}

/// TLS of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsConfig {
    pub files: CertificateFiles,
    /// Address on which plain HTTP is redirected to HTTPS.
    pub redirect_from: Option<SocketAddr>,
    /// Whether browsers are told to use only HTTPS for the host name.
    pub hsts: bool,
}

/// Merges arguments and file.
///
/// # Errors
/// A sentence, if only one of certificate and key is set, or keys of the file have no effect.
pub(super) fn merge(args: TlsArgs, file: FileTls) -> anyhow::Result<Option<TlsConfig>> {
    match (args.tls_certificate.or(file.certificate), args.tls_key.or(file.key)) {
        (Some(certificate), Some(key)) => Ok(Some(TlsConfig {
            files: CertificateFiles { certificate, key },
            redirect_from: file.redirect_from,
            hsts: file.hsts.unwrap_or(true),
        })),
        (None, None) if file.redirect_from.is_none() && file.hsts.is_none() => Ok(None),
        (certificate, _) => {
            let (set, missing) = match certificate {
                Some(_) => ("a TLS certificate is", "its key (--tls-key, or key in [tls])"),
                None => {
                    ("other TLS settings are", "a certificate (--tls-certificate, or certificate in [tls])")
                }
            };
            bail!("{set} set, but not {missing}. HTTPS needs a certificate and its key")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str, certificate: Option<&str>, key: Option<&str>) -> anyhow::Result<Option<TlsConfig>> {
        let args =
            TlsArgs { tls_certificate: certificate.map(PathBuf::from), tls_key: key.map(PathBuf::from) };
        merge(args, toml::from_str(file).unwrap())
    }

    #[test]
    fn https_needs_certificate_and_key() {
        assert!(read("", None, None).unwrap().is_none());
        let error = |file, certificate, key| read(file, certificate, key).unwrap_err().to_string();
        assert!(error("", Some("c.pem"), None).contains("--tls-key"));
        assert!(error("key = 'k.pem'", None, None).contains("--tls-certificate"));
        assert!(error("redirect_from = '0.0.0.0:80'", None, None).contains("--tls-certificate"));
    }

    #[test]
    fn arguments_override_the_files_of_the_configuration() {
        let file = "certificate = 'a.pem'\nkey = 'b.pem'\nredirect_from = '0.0.0.0:80'\nhsts = false";
        let config = read(file, Some("c.pem"), None).unwrap().unwrap();
        assert_eq!(config.files.certificate, PathBuf::from("c.pem"));
        assert_eq!(config.files.key, PathBuf::from("b.pem"));
        assert_eq!((config.redirect_from.map(|a| a.port()), config.hsts), (Some(80), false));
    }
}
