//! Rules for changes of tokens and users: names are valid and unique, and an administrator always remains.

use crate::sign_in::check_password;
use protocol::Time;
use protocol::access::{
    AccessToken, ChangeUser, KindScope, NewAccessToken, NewUser, ProviderAccount, Role, User,
};
use thiserror::Error;

/// Largest length of a name.
pub const MAX_NAME_CHARS: usize = 100;
/// Longest validity of a token that expires.
pub const MAX_TOKEN_DAYS: u32 = 3_650;

/// Credentials that exist before a change.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Whether there is an administrator in any case: the server was started with a shared token, or a group of the
    /// provider has the role admin.
    pub shared: bool,
    pub tokens: &'a [AccessToken],
    pub users: &'a [User],
    pub now: Time,
}

/// Credential that a change removes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Without<'a> {
    /// Token with this ID.
    Token(&'a str),
    /// User with this name.
    User(&'a str),
}

impl<'a> Standing<'a> {
    /// Whether requests need a credential. It does not depend on the time: expired tokens keep the server closed.
    pub fn closed(self) -> bool {
        self.shared || !self.tokens.is_empty() || !self.users.is_empty()
    }

    fn others(
        self,
        removed: Without<'a>,
    ) -> (impl Iterator<Item = &'a AccessToken>, impl Iterator<Item = &'a User>) {
        let tokens = self.tokens.iter().filter(move |token| Without::Token(&token.id) != removed);
        let users = self.users.iter().filter(move |user| Without::User(&user.name) != removed);
        (tokens, users)
    }

    /// Whether someone else can manage access.
    fn has_admin_besides(self, removed: Without<'a>) -> bool {
        let (mut tokens, mut users) = self.others(removed);
        self.shared
            || tokens.any(|token| token.role == Role::Admin && !token.expired(self.now))
            || users.any(|user| user.role == Role::Admin)
    }

    fn check_removal(self, removed: Without<'a>) -> Result<(), Denied> {
        let (mut tokens, mut users) = self.others(removed);
        let others = tokens.next().is_some() || users.next().is_some();
        if others && !self.has_admin_besides(removed) { Err(Denied::LastAdmin) } else { Ok(()) }
    }

    /// Checks a name: tokens and users share the names, because the audit log shows them.
    fn check_name(self, name: &str) -> Result<(), Denied> {
        if !valid_name(name) {
            return Err(Denied::Name);
        }
        let mut taken =
            self.tokens.iter().map(|token| &token.name).chain(self.users.iter().map(|user| &user.name));
        if taken.any(|other| other == name) { Err(Denied::NameTaken(name.to_owned())) } else { Ok(()) }
    }

    /// The first credential is an administrator's.
    fn check_first(self, role: Role) -> Result<(), Denied> {
        if self.closed() || role == Role::Admin { Ok(()) } else { Err(Denied::NoAdmin) }
    }
}

fn valid_name(name: &str) -> bool {
    let visible = name.trim() == name && !name.chars().any(char::is_control);
    visible && (1..=MAX_NAME_CHARS).contains(&name.chars().count())
}

/// Why a change of tokens or users is rejected.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Denied {
    #[error(
        "A name must have 1 to {MAX_NAME_CHARS} characters, no line breaks, and no leading or trailing spaces."
    )]
    Name,
    #[error(
        "Another token or user has the name '{0}'. Choose another name, or remove that token or user first."
    )]
    NameTaken(String),
    #[error(
        "A token can be valid for 1 to {MAX_TOKEN_DAYS} days. To create a token that never expires, send null as `expires_in_days`."
    )]
    Days,
    #[error("{0}")]
    Password(String),
    #[error(
        "The role admin can't be limited to kinds, because this role manages access. Omit the kinds, or choose another role."
    )]
    AdminKinds,
    #[error(
        "This user signs in through the provider, so password and role can't be changed here. Change the password or the \
         groups of the user at the provider, or [[oidc.role]] in the configuration."
    )]
    FromProvider,
    #[error("Kinds can only be changed together with the role. Send both.")]
    KindsAlone,
    #[error(
        "Once a token or user exists, every request needs a credential. Create an admin first; otherwise, nobody could manage access."
    )]
    NoAdmin,
    #[error(
        "This is the last credential with the role admin. It can't lose this role, and it can't be removed while other tokens or users exist. Create another admin first."
    )]
    LastAdmin,
}

