//! Tables, and migrations between their versions.

use crate::StoreError;
use crate::sqlite::put_params;
use protocol::Operation;
use rusqlite::{Connection, Transaction, params};

/// Each entry raises the version of the database by one; entries are only ever added.
const MIGRATIONS: &[&str] = &[
    r"
    -- `n` is the short ID of an operation for the tables below; `doc` is the operation without its progress.
    CREATE TABLE operations (
        n        INTEGER PRIMARY KEY,
        id       BLOB NOT NULL UNIQUE,
        kind     TEXT NOT NULL,
        state    TEXT NOT NULL,
        host     TEXT,
        title    TEXT NOT NULL,
        doc      TEXT NOT NULL,
        heard_at INTEGER,
        progress TEXT
    );
    CREATE INDEX operations_by_state ON operations (state, id);
    CREATE INDEX operations_by_kind ON operations (kind, id);
    CREATE INDEX operations_by_host ON operations (host, id);

    CREATE TABLE attempts (
        n      INTEGER NOT NULL,
        number INTEGER NOT NULL,
        doc    TEXT NOT NULL,
        PRIMARY KEY (n, number)
    ) WITHOUT ROWID;

    CREATE TABLE results (
        n       INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        doc     TEXT NOT NULL,
        PRIMARY KEY (n, attempt)
    ) WITHOUT ROWID;

    -- One row per delivery of points, packed: x and y in turn, 64-bit little-endian floats.
    CREATE TABLE points (
        n       INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        name    TEXT NOT NULL,
        packed  BLOB NOT NULL
    );
    CREATE INDEX points_by_operation ON points (n, attempt, name);

    CREATE TABLE logs (
        n       INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        line    INTEGER NOT NULL,
        at      INTEGER NOT NULL,
        level   TEXT NOT NULL,
        text    TEXT NOT NULL,
        PRIMARY KEY (n, attempt, line)
    ) WITHOUT ROWID;

    CREATE TABLE events (
        seq       INTEGER PRIMARY KEY,
        operation BLOB,
        progress  INTEGER NOT NULL,
        json      TEXT NOT NULL
    );

    CREATE TABLE cursors (
        host     TEXT PRIMARY KEY,
        instance BLOB NOT NULL,
        seq      INTEGER NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE keys (
        key     TEXT PRIMARY KEY,
        id      BLOB NOT NULL,
        request TEXT NOT NULL,
        at      INTEGER NOT NULL
    ) WITHOUT ROWID;

    -- Maintained by triggers, so that counting needs no scan.
    CREATE TABLE counts (state TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TRIGGER count_new AFTER INSERT ON operations BEGIN
        INSERT INTO counts VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
    END;
    CREATE TRIGGER count_move AFTER UPDATE OF state ON operations WHEN OLD.state <> NEW.state BEGIN
        UPDATE counts SET n = n - 1 WHERE state = OLD.state;
        INSERT INTO counts VALUES (NEW.state, 1) ON CONFLICT (state) DO UPDATE SET n = n + 1;
    END;
    CREATE TRIGGER count_gone AFTER DELETE ON operations BEGIN
        UPDATE counts SET n = n - 1 WHERE state = OLD.state;
    END;
",
    r"
    CREATE TABLE runs (
        n       INTEGER PRIMARY KEY,
        kind    TEXT NOT NULL,
        title   TEXT NOT NULL,
        seconds REAL NOT NULL,
        ratios  TEXT NOT NULL
    );
    CREATE INDEX runs_by_kind ON runs (kind, n);
    CREATE INDEX keys_by_operation ON keys (id);
    CREATE TABLE drained (host TEXT PRIMARY KEY) WITHOUT ROWID;
",
    r"
    CREATE TABLE audit (
        n         INTEGER PRIMARY KEY,
        operation BLOB,
        doc       TEXT NOT NULL
    );
    CREATE INDEX audit_by_operation ON audit (operation, n);
    CREATE TABLE configuration (line TEXT NOT NULL);
",
    r"
    -- Number of ended operations per hour since 1970, maintained by triggers. An operation that ended without having
    -- begun took no time.
    CREATE TABLE tallies (
        hour    INTEGER NOT NULL,
        kind    TEXT NOT NULL,
        state   TEXT NOT NULL,
        n       INTEGER NOT NULL,
        seconds REAL NOT NULL,
        PRIMARY KEY (hour, kind, state)
    ) WITHOUT ROWID;
    CREATE VIEW ends AS SELECT n, kind, state,
        coalesce(unixepoch(doc ->> 'ended_at'), unixepoch()) / 3600 AS hour,
        max(0.0, coalesce((julianday(doc ->> 'ended_at') - julianday(doc ->> 'started_at')) * 86400.0, 0.0)) AS seconds
        FROM operations WHERE state IN ('succeeded', 'failed', 'cancelled');
    INSERT INTO tallies SELECT hour, kind, state, count(*), sum(seconds) FROM ends GROUP BY hour, kind, state;
    CREATE TRIGGER tally_new AFTER INSERT ON operations BEGIN
        INSERT INTO tallies SELECT hour, kind, state, 1, seconds FROM ends WHERE n = NEW.n
            ON CONFLICT (hour, kind, state) DO UPDATE SET n = n + 1, seconds = seconds + excluded.seconds;
    END;
    CREATE TRIGGER tally_end AFTER UPDATE OF state ON operations WHEN OLD.state <> NEW.state BEGIN
        INSERT INTO tallies SELECT hour, kind, state, 1, seconds FROM ends WHERE n = NEW.n
            ON CONFLICT (hour, kind, state) DO UPDATE SET n = n + 1, seconds = seconds + excluded.seconds;
    END;
",
    r"
    ALTER TABLE operations ADD COLUMN parent BLOB;
    CREATE INDEX operations_by_parent ON operations (parent, id) WHERE parent IS NOT NULL;
",
    r"
    -- Deleted operations with an attempt that was given up while its host was unreachable, and that may still run.
    CREATE TABLE forgotten (n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
",
    r"
    -- Baseline of an operation's rule. `doc` is the envelope without its band, which is packed: rows of x, p10, p50,
    -- p90 and the number of runs. The first `skip` points of `attempt` existed before the rule.
    CREATE TABLE rules (
        n       INTEGER PRIMARY KEY,
        attempt INTEGER NOT NULL,
        skip    INTEGER NOT NULL,
        doc     TEXT NOT NULL,
        packed  BLOB
    );
    -- For past runs with a title.
    CREATE INDEX operations_by_title ON operations (kind, title, id) WHERE state = 'succeeded';
",
    FIND,
    r"
    -- Keys of deleted operations, in the order of deletion.
    CREATE TABLE spent (n INTEGER PRIMARY KEY, key TEXT NOT NULL);
",
    r"
    -- Tallies count stored operations, each by its last end: one that is retried leaves its hour, and so does one that
    -- is deleted within a day of its end. Older hours show the usual activity, and stay.
    DELETE FROM tallies WHERE hour > unixepoch() / 3600 - 24;
    INSERT INTO tallies SELECT hour, kind, state, count(*), sum(seconds) FROM ends
        WHERE hour > unixepoch() / 3600 - 24 GROUP BY hour, kind, state;
    CREATE TRIGGER tally_again AFTER UPDATE OF state ON operations
        WHEN OLD.state IN ('succeeded', 'failed', 'cancelled') AND OLD.state <> NEW.state
    BEGIN
        UPDATE tallies SET n = n - 1, seconds = max(0.0, seconds - max(0.0, coalesce(
                (julianday(OLD.doc ->> 'ended_at') - julianday(OLD.doc ->> 'started_at')) * 86400.0, 0.0)))
            WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state;
        DELETE FROM tallies
            WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state AND n <= 0;
    END;
    CREATE TRIGGER tally_gone AFTER DELETE ON operations
        WHEN OLD.state IN ('succeeded', 'failed', 'cancelled')
            AND unixepoch(OLD.doc ->> 'ended_at') / 3600 > unixepoch() / 3600 - 24
    BEGIN
        UPDATE tallies SET n = n - 1, seconds = max(0.0, seconds - max(0.0, coalesce(
                (julianday(OLD.doc ->> 'ended_at') - julianday(OLD.doc ->> 'started_at')) * 86400.0, 0.0)))
            WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state;
        DELETE FROM tallies
            WHERE hour = unixepoch(OLD.doc ->> 'ended_at') / 3600 AND kind = OLD.kind AND state = OLD.state AND n <= 0;
    END;
",
];

/// Columns and tables for finding operations; [`fill`] fills them for stored operations.
const FIND: &str = r"
    -- All searchable text of an operation, in lower case.
    ALTER TABLE operations ADD COLUMN about TEXT NOT NULL DEFAULT '';
    CREATE INDEX operations_to_find ON operations (id, state, kind, host, parent, about);
    -- Values of parameters in comparable form.
    CREATE TABLE params (
        name  TEXT NOT NULL,
        value TEXT NOT NULL,
        id    BLOB NOT NULL,
        PRIMARY KEY (name, value, id)
    ) WITHOUT ROWID;
";

/// Operations filled at once.
const AT_ONCE: i64 = 1_000;

/// Fills the columns and tables for finding operations that are already stored.
fn fill(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let mut last = i64::MIN;
    loop {
        let mut read =
            transaction.prepare_cached("SELECT n, doc FROM operations WHERE n > ? ORDER BY n LIMIT ?")?;
        let some = read.query_map([last, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let some: Vec<(i64, String)> = some.collect::<Result<_, _>>()?;
        for (n, doc) in &some {
            let operation: Operation = serde_json::from_str(doc)?;
            transaction
                .prepare_cached("UPDATE operations SET about = ? WHERE n = ?")?
                .execute(params![operation.words(), n])?;
            put_params(transaction, &operation)?;
        }
        match some.last() {
            Some((n, _)) => last = *n,
            None => return Ok(()),
        }
    }
}

/// Migrates the database to the newest version, each step atomically.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        if *sql == FIND {
            fill(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", step as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}
