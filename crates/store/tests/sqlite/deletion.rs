//! Deletion, and what outlives it.

use super::*;

#[test]
fn deleted_operations_are_not_found_by_their_params() {
    let (_folder, store) = open();
    let found = |value: &str| {
        let filter = Filter::parse([("param.symbol", value)]).unwrap();
        store.page(&filter).unwrap().operations.into_iter().map(|o| o.id).collect::<Vec<_>>()
    };
    let [old, kept] = [put(&store, State::Succeeded, "old").id, put(&store, State::Succeeded, "kept").id];
    assert_eq!(found("msft"), [kept, old]);
    store.apply(&[Change::Forget { ids: vec![old] }]).unwrap();
    assert_eq!(found("msft"), [kept]);
    assert_eq!(found("aapl"), []);
}

#[test]
fn a_deleted_operation_leaves_only_its_events_and_key_and_is_not_counted() {
    let (_folder, store) = open();
    let old = put(&store, State::Succeeded, "old");
    let kept = put(&store, State::Succeeded, "kept");
    let json: std::sync::Arc<str> = "{}".into();
    let event = EventRecord { seq: 1, operation: Some(old.id), progress: false, json };
    let line = LogLine { n: 1, at: Time::from_micros(7), level: LogLevel::Info, text: "x".into() };
    let key = Change::Key { key: "k".into(), id: old.id, request: "r".into(), at: Time::from_micros(7) };
    let log = Change::Log { id: old.id, attempt: 1, lines: vec![line] };
    let secret = |id| {
        let param = SecretParam { name: "token".into(), key: "k1".into(), sealed: vec![1, 2] };
        Change::Secrets { id, secrets: vec![param] }
    };
    store.apply(&[Change::Event(event), key, log, secret(old.id), secret(kept.id)]).unwrap();
    assert_eq!(store.secret_keys().unwrap(), [("k1".to_owned(), 2)]);
    store.apply(&[Change::Forget { ids: vec![old.id] }]).unwrap();
    assert_eq!((store.secrets(old.id).unwrap(), store.secrets(kept.id).unwrap().len()), (vec![], 1));
    assert_eq!(store.secret_keys().unwrap(), [("k1".to_owned(), 1)]);
    assert_eq!(store.operation(old.id).unwrap(), None);
    assert_eq!(store.logs(old.id, 1, None, 9).unwrap(), vec![]);
    assert_eq!(store.key("k").unwrap(), Some((old.id, "r".to_owned())), "no second start comes of a key");
    assert!(store.operation(kept.id).unwrap().is_some());
    let count = store.counts().unwrap().into_iter().find(|(s, _)| *s == State::Succeeded).unwrap().1;
    assert_eq!(count, 1);
    assert_eq!(store.events(0, 9).unwrap().unwrap().len(), 1, "the log keeps its numbers");
}

#[test]
fn keys_of_deleted_operations_are_freed_after_many_later_ones() {
    let (_folder, store) = open();
    let (mut changes, mut ids) = (Vec::new(), Vec::new());
    for n in 0..=DELETED_KEYS_CAPACITY {
        let (operation, attempt) = operation(State::Succeeded, "old");
        let (key, at) = (n.to_string(), Time::from_micros(7));
        changes.push(Change::Key { key, id: operation.id, request: "r".into(), at });
        ids.push(operation.id);
        changes.push(Change::Operation { operation, attempt });
    }
    store.apply(&changes).unwrap();
    store.apply(&[Change::Forget { ids }]).unwrap();
    assert_eq!(store.key("0").unwrap(), None);
    assert!(store.key("1").unwrap().is_some());
}

#[test]
fn retention_is_by_age_and_number_per_state_and_skips_active_operations() {
    let (_folder, store) = open();
    let mut failed: Vec<OperationId> = (0..3).map(|_| put(&store, State::Failed, "f").id).collect();
    let done = put(&store, State::Succeeded, "s").id;
    put(&store, State::Running, "r");
    failed.sort();
    let now = Time::now();
    let none = Keep { age: None, most: None };
    let found = |keep, now, limit| -> Vec<OperationId> {
        let mut ids: Vec<_> =
            store.too_old(keep, now, limit).unwrap().into_iter().map(|ended| ended.id).collect();
        ids.sort();
        ids
    };
    assert_eq!(found(none, now, 9), []);
    assert_eq!(found(Keep { most: Some(1), ..none }, now, 9), failed[..2]);
    assert_eq!(found(Keep { most: Some(1), ..none }, now, 1), failed[..1]);
    let hour = Keep { age: Some(Duration::from_secs(3_600)), ..none };
    assert_eq!(found(hour, now, 9), []);
    let mut all: Vec<OperationId> = failed.iter().copied().chain([done]).collect();
    all.sort();
    assert_eq!(found(hour, now.plus_micros(3_601_000_000), 9), all);
}

#[test]
fn the_newest_runs_of_each_kind_are_kept() {
    let (_folder, store) = open();
    let kind = |name: &str| KindName::new(name).unwrap();
    let run = |n: u32| Run { title: format!("{n}"), seconds: f64::from(n), ratios: vec![0.5, 1.25] };
    let changes: Vec<Change> =
        (0..RUNS + 7).map(|n| Change::Run { kind: kind("data.load"), run: run(n) }).collect();
    store.apply(&changes).unwrap();
    store.apply(&[Change::Run { kind: kind("backtest.run"), run: run(1) }]).unwrap();
    let runs = store.runs().unwrap();
    assert_eq!(runs.len(), RUNS as usize + 1);
    assert_eq!(runs[0], (kind("data.load"), run(7)));
    assert_eq!(runs.last().unwrap(), &(kind("backtest.run"), run(1)));
}

#[test]
fn the_audit_log_of_an_operation_outlives_its_deletion() {
    use protocol::{Action, Actor, AuditEntry};
    let (_folder, store) = open();
    let id = put(&store, State::Succeeded, "old").id;
    let entry = |action| {
        let entry = AuditEntry::new(Time::from_micros(7), action, Actor::signalbox());
        Change::Audit(Box::new(AuditEntry { operation: Some(id), ..entry }))
    };
    store.apply(&[entry(Action::Start)]).unwrap();
    store.apply(&[entry(Action::Delete), Change::Forget { ids: vec![id] }]).unwrap();
    let of_it =
        signalbox_store::AuditFilter { operation: Some(id), ..signalbox_store::AuditFilter::default() };
    let left = store.audit(&of_it, 9).unwrap();
    let left: Vec<_> = left.into_iter().map(|(_, entry)| entry.action).collect();
    assert_eq!(left, [Action::Delete, Action::Start]);
}

#[test]
fn abandoned_work_is_known_to_run_possibly_even_after_its_deletion() {
    use protocol::{Failure, FailureReason};
    let (_folder, store) = open();
    let failed = |reason| {
        let (operation, mut attempt) = operation(State::Failed, "x");
        attempt.failure = Some(Failure { reason, message: "x".into(), hint: String::new() });
        store.apply(&[Change::Operation { operation: operation.clone(), attempt }]).unwrap();
        operation.id
    };
    let (silent, by_itself) = (failed(FailureReason::HostSilent), failed(FailureReason::Work));
    assert!(!store.given_up(silent).unwrap(), "it is still there to be asked");
    store.apply(&[Change::Forget { ids: vec![silent, by_itself] }]).unwrap();
    assert!(store.given_up(silent).unwrap());
    assert!(!store.given_up(by_itself).unwrap());
}
