//! Access: who sends a request, and what they may do. The guard asks for the identity of each request; routes declare
//! the permission that they need.

mod accounts;
mod identity;
mod last_use;
mod people;
mod permitted;
mod refused;
mod registry;
mod sessions;

pub use accounts::{SignInError, SignedIn};
pub use identity::Identity;
pub use people::PersonError;
#[cfg(test)]
pub use permitted::X_PERMISSION;
pub use permitted::{RefusedFor, Routes, operations};

use crate::background::blocking;
use access::{Denied, Secret, Standing, check_new, check_revocation};
use accounts::{SignIns, random};
use http_wire::Token;
use parking_lot::RwLock;
use protocol::access::{AccessToken, CreatedAccessToken, KindScope, NewAccessToken, Role};
use protocol::{Action, Actor, AuditEntry, Time};
use refused::RefusedAttempts;
use registry::Registry;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{AccessStore, StoreError, StoredToken};
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Interval of checks for expired tokens: their streams end at most this late.
const EXPIRY_INTERVAL: Duration = Duration::from_millis(500);
/// Interval at which last uses of tokens are stored.
const USES_INTERVAL: Duration = Duration::from_secs(60);
/// Microseconds of a day.
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// Credentials of the server; clones share them.
#[derive(Clone)]
pub struct Access(Arc<Shared>);

/// Whether people can sign in through the OpenID Connect provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ThroughProvider {
    No,
    /// Then every request needs a credential. `admins`: whether a group has the role admin.
    Yes {
        issuer: String,
        admins: bool,
    },
}

struct Shared {
    /// Token that the server was started with.
    shared_token: Option<Token>,
    through_provider: ThroughProvider,
    store: Arc<dyn AccessStore>,
    registry: RwLock<Registry>,
    sign_ins: SignIns,
    refused: RefusedAttempts,
    /// Held while a token or a user is changed: rules are checked and kept as one.
    changing: tokio::sync::Mutex<()>,
    stop: CancellationToken,
}

