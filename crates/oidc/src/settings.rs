//! Settings of the provider.

use crate::roles::RoleMapping;
use std::fmt;

/// Settings of the provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// URL without `/.well-known/openid-configuration`, exactly as the provider writes it.
    pub issuer: String,
    /// Name on the page.
    pub name: String,
    pub client_id: String,
    /// Without it, the client is a public one.
    pub client_secret: Option<ClientSecret>,
    /// Scopes to request, besides `openid`.
    pub scopes: Vec<String>,
    /// Claim with the name of a person.
    pub name_claim: String,
    /// Claim with the groups of a person.
    pub groups_claim: String,
    pub roles: RoleMapping,
}

/// Secret of the client. Its `Debug` form does not reveal it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientSecret(String);

impl ClientSecret {
    pub fn new(secret: String) -> Self {
        Self(secret)
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(…)")
    }
}

#[cfg(any(test, fuzzing))]
impl Settings {
    /// Settings of a public client, with a role for the group `everyone`.
    pub(crate) fn new(issuer: &str, client_id: &str) -> Self {
        let everyone = crate::roles::GroupRole {
            group: "everyone".to_owned(),
            role: protocol::access::Role::Viewer,
            kinds: None,
        };
        Self {
            issuer: issuer.to_owned(),
            name: "Example".to_owned(),
            client_id: client_id.to_owned(),
            client_secret: None,
            scopes: Vec::new(),
            name_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            roles: RoleMapping::new(vec![everyone]).expect("one group is enough"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_the_client_is_unreadable_in_log_lines() {
        let secret = Some(ClientSecret::new("s3cret".into()));
        let settings = Settings { client_secret: secret, ..Settings::new("https://a", "box") };
        assert!(!format!("{settings:?}").contains("s3cret"));
    }
}
