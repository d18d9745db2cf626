//! `[[alerts.email]]`: alerts by e-mail.

use super::{Tries, least_severity};
use crate::alerts::{Destination, EmailSettings, Encryption, Login, Transport};
use anyhow::{Context, bail, ensure};
use lettre::message::Mailbox;
use protocol::alerts::Severity;
use serde::Deserialize;
use std::path::PathBuf;
use url::Url;

/// Timeout of a try in seconds: some mail servers wait before they greet a client.
const DEFAULT_TIMEOUT_SECONDS: f64 = 30.0;

/// `[[alerts.email]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileEmail {
    name: String,
    /// Host name of the mail server.
    server: String,
    /// Default: 587 for STARTTLS, 465 for TLS, 25 without encryption.
    port: Option<u16>,
    #[serde(default)]
    encryption: Encryption,
    user: Option<String>,
    /// File that contains the password.
    password_file: Option<PathBuf>,
    from: String,
    to: Vec<String>,
    #[serde(default = "least_severity")]
    severity: Severity,
    timeout: Option<f64>,
    tries: Option<u32>,
    pause: Option<f64>,
}

/// Destination by the file.
///
/// # Errors
/// A sentence that names the key, and the correct form.
pub(super) fn destination(email: FileEmail) -> anyhow::Result<Destination> {
    let name = email.name;
    let of = format!("[[alerts.email]] '{name}'");
    let server = email.server.trim().to_owned();
    ensure!(
        !server.is_empty() && !server.contains(['/', '@', ' ']),
        "'server' of {of} must be the host name of a mail server, such as smtp.example.org"
    );
    let login = match (email.user, email.password_file) {
        (None, None) => None,
        (Some(user), Some(path)) => {
            let password = std::fs::read_to_string(&path)
                .with_context(|| format!("can't read {} (the password_file of {of})", path.display()))?;
            Some(Login { user, password: password.trim_end_matches(['\r', '\n']).to_owned() })
        }
        _ => bail!("{of} needs both 'user' and 'password_file', or neither"),
    };
    if login.is_some() && email.encryption == Encryption::None {
        bail!("{of} would send the password in clear text; use encryption = \"starttls\" or \"tls\"");
    }
    let mailbox = |key: &str, text: &str| -> anyhow::Result<Mailbox> {
        text.parse().with_context(|| format!("'{key}' of {of} has the invalid address '{text}'"))
    };
    let to = email.to.iter().map(|to| mailbox("to", to)).collect::<anyhow::Result<Vec<Mailbox>>>()?;
    ensure!(!to.is_empty(), "'to' of {of} is empty; list at least one address");
    let settings = EmailSettings {
        server,
        port: email.port.unwrap_or(match email.encryption {
            Encryption::Starttls => 587,
            Encryption::Tls => 465,
            Encryption::None => 25,
        }),
        encryption: email.encryption,
        login,
        from: mailbox("from", &email.from)?,
        to,
    };
    let tries = Tries { timeout: email.timeout, tries: email.tries, pause: email.pause };
    let transport = Transport::Email(settings);
    tries.destination(name, &of, transport, email.severity, DEFAULT_TIMEOUT_SECONDS)
}

/// URL of the dashboard.
///
/// # Errors
/// A sentence with the correct form.
pub(super) fn external_url(text: &str) -> anyhow::Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url.filter(|url| url.has_host() && url.query().is_none()) else {
        bail!(
            "alerts.external_url is '{text}'; use the URL of the dashboard, such as https://signalbox.example.org"
        )
    };
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::super::settings;
    use super::*;
    use crate::alerts::AlertsConfig;

    fn read(text: &str) -> anyhow::Result<AlertsConfig> {
        settings(toml::from_str(text)?, None)
    }

    fn email(more: &str) -> String {
        format!(
            "[[email]]\nname = 'mail'\nserver = 'smtp.example.org'\nfrom = 'Signalbox <signalbox@example.org>'\n\
             to = ['ops@example.org']\n{more}"
        )
    }

    #[test]
    fn the_example_of_the_docs_is_valid() {
        let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/alerts.md");
        let docs = std::fs::read_to_string(docs).unwrap();
        let example = docs.split("```toml\n").find(|block| block.contains("[[alerts.email]]")).unwrap();
        let example = example.split("```").next().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "s3cret\n").unwrap();
        let example = example.replace("/etc/signalbox/smtp-password", path.to_str().unwrap());
        let table: toml::Table = toml::from_str(&example).unwrap();
        let config = read(&toml::to_string(&table["alerts"]).unwrap()).unwrap();
        let Transport::Email(settings) = &config.destinations[0].transport else { panic!("an e-mail") };
        assert_eq!((settings.port, settings.encryption), (587, Encryption::Starttls));
        assert_eq!(settings.login.as_ref().unwrap().password, "s3cret");
        assert!(config.external_url.is_some() && !format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn the_port_follows_the_encryption() {
        for (encryption, expected) in [("starttls", 587), ("tls", 465), ("none", 25)] {
            let config = read(&email(&format!("encryption = '{encryption}'"))).unwrap();
            let Transport::Email(settings) = &config.destinations[0].transport else { panic!("an e-mail") };
            assert_eq!(settings.port, expected);
        }
    }

    #[test]
    fn an_invalid_setting_is_named() {
        let error = |text: &str| format!("{:#}", read(text).unwrap_err());
        assert!(error(&email("user = 'x'")).contains("both 'user' and 'password_file'"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "s3cret").unwrap();
        let login = format!("user = 'x'\npassword_file = '{}'\nencryption = 'none'", path.display());
        let clear = error(&email(&login));
        assert!(clear.contains("clear text") && !clear.contains("s3cret"), "{clear}");
        assert!(error(&email("").replace("ops@example.org", "ops")).contains("'to'"));
        assert!(error(&email("").replace("smtp.example.org", "https://x")).contains("'server'"));
        let twice = format!("[[webhook]]\nname = 'mail'\nurl = 'https://example.org'\n{}", email(""));
        assert!(error(&twice).contains("have the name 'mail'"));
        assert!(error("external_url = 'signalbox'").contains("alerts.external_url"));
    }
}
