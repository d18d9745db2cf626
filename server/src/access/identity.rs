//! Identity of a request's sender, which the guard adds to each authenticated request.

use access::{Decision, decide};
use protocol::access::{AccessToken, Me, Permission, Role, SignedInBy};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Authenticated sender of a request.
#[derive(Clone)]
pub struct Identity {
    pub role: Role,
    /// Token for programs; `None` for the shared token, and without any token.
    token: Option<Arc<AccessToken>>,
    via: SignedInBy,
    lease: CancellationToken,
}

impl Identity {
    /// Sender without a credential, on a server that needs none. It ends when the server gets its first token.
    pub(super) fn nobody(lease: CancellationToken) -> Self {
        Self { role: Role::Admin, token: None, via: SignedInBy::Nothing, lease }
    }

    /// Sender with the shared token.
    pub(super) fn shared(lease: CancellationToken) -> Self {
        Self { role: Role::Admin, token: None, via: SignedInBy::SharedToken, lease }
    }

    /// Sender with a token for programs.
    pub(super) fn token(token: Arc<AccessToken>, lease: CancellationToken) -> Self {
        Self { role: token.role, token: Some(token), via: SignedInBy::Token, lease }
    }

    /// Cancelled when the credential is revoked or expires, and when the server stops. Streams and polls end with it.
    pub fn lease(&self) -> &CancellationToken {
        &self.lease
    }

    /// The sender's token for programs.
    pub fn access_token(&self) -> Option<&AccessToken> {
        self.token.as_deref()
    }

    /// Sender with its permissions, as the API shows it.
    pub fn described(&self) -> Me {
        let token = self.access_token();
        Me {
            via: self.via,
            name: token.map(|token| token.name.clone()),
            role: self.role,
            permissions: access::permissions(self.role),
            expires_at: token.and_then(|token| token.expires_at),
        }
    }

    /// Whether the sender has a permission.
    ///
    /// # Errors
    /// A sentence for the sender: what is missing, and who has it.
    pub fn require(&self, permission: Permission) -> Result<(), String> {
        match decide(self.role, permission) {
            Decision::Allowed => Ok(()),
            Decision::Needs(role) => Err(format!(
                "This request needs the permission '{}', which the role {role} has. Your role is {}. Ask an \
                 administrator for a token with the role {role}.",
                permission.as_str(),
                self.role,
            )),
        }
    }
}
