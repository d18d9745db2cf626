//! What is stored in the database is read back, page by page and number by number.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod access;
mod alert_rules;
mod audit;
mod counts;
mod deletion;
mod series;

use proptest::prelude::*;
use protocol::band::Like;
use protocol::operation::AttemptOrigin;
use protocol::{
    Attempt, Band, Baseline, KindName, LogLevel, LogLine, Operation, OperationId, Point, Points, Progress,
    State, Time,
};
use serde_json::json;
use signalbox_store::{
    Change, DELETED_KEYS_CAPACITY, EventRecord, Filter, Keep, PastRunsQuery, RUNS, Run, SecretParam, Sqlite,
    Store, StoreErrorKind,
};
use std::sync::Arc;
use std::time::Duration;

fn operation(state: State, title: &str) -> (Box<Operation>, Box<Attempt>) {
    let now = Time::now();
    let kind = KindName::new("data.load").unwrap();
    let queued = Operation::queued(OperationId::new(), kind, title.into(), json!({"symbol": "MSFT"}), now);
    let operation = Operation { state, seq: 1, ..queued };
    let attempt = Attempt {
        number: 1,
        origin: AttemptOrigin::Start,
        state,
        host: None,
        instance: None,
        created_at: now,
        started_at: None,
        ended_at: None,
        failure: None,
        receipt: None,
        resumed_from: None,
        usage: None,
    };
    (Box::new(operation), Box::new(attempt))
}

fn put(store: &Sqlite, state: State, title: &str) -> Operation {
    let (operation, attempt) = operation(state, title);
    store.apply(&[Change::Operation { operation: operation.clone(), attempt }]).unwrap();
    *operation
}

fn open() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    (folder, store)
}

#[test]
fn secret_params_read_back_with_the_key_that_encrypted_them() {
    let (folder, store) = open();
    let [one, other] = ["one", "other"].map(|title| put(&store, State::Queued, title).id);
    let param = |name: &str, key: &str| SecretParam {
        name: name.into(),
        key: key.into(),
        sealed: name.as_bytes().into(),
    };
    let secrets = vec![param("token", "k2"), param("pin", "k1")];
    store.apply(&[Change::Secrets { id: one, secrets }]).unwrap();
    drop(store);
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    assert_eq!(store.secrets(one).unwrap(), [param("pin", "k1"), param("token", "k2")]);
    assert_eq!(store.secrets(other).unwrap(), []);
    assert_eq!(store.secret_keys().unwrap(), [("k1".to_owned(), 1), ("k2".to_owned(), 1)]);
}

#[test]
fn an_operation_reads_back_with_its_newest_progress() {
    let (folder, store) = open();
    let mut operation = put(&store, State::Running, "MSFT 1h");
    let now = Time::now();
    let progress = Progress { fraction: Some(0.25), done: 5, total: Some(20), ..Progress::start(now) };
    store.apply(&[Change::Progress { id: operation.id, heard_at: now, progress: progress.clone() }]).unwrap();
    operation.progress = Some(progress);
    operation.heard_at = Some(now);
    drop(store);
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    let stored = store.operation(operation.id).unwrap().unwrap();
    assert_eq!(stored.operation, operation);
    assert_eq!(stored.attempts.len(), 1);
    assert_eq!(store.unended().unwrap(), [stored]);
    assert_eq!(store.operation(OperationId::new()).unwrap(), None);
}

#[test]
fn a_batch_is_written_atomically() {
    let (_folder, store) = open();
    let event = |seq| Change::Event(EventRecord { seq, operation: None, progress: false, json: "{}".into() });
    store.apply(&[event(1)]).unwrap();
    assert!(store.apply(&[event(2), event(1)]).is_err());
    assert_eq!(store.head().unwrap(), 1);
}

#[test]
fn a_second_server_on_one_database_is_rejected() {
    let (folder, _store) = open();
    let second = Sqlite::open(&folder.path().join("signalbox.db"));
    assert_eq!(second.err().map(|error| error.kind()), Some(StoreErrorKind::InUse));
}

#[test]
fn search_text_is_literal() {
    let (_folder, store) = open();
    for title in ["MSFT 1h", "100% real", "100 real", "a_b"] {
        put(&store, State::Queued, title);
    }
    let found = |text: &str| -> Vec<String> {
        let filter = Filter { text: text.into(), limit: 10, ..Filter::default() };
        store.page(&filter).unwrap().operations.into_iter().map(|o| o.title).collect()
    };
    assert_eq!(found("msft"), ["MSFT 1h"]);
    assert_eq!(found("0%"), ["100% real"]);
    assert_eq!(found("a_b"), ["a_b"]);
    assert_eq!(found("REAL 100"), ["100 real", "100% real"], "every word, wherever it stands");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn pages_have_every_operation_once_newest_first(states in proptest::collection::vec(0usize..7, 1..40), limit in 1u32..9) {
        let (_folder, store) = open();
        let mut put_in: Vec<OperationId> = Vec::new();
        for state in &states {
            let made = put(&store, State::ALL[*state], "x");
            if made.state != State::Failed { put_in.push(made.id); }
        }
        put_in.sort();
        put_in.reverse();
        let wanted: Vec<State> = State::ALL.into_iter().filter(|s| *s != State::Failed).collect();
        let mut filter = Filter { states: wanted, limit, ..Filter::default() };
        let mut seen = Vec::new();
        loop {
            let page = store.page(&filter).unwrap();
            prop_assert!(page.operations.len() <= limit as usize);
            seen.extend(page.operations.iter().map(|o| o.id));
            match page.next { Some(next) => filter.after = Some(next), None => break }
        }
        prop_assert_eq!(seen, put_in);
    }
}
