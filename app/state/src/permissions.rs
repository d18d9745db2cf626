//! Permissions of the reader: why a control is disabled. The server decides; the page only repeats what it was told.

use leptos::prelude::*;
use live::Identity;
use protocol::access::{Me, Permission, Role, SignedInBy};

/// Why the reader may not do something, as a sentence; `None` if the permission is there. Tracked.
pub fn refusal(identity: Identity, permission: Permission) -> Option<String> {
    let lacked = identity.lacks(permission)?;
    Some(identity.me().map(|me| sentence(&me, lacked.role)).unwrap_or_default())
}

/// As [`refusal`], not tracked; for handlers of events.
pub fn refusal_now(permission: Permission) -> Option<String> {
    untrack(|| refusal(Identity::here(), permission))
}

/// `Needs the role operator. You are signed in as mia (viewer).`
fn sentence(me: &Me, needed: Role) -> String {
    let role = me.role;
    let reader = match (&me.name, me.via) {
        (Some(name), SignedInBy::Token) => format!("You use the token {name} ({role})."),
        (Some(name), _) => format!("You are signed in as {name} ({role})."),
        (None, _) => format!("Your role is {role}."),
    };
    // The reader may have the role for some kinds only.
    let reach = if role >= needed { " for all kinds" } else { "" };
    format!("Needs the role {needed}{reach}. {reader}")
}

/// Name of the reader in the frame.
pub fn reader_name(me: &Me) -> String {
    me.name.clone().unwrap_or_else(|| "Shared token".to_owned())
}

/// Why a page is signed out; `me` is its last reader, if the server needed a credential before.
pub fn ended(me: Option<&Me>) -> String {
    match me.map(|me| (me.via, &me.name)) {
        Some((SignedInBy::Session, Some(name))) => {
            format!("The session of {name} has ended. Operations continue.")
        }
        Some(_) => "Your token has expired or was revoked. Operations continue.".to_owned(),
        None => "This server now requires a user or a token. Operations continue.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_needed_role_and_the_reader() {
        let me = |name: Option<&str>, via| Me {
            via,
            name: name.map(str::to_owned),
            role: Role::Viewer,
            kinds: None,
            permissions: vec![Permission::Read],
            lacks: vec![],
            expires_at: None,
        };
        assert_eq!(
            sentence(&me(Some("mia"), SignedInBy::Session), Role::Operator),
            "Needs the role operator. You are signed in as mia (viewer)."
        );
        let limited = Me { role: Role::Operator, ..me(Some("mia"), SignedInBy::Session) };
        assert!(sentence(&limited, Role::Operator).starts_with("Needs the role operator for all kinds. "));
        assert_eq!(
            sentence(&me(Some("ci"), SignedInBy::Token), Role::Admin),
            "Needs the role admin. You use the token ci (viewer)."
        );
    }
}
