//! Databases of earlier versions open, and show what they hold. The fixtures are dumps of databases that the code of
//! those versions wrote; the names in them stay as they are.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use protocol::{Action, ConditionKind, Event, EventBody, FailureReason, LogLevel, OperationId, Point, State};
use rusqlite::Connection;
use serde_json::json;
use signalbox_store::{AuditFilter, Filter, Sqlite, Store, Stored};
use std::path::PathBuf;

/// Version 1, by the first commit.
const FIRST: &str = include_str!("fixtures/2026-11-23_version_1.sql");
/// Version 10, by the last commit before conditions, baselines and deletions were renamed.
const BEFORE_RENAMES: &str = include_str!("fixtures/2026-11-29_version_10.sql");

/// Database of a dump and some more statements.
fn database(dump: &str, more: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(dump).unwrap();
    more.iter().for_each(|sql| connection.execute_batch(sql).unwrap());
    (folder, path)
}

fn found(store: &Sqlite, words: &[(&str, &str)]) -> Vec<Stored> {
    let page = store.page(&Filter::parse(words.iter().copied()).unwrap()).unwrap();
    page.operations.iter().map(|operation| store.operation(operation.id).unwrap().unwrap()).collect()
}

/// The only operation that a query finds.
fn only(store: &Sqlite, words: &[(&str, &str)]) -> Stored {
    let [one]: [Stored; 1] = found(store, words).try_into().unwrap();
    one
}

/// Points of a series of the first attempt.
fn curve(store: &Sqlite, id: OperationId, series: &str) -> Vec<Point> {
    let mut points = Vec::new();
    store.curve(id, 1, series, &mut |point| points.push(point)).unwrap();
    points
}

fn counts(store: &Sqlite) -> Vec<u64> {
    store.counts().unwrap().into_iter().map(|(_, n)| n).collect()
}

fn events(store: &Sqlite) -> Vec<Event> {
    let records = store.events(0, 10_000).unwrap().unwrap();
    records.iter().map(|record| serde_json::from_str(&record.json).unwrap()).collect()
}

fn condition(stored: &Stored) -> ConditionKind {
    stored.operation.condition.as_ref().unwrap().kind
}

fn check_first(store: &Sqlite) {
    let all = found(store, &[("order", "oldest")]);
    let titles: Vec<_> = all.iter().map(|stored| stored.operation.title.as_str()).collect();
    assert_eq!(
        titles,
        ["Straße 1h · full", "AAPL 1d · full", "NVDA 1h · full", "TSLA 5m · full", "AMD 1h · tail"]
    );
    let [done, failed, cancelled, running, queued] = <[Stored; 5]>::try_from(all).unwrap();
    let states = [&done, &failed, &cancelled, &running, &queued].map(|stored| stored.operation.state);
    let expected = [State::Succeeded, State::Failed, State::Cancelled, State::Running, State::Queued];
    assert_eq!(states, expected);
    for stored in [&done, &failed, &cancelled, &running, &queued] {
        assert_eq!((stored.attempts.len(), stored.attempts[0].state), (1, stored.operation.state));
    }
    assert_eq!(failed.attempts[0].failure.as_ref().unwrap().reason, FailureReason::Work);
    assert_eq!(cancelled.operation.receipt.as_ref().unwrap().reason, "wrong symbol");
    assert_eq!(cancelled.operation.checkpoint.as_ref().unwrap().state, json!({"segment": 7}));
    assert_eq!(
        (condition(&running), condition(&queued)),
        (ConditionKind::Unreachable, ConditionKind::Waiting)
    );
    assert_eq!(running.operation.progress.as_ref().unwrap().fraction, Some(0.25));
    assert_eq!(store.unended().unwrap(), [running, queued]);

    let id = done.operation.id;
    assert_eq!(store.series_names(id, 1).unwrap(), ["rows"]);
    assert_eq!(curve(store, id, "rows"), [Point(1.0, 0.5), Point(2.0, 0.25)]);
    let lines = store.logs(id, 1, None, 10).unwrap();
    let levels: Vec<_> = lines.iter().map(|line| (line.n, line.level)).collect();
    let expected = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
    assert_eq!(levels, (1..).zip(expected).collect::<Vec<_>>());
    assert_eq!(store.result(id).unwrap().unwrap().document, json!({"rows": 50}));
    assert_eq!(store.key("key-1").unwrap(), Some((id, json!({"symbol": "MSFT"}).to_string())));

    assert_eq!(events(store).len(), 5);
    let cursors = store.cursors().unwrap();
    assert_eq!((cursors[0].0.as_str(), cursors[0].1.seq), ("data-1", 42));
    assert_eq!(counts(store), [1, 0, 1, 0, 1, 1, 1]);
    // Tables of later versions are filled.
    for words in [("q", "straße"), ("param.symbol", "msft")] {
        assert_eq!(only(store, &[words]).operation.id, id, "{words:?}");
    }
    assert_eq!(found(store, &[("q", "STRASSE")]).len(), 0);
    assert_eq!(found(store, &[("param.rows", "50"), ("order", "oldest")]).len(), 5);
    for stored in [&done, &failed, &cancelled] {
        let at = stored.operation.ended_at.unwrap();
        let (at, later) = (at.to_string(), at.plus_micros(1).to_string());
        let among = found(store, &[("ended_since", at.as_str()), ("ended_until", later.as_str())]);
        assert!(among.iter().any(|found| found.operation.id == stored.operation.id), "{at}");
    }
    assert_eq!(found(store, &[("ended_since", "1970-01-01")]).len(), 3);
    let tallies = store.tallies(0).unwrap();
    let ended: Vec<_> = tallies.iter().map(|tally| (tally.state, tally.count)).collect();
    assert_eq!(ended, [(State::Cancelled, 1), (State::Failed, 1), (State::Succeeded, 1)]);
    assert!(tallies.iter().all(|tally| (tally.seconds - 2.5).abs() < 0.01), "{tallies:?}");
    assert_eq!(store.drained().unwrap(), []);
    assert_eq!(store.audit(&AuditFilter::default(), 10).unwrap(), []);
    assert!(!store.given_up(id).unwrap());
    assert_eq!(store.rule_band(id).unwrap(), None);
    assert_eq!((store.secrets(id).unwrap(), store.secret_keys().unwrap()), (vec![], vec![]));
}

