//! Durable tokens, users and sessions, apart from [`crate::Store`]: the engine knows nothing of access.

use crate::{AuditStore, StoreError};
use protocol::access::{AccessToken, Session, User};
use protocol::{AuditEntry, Time};

/// Token as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredToken {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    pub token: AccessToken,
}

/// User as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredUser {
    /// Hash of the password, with its parameters; empty for users of the provider, who have none.
    pub password: String,
    pub user: User,
}

/// Session as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSession {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    pub session: Session,
}

/// Last use of a token or a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialUse {
    /// ID of the token or the session.
    pub id: String,
    pub at: Time,
    /// IP address.
    pub from: Option<String>,
}

/// Storage of tokens, users and sessions. All calls block: use a blocking thread. Changes survive a loss of power, and
/// are stored with their audit entry or not at all.
pub trait AccessStore: AuditStore {
    /// All tokens, oldest first.
    fn tokens(&self) -> Result<Vec<StoredToken>, StoreError>;

    /// Adds a token.
    fn add_token(&self, token: &StoredToken, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Removes a token.
    fn remove_token(&self, id: &str, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Stores last uses; uses of removed tokens are ignored.
    fn note_token_uses(&self, uses: &[CredentialUse]) -> Result<(), StoreError>;

    /// All users, by name.
    fn users(&self) -> Result<Vec<StoredUser>, StoreError>;

    /// Adds or replaces a user, and removes sessions of it.
    fn put_user(&self, user: &StoredUser, ended: &[String], entry: &AuditEntry) -> Result<(), StoreError>;

    /// Removes a user with all sessions.
    fn remove_user(&self, name: &str, entry: &AuditEntry) -> Result<(), StoreError>;

    /// All sessions.
    fn sessions(&self) -> Result<Vec<StoredSession>, StoreError>;

    /// Adds a session, with the user's last sign-in.
    fn add_session(
        &self,
        session: &StoredSession,
        user: &StoredUser,
        entry: &AuditEntry,
    ) -> Result<(), StoreError>;

    /// Removes sessions.
    fn remove_sessions(&self, ids: &[String]) -> Result<(), StoreError>;

    /// Stores last uses; uses of removed sessions are ignored.
    fn note_session_uses(&self, uses: &[CredentialUse]) -> Result<(), StoreError>;
}
