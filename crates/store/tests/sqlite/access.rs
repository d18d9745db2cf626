//! Tokens for programs.

use super::open;
use protocol::access::{AccessToken, Role};
use protocol::{Action, Actor, AuditEntry, Time};
use signalbox_store::{AccessStore, Sqlite, Store, StoredToken, TokenUse};

fn token(id: &str, hash: u8) -> StoredToken {
    let token = AccessToken {
        id: id.to_owned(),
        name: format!("token {id}"),
        role: Role::Operator,
        created_at: Time::from_micros(5),
        created_by: Some("ada".to_owned()),
        expires_at: Some(Time::from_micros(9)),
        last_used_at: None,
        last_used_from: None,
    };
    StoredToken { hash: [hash; 32], token }
}

fn entry(action: Action) -> AuditEntry {
    AuditEntry::new(Time::from_micros(5), action, Actor::signalbox())
}

#[test]
fn a_token_reads_back_with_its_last_use_until_it_is_removed() {
    let (folder, store) = open();
    let (first, mut second) = (token("b", 1), token("a", 2));
    store.add_token(&first, &entry(Action::CreateToken)).unwrap();
    store.add_token(&second, &entry(Action::CreateToken)).unwrap();
    let used = |id: &str| TokenUse { id: id.into(), at: Time::from_micros(7), from: Some("::1".into()) };
    store.note_token_uses(&[used("a"), used("removed")]).unwrap();
    second.token.last_used_at = Some(Time::from_micros(7));
    second.token.last_used_from = Some("::1".to_owned());
    drop(store);
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    assert_eq!(store.tokens().unwrap(), [first, second.clone()]);
    store.remove_token("b", &entry(Action::RevokeToken)).unwrap();
    assert_eq!(store.tokens().unwrap(), [second]);
    let actions: Vec<Action> =
        store.audit(None, None, 10).unwrap().into_iter().map(|(_, entry)| entry.action).collect();
    assert_eq!(actions, [Action::RevokeToken, Action::CreateToken, Action::CreateToken]);
}

#[test]
fn a_token_that_can_not_be_stored_leaves_no_audit_entry() {
    let (_folder, store) = open();
    store.add_token(&token("a", 1), &entry(Action::CreateToken)).unwrap();
    assert!(store.add_token(&token("b", 1), &entry(Action::CreateToken)).is_err(), "the hash is in use");
    assert_eq!(store.audit(None, None, 10).unwrap().len(), 1);
}