/// Secret of a request, and how it was sent.
#[derive(Clone, Copy)]
pub enum Given<'a> {
    /// In the header `Authorization`.
    Bearer(&'a [u8]),
    /// In the cookie of a token.
    TokenCookie(&'a [u8]),
    /// In the cookie of a session.
    SessionCookie(&'a [u8]),
}

/// Why tokens and users can't be changed.
#[derive(Debug, Error)]
pub enum AccessError {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("no token has this ID")]
    NotFound,
    #[error("no user has this name")]
    UserNotFound,
    #[error("a password could not be hashed")]
    Hash,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the system's random number generator failed: {0}")]
    Random(getrandom::Error),
}

impl Access {
    /// Reads tokens, users and sessions. Blocking.
    ///
    /// # Errors
    /// If they can't be read, or the system has no random numbers.
    pub fn open(
        shared_token: Option<Token>,
        through_provider: ThroughProvider,
        store: Arc<dyn AccessStore>,
        stop: CancellationToken,
    ) -> Result<Self, AccessError> {
        let mut registry = Registry::read(&*store, &stop)?;
        // Sessions that another provider allowed, before the configuration changed.
        let ended = registry.sessions.end_of_other_providers(&through_provider);
        if !ended.is_empty() {
            store.remove_sessions(&ended)?;
        }
        let registry = RwLock::new(registry);
        let sign_ins = SignIns::new()?;
        let changing = tokio::sync::Mutex::default();
        Ok(Self(Arc::new(Shared {
            shared_token,
            through_provider,
            store,
            registry,
            sign_ins,
            refused: RefusedAttempts::default(),
            changing,
            stop,
        })))
    }

    /// Ends expired tokens and sessions with their streams, and stores last uses, until the server stops.
    pub fn run(&self) -> JoinHandle<()> {
        let access = self.clone();
        tokio::spawn(async move {
            let mut expiry = tokio::time::interval(EXPIRY_INTERVAL);
            let mut uses = tokio::time::interval(USES_INTERVAL);
            loop {
                tokio::select! {
                    () = access.0.stop.cancelled() => break,
                    _ = expiry.tick() => {
                        access.0.registry.read().end_expired(Time::now());
                        access.end_old_sessions().await;
                    }
                    _ = uses.tick() => {
                        access.store_uses().await;
                        access.store_repeated(false).await;
                    }
                }
            }
            access.store_uses().await;
            access.store_repeated(true).await;
        })
    }

    /// Sender of a request with this secret; `None` if it is missing or invalid.
    pub fn identify(&self, given: Option<Given<'_>>, from: Option<IpAddr>) -> Option<Identity> {
        let Shared { shared_token, through_provider, registry, stop, .. } = &*self.0;
        let registry = registry.read();
        if shared_token.is_none() && matches!(through_provider, ThroughProvider::No) && registry.is_empty() {
            return Some(Identity::nobody(registry.open().clone()));
        }
        match given? {
            Given::SessionCookie(secret) => {
                registry.sessions.identify(&Secret::parse(secret)?, from, Time::now())
            }
            Given::Bearer(secret) | Given::TokenCookie(secret) => {
                if shared_token.as_ref().is_some_and(|token| token.matches(secret)) {
                    return Some(Identity::shared(stop.clone()));
                }
                registry.identify(&Secret::parse(secret)?, from, Time::now())
            }
        }
    }

    /// Tokens, oldest first.
    pub fn tokens(&self) -> Vec<AccessToken> {
        self.0.registry.read().list()
    }

    /// Creates a token.
    ///
    /// # Errors
    /// [`AccessError`]; then there is no new token.
    pub async fn create(&self, new: NewAccessToken, by: Actor) -> Result<CreatedAccessToken, AccessError> {
        let _changing = self.0.changing.lock().await;
        let now = Time::now();
        self.with_standing(now, |standing| check_new(standing, &new))?;
        let secret = Secret::new(random()?);
        let token = AccessToken {
            id: uuid::Uuid::now_v7().to_string(),
            name: new.name,
            role: new.role,
            kinds: new.kinds,
            created_at: now,
            created_by: by.name.clone(),
            expires_at: new.expires_in_days.map(|days| now.plus_micros(i64::from(days) * DAY_MICROS)),
            last_used_at: None,
            last_used_from: None,
        };
        let until = token.expires_at.map_or_else(|| "never expires".to_owned(), |end| format!("until {end}"));
        let granted = granted(token.role, token.kinds.as_ref());
        let detail = format!("{}, {granted}, {until}", named(&token));
        let entry = AuditEntry { detail, ..AuditEntry::new(now, Action::CreateToken, by) };
        let stored = StoredToken { hash: secret.hash().0, token: token.clone() };
        let adding = stored.clone();
        self.stored(move |store| store.add_token(&adding, &entry)).await?;
        self.0.registry.write().add(stored);
        Ok(CreatedAccessToken { secret: secret.as_str().to_owned(), token })
    }

    /// Revokes a token: its requests are rejected from now on, and its streams end.
    ///
    /// # Errors
    /// [`AccessError`]; then the token is still valid.
    pub async fn revoke(&self, id: &str, by: Actor) -> Result<(), AccessError> {
        let _changing = self.0.changing.lock().await;
        let (tokens, now) = (self.tokens(), Time::now());
        let token = tokens.iter().find(|token| token.id == id).ok_or(AccessError::NotFound)?;
        self.with_standing(now, |standing| check_revocation(standing, id))?;
        let entry = AuditEntry { detail: named(token), ..AuditEntry::new(now, Action::RevokeToken, by) };
        let removed = id.to_owned();
        self.stored(move |store| store.remove_token(&removed, &entry)).await?;
        self.0.registry.write().remove(id);
        Ok(())
    }

    /// Checks a change with the credentials before it.
    fn with_standing(
        &self,
        now: Time,
        check: impl FnOnce(Standing<'_>) -> Result<(), Denied>,
    ) -> Result<(), Denied> {
        let (tokens, users) = (self.tokens(), self.users());
        let by_provider = matches!(self.0.through_provider, ThroughProvider::Yes { admins: true, .. });
        let shared = self.0.shared_token.is_some() || by_provider;
        check(Standing { shared, tokens: &tokens, users: &users, now })
    }

    async fn store_uses(&self) {
        let (tokens, sessions) = {
            let registry = self.0.registry.read();
            (registry.take_uses(), registry.sessions.take_uses())
        };
        if tokens.is_empty() && sessions.is_empty() {
            return;
        }
        let noted = self.stored(move |store| {
            store.note_token_uses(&tokens)?;
            store.note_session_uses(&sessions)
        });
        // Only what the lists show is older then.
        if let Err(error) = noted.await {
            tracing::warn!(%error, "could not store the last uses of tokens and sessions; after a restart, lists may show older times");
        }
    }

    async fn stored(
        &self,
        change: impl FnOnce(&dyn AccessStore) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<(), StoreError> {
        let store = self.0.store.clone();
        blocking(move || change(&*store)).await
    }
}

/// Role and kinds in the audit log.
fn granted(role: Role, kinds: Option<&KindScope>) -> String {
    match kinds {
        None => format!("role {role}"),
        Some(kinds) => format!("role {role} for {kinds}"),
    }
}

/// Name and ID of a token in the audit log.
fn named(token: &AccessToken) -> String {
    format!("{} ({})", token.name, token.id)
}
