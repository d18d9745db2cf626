//! Rules for changes of tokens: names are valid and unique, and an administrator always remains.

use protocol::Time;
use protocol::access::{AccessToken, NewAccessToken, Role};
use thiserror::Error;

/// Largest length of a token's name.
pub const MAX_NAME_CHARS: usize = 100;
/// Longest validity of a token that expires.
pub const MAX_TOKEN_DAYS: u32 = 3_650;

/// Credentials that exist before a change.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Whether the server was started with a shared token, which is an administrator.
    pub shared: bool,
    pub tokens: &'a [AccessToken],
    pub now: Time,
}

impl Standing<'_> {
    /// Whether requests need a credential. It does not depend on the time: expired tokens keep the server closed.
    pub fn closed(self) -> bool {
        self.shared || !self.tokens.is_empty()
    }

    fn has_admin_besides(self, id: &str) -> bool {
        let admin = |token: &AccessToken| token.role == Role::Admin && !token.expired(self.now);
        self.shared || self.tokens.iter().any(|token| token.id != id && admin(token))
    }
}

/// Why a change of tokens is rejected.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Denied {
    #[error("A token needs a name of 1 to {MAX_NAME_CHARS} characters, without line breaks.")]
    Name,
    #[error("Another token has the name '{0}'. Choose another name, or revoke that token first.")]
    NameTaken(String),
    #[error("A token is valid for 1 to {MAX_TOKEN_DAYS} days. To create one that never expires, send null.")]
    Days,
    #[error(
        "With the first token, each request needs one. Create a token with the role admin first; otherwise, nobody could \
         manage access."
    )]
    NoAdmin,
    #[error(
        "This is the last token with the role admin, and other tokens remain. Revoke those first, or create another \
         admin token; otherwise, nobody could manage access."
    )]
    LastAdmin,
}

/// Checks a new token.
///
/// # Errors
/// Why it can't be created.
pub fn check_new(standing: Standing<'_>, new: &NewAccessToken) -> Result<(), Denied> {
    let length = new.name.chars().count();
    if new.name.trim() != new.name
        || !(1..=MAX_NAME_CHARS).contains(&length)
        || new.name.chars().any(char::is_control)
    {
        return Err(Denied::Name);
    }
    if standing.tokens.iter().any(|token| token.name == new.name) {
        return Err(Denied::NameTaken(new.name.clone()));
    }
    if new.expires_in_days.is_some_and(|days| !(1..=MAX_TOKEN_DAYS).contains(&days)) {
        return Err(Denied::Days);
    }
    if !standing.closed() && new.role != Role::Admin {
        return Err(Denied::NoAdmin);
    }
    Ok(())
}

/// Checks the revocation of a token.
///
/// # Errors
/// Why it can't be revoked.
pub fn check_revocation(standing: Standing<'_>, id: &str) -> Result<(), Denied> {
    let others = standing.tokens.iter().any(|token| token.id != id);
    if others && !standing.has_admin_besides(id) { Err(Denied::LastAdmin) } else { Ok(()) }
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
        NewAccessToken { name: name.to_owned(), role, expires_in_days: Some(90) }
    }

    fn token(id: usize, role: Role, expired: bool) -> AccessToken {
        AccessToken {
            id: id.to_string(),
            name: format!("token {id}"),
            role,
            created_at: now(),
            created_by: None,
            expires_at: expired.then_some(now()),
            last_used_at: None,
            last_used_from: None,
        }
    }

    fn standing(tokens: &[AccessToken]) -> Standing<'_> {
        Standing { shared: false, tokens, now: now() }
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
