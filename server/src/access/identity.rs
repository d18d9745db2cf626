//! Identity of a request's sender, which the guard adds to each authenticated request.

use access::{Decision, Grant, Reach, decide};
use protocol::Time;
use protocol::access::{AccessToken, KindScope, Me, Permission, Role, Session, SignedInBy, User};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Credential of a request.
#[derive(Clone)]
enum Credential {
    Nothing,
    SharedToken,
    Token(Arc<AccessToken>),
    Session { user: Arc<User>, id: Arc<str>, expires_at: Time },
}

/// Authenticated sender of a request.
#[derive(Clone)]
pub struct Identity {
    pub role: Role,
    credential: Credential,
    lease: CancellationToken,
}

impl Identity {
    /// Sender without a credential, on a server that needs none. It ends when the server gets its first one.
    pub(super) fn nobody(lease: CancellationToken) -> Self {
        Self { role: Role::Admin, credential: Credential::Nothing, lease }
    }

    /// Sender with the shared token.
    pub(super) fn shared(lease: CancellationToken) -> Self {
        Self { role: Role::Admin, credential: Credential::SharedToken, lease }
    }

    /// Sender with a token for programs.
    pub(super) fn token(token: Arc<AccessToken>, lease: CancellationToken) -> Self {
        Self { role: token.role, credential: Credential::Token(token), lease }
    }

    /// User in a browser.
    pub(super) fn session(user: Arc<User>, session: &Session, lease: CancellationToken) -> Self {
        let (id, expires_at) = (session.id.as_str().into(), session.expires_at);
        Self { role: user.role, credential: Credential::Session { user, id, expires_at }, lease }
    }

    /// Cancelled when the credential is revoked or expires, and when the server stops. Streams and polls end with it.
    pub fn lease(&self) -> &CancellationToken {
        &self.lease
    }

    /// The sender's token for programs.
    pub fn access_token(&self) -> Option<&AccessToken> {
        match &self.credential {
            Credential::Token(token) => Some(token),
            _ => None,
        }
    }

    /// Name of the user, and ID of the session.
    pub fn user_session(&self) -> Option<(&str, &str)> {
        match &self.credential {
            Credential::Session { user, id, .. } => Some((&user.name, id)),
            _ => None,
        }
    }

    /// Whether the user signed in through the provider.
    pub fn is_of_provider(&self) -> bool {
        matches!(&self.credential, Credential::Session { user, .. } if user.provider.is_some())
    }

    /// Name of the user or the token.
    pub fn name(&self) -> Option<&str> {
        match &self.credential {
            Credential::Token(token) => Some(&token.name),
            Credential::Session { user, .. } => Some(&user.name),
            Credential::Nothing | Credential::SharedToken => None,
        }
    }

    /// Kinds that the role applies to; `None` for all.
    pub fn scope(&self) -> Option<&KindScope> {
        match &self.credential {
            Credential::Token(token) => token.kinds.as_ref(),
            Credential::Session { user, .. } => user.kinds.as_ref(),
            Credential::Nothing | Credential::SharedToken => None,
        }
    }

    fn grant(&self) -> Grant<'_> {
        Grant { role: self.role, scope: self.scope() }
    }

    /// Sender with its permissions, as the API shows it.
    pub fn described(&self) -> Me {
        let (via, expires_at) = match &self.credential {
            Credential::Nothing => (SignedInBy::Nothing, None),
            Credential::SharedToken => (SignedInBy::SharedToken, None),
            Credential::Token(token) => (SignedInBy::Token, token.expires_at),
            Credential::Session { expires_at, .. } => (SignedInBy::Session, Some(*expires_at)),
        };
        let (name, role) = (self.name().map(str::to_owned), self.role);
        let (kinds, grant) = (self.scope().cloned(), self.grant());
        let (permissions, lacks) = (access::permissions(grant), access::lacked(grant));
        Me { via, name, role, kinds, permissions, lacks, expires_at }
    }

    /// Whether the sender has a permission, within its scope or for all kinds.
    ///
    /// # Errors
    /// A sentence for the sender: what is missing, and who has it.
    pub fn require(&self, permission: Permission, reach: Reach) -> Result<(), String> {
        match decide(self.grant(), permission, reach) {
            Decision::Allowed => Ok(()),
            Decision::Needs(role) => Err(format!(
                "This request needs the permission '{}', which the role {role} has. Your role is {}. Ask an \
                 administrator for the role {role}.",
                permission.as_str(),
                self.role,
            )),
            Decision::NeedsAllKinds => Err(format!(
                "This request is about operations of all kinds, and your role {} is limited to {}. Ask an \
                 administrator for a role that is not limited to kinds.",
                self.role,
                self.scope().map(ToString::to_string).unwrap_or_default(),
            )),
        }
    }
}