/// Checks a new token.
///
/// # Errors
/// Why it can't be created.
pub fn check_new(standing: Standing<'_>, new: &NewAccessToken) -> Result<(), Denied> {
    standing.check_name(&new.name)?;
    if new.expires_in_days.is_some_and(|days| !(1..=MAX_TOKEN_DAYS).contains(&days)) {
        return Err(Denied::Days);
    }
    check_kinds(new.role, new.kinds.as_ref())?;
    standing.check_first(new.role)
}

/// Checks the revocation of a token.
///
/// # Errors
/// Why it can't be revoked.
pub fn check_revocation(standing: Standing<'_>, id: &str) -> Result<(), Denied> {
    standing.check_removal(Without::Token(id))
}

/// Checks a new user.
///
/// # Errors
/// Why it can't be added.
pub fn check_new_user(standing: Standing<'_>, new: &NewUser) -> Result<(), Denied> {
    standing.check_name(&new.name)?;
    check_password(&new.name, &new.password).map_err(Denied::Password)?;
    check_kinds(new.role, new.kinds.as_ref())?;
    standing.check_first(new.role)
}

/// Checks the removal of a user.
///
/// # Errors
/// Why it can't be removed.
pub fn check_user_removal(standing: Standing<'_>, name: &str) -> Result<(), Denied> {
    standing.check_removal(Without::User(name))
}

/// Checks the name of a person who signs in through the provider, with this account there.
///
/// # Errors
/// If it can't be a name, or someone else has it: a token, a local user, or another account.
pub fn check_person(standing: Standing<'_>, name: &str, account: &ProviderAccount) -> Result<(), Denied> {
    if !valid_name(name) {
        return Err(Denied::Name);
    }
    let by_token = standing.tokens.iter().any(|token| token.name == name);
    let by_user =
        standing.users.iter().any(|user| user.name == name && user.provider.as_ref() != Some(account));
    if by_token || by_user { Err(Denied::NameTaken(name.to_owned())) } else { Ok(()) }
}

/// Administrators manage everything, also the access of others: their role can't be limited.
fn check_kinds(role: Role, kinds: Option<&KindScope>) -> Result<(), Denied> {
    if role == Role::Admin && kinds.is_some() { Err(Denied::AdminKinds) } else { Ok(()) }
}

