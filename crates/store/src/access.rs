//! Durable tokens for programs, apart from [`crate::Store`]: the engine knows nothing of access.

use crate::StoreError;
use protocol::access::AccessToken;
use protocol::{AuditEntry, Time};

/// Token as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredToken {
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    pub token: AccessToken,
}

/// Last use of a token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenUse {
    /// ID of the token.
    pub id: String,
    pub at: Time,
    /// IP address.
    pub from: Option<String>,
}

/// Storage of tokens. All calls block: use a blocking thread. Changes survive a loss of power, and are stored with their
/// audit entry or not at all.
pub trait AccessStore: Send + Sync + 'static {
    /// All tokens, oldest first.
    fn tokens(&self) -> Result<Vec<StoredToken>, StoreError>;

    /// Adds a token.
    fn add_token(&self, token: &StoredToken, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Removes a token.
    fn remove_token(&self, id: &str, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Stores last uses; uses of removed tokens are ignored.
    fn note_token_uses(&self, uses: &[TokenUse]) -> Result<(), StoreError>;
}
