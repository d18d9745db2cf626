//! Person who signed in at the provider.

use crate::claims::{text, texts};
use crate::failure::{IdTokenProblem, SignInFailed};
use crate::settings::Settings;
use protocol::access::{KindScope, Role};
use serde_json::{Map, Value};

/// Person who signed in at the provider, and has a role here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// ID at the provider, which never changes.
    pub subject: String,
    /// Name, which may change.
    pub name: String,
    pub role: Role,
    /// Kinds that the role applies to.
    pub kinds: Option<KindScope>,
}

impl Person {
    /// Person by the claims of a checked ID token.
    ///
    /// # Errors
    /// If the name is missing, or no group has a role.
    pub(crate) fn new(claims: &Map<String, Value>, settings: &Settings) -> Result<Self, SignInFailed> {
        let subject = text(claims, "sub").ok_or(SignInFailed::IdToken(IdTokenProblem::Missing("sub")))?;
        let claim = settings.name_claim.as_str();
        let name = text(claims, claim).ok_or_else(|| SignInFailed::NoName { claim: claim.to_owned() })?;
        // Others could enter any address as theirs.
        let is_verified = |verified: &Value| *verified == true || *verified == "true";
        if claim == "email" && !claims.get("email_verified").is_none_or(is_verified) {
            return Err(SignInFailed::EmailNotVerified { email: name.to_owned() });
        }
        let groups = texts(claims, &settings.groups_claim);
        let role = settings.roles.role_of(groups.as_deref().unwrap_or_default());
        let Some((role, kinds)) = role else {
            return Err(SignInFailed::NoRole {
                name: name.to_owned(),
                subject: subject.to_owned(),
                has_groups: groups.is_some(),
            });
        };
        Ok(Self { subject: subject.to_owned(), name: name.to_owned(), role, kinds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::{GroupRole, RoleMapping};
    use serde_json::json;

    fn person(claims: &Value, name_claim: &str) -> Result<Person, SignInFailed> {
        let group = GroupRole { group: "ops".into(), role: Role::Operator, kinds: None };
        let settings = Settings {
            name_claim: name_claim.to_owned(),
            roles: RoleMapping::new(vec![group]).unwrap(),
            ..Settings::new("https://id.example.org", "box")
        };
        Person::new(claims.as_object().unwrap(), &settings)
    }

    #[test]
    fn the_role_comes_from_the_groups() {
        let ada = person(&json!({"sub": "1", "name": "ada", "groups": ["ops", "x"]}), "name").unwrap();
        assert_eq!((ada.subject.as_str(), ada.name.as_str(), ada.role), ("1", "ada", Role::Operator));
        let refused = |claims| person(&claims, "name").unwrap_err();
        let without = refused(json!({"sub": "1", "name": "ada", "groups": ["x"]}));
        assert!(matches!(without, SignInFailed::NoRole { has_groups: true, .. }), "{without:?}");
        let without = refused(json!({"sub": "1", "name": "ada"}));
        assert!(without.to_string().contains("sent no groups"), "{without}");
        assert_eq!(refused(json!({"sub": "1"})), SignInFailed::NoName { claim: "name".into() });
    }

    #[test]
    fn an_e_mail_address_that_is_not_verified_is_no_name() {
        let by_email = |verified: Value| {
            person(
                &json!({"sub": "1", "email": "a@b.c", "email_verified": verified, "groups": "ops"}),
                "email",
            )
        };
        assert!(by_email(json!(true)).is_ok() && by_email(json!("true")).is_ok());
        for verified in [json!(false), json!("false"), json!(1), json!(null)] {
            let refused = by_email(verified.clone()).unwrap_err();
            assert!(matches!(refused, SignInFailed::EmailNotVerified { .. }), "{verified}");
        }
        assert!(person(&json!({"sub": "1", "email": "a@b.c", "groups": "ops"}), "email").is_ok());
    }
}