/// Checks the new role and kinds of a user, if it gets any.
///
/// # Errors
/// Why it can't have them.
pub fn check_change(standing: Standing<'_>, name: &str, change: &ChangeUser) -> Result<(), Denied> {
    let mut users = standing.users.iter();
    if users.any(|user| user.name == name && user.provider.is_some()) {
        return Err(Denied::FromProvider);
    }
    let Some(role) = change.role else {
        return if change.kinds.is_some() { Err(Denied::KindsAlone) } else { Ok(()) };
    };
    check_kinds(role, change.kinds.as_ref())?;
    let managed = role == Role::Admin || standing.has_admin_besides(Without::User(name));
    if managed { Ok(()) } else { Err(Denied::LastAdmin) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Any time.
    fn now() -> Time {
        Time::from_micros(1_000)
    }

    fn new(name: &str, role: Role) -> NewAccessToken {
        NewAccessToken { name: name.to_owned(), role, kinds: None, expires_in_days: Some(90) }
    }

    fn token(id: usize, role: Role, expired: bool) -> AccessToken {
        AccessToken {
            id: id.to_string(),
            name: format!("token {id}"),
            role,
            kinds: None,
            created_at: now(),
            created_by: None,
            expires_at: expired.then_some(now()),
            last_used_at: None,
            last_used_from: None,
        }
    }

    fn standing(tokens: &[AccessToken]) -> Standing<'_> {
        Standing { shared: false, tokens, users: &[], now: now() }
    }

    #[test]
    fn the_first_token_is_an_administrator() {
        assert_eq!(check_new(standing(&[]), &new("ci", Role::Viewer)), Err(Denied::NoAdmin));
        assert_eq!(check_new(standing(&[]), &new("ada", Role::Admin)), Ok(()));
        let shared = Standing { shared: true, ..standing(&[]) };
        assert_eq!(check_new(shared, &new("ci", Role::Viewer)), Ok(()));
    }

    #[test]
    fn a_name_is_short_visible_and_unique() {
        let tokens = [token(1, Role::Admin, false)];
        let check = |name: &str| check_new(standing(&tokens), &new(name, Role::Viewer));
        assert_eq!(check("token 1"), Err(Denied::NameTaken("token 1".into())));
        for name in ["", " ci", "a\nb", &"x".repeat(MAX_NAME_CHARS + 1)] {
            assert_eq!(check(name), Err(Denied::Name), "{name:?}");
        }
        assert_eq!(check("Nächtlicher Lauf"), Ok(()));
    }

    #[test]
    fn a_token_expires_within_ten_years_or_never() {
        let tokens = [token(1, Role::Admin, false)];
        let check = |expires_in_days| {
            let new = NewAccessToken { expires_in_days, ..new("ci", Role::Viewer) };
            check_new(standing(&tokens), &new)
        };
        assert_eq!(check(None), Ok(()));
        for (days, allowed) in [(0, false), (1, true), (MAX_TOKEN_DAYS, true), (MAX_TOKEN_DAYS + 1, false)] {
            assert_eq!(check(Some(days)).is_ok(), allowed, "{days}");
        }
    }

    #[test]
    fn an_expired_token_keeps_the_server_closed() {
        assert!(standing(&[token(1, Role::Admin, true)]).closed());
        assert!(!standing(&[]).closed());
    }

    fn user(name: &str, role: Role) -> User {
        let name = name.to_owned();
        User {
            name,
            role,
            kinds: None,
            created_at: now(),
            must_change_password: true,
            last_sign_in_at: None,
            provider: None,
        }
    }

    #[test]
    fn the_last_administrator_keeps_the_role_while_others_remain() {
        let users = [user("ada", Role::Admin), user("bob", Role::Viewer)];
        let both = Standing { users: &users, ..standing(&[]) };
        let role = |role| ChangeUser { role: Some(role), ..ChangeUser::default() };
        assert_eq!(check_change(both, "ada", &role(Role::Operator)), Err(Denied::LastAdmin));
        assert_eq!(check_change(both, "bob", &role(Role::Admin)), Ok(()));
        assert_eq!(check_user_removal(both, "ada"), Err(Denied::LastAdmin));
        assert_eq!(check_user_removal(both, "bob"), Ok(()));
        let tokens = [token(1, Role::Admin, false)];
        assert_eq!(check_user_removal(Standing { tokens: &tokens, ..both }, "ada"), Ok(()));
        let alone = Standing { users: &users[..1], ..standing(&[]) };
        assert_eq!(check_user_removal(alone, "ada"), Ok(()), "then the server is open");
    }

    #[test]
    fn an_administrator_is_not_limited_to_kinds() {
        let users = [user("ada", Role::Admin), user("bob", Role::Viewer)];
        let standing = Standing { users: &users, ..standing(&[]) };
        let kinds: Option<KindScope> = Some("data.*".parse().unwrap());
        let token = |role| NewAccessToken { kinds: kinds.clone(), ..new("ci", role) };
        assert_eq!(check_new(standing, &token(Role::Admin)), Err(Denied::AdminKinds));
        assert_eq!(check_new(standing, &token(Role::Operator)), Ok(()));
        let change = |role| ChangeUser { role, kinds: kinds.clone(), password: None };
        assert_eq!(check_change(standing, "bob", &change(Some(Role::Admin))), Err(Denied::AdminKinds));
        assert_eq!(check_change(standing, "bob", &change(Some(Role::Viewer))), Ok(()));
        assert_eq!(check_change(standing, "bob", &change(None)), Err(Denied::KindsAlone));
    }

    fn account(subject: &str) -> ProviderAccount {
        ProviderAccount { issuer: "https://id.example.org".to_owned(), subject: subject.to_owned() }
    }

    #[test]
    fn a_person_of_the_provider_never_becomes_someone_else() {
        let person = User { provider: Some(account("1")), ..user("mia", Role::Viewer) };
        let (users, tokens) = ([user("ada", Role::Admin), person], [token(1, Role::Admin, false)]);
        let standing = Standing { users: &users, ..standing(&tokens) };
        let check = |name: &str, account: &ProviderAccount| check_person(standing, name, account);
        assert_eq!(check("mia", &account("1")), Ok(()));
        assert_eq!(check("mia lou", &account("1")), Ok(()), "a new name of hers");
        assert_eq!(check("mia", &account("2")), Err(Denied::NameTaken("mia".into())), "another person");
        let elsewhere = ProviderAccount { issuer: "https://other.example".into(), ..account("1") };
        assert_eq!(check("mia", &elsewhere), Err(Denied::NameTaken("mia".into())), "another provider");
        assert_eq!(check("ada", &account("1")), Err(Denied::NameTaken("ada".into())), "a local user");
        assert_eq!(check("token 1", &account("3")), Err(Denied::NameTaken("token 1".into())));
        assert_eq!(check("a\nb", &account("3")), Err(Denied::Name));
    }

    #[test]
    fn the_role_of_a_person_of_the_provider_is_changed_only_there() {
        let users =
            [user("ada", Role::Admin), User { provider: Some(account("1")), ..user("mia", Role::Viewer) }];
        let standing = Standing { users: &users, ..standing(&[]) };
        let role = ChangeUser { role: Some(Role::Admin), ..ChangeUser::default() };
        let password = ChangeUser { password: Some("correct horse battery".into()), ..ChangeUser::default() };
        for change in [role, password] {
            assert_eq!(check_change(standing, "mia", &change), Err(Denied::FromProvider));
            assert_eq!(check_change(standing, "ada", &change), Ok(()));
        }
    }

    #[test]
    fn a_user_and_a_token_can_not_have_the_same_name() {
        let tokens = [token(1, Role::Admin, false)];
        let new = |name: &str| NewUser {
            name: name.to_owned(),
            role: Role::Viewer,
            kinds: None,
            password: "correct horse battery".to_owned(),
        };
        assert_eq!(
            check_new_user(standing(&tokens), &new("token 1")),
            Err(Denied::NameTaken("token 1".into()))
        );
        assert_eq!(check_new_user(standing(&tokens), &new("ada")), Ok(()));
        assert_eq!(check_new_user(standing(&[]), &new("ada")), Err(Denied::NoAdmin));
        let short = NewUser { password: "short".into(), ..new("ada") };
        assert!(matches!(check_new_user(standing(&tokens), &short), Err(Denied::Password(_))));
    }

    fn roles() -> impl Strategy<Value = Vec<(Role, bool)>> {
        let role = prop::sample::select(&Role::ALL[..]);
        prop::collection::vec((role, any::<bool>()), 0..6)
    }

    proptest! {
        #[test]
        fn allowed_changes_leave_an_administrator_or_an_open_server(
            start in roles(),
            changes in prop::collection::vec((prop::sample::select(&Role::ALL[..]), 0usize..6, any::<bool>()), 0..30),
        ) {
            let mut tokens: Vec<AccessToken> =
                start.iter().enumerate().map(|(id, (role, expired))| token(id, *role, *expired)).collect();
            let managed = |tokens: &[AccessToken]| {
                let valid = |token: &AccessToken| token.role == Role::Admin && !token.expired(now());
                tokens.is_empty() || tokens.iter().any(valid)
            };
            prop_assume!(managed(&tokens));
            for (n, (role, at, create)) in changes.into_iter().enumerate() {
                if create {
                    let id = 100 + n;
                    if check_new(standing(&tokens), &new(&format!("token {id}"), role)).is_ok() {
                        tokens.push(token(id, role, false));
                    }
                } else if let Some(id) = tokens.get(at).map(|token| token.id.clone())
                    && check_revocation(standing(&tokens), &id).is_ok()
                {
                    tokens.retain(|token| token.id != id);
                }
                prop_assert!(managed(&tokens), "{tokens:?}");
            }
        }
    }
}