#[test]
fn a_database_of_the_first_version_shows_its_operations() {
    let (_folder, path) = database(FIRST, &[]);
    check_first(&Sqlite::open(&path).unwrap());
    // Once migrated, it opens as it is.
    check_first(&Sqlite::open(&path).unwrap());
}

/// Migrations as files; some early commits had the same version numbers with other tables.
macro_rules! migration {
    ($name:literal) => {
        include_str!(concat!("../migrations/", $name, ".sql"))
    };
}

#[test]
fn databases_with_fewer_tables_in_the_same_version_show_their_operations() {
    let runs = migration!("2026-11-23_02_runs_and_drained_hosts");
    let runs_only = runs.replace("CREATE TABLE drained (host TEXT PRIMARY KEY) WITHOUT ROWID;", "");
    assert_ne!(runs_only, runs);
    let to_5 = [
        runs,
        migration!("2026-11-24_03_audit"),
        migration!("2026-11-24_04_tallies"),
        migration!("2026-11-24_05_parents"),
    ];
    let rules = migration!("2026-11-25_07_rules");
    let version_6 = |last: &[&'static str]| [&to_5[..], last, &["PRAGMA user_version = 6"]].concat();
    for more in [
        vec![runs_only.as_str(), "PRAGMA user_version = 2"],
        version_6(&[migration!("2026-11-25_06_given_up")]),
        version_6(&[rules]),
    ] {
        let (_folder, path) = database(FIRST, &more);
        check_first(&Sqlite::open(&path).unwrap());
    }
    // Search was in a version 6, and filled there.
    let (_folder, path) = database(FIRST, &version_6(&[migration!("2026-11-25_08_search")]));
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(found(&store, &[]).len(), 5);
    assert_eq!(store.drained().unwrap(), []);
}

fn id(text: &str) -> OperationId {
    text.parse().unwrap()
}

#[test]
fn a_database_from_before_the_renames_shows_its_operations() {
    let (_folder, path) = database(BEFORE_RENAMES, &[]);
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(counts(&store), [0, 1, 1, 0, 8, 1, 1]);
    assert_eq!(found(&store, &[]).len(), 12);
    assert_eq!(found(&store, &[("param.steps", "5"), ("q", "to 5")]).len(), 6);

    let running = only(&store, &[("state", "running")]);
    assert_eq!(condition(&running), ConditionKind::Unreachable);
    assert_eq!(running.operation.progress.as_ref().unwrap().done, 3);
    let starting = only(&store, &[("state", "starting")]);
    assert_eq!(condition(&starting), ConditionKind::TransferringCheckpoint);
    assert_eq!(store.unended().unwrap(), [running.clone(), starting]);

    let cancelled = only(&store, &[("state", "cancelled")]);
    let attempts: Vec<_> = cancelled.attempts.iter().map(|attempt| (attempt.number, attempt.state)).collect();
    assert_eq!(attempts, [(1, State::Cancelled), (2, State::Cancelled)]);
    let receipt = cancelled.attempts[0].receipt.as_ref().unwrap();
    assert!(receipt.reason == "wrong symbol" && receipt.released.is_some());

    let given_up = only(&store, &[("state", "failed")]);
    assert_eq!(given_up.operation.failure.as_ref().unwrap().reason, FailureReason::Abandoned);
    assert_eq!(given_up.operation.rule.as_ref().unwrap().series, "steps");
    assert_eq!(store.secrets(given_up.operation.id).unwrap(), []);
    let rule = store.rule_band(given_up.operation.id).unwrap().unwrap();
    assert_eq!((rule.attempt, rule.skip, rule.baseline.runs.len()), (1, 0, 7));
    assert_eq!(rule.baseline.band.unwrap().x, [1.0, 2.0, 3.0, 4.0, 5.0]);
    let steps = curve(&store, given_up.operation.id, "steps");
    assert_eq!(steps, [Point(1.0, 101.0), Point(2.0, 102.0)]);

    let done = found(&store, &[("state", "succeeded"), ("order", "oldest")]);
    assert_eq!(store.result(done[0].operation.id).unwrap().unwrap().document, json!({"steps": 5}));
    let lines = store.logs(done[0].operation.id, 1, None, 9).unwrap();
    assert_eq!((lines[0].level, lines[0].text.as_str()), (LogLevel::Info, "counting to 5"));

    let deleted = id("01a2288b-9d7d-714a-8ac6-225295723dee");
    let deleted_while_lost = id("01a2288b-b2d9-744a-b235-bf72aa233272");
    assert_eq!(store.operation(deleted).unwrap(), None);
    assert!(store.given_up(deleted_while_lost).unwrap() && !store.given_up(deleted).unwrap());
    assert_eq!(store.key("order-2").unwrap().map(|(id, _)| id), Some(deleted));
    let records = store.events(94, 10_000).unwrap().unwrap();
    let events: Vec<Event> =
        records.iter().map(|record| serde_json::from_str(&record.json).unwrap()).collect();
    let deletions: Vec<_> = events
        .iter()
        .filter_map(|event| match event.body {
            EventBody::Deleted { id, state } => Some((event.seq, id, state)),
            _ => None,
        })
        .collect();
    assert_eq!(deletions, [(95, deleted, State::Succeeded), (144, deleted_while_lost, State::Failed)]);
    assert_eq!((store.events(93, 10).unwrap(), store.head().unwrap()), (None, 174));

    let audit = store.audit(&AuditFilter::default(), 100).unwrap();
    assert_eq!((audit.len(), audit[0].1.action), (21, Action::Drain));
    let of_running = store
        .audit(&AuditFilter { operation: Some(running.operation.id), ..AuditFilter::default() }, 9)
        .unwrap();
    assert_eq!(of_running.iter().map(|(_, entry)| entry.action).collect::<Vec<_>>(), [Action::Start]);
    let cursors = store.cursors().unwrap();
    assert_eq!((cursors[0].0.as_str(), cursors[0].1.seq), ("counter", 97));
    assert_eq!(store.drained().unwrap(), [cursors[0].0.clone()]);
    assert_eq!((store.runs().unwrap().len(), store.configuration().unwrap().len()), (9, 7));
    // All that have ended, by the time of the end that the migration adds.
    assert_eq!(found(&store, &[("ended_since", "1970-01-01")]).len(), 10);
    let tallies = store.tallies(0).unwrap();
    let ended: Vec<_> = tallies.iter().map(|tally| (tally.state, tally.count)).collect();
    assert_eq!(ended, [(State::Cancelled, 1), (State::Failed, 1), (State::Succeeded, 8)]);
}
