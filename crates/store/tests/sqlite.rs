//! What is stored in the database is read back, page by page and number by number.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use proptest::prelude::*;
use protocol::band::Like;
use protocol::operation::AttemptOrigin;
use protocol::{
    Attempt, Band, Baseline, KindName, LogLevel, LogLine, Operation, OperationId, Point, Points, Progress,
    State, Time,
};
use serde_json::json;
use signalbox_store::{
    Change, DELETED_KEYS_CAPACITY, Earlier, EventRecord, Filter, Keep, RUNS, Run, Sqlite, Store,
    StoreErrorKind,
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
fn counts_follow_every_change_of_state() {
    let (_folder, store) = open();
    let count = |state| store.counts().unwrap().into_iter().find(|(s, _)| *s == state).unwrap().1;
    let (mut operation, attempt) = operation(State::Queued, "a");
    store.apply(&[Change::Operation { operation: operation.clone(), attempt: attempt.clone() }]).unwrap();
    put(&store, State::Queued, "b");
    assert_eq!((count(State::Queued), count(State::Running)), (2, 0));
    operation.state = State::Running;
    store.apply(&[Change::Operation { operation: operation.clone(), attempt: attempt.clone() }]).unwrap();
    store.apply(&[Change::Operation { operation, attempt }]).unwrap();
    assert_eq!((count(State::Queued), count(State::Running)), (1, 1));
}

#[test]
fn curves_and_logs_read_back_in_order_with_each_line_once() {
    let (_folder, store) = open();
    let id = put(&store, State::Running, "a").id;
    let points = |name: &str, from: u32| Points {
        name: name.into(),
        points: (from..from + 3).map(|x| Point(f64::from(x), f64::from(x) * 0.1)).collect(),
    };
    let line = |n| LogLine { n, at: Time::from_micros(7), level: LogLevel::Warn, text: format!("line {n}") };
    let lines =
        |range: std::ops::Range<u64>| Change::Log { id, attempt: 1, lines: range.map(line).collect() };
    store
        .apply(&[
            Change::Points { id, attempt: 1, series: vec![points("b", 0), points("a", 0)] },
            Change::Points { id, attempt: 1, series: vec![points("a", 3)] },
            lines(1..6),
            lines(4..9),
        ])
        .unwrap();
    let found = store.points(id, 1).unwrap();
    assert_eq!(
        found.iter().map(|p| (p.name.as_str(), p.points.len())).collect::<Vec<_>>(),
        [("a", 6), ("b", 3)]
    );
    assert_eq!(found[0].points[4], Point(4.0, 0.4));
    assert_eq!(store.points(id, 2).unwrap(), []);
    let numbers = |before, limit| -> Vec<u64> {
        store.logs(id, 1, before, limit).unwrap().iter().map(|l| l.n).collect()
    };
    assert_eq!(numbers(None, 3), [6, 7, 8]);
    assert_eq!(numbers(Some(6), 100), [1, 2, 3, 4, 5]);
}

#[test]
fn a_log_position_that_is_no_longer_stored_is_reported() {
    let (_folder, store) = open();
    let event = |seq| Change::Event(EventRecord { seq, operation: None, progress: false, json: "{}".into() });
    store.apply(&(11..20).map(event).collect::<Vec<_>>()).unwrap();
    assert_eq!(store.events(3, 10).unwrap(), None);
    assert_eq!(store.events(10, 4).unwrap().unwrap().len(), 4);
    assert_eq!(store.events(19, 4).unwrap().unwrap(), []);
    assert_eq!(store.head().unwrap(), 19);
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
    store.apply(&[Change::Event(event), key, log]).unwrap();
    store.apply(&[Change::Forget { ids: vec![old.id] }]).unwrap();
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
            store.too_old(keep, now, limit).unwrap().into_iter().map(|(id, _)| id).collect();
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

#[test]
fn ends_are_tallied_by_the_hour_once_each() {
    let (_folder, store) = open();
    let begin = Time::from_micros(7_200_000_000);
    let end = |state, seconds: i64| {
        let (mut operation, attempt) = operation(state, "MSFT 1h");
        operation.started_at = Some(begin);
        operation.ended_at = state.ended().then(|| begin.plus_micros(seconds * 1_000_000 + 500_000));
        (operation, attempt)
    };
    let put = |(operation, attempt): &(Box<Operation>, Box<Attempt>)| {
        store.apply(&[Change::Operation { operation: operation.clone(), attempt: attempt.clone() }]).unwrap();
    };
    let mut one = end(State::Running, 0);
    put(&one);
    assert_eq!(store.tallies(0).unwrap(), []);
    one.0.state = State::Succeeded;
    one.0.ended_at = Some(begin.plus_micros(90_500_000));
    put(&one);
    // Stored again, it has not ended again.
    put(&one);
    put(&end(State::Succeeded, 29));
    put(&end(State::Failed, 3_600));
    let told: Vec<_> = store.tallies(2).unwrap();
    let short: Vec<_> = told.iter().map(|t| (t.hour, t.state, t.count)).collect();
    assert_eq!(short, [(2, State::Succeeded, 2), (3, State::Failed, 1)]);
    assert!((told[0].seconds - 120.0).abs() < 0.01, "{told:?}");
    assert_eq!(store.tallies(3).unwrap().len(), 1);
    store.apply(&[Change::Forget { ids: vec![one.0.id] }]).unwrap();
    assert_eq!(store.tallies(2).unwrap(), told, "what is forgotten has ended all the same");
}

#[test]
fn a_day_counts_operations_by_their_last_end_without_deleted_ones() {
    let (_folder, store) = open();
    let now = Time::now();
    let put = |(operation, attempt): &(Box<Operation>, Box<Attempt>)| {
        store.apply(&[Change::Operation { operation: operation.clone(), attempt: attempt.clone() }]).unwrap();
    };
    let counted = || -> Vec<_> {
        let told = store.tallies(0).unwrap();
        told.iter().map(|t| (t.state, t.count, (t.seconds * 10.0).round() / 10.0)).collect()
    };
    let end = |of: &mut (Box<Operation>, Box<Attempt>), state, seconds: i64| {
        of.0.state = state;
        of.0.started_at = Some(now.plus_micros(-seconds * 1_000_000));
        of.0.ended_at = Some(now);
    };
    let (mut one, mut other) = (operation(State::Queued, "one"), operation(State::Queued, "other"));
    end(&mut one, State::Failed, 3);
    end(&mut other, State::Failed, 4);
    put(&one);
    put(&other);
    assert_eq!(counted(), [(State::Failed, 2, 7.0)]);
    one.0.state = State::Queued;
    put(&one);
    assert_eq!(counted(), [(State::Failed, 1, 4.0)], "it is tried again: it has not ended");
    end(&mut one, State::Succeeded, 5);
    put(&one);
    assert_eq!(counted(), [(State::Failed, 1, 4.0), (State::Succeeded, 1, 5.0)]);
    store.apply(&[Change::Forget { ids: vec![other.0.id] }]).unwrap();
    assert_eq!(counted(), [(State::Succeeded, 1, 5.0)]);
}

#[test]
fn a_filter_counts_matches_in_each_state() {
    let (_folder, store) = open();
    for (state, title) in [
        (State::Failed, "MSFT 1h"),
        (State::Failed, "MSFT 1d"),
        (State::Running, "MSFT 5m"),
        (State::Failed, "AAPL 1h"),
    ] {
        let (operation, attempt) = operation(state, title);
        store.apply(&[Change::Operation { operation, attempt }]).unwrap();
    }
    let counts = |words: &[(&str, &str)]| {
        let filter = Filter::parse(words.iter().copied()).unwrap();
        let found = store.counts_of(&filter).unwrap();
        found.into_iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>()
    };
    assert_eq!(counts(&[("q", "msft"), ("limit", "1")]), [(State::Running, 1), (State::Failed, 2)]);
    assert_eq!(counts(&[("q", "msft"), ("state", "failed")]), [(State::Failed, 2)]);
    assert_eq!(counts(&[]), [(State::Running, 1), (State::Failed, 3)]);
    assert_eq!(counts(&[("q", "nothing")]), []);
}

#[test]
fn only_the_deletion_entry_of_the_audit_log_outlives_its_operation() {
    use protocol::{Action, Actor, AuditEntry};
    let (_folder, store) = open();
    let id = put(&store, State::Succeeded, "old").id;
    let entry = |action| {
        let entry = AuditEntry::new(Time::from_micros(7), action, Actor::signalbox());
        Change::Audit(Box::new(AuditEntry { operation: Some(id), ..entry }))
    };
    store.apply(&[entry(Action::Start)]).unwrap();
    store.apply(&[entry(Action::Delete), Change::Forget { ids: vec![id] }]).unwrap();
    let left = store.audit(None, None, 9).unwrap();
    let left: Vec<_> = left.into_iter().map(|(_, entry)| (entry.action, entry.operation)).collect();
    assert_eq!(left, [(Action::Delete, Some(id))]);
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

#[test]
fn past_runs_are_earlier_successes_with_the_curve_newest_first() {
    let (_folder, store) = open();
    let told = |operation: &Operation, name: &str, points: &[Point]| {
        let series = vec![Points { name: name.into(), points: points.to_vec() }];
        store.apply(&[Change::Points { id: operation.id, attempt: 1, series }]).unwrap();
    };
    let some = [Point(1.0, 0.5), Point(2.0, 0.25)];
    let first = put(&store, State::Succeeded, "MSFT");
    let other = put(&store, State::Succeeded, "NVDA");
    let failed = put(&store, State::Failed, "MSFT");
    let bare = put(&store, State::Succeeded, "MSFT");
    let last = put(&store, State::Succeeded, "MSFT");
    let running = put(&store, State::Running, "MSFT");
    let later = put(&store, State::Succeeded, "MSFT");
    for operation in [&first, &other, &failed, &last, &running, &later] {
        told(operation, "loss", &some);
    }
    told(&bare, "accuracy", &some);
    let found = |title, limit| -> Vec<OperationId> {
        let kind = &running.kind;
        let wanted = Earlier { kind, title, before: running.id, series: "loss", limit };
        store
            .earlier(wanted)
            .unwrap()
            .into_iter()
            .map(|(id, attempt)| {
                assert_eq!(attempt, 1);
                id
            })
            .collect()
    };
    assert_eq!(found(Some("MSFT"), 9), [last.id, first.id]);
    assert_eq!(found(None, 9), [last.id, other.id, first.id]);
    assert_eq!(found(None, 1), [last.id]);
    told(&first, "loss", &[Point(3.0, 0.125)]);
    let mut points = Vec::new();
    store.curve(first.id, 1, "loss", &mut |point| points.push(point)).unwrap();
    assert_eq!(points, [some[0], some[1], Point(3.0, 0.125)]);
}

#[test]
fn the_band_of_a_rule_reads_back_bit_by_bit_with_its_start() {
    let (folder, store) = open();
    let operation = put(&store, State::Running, "MSFT");
    let series = |points: Vec<Point>| vec![Points { name: "loss".into(), points }];
    let id = operation.id;
    let told = |points: Vec<Point>| Change::Points { id, attempt: 1, series: series(points) };
    let band = Band {
        x: vec![0.1 + 0.2, 1e-300],
        p10: vec![Some(1.0 / 3.0), None],
        p50: vec![Some(2.0 / 3.0), None],
        p90: vec![Some(0.1), None],
        runs: vec![5, 4],
    };
    let baseline = Baseline {
        series: "loss".into(),
        like: Like::SameTitle,
        runs: vec![OperationId::new()],
        needed: 5,
        band: Some(band),
        why: String::new(),
    };
    let set = Change::RuleBand { id, attempt: 1, baseline: Arc::new(baseline.clone()) };
    let points = |n: u32| (0..n).map(|x| Point(f64::from(x), 1.0)).collect::<Vec<_>>();
    // Within the batch, too: points before the rule are skipped, points after it are not.
    store.apply(&[told(points(2)), told(points(1)), set, told(points(4))]).unwrap();
    drop(store);
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    let kept = store.rule_band(id).unwrap().unwrap();
    assert_eq!((kept.attempt, kept.skip), (1, 3));
    assert_eq!(kept.baseline, baseline);
    let none = Baseline { band: None, why: "too few".into(), ..baseline };
    store.apply(&[Change::RuleBand { id, attempt: 2, baseline: Arc::new(none.clone()) }]).unwrap();
    let kept = store.rule_band(id).unwrap().unwrap();
    assert_eq!((kept.attempt, kept.skip, kept.baseline), (2, 0, none));
    assert_eq!(store.rule_band(OperationId::new()).unwrap(), None);
    store.apply(&[Change::Forget { ids: vec![id] }]).unwrap();
    assert_eq!(store.rule_band(id).unwrap(), None);
}
