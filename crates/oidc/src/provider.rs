//! Provider: its documents and keys, fetched when they are needed, and the steps of a sign-in.

use crate::claims::check;
use crate::discovery::{Document, Metadata, WELL_KNOWN};
use crate::exchange::id_token;
use crate::failure::{IdTokenProblem, SignInFailed};
use crate::fetch::fetch_json;
use crate::identity::Person;
use crate::keys::{Keys, PublishedKeys};
use crate::pending::{Begun, PendingSignIn};
use crate::settings::Settings;
use https_client::Tls;
use parking_lot::RwLock;
use protocol::Time;
use reqwest::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;
use url::Url;

/// Age from which the document is fetched again when a browser comes back from the provider.
const DOCUMENT_MAX_AGE: Duration = Duration::from_secs(300);
/// Age from which the document is fetched again when a sign-in begins. If the provider is away, the person then reads
/// so, and is not sent to an address that does not answer.
const DOCUMENT_MAX_AGE_AT_BEGIN: Duration = Duration::from_secs(1);
/// Time after a failed request in which sign-ins fail without another one.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Age from which the keys are fetched again for a sign-in: a key that the provider withdrew is not accepted for
/// longer.
const KEYS_MAX_AGE: Duration = Duration::from_secs(3_600);
/// Shortest time between two requests for newer keys.
const KEYS_INTERVAL: Duration = Duration::from_secs(30);

/// Provider of sign-ins.
pub struct Provider {
    settings: Settings,
    client: Client,
    document: Mutex<Fetched>,
    keys: Mutex<FetchedKeys>,
    /// What the page shows without waiting.
    known: RwLock<Known>,
    /// Notified when a request for the document fails.
    failed: Notify,
}

/// The document, and the last failure.
#[derive(Default)]
struct Fetched {
    metadata: Option<(Arc<Metadata>, Instant)>,
    failed: Option<(SignInFailed, Instant)>,
}

#[derive(Default)]
struct FetchedKeys {
    keys: Option<(Arc<Keys>, Instant)>,
    /// Last request for newer keys.
    renewed_at: Option<Instant>,
}

#[derive(Default)]
struct Known {
    metadata: Option<Arc<Metadata>>,
    trouble: Option<SignInFailed>,
}

