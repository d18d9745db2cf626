//! OpenID Connect provider of this server: sign-ins that go there and come back, and whether it can be reached.

use crate::config::{BasePath, OidcConfig};
use backoff::Backoff;
use oidc::{PendingSignIn, PendingSignIns, Person, Provider, SignInFailed};
use parking_lot::Mutex;
use protocol::Time;
use std::time::Duration;
use url::Url;

/// Path to which the provider sends browsers back.
pub const CALLBACK: &str = "/sign-in/provider/callback";
/// First and longest pause between requests to a provider that can't be reached.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Sign-ins through the provider.
pub struct SignInProvider {
    provider: Provider,
    pending: Mutex<PendingSignIns>,
    /// URL of the dashboard; `None` for the address that the browser uses.
    external_url: Option<String>,
    /// How browsers reach the server at that address: `https` or `http`, and the base path.
    scheme: &'static str,
    base_path: BasePath,
}

impl SignInProvider {
    /// Provider by the configuration. Nothing is requested yet.
    ///
    /// # Errors
    /// If the HTTP library can't be set up.
    pub fn new(config: OidcConfig, tls: bool, base_path: BasePath) -> anyhow::Result<Self> {
        let OidcConfig { settings, tls: trusted, external_url } = config;
        Ok(Self {
            provider: Provider::new(settings, &trusted)?,
            pending: Mutex::default(),
            external_url,
            scheme: if tls { "https" } else { "http" },
            base_path,
        })
    }

    /// Name on the page.
    pub fn name(&self) -> &str {
        &self.provider.settings().name
    }

    /// URL that identifies the provider.
    pub fn issuer(&self) -> &str {
        &self.provider.settings().issuer
    }

    /// Why the provider can't be used, if the last request failed.
    pub fn trouble(&self) -> Option<SignInFailed> {
        self.provider.trouble()
    }

    /// URL of a page, for a browser that uses this host name.
    pub fn url(&self, host: &str, path: &str) -> String {
        match &self.external_url {
            Some(url) => format!("{url}{path}"),
            None => format!("{}://{host}{}{path}", self.scheme, self.base_path),
        }
    }

    /// Begins a sign-in: where to send the browser, and the secret for its cookie. `browser` is the secret that it has.
    ///
    /// # Errors
    /// If the provider can't be used.
    pub async fn begin(
        &self,
        host: &str,
        browser: Option<&str>,
        to: String,
    ) -> Result<(Url, String), SignInFailed> {
        // Nothing is remembered for a provider that is away.
        self.provider.discover().await?;
        let redirect_uri = self.url(host, CALLBACK);
        let begun = self.pending.lock().begin(browser, redirect_uri.clone(), to, Time::now())?;
        let url = self.provider.authorization_url(&begun, &redirect_uri).await?;
        Ok((url, begun.browser))
    }

    /// Sign-in that came back; it can't be used again.
    ///
    /// # Errors
    /// If it is unknown, or of another browser.
    pub fn take(&self, state: &str, browser: Option<&str>) -> Result<PendingSignIn, SignInFailed> {
        self.pending.lock().take(state, browser, Time::now())
    }

    /// Person of a sign-in that came back with a code.
    ///
    /// # Errors
    /// [`SignInFailed`].
    pub async fn person(
        &self,
        pending: &PendingSignIn,
        code: &str,
        issuer: Option<&str>,
    ) -> Result<Person, SignInFailed> {
        self.provider.person(pending, code, issuer, Time::now).await
    }

    /// Address at the provider to sign out there, if it has one.
    pub fn end_session_url(&self, host: &str) -> Option<Url> {
        self.provider.end_session_url(&self.url(host, "/sign-in"))
    }

    /// Looks for the provider again and again, also after each failure: so the page knows whether it can be reached,
    /// and nobody waits for it.
    #[expect(clippy::infinite_loop, reason = "its task ends with the server")]
    pub async fn watch(&self) {
        let (base, cap) = PAUSES;
        let mut backoff = Backoff::new(base, cap);
        loop {
            self.discover_once(&mut backoff).await;
        }
    }

    /// Requests the document, and waits until it should be requested again.
    async fn discover_once(&self, backoff: &mut Backoff) {
        match self.provider.discover().await {
            Ok(()) => {
                backoff.reset();
                self.provider.failure().await;
            }
            Err(error) => tracing::warn!(
                issuer = self.issuer(),
                %error,
                "can't load the provider's discovery document; retrying. Until then, sign-ins through the provider fail"
            ),
        }
        tokio::time::sleep(backoff.next_ceiling()).await;
    }
}
