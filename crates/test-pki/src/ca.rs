//! Certificate authority, and the certificates that it issues.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Certificate authority with its certificate in a file.
pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: PathBuf,
    /// Its certificate (PEM).
    pub file: PathBuf,
}

/// Certificate and its key in files (PEM).
#[derive(Clone, Debug)]
pub struct Certificate {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// When a certificate is valid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Validity {
    Now,
    /// Until 2020.
    Expired,
    /// From 4000 on.
    Future,
}

impl Ca {
    /// CA of this name, whose files are in a folder.
    pub fn new(folder: &Path, name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, key()).expect("a certificate of a CA");
        let file = folder.join(format!("{name}.pem"));
        fs::write(&file, issuer.pem()).expect("the folder can be written");
        Self { issuer, folder: folder.to_owned(), file }
    }

    /// Certificate for these host names and addresses, for servers and clients.
    pub fn issue(&self, names: &[&str], validity: Validity) -> Certificate {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let file = format!("{}-{validity:?}", names.join("-").replace(':', "_"));
        let mut params = CertificateParams::new(names).expect("valid names");
        params.distinguished_name.push(DnType::CommonName, file.as_str());
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        match validity {
            Validity::Now => {}
            Validity::Expired => {
                params.not_before = date_time_ymd(2019, 1, 1);
                params.not_after = date_time_ymd(2020, 1, 1);
            }
            Validity::Future => params.not_before = date_time_ymd(4000, 1, 1),
        }
        let key = key();
        let issued = params.signed_by(&key, &self.issuer).expect("a certificate");
        let files = Certificate {
            certificate: self.folder.join(format!("{file}.pem")),
            key: self.folder.join(format!("{file}-key.pem")),
        };
        fs::write(&files.key, key.serialize_pem()).expect("the folder can be written");
        fs::write(&files.certificate, issued.pem()).expect("the folder can be written");
        files
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("random numbers")
}