impl Provider {
    /// Provider with these settings. Nothing is requested yet.
    ///
    /// # Errors
    /// If the HTTP library can't be set up.
    pub fn new(settings: Settings, tls: &Tls) -> Result<Self, reqwest::Error> {
        let client = https_client::builder(tls).build()?;
        Ok(Self {
            settings,
            client,
            document: Mutex::default(),
            keys: Mutex::default(),
            known: RwLock::default(),
            failed: Notify::new(),
        })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Why the provider can't be used, if the last request failed.
    pub fn trouble(&self) -> Option<SignInFailed> {
        self.known.read().trouble.clone()
    }

    /// Waits for a failed request for the document. The caller then requests it again by [`Provider::discover`].
    pub async fn failure(&self) {
        self.failed.notified().await;
    }

    /// Requests the document, unless it was received within the last second.
    ///
    /// # Errors
    /// [`SignInFailed`].
    pub async fn discover(&self) -> Result<(), SignInFailed> {
        self.metadata(DOCUMENT_MAX_AGE_AT_BEGIN).await.map(|_| ())
    }

    /// Address at the provider for a sign-in.
    ///
    /// # Errors
    /// If the provider can't be used.
    pub async fn authorization_url(&self, begun: &Begun, redirect_uri: &str) -> Result<Url, SignInFailed> {
        let metadata = self.metadata(DOCUMENT_MAX_AGE).await?;
        let mut url = metadata.authorization.clone();
        let scopes = self.settings.scopes.iter().map(String::as_str).filter(|&scope| scope != "openid");
        let scopes: Vec<&str> = std::iter::once("openid").chain(scopes).collect();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", &begun.state)
            .append_pair("nonce", &begun.nonce)
            .append_pair("code_challenge", &begun.challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// Ends a sign-in: redeems the code, checks the ID token, and maps the groups. `issuer` is the parameter `iss` of
    /// the answer through the browser, if there is one.
    ///
    /// # Errors
    /// [`SignInFailed`].
    pub async fn person(
        &self,
        pending: &PendingSignIn,
        code: &str,
        issuer: Option<&str>,
        now: impl Fn() -> Time,
    ) -> Result<Person, SignInFailed> {
        let metadata = self.metadata(DOCUMENT_MAX_AGE).await?;
        // An answer of another provider, whose code this one must not get (mix-up attack).
        if issuer.map_or(metadata.names_issuer, |issuer| issuer != metadata.issuer) {
            return Err(SignInFailed::IdToken(IdTokenProblem::Issuer));
        }
        let token = id_token(&self.client, &metadata, &self.settings, pending, code).await?;
        let (issuer, client_id) = (metadata.issuer.as_str(), self.settings.client_id.as_str());
        let keys = self.keys(&metadata).await?;
        let claims = match keys.claims(&token, issuer, client_id) {
            Err(SignInFailed::IdToken(IdTokenProblem::UnknownKey)) => {
                let newer = self.newer_keys(&metadata, &keys).await?;
                newer.claims(&token, issuer, client_id)?
            }
            claims => claims?,
        };
        check(&claims, client_id, &pending.nonce, now()).map_err(SignInFailed::IdToken)?;
        Person::new(&claims, &self.settings)
    }

    /// Address at the provider to sign out there, too, and to come back; `None` if it has none, or is not known yet.
    pub fn end_session_url(&self, back_to: &str) -> Option<Url> {
        let mut url = self.known.read().metadata.as_ref()?.end_session.clone()?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("post_logout_redirect_uri", back_to);
        Some(url)
    }

    /// Checked document, not older than `max_age`. Only one request is sent at a time.
    async fn metadata(&self, max_age: Duration) -> Result<Arc<Metadata>, SignInFailed> {
        let mut fetched = self.document.lock().await;
        if let Some((failed, at)) = &fetched.failed {
            if at.elapsed() < RETRY_AFTER {
                return Err(failed.clone());
            }
        } else if let Some((metadata, at)) = &fetched.metadata
            && at.elapsed() < max_age
        {
            return Ok(Arc::clone(metadata));
        }
        let url = format!("{}{WELL_KNOWN}", self.settings.issuer.trim_end_matches('/'));
        let read = fetch_json::<Document>(self.client.get(url), "its discovery document").await;
        match read.and_then(|document| Metadata::new(document, &self.settings.issuer)) {
            Ok(metadata) => {
                let metadata = Arc::new(metadata);
                *fetched = Fetched { metadata: Some((Arc::clone(&metadata), Instant::now())), failed: None };
                *self.known.write() = Known { metadata: Some(Arc::clone(&metadata)), trouble: None };
                Ok(metadata)
            }
            Err(failed) => {
                fetched.failed = Some((failed.clone(), Instant::now()));
                self.known.write().trouble = Some(failed.clone());
                self.failed.notify_one();
                Err(failed)
            }
        }
    }

    async fn keys(&self, metadata: &Metadata) -> Result<Arc<Keys>, SignInFailed> {
        let mut fetched = self.keys.lock().await;
        if let Some((keys, at)) = &fetched.keys
            && at.elapsed() < KEYS_MAX_AGE
        {
            return Ok(Arc::clone(keys));
        }
        let keys = self.fetch_keys(metadata).await?;
        fetched.keys = Some((Arc::clone(&keys), Instant::now()));
        Ok(keys)
    }

    /// Newer keys than these. Forged tokens can't cause many requests.
    async fn newer_keys(&self, metadata: &Metadata, known: &Arc<Keys>) -> Result<Arc<Keys>, SignInFailed> {
        let mut fetched = self.keys.lock().await;
        if let Some((keys, _)) = fetched.keys.as_ref().filter(|(keys, _)| !Arc::ptr_eq(keys, known)) {
            return Ok(Arc::clone(keys));
        }
        if fetched.renewed_at.is_some_and(|at| at.elapsed() < KEYS_INTERVAL) {
            return Err(SignInFailed::IdToken(IdTokenProblem::UnknownKey));
        }
        fetched.renewed_at = Some(Instant::now());
        let keys = self.fetch_keys(metadata).await?;
        fetched.keys = Some((Arc::clone(&keys), Instant::now()));
        Ok(keys)
    }

    async fn fetch_keys(&self, metadata: &Metadata) -> Result<Arc<Keys>, SignInFailed> {
        let request = self.client.get(metadata.keys.clone());
        let published: PublishedKeys = fetch_json(request, "its set of keys").await?;
        Ok(Arc::new(Keys::new(published)))
    }
}
