//! One e-mail, over SMTP. Each message has a connection of its own.

use super::failed::Failed;
use super::mail;
use super::message::Notice;
use super::settings::{EmailSettings, Encryption};
use https_client::root_cause;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use std::error::Error as _;
use std::time::Duration;
use url::Url;

/// Mechanisms for a login; both send the password, so they need TLS.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];
/// Time for the goodbye after a delivered message, which nobody waits for.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest reason of a failure, because a mail server may send many lines.
const MAX_REASON_CHARS: usize = 300;

/// Client of one mail server.
pub(super) struct Mailer {
    settings: EmailSettings,
    timeout: Duration,
    /// `None` without encryption.
    tls: Option<TlsParameters>,
    /// URL of the dashboard, for links.
    page: Option<Url>,
}

impl Mailer {
    /// Client for a mail server. Reads the trusted certificates, which blocks.
    ///
    /// # Errors
    /// If TLS can't be set up.
    pub fn new(settings: EmailSettings, timeout: Duration, page: Option<Url>) -> Result<Self, String> {
        let tls = match settings.encryption {
            Encryption::None => None,
            Encryption::Starttls | Encryption::Tls => {
                let tls = TlsParameters::new(settings.server.clone());
                Some(tls.map_err(|error| format!("TLS can't be set up: {}", reason(&error)))?)
            }
        };
        Ok(Self { settings, timeout, tls, page })
    }

    /// Sends a message; returns the code of success.
    ///
    /// # Errors
    /// Why it is not delivered.
    pub async fn send(&self, id: &str, notice: &Notice) -> Result<u16, Failed> {
        let message = mail::compose(notice, id, &self.settings, self.page.as_ref())
            .map_err(|error| Failed::Transient(None, format!("the e-mail can't be composed: {error}")))?;
        let sent = tokio::time::timeout(self.timeout, self.deliver(&message)).await;
        sent.map_err(|_| Failed::timeout(self.timeout))?.map_err(|error| failed(&error))
    }

    async fn deliver(&self, message: &lettre::Message) -> Result<u16, Error> {
        let (settings, me) = (&self.settings, ClientId::default());
        let implicit = self.tls.clone().filter(|_| settings.encryption == Encryption::Tls);
        let server = (settings.server.as_str(), settings.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.timeout), &me, implicit, None).await?;
        if settings.encryption == Encryption::Starttls
            && let Some(tls) = &self.tls
        {
            // Fails if the server does not offer it: a message is never sent in clear text instead.
            connection.starttls(tls.clone(), &me).await?;
        }
        if let Some(login) = &settings.login {
            let credentials = Credentials::new(login.user.clone(), login.password.clone());
            connection.auth(&MECHANISMS, &credentials).await?;
        }
        let response = connection.send(message.envelope(), &message.formatted()).await?;
        // It is delivered: a server that does not say goodbye must not cause a repetition.
        tokio::spawn(async move {
            let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
        });
        Ok(response.code().into())
    }
}

/// Meaning of an error: a code 5xx is final.
fn failed(error: &Error) -> Failed {
    let code = error.status().map(u16::from);
    match code {
        Some(code) if error.is_permanent() => Failed::Refused(code, reason(error)),
        _ => Failed::Transient(code, reason(error)),
    }
}

/// Response of the mail server, or the innermost cause.
fn reason(error: &Error) -> String {
    let cause = error.source().map(root_cause);
    let reason = match (error.status(), cause) {
        (Some(code), Some(text)) => format!("the mail server responded with {code} {text}"),
        (Some(code), None) => format!("the mail server responded with {code}"),
        (None, cause) => cause.unwrap_or_else(|| error.to_string()),
    };
    mail::one_line(&reason).chars().take(MAX_REASON_CHARS).collect()
}
