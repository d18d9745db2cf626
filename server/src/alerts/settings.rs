//! Settings of alerts, validated.

use alerts::Rule;
use anyhow::{bail, ensure};
use lettre::message::Mailbox;
use protocol::alerts::{RuleOrigin, Severity};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// Settings of alerts.
#[derive(Clone, Debug)]
pub struct AlertsConfig {
    /// False switches everything off.
    pub enabled: bool,
    /// Interval of evaluations.
    pub interval: Duration,
    /// Time that a group waits for more alerts before its first notification.
    pub group_wait: Duration,
    /// Built-in rules, as far as the file changes them, and those of the file.
    pub rules: Vec<ConfiguredRule>,
    /// Configuration file, if there is one.
    pub file: Option<PathBuf>,
    pub destinations: Vec<Destination>,
    /// URL of the dashboard, for links in e-mails.
    pub external_url: Option<Url>,
}

impl AlertsConfig {
    /// Name of the configuration file, for users.
    pub fn file_name(&self) -> String {
        let file = self.file.as_deref();
        file.map_or_else(|| "the configuration file".to_owned(), |file| file.display().to_string())
    }
}

/// Rule, and whether it applies.
#[derive(Clone, Debug)]
pub struct ConfiguredRule {
    pub rule: Rule,
    pub enabled: bool,
    pub origin: RuleOrigin,
}

/// Destination of messages.
#[derive(Clone, Debug)]
pub struct Destination {
    pub name: String,
    pub transport: Transport,
    /// Least severity of the alerts that it gets.
    pub severity: Severity,
    /// Timeout of a try.
    pub timeout: Duration,
    /// Largest number of tries.
    pub tries: u32,
    /// Pause after the first failed try; it doubles.
    pub pause: Duration,
}

/// How messages reach a destination.
#[derive(Clone, Debug)]
pub enum Transport {
    Webhook { url: SecretUrl, format: MessageFormat },
    Email(EmailSettings),
}

/// Without secret parts.
impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Transport::Webhook { url, .. } => url.fmt(f),
            Transport::Email(EmailSettings { server, port, to, .. }) => {
                let to: Vec<String> = to.iter().map(|to| to.email.to_string()).collect();
                write!(f, "{} (by {server}:{port})", to.join(", "))
            }
        }
    }
}

/// Settings of e-mails.
#[derive(Clone, Debug)]
pub struct EmailSettings {
    /// Host name of the mail server.
    pub server: String,
    pub port: u16,
    pub encryption: Encryption,
    /// `None` if the server needs no login.
    pub login: Option<Login>,
    pub from: Mailbox,
    /// At least one.
    pub to: Vec<Mailbox>,
}

/// Encryption of a connection to a mail server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// TLS after a greeting in clear text. Required: without it, nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None, for a mail server on the same machine.
    None,
}

/// User and password of a mail server.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Form of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageFormat {
    /// JSON with all details.
    #[default]
    Json,
    /// Text for Slack and services that accept its format.
    Slack,
    /// Alerts of version 2 of Alertmanager's API.
    Alertmanager,
}

/// Address whose path is a secret. It is never shown in full.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(Url);

impl SecretUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// A sentence without the address.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let Ok(url) = Url::parse(text.trim()) else { bail!("it is not a URL") };
        ensure!(matches!(url.scheme(), "http" | "https"), "it must start with https:// or http://");
        ensure!(url.host_str().is_some(), "it has no host");
        ensure!(
            url.username().is_empty() && url.password().is_none(),
            "it has a user name or password, which webhooks do not support"
        );
        Ok(Self(url))
    }

    /// The whole address, for the request only.
    pub fn expose(&self) -> &Url {
        &self.0
    }
}

/// Scheme, host and port.
impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        if let Some(port) = self.0.port() {
            write!(f, ":{port}")?;
        }
        f.write_str("/…")
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_never_shown_with_its_secret() {
        let url =
            SecretUrl::parse("https://hooks.example.org:8443/services/T0/B0/s3cret?key=s3cret").unwrap();
        for shown in [url.to_string(), format!("{url:?}")] {
            assert_eq!(shown, "https://hooks.example.org:8443/…");
        }
        assert!(url.expose().as_str().contains("s3cret"));
        for bad in ["ftp://example.org", "hooks", "https://user:s3cret@example.org/"] {
            let error = SecretUrl::parse(bad).unwrap_err().to_string();
            assert!(!error.contains("s3cret"), "{error}");
        }
    }
}
