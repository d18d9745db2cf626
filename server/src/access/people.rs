//! People of the OpenID Connect provider: users without a password, whose role is set at each sign-in.

use super::{Access, AccessError, granted};
use access::{Denied, Secret, check_person};
use oidc::Person;
use protocol::access::{ProviderAccount, User};
use protocol::{Action, Actor, AuditEntry, Time};
use store::StoredUser;
use thiserror::Error;

/// Why a person of the provider can't sign in here.
#[derive(Debug, Error)]
pub enum PersonError {
    #[error(
        "The provider knows you as '{0}', but a local user, a token or another account in Signalbox already has this name."
    )]
    NameTaken(String),
    #[error(
        "The provider sent a user name that Signalbox can't use, because it is too long or has line breaks."
    )]
    Name,
    #[error("Sign-in failed: {0}.")]
    Failed(#[from] AccessError),
}

impl Access {
    /// Signs in a person of the provider, with the role that the groups have now.
    ///
    /// # Errors
    /// [`PersonError`]; then there is no new session, and the user stays as it was.
    pub async fn sign_in_person(
        &self,
        issuer: &str,
        person: Person,
        by: Actor,
    ) -> Result<Secret, PersonError> {
        let _changing = self.0.changing.lock().await;
        let now = Time::now();
        let Person { subject, name, role, kinds } = person;
        let account = ProviderAccount { issuer: issuer.to_owned(), subject };
        self.with_standing(now, |standing| check_person(standing, &name, &account)).map_err(|denied| {
            match denied {
                Denied::NameTaken(name) => PersonError::NameTaken(name),
                _ => PersonError::Name,
            }
        })?;
        let before = self.person(&account);
        if let Some(renamed) = before.as_ref().filter(|before| before.name != name) {
            let why = format!("{}, is now {name} at the provider", renamed.name);
            self.remove_person(&renamed.name, why, by.clone()).await?;
        }
        let detail = format!("{}, through {issuer}", granted(role, kinds.as_ref()));
        let user = User {
            name,
            role,
            kinds,
            created_at: before.map_or(now, |before| before.created_at),
            must_change_password: false,
            last_sign_in_at: None,
            provider: Some(account),
        };
        let user = StoredUser { password: String::new(), user };
        Ok(self.add_session(user, detail, now, by).await?)
    }

    /// Removes a person who has no role any more, with all sessions. Nothing happens for an unknown account.
    ///
    /// # Errors
    /// If the store can't be written.
    pub async fn dismiss_person(&self, issuer: &str, subject: String, by: Actor) -> Result<(), AccessError> {
        let _changing = self.0.changing.lock().await;
        let account = ProviderAccount { issuer: issuer.to_owned(), subject };
        let Some(user) = self.person(&account) else { return Ok(()) };
        let why = format!("{}, has no group with a role at the provider any more", user.name);
        self.remove_person(&user.name, why, by).await
    }

    fn person(&self, account: &ProviderAccount) -> Option<User> {
        self.users().into_iter().find(|user| user.provider.as_ref() == Some(account))
    }

    /// The caller holds the lock for changes.
    async fn remove_person(&self, name: &str, detail: String, by: Actor) -> Result<(), AccessError> {
        let by = Actor { name: Some(name.to_owned()), ..by };
        let entry = AuditEntry { detail, ..AuditEntry::new(Time::now(), Action::RemoveUser, by) };
        let removed = name.to_owned();
        self.stored(move |store| store.remove_user(&removed, &entry)).await?;
        self.0.registry.write().remove_user(name);
        Ok(())
    }
}
