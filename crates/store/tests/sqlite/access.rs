//! Tokens, users and sessions.

use super::open;
use protocol::access::{AccessToken, Role, Session, User};
use protocol::{Action, Actor, AuditEntry, Time};
use signalbox_store::{
    AccessStore, AuditFilter, CredentialUse, Sqlite, Store, StoredSession, StoredToken, StoredUser,
};

fn token(id: &str, hash: u8) -> StoredToken {
    let token = AccessToken {
        id: id.to_owned(),
        name: format!("token {id}"),
        role: Role::Operator,
        kinds: Some("data.*".parse().unwrap()),
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
    let used = |id: &str| CredentialUse { id: id.into(), at: Time::from_micros(7), from: Some("::1".into()) };
    store.note_token_uses(&[used("a"), used("removed")]).unwrap();
    second.token.last_used_at = Some(Time::from_micros(7));
    second.token.last_used_from = Some("::1".to_owned());
    drop(store);
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    assert_eq!(store.tokens().unwrap(), [first, second.clone()]);
    store.remove_token("b", &entry(Action::RevokeToken)).unwrap();
    assert_eq!(store.tokens().unwrap(), [second]);
    let actions: Vec<Action> = store
        .audit(&AuditFilter::default(), 10)
        .unwrap()
        .into_iter()
        .map(|(_, entry)| entry.action)
        .collect();
    assert_eq!(actions, [Action::RevokeToken, Action::CreateToken, Action::CreateToken]);
}

#[test]
fn a_token_that_can_not_be_stored_leaves_no_audit_entry() {
    let (_folder, store) = open();
    store.add_token(&token("a", 1), &entry(Action::CreateToken)).unwrap();
    assert!(store.add_token(&token("b", 1), &entry(Action::CreateToken)).is_err(), "the hash is in use");
    assert_eq!(store.audit(&AuditFilter::default(), 10).unwrap().len(), 1);
}

fn user(name: &str, password: &str) -> StoredUser {
    let user = User {
        name: name.to_owned(),
        role: Role::Viewer,
        kinds: None,
        created_at: Time::from_micros(5),
        must_change_password: true,
        last_sign_in_at: None,
        provider: None,
    };
    StoredUser { password: password.to_owned(), user }
}

fn session(id: &str, user: &str, hash: u8) -> StoredSession {
    let session = Session {
        id: id.to_owned(),
        user: user.to_owned(),
        created_at: Time::from_micros(5),
        last_used_at: Time::from_micros(5),
        expires_at: Time::from_micros(9),
        address: None,
        agent: None,
    };
    StoredSession { hash: [hash; 32], session }
}

#[test]
fn sessions_end_with_their_user_and_no_other_does() {
    let (folder, store) = open();
    let [ada, bob] = [user("ada", "a"), user("bob", "b")];
    let entry = entry(Action::AddUser);
    store.put_user(&ada, &[], &entry).unwrap();
    store.add_session(&session("1", "ada", 1), &ada, &entry).unwrap();
    store.add_session(&session("2", "ada", 2), &ada, &entry).unwrap();
    store.add_session(&session("3", "bob", 3), &bob, &entry).unwrap();
    let changed = user("ada", "another hash");
    store.put_user(&changed, &["1".to_owned()], &entry).unwrap();
    let used = |id: &str| CredentialUse { id: id.into(), at: Time::from_micros(7), from: Some("::1".into()) };
    store.note_session_uses(&[used("1"), used("3")]).unwrap();
    drop(store);
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    assert_eq!(store.users().unwrap(), [changed, bob]);
    let ids =
        || -> Vec<String> { store.sessions().unwrap().into_iter().map(|stored| stored.session.id).collect() };
    assert_eq!(ids(), ["2", "3"]);
    assert_eq!(store.sessions().unwrap()[1].session.last_used_at, Time::from_micros(7));
    store.remove_user("ada", &entry).unwrap();
    assert_eq!((ids(), store.users().unwrap().len()), (vec!["3".to_owned()], 1));
    store.remove_sessions(&["3".to_owned()]).unwrap();
    assert_eq!(ids(), Vec::<String>::new());
}
