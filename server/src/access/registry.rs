//! Registry of valid credentials in memory: a request is authenticated without a look into the store.

use super::Identity;
use super::last_use::LastUse;
use super::sessions::Sessions;
use access::{Secret, SecretHash};
use protocol::Time;
use protocol::access::AccessToken;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use store::{AccessStore, CredentialUse, StoreError, StoredToken, StoredUser};
use tokio_util::sync::CancellationToken;

/// Tokens by the hash of their secret, users with their sessions, and the lease of requests that need no credential.
pub(super) struct Registry {
    pub(super) sessions: Sessions,
    tokens: HashMap<SecretHash, HeldToken>,
    /// Lease of senders without a credential, while none is needed.
    open: CancellationToken,
    /// Parent of all leases: the server stops.
    stop: CancellationToken,
}

struct HeldToken {
    token: Arc<AccessToken>,
    lease: CancellationToken,
    used: LastUse,
}

impl Registry {
    /// Reads all credentials. Blocking.
    pub(super) fn read(store: &dyn AccessStore, stop: &CancellationToken) -> Result<Self, StoreError> {
        let sessions = Sessions::new(store.users()?, store.sessions()?, stop);
        let open = stop.child_token();
        let mut registry = Self { sessions, tokens: HashMap::new(), open, stop: stop.clone() };
        for token in store.tokens()? {
            registry.add(token);
        }
        registry.close_or_open();
        Ok(registry)
    }

    /// Whether there is neither a token nor a user.
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty() && !self.sessions.has_users()
    }

    /// From the first token or user on, senders without a credential are rejected, and their streams end. Without any,
    /// the server may need none again.
    fn close_or_open(&mut self) {
        if !self.is_empty() {
            self.open.cancel();
        } else if self.open.is_cancelled() {
            self.open = self.stop.child_token();
        }
    }

    /// Adds or replaces a user.
    pub(super) fn put_user(&mut self, user: StoredUser) {
        self.sessions.put_user(user);
        self.close_or_open();
    }

    /// Removes a user and its sessions.
    pub(super) fn remove_user(&mut self, name: &str) {
        self.sessions.remove_user(name);
        self.close_or_open();
    }

    /// Lease of senders without a credential.
    pub(super) fn open(&self) -> &CancellationToken {
        &self.open
    }

    /// Adds a token.
    pub(super) fn add(&mut self, StoredToken { hash, token }: StoredToken) {
        let lease = self.stop.child_token();
        let held = HeldToken { token: Arc::new(token), lease, used: LastUse::default() };
        self.tokens.insert(SecretHash(hash), held);
        self.close_or_open();
    }

    /// Removes a token: its streams end.
    pub(super) fn remove(&mut self, id: &str) {
        self.tokens.retain(|_, held| {
            let stays = held.token.id != id;
            if !stays {
                held.lease.cancel();
            }
            stays
        });
        self.close_or_open();
    }

    /// Sender with this secret.
    pub(super) fn identify(&self, secret: &Secret, from: Option<IpAddr>, now: Time) -> Option<Identity> {
        let held = self.tokens.get(&secret.hash())?;
        if held.token.expired(now) || held.lease.is_cancelled() {
            return None;
        }
        held.used.note(now, from);
        Some(Identity::token(held.token.clone(), held.lease.clone()))
    }

    /// Tokens with their last uses, oldest first.
    pub(super) fn list(&self) -> Vec<AccessToken> {
        let mut list: Vec<AccessToken> = self.tokens.values().map(HeldToken::shown).collect();
        list.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        list
    }

    /// Ends the streams of expired tokens.
    pub(super) fn end_expired(&self, now: Time) {
        let expired = self.tokens.values().filter(|held| held.token.expired(now));
        expired.for_each(|held| held.lease.cancel());
    }

    /// Uses that are not stored yet; from now on they count as stored.
    pub(super) fn take_uses(&self) -> Vec<CredentialUse> {
        self.tokens.values().filter_map(|held| held.used.take(&held.token.id)).collect()
    }
}

impl HeldToken {
    fn shown(&self) -> AccessToken {
        let mut shown = (*self.token).clone();
        if let Some((at, from)) = self.used.latest() {
            shown.last_used_at = Some(at);
            shown.last_used_from = from.map(|ip| ip.to_string());
        }
        shown
    }
}
