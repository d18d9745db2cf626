//! A database that can't be read as it is meant is reported, and never changed or read as something else.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use protocol::{OperationId, Time};
use rusqlite::Connection;
use signalbox_store::{AuditFilter, Filter, Keep, Sqlite, Store, StoreError, StoreErrorKind};
use std::path::{Path, PathBuf};

const DUMP: &str = include_str!("fixtures/2026-11-29_version_10.sql");

/// Database of the dump, migrated, then changed by a statement.
fn changed(sql: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db");
    Connection::open(&path).unwrap().execute_batch(DUMP).unwrap();
    drop(Sqlite::open(&path).unwrap());
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (folder, path)
}

/// Database and its log, as they are on the disk. An empty log says nothing.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "db" || e == "db-wal"))
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .filter(|(_, bytes)| !bytes.is_empty())
        .collect();
    files.sort();
    files
}

#[test]
fn a_database_of_a_newer_version_is_rejected_unchanged() {
    // Also without a write-ahead log, which today's versions would switch on.
    for more in ["", "PRAGMA journal_mode = DELETE;"] {
        let (folder, path) = changed(&format!("{more} PRAGMA user_version = 1000"));
        let before = files(folder.path());
        let error = Sqlite::open(&path).err().unwrap();
        assert_eq!(error.kind(), StoreErrorKind::Newer);
        let text = error.to_string();
        assert!(text.contains("version 1000") && text.contains("Use the newer version"), "{text}");
        assert!(files(folder.path()) == before, "{more}");
    }
}

#[test]
fn a_database_of_a_newer_version_that_was_killed_keeps_its_log() {
    let (folder, path) = changed("");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 1000").unwrap();
    // As it is on the disk while the newer version runs, and after it is killed.
    let killed = tempfile::tempdir().unwrap();
    for name in ["signalbox.db", "signalbox.db-wal"] {
        std::fs::copy(folder.path().join(name), killed.path().join(name)).unwrap();
    }
    let before = files(killed.path());
    assert_eq!(before.len(), 2);
    let error = Sqlite::open(&killed.path().join("signalbox.db")).err().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Newer);
    assert!(files(killed.path()) == before);
}

#[test]
fn a_file_that_is_no_database_is_rejected_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db");
    std::fs::write(&path, "Not a database, but a text that someone may want to keep.".repeat(40)).unwrap();
    let before = files(folder.path());
    let error = Sqlite::open(&path).err().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Open, "{error}");
    assert!(files(folder.path()) == before);
}

#[test]
fn a_failed_migration_leaves_the_database_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.db");
    let first = include_str!("fixtures/2026-11-23_version_1.sql");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(first).unwrap();
    connection.execute("UPDATE operations SET doc = '{}' WHERE n = 3", []).unwrap();
    drop(connection);
    let error = Sqlite::open(&path).err().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Record, "{error}");
    let connection = Connection::open(&path).unwrap();
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('runs', 'audit', 'tallies', 'params')";
    let added: i64 = connection.query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!((version, added), (1, 0));
}

#[test]
fn unknown_stored_names_and_values_are_reported() {
    type Query = fn(&Sqlite, OperationId) -> Result<(), StoreError>;
    const KEEP: Keep = Keep { age: None, most: Some(0) };
    let cases: &[(&str, &str, Query)] = &[
        ("UPDATE logs SET level = 'trace'", "'trace' is not a log level", |store, id| {
            store.logs(id, 1, None, 9).map(drop)
        }),
        ("INSERT INTO counts VALUES ('data.load', 'paused', 1)", "'paused' is not a state", |store, _| {
            store.counts().map(drop)
        }),
        ("INSERT INTO counts VALUES ('data.load', 'paused', 1)", "'paused' is not a state", |store, _| {
            store.too_old(KEEP, Time::now(), 9).map(drop)
        }),
        ("UPDATE operations SET state = 'paused'", "'paused' is not a state", |store, _| {
            store.counts_of(&Filter::default()).map(drop)
        }),
        (
            "UPDATE operations SET doc = json_set(doc, '$.state', 'paused')",
            "unknown variant `paused`",
            |store, id| store.operation(id).map(drop),
        ),
        (
            "UPDATE operations SET doc = json_set(doc, '$.condition', json('{\"kind\": \"resting\"}'))",
            "unknown variant `resting`",
            |store, _| store.unended().map(drop),
        ),
        (
            "UPDATE tallies SET state = 'paused' WHERE state = 'failed'",
            "'paused' is not a state",
            |store, _| store.tallies(0).map(drop),
        ),
        ("UPDATE tallies SET kind = 'No Kind'", "'No Kind' is not a kind", |store, _| {
            store.tallies(0).map(drop)
        }),
        ("UPDATE runs SET kind = 'No Kind'", "'No Kind' is not a kind", |store, _| store.runs().map(drop)),
        ("UPDATE cursors SET host = 'No Host'", "'No Host' is not a host name", |store, _| {
            store.cursors().map(drop)
        }),
        ("UPDATE drained SET host = 'No Host'", "'No Host' is not a host name", |store, _| {
            store.drained().map(drop)
        }),
        (
            "UPDATE audit SET doc = json_set(doc, '$.action', 'rename')",
            "unknown variant `rename`",
            |store, _| store.audit(&AuditFilter::default(), 9).map(drop),
        ),
        ("UPDATE points SET packed = X'0102'", "2 bytes are left over", |store, id| {
            store.curve(id, 1, "steps", &mut |_| ())
        }),
        ("UPDATE rules SET packed = X'0102'", "2 bytes are left over", |store, id| {
            store.rule_band(id).map(drop)
        }),
    ];
    // An operation with series, log and rule.
    let id: OperationId = "01a2288b-9d89-76b7-82b6-d345e355bca0".parse().unwrap();
    for (sql, expected, query) in cases {
        let (_folder, path) = changed(sql);
        let error = query(&Sqlite::open(&path).unwrap(), id).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Record, "{sql}: {error}");
        assert!(error.to_string().contains(expected), "{sql}: {error}");
    }
}
