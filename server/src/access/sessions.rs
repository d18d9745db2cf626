//! Users and their sessions in memory: a request is authenticated without a look into the store.

use super::last_use::LastUse;
use super::{Identity, ThroughProvider};
use access::{Secret, SecretHash, session_ended};
use protocol::Time;
use protocol::access::{Session, User};
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use store::{CredentialUse, StoredSession, StoredUser};
use tokio_util::sync::CancellationToken;

/// Users by name, and sessions by the hash of their secret.
pub(super) struct Sessions {
    users: BTreeMap<String, HeldUser>,
    sessions: HashMap<SecretHash, HeldSession>,
    /// Parent of all leases: the server stops.
    stop: CancellationToken,
}

struct HeldUser {
    user: Arc<User>,
    /// Hash of the password.
    password: String,
}

struct HeldSession {
    session: Session,
    lease: CancellationToken,
    /// Last use since the start of the server.
    used: LastUse,
}

impl Sessions {
    pub(super) fn new(
        users: Vec<StoredUser>,
        sessions: Vec<StoredSession>,
        stop: &CancellationToken,
    ) -> Self {
        let mut held = Self { users: BTreeMap::new(), sessions: HashMap::new(), stop: stop.clone() };
        users.into_iter().for_each(|user| held.put_user(user));
        sessions.into_iter().for_each(|session| held.add(session));
        held
    }

    pub(super) fn has_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// Users, by name.
    pub(super) fn users(&self) -> Vec<User> {
        self.users.values().map(|held| (*held.user).clone()).collect()
    }

    /// A user with the hash of the password.
    pub(super) fn user(&self, name: &str) -> Option<StoredUser> {
        let HeldUser { user, password } = self.users.get(name)?;
        Some(StoredUser { password: password.clone(), user: (**user).clone() })
    }

    /// Adds or replaces a user. With another role or scope, streams of its sessions end, and begin again with the new
    /// one.
    pub(super) fn put_user(&mut self, StoredUser { user, password }: StoredUser) {
        let before = self.users.get(&user.name).map(|held| &held.user);
        if before.is_some_and(|before| (before.role, &before.kinds) != (user.role, &user.kinds)) {
            for held in self.sessions.values_mut().filter(|held| held.session.user == user.name) {
                held.lease.cancel();
                held.lease = self.stop.child_token();
            }
        }
        self.users.insert(user.name.clone(), HeldUser { user: Arc::new(user), password });
    }

    /// Removes a user and its sessions.
    pub(super) fn remove_user(&mut self, name: &str) {
        self.users.remove(name);
        self.end(|session| session.user == name);
    }

    pub(super) fn add(&mut self, StoredSession { hash, session }: StoredSession) {
        let lease = self.stop.child_token();
        self.sessions.insert(SecretHash(hash), HeldSession { session, lease, used: LastUse::default() });
    }

    /// Ends sessions; their streams end, too.
    pub(super) fn end(&mut self, which: impl Fn(&Session) -> bool) {
        self.sessions.retain(|_, held| {
            let ends = which(&held.session);
            if ends {
                held.lease.cancel();
            }
            !ends
        });
    }

    /// Ends sessions of people of other providers; returns their IDs.
    pub(super) fn end_of_other_providers(&mut self, current: &ThroughProvider) -> Vec<String> {
        let is_other = |user: &User| {
            user.provider.as_ref().is_some_and(|account| match current {
                ThroughProvider::No => true,
                ThroughProvider::Yes { issuer, .. } => account.issuer != *issuer,
            })
        };
        let others: Vec<String> = self.users().into_iter().filter(is_other).map(|user| user.name).collect();
        let of_others = |session: &Session| others.contains(&session.user);
        let sessions = self.sessions.values().map(|held| &held.session);
        let ended = sessions.filter(|session| of_others(session)).map(|session| session.id.clone()).collect();
        self.end(of_others);
        ended
    }

    /// IDs of sessions that have ended by themselves.
    pub(super) fn ended(&self, now: Time) -> Vec<String> {
        let ended = self.sessions.values().filter(|held| held.ended(now));
        ended.map(|held| held.session.id.clone()).collect()
    }

    /// Sender with this secret.
    pub(super) fn identify(&self, secret: &Secret, from: Option<IpAddr>, now: Time) -> Option<Identity> {
        let held = self.sessions.get(&secret.hash())?;
        if held.ended(now) {
            return None;
        }
        let user = self.users.get(&held.session.user)?;
        held.used.note(now, from);
        Some(Identity::session(user.user.clone(), &held.session, held.lease.clone()))
    }

    /// Sessions of a user, newest first.
    pub(super) fn of(&self, user: &str) -> Vec<Session> {
        let of_user = self.sessions.values().filter(|held| held.session.user == user);
        let mut sessions: Vec<Session> = of_user.map(HeldSession::shown).collect();
        sessions.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        sessions
    }

    /// Uses that are not stored yet; from now on they count as stored.
    pub(super) fn take_uses(&self) -> Vec<CredentialUse> {
        self.sessions.values().filter_map(|held| held.used.take(&held.session.id)).collect()
    }
}

impl HeldSession {
    fn ended(&self, now: Time) -> bool {
        let last = self.used.latest().map_or(self.session.last_used_at, |(at, _)| at);
        session_ended(&self.session, last, now)
    }

    fn shown(&self) -> Session {
        let mut shown = self.session.clone();
        if let Some((at, from)) = self.used.latest() {
            shown.last_used_at = at;
            shown.address = from.map(|from| from.to_string()).or(shown.address);
        }
        shown
    }
}
