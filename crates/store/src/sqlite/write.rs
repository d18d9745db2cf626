//! Effect of each change on the tables.

use super::{id_bytes, number_of};
use crate::{
    AUDIT_CAPACITY, Change, DELETED_KEYS_CAPACITY, DELETED_OPERATIONS_CAPACITY, RUNS, StoreError,
    TALLY_HOURS, runs,
};
use protocol::filter;
use protocol::{Action, HostName, Operation, OperationId, Point, Time};
use rusqlite::{Transaction, params};

/// Number of events kept for reconnecting readers; older ones are trimmed when new ones come.
const EVENTS_KEPT: u64 = 500_000;
/// Events trimmed at once, so that no batch waits long for it.
const TRIM: u64 = 2_000;

pub(super) fn apply_one(transaction: &Transaction<'_>, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Operation { operation, attempt } => {
            let mut bare = (**operation).clone();
            let heard_at = bare.heard_at.take().map(Time::micros);
            let progress = bare.progress.take().map(|p| serde_json::to_string(&p)).transpose()?;
            // Parameters never change.
            if number_of(transaction, bare.id)?.is_none() {
                put_params(transaction, &bare)?;
            }
            let n: i64 = transaction
                .prepare_cached(
                    "INSERT INTO operations (id, kind, state, host, title, doc, heard_at, progress, parent, about)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                     ON CONFLICT (id) DO UPDATE SET state = excluded.state, host = excluded.host,
                        title = excluded.title, doc = excluded.doc, heard_at = excluded.heard_at,
                        progress = excluded.progress, about = excluded.about
                     RETURNING n",
                )?
                .query_row(
                    params![
                        id_bytes(bare.id),
                        bare.kind.as_str(),
                        bare.state.as_str(),
                        bare.host.as_ref().map(HostName::as_str),
                        bare.title,
                        serde_json::to_string(&bare)?,
                        heard_at,
                        progress,
                        bare.parent.map(id_bytes),
                        bare.words(),
                    ],
                    |row| row.get(0),
                )?;
            transaction
                .prepare_cached("INSERT OR REPLACE INTO attempts (n, number, doc) VALUES (?, ?, ?)")?
                .execute(params![n, attempt.number, serde_json::to_string(attempt)?])?;
        }
        Change::Progress { id, heard_at, progress } => {
            transaction
                .prepare_cached("UPDATE operations SET heard_at = ?, progress = ? WHERE id = ?")?
                .execute(params![heard_at.micros(), serde_json::to_string(progress)?, id_bytes(*id)])?;
        }
        Change::Points { id, attempt, series } => {
            for one in series {
                transaction
                    .prepare_cached(
                        "INSERT INTO points (n, attempt, name, packed)
                         SELECT n, ?, ?, ? FROM operations WHERE id = ?",
                    )?
                    .execute(params![attempt, one.name, pack(&one.points), id_bytes(*id)])?;
            }
        }
        Change::Log { id, attempt, lines } => {
            for line in lines {
                transaction
                    .prepare_cached(
                        "INSERT OR IGNORE INTO logs (n, attempt, line, at, level, text)
                         SELECT n, ?, ?, ?, ?, ? FROM operations WHERE id = ?",
                    )?
                    .execute(params![
                        attempt,
                        line.n as i64,
                        line.at.micros(),
                        line.level.as_str(),
                        line.text,
                        id_bytes(*id)
                    ])?;
            }
        }
        Change::Result { id, attempt, result } => {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO results (n, attempt, doc) SELECT n, ?, ? FROM operations WHERE id = ?",
                )?
                .execute(params![attempt, serde_json::to_string(result)?, id_bytes(*id)])?;
        }
        Change::Event(event) => {
            transaction
                .prepare_cached("INSERT INTO events (seq, operation, progress, json) VALUES (?, ?, ?, ?)")?
                .execute(params![
                    event.seq as i64,
                    event.operation.map(id_bytes),
                    event.progress,
                    &*event.json
                ])?;
            if event.seq > EVENTS_KEPT && event.seq.is_multiple_of(TRIM) {
                transaction
                    .prepare_cached("DELETE FROM events WHERE seq <= ?")?
                    .execute([(event.seq - EVENTS_KEPT) as i64])?;
            }
        }
        Change::Cursor { host, cursor } => {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO cursors (host, instance, seq) VALUES (?, ?, ?)")?
                .execute(params![host.as_str(), cursor.instance.0.as_bytes(), cursor.seq as i64])?;
        }
        Change::Key { key, id, request, at } => {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO keys (key, id, request, at) VALUES (?, ?, ?, ?)")?
                .execute(params![key, id_bytes(*id), request, at.micros()])?;
        }
        Change::RuleBand { id, attempt, baseline } => runs::keep_band(transaction, *id, *attempt, baseline)?,
        Change::Drain { host, on } => {
            let sql = if *on {
                "INSERT OR IGNORE INTO drained VALUES (?)"
            } else {
                "DELETE FROM drained WHERE host = ?"
            };
            transaction.prepare_cached(sql)?.execute([host.as_str()])?;
        }
        Change::Run { kind, run } => {
            transaction
                .prepare_cached("INSERT INTO runs (kind, title, seconds, ratios) VALUES (?, ?, ?, ?)")?
                .execute(params![
                    kind.as_str(),
                    run.title,
                    run.seconds,
                    serde_json::to_string(&run.ratios)?
                ])?;
            transaction
                .prepare_cached(
                    "DELETE FROM runs WHERE kind = ?1 AND n <=
                     (SELECT n FROM runs WHERE kind = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)",
                )?
                .execute(params![kind.as_str(), RUNS])?;
        }
        Change::Audit(entry) => {
            let goes_with = entry.operation.filter(|_| entry.action != Action::Delete);
            transaction
                .prepare_cached("INSERT INTO audit (operation, doc) VALUES (?, ?)")?
                .execute(params![goes_with.map(id_bytes), serde_json::to_string(entry)?])?;
            if goes_with.is_none() {
                transaction
                    .prepare_cached(
                        "DELETE FROM audit WHERE operation IS NULL AND n <=
                         (SELECT n FROM audit WHERE operation IS NULL ORDER BY n DESC LIMIT 1 OFFSET ?)",
                    )?
                    .execute([AUDIT_CAPACITY])?;
            }
        }
        Change::Configuration { lines } => {
            transaction.execute("DELETE FROM configuration", [])?;
            for line in lines {
                transaction.prepare_cached("INSERT INTO configuration VALUES (?)")?.execute([line])?;
            }
        }
        Change::Forget { ids } => {
            transaction
                .prepare_cached("DELETE FROM tallies WHERE hour < (SELECT max(hour) FROM tallies) - ?")?
                .execute([TALLY_HOURS])?;
            for id in ids {
                forget(transaction, *id)?;
            }
        }
    }
    Ok(())
}

/// Makes an operation searchable by its parameters.
pub(crate) fn put_params(transaction: &Transaction<'_>, operation: &Operation) -> Result<(), StoreError> {
    each_param(transaction, operation, "INSERT OR IGNORE INTO params (name, value, id) VALUES (?, ?, ?)")
}

fn each_param(transaction: &Transaction<'_>, operation: &Operation, sql: &str) -> Result<(), StoreError> {
    for (name, value) in operation.params.as_object().into_iter().flatten() {
        if let Some(value) = filter::plain(value) {
            transaction.prepare_cached(sql)?.execute(params![name, value, id_bytes(operation.id)])?;
        }
    }
    Ok(())
}

fn forget(transaction: &Transaction<'_>, id: OperationId) -> Result<(), StoreError> {
    let Some(n) = number_of(transaction, id)? else { return Ok(()) };
    let given_up = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO forgotten (id) SELECT ? WHERE EXISTS (SELECT 1 FROM attempts WHERE n = ?
                AND doc ->> '$.failure.reason' IN ('host_silent', 'abandoned'))",
        )?
        .execute(params![id_bytes(id), n])?;
    if given_up > 0 {
        transaction
            .prepare_cached("DELETE FROM forgotten WHERE n <= (SELECT max(n) FROM forgotten) - ?")?
            .execute([DELETED_OPERATIONS_CAPACITY])?;
    }
    let doc: String = transaction
        .prepare_cached("SELECT doc FROM operations WHERE n = ?")?
        .query_row([n], |row| row.get(0))?;
    let sql = "DELETE FROM params WHERE name = ? AND value = ? AND id = ?";
    each_param(transaction, &serde_json::from_str(&doc)?, sql)?;
    for table in ["attempts", "results", "points", "logs", "rules", "operations"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE n = ?"))?.execute([n])?;
    }
    spend(transaction, id)?;
    transaction.prepare_cached("DELETE FROM audit WHERE operation = ?")?.execute([id_bytes(id)])?;
    Ok(())
}

/// Keeps the key of a deleted operation taken: a repeated start must not repeat its work. Only the oldest of many such
/// keys become free.
fn spend(transaction: &Transaction<'_>, id: OperationId) -> Result<(), StoreError> {
    let spent = transaction
        .prepare_cached("INSERT INTO spent (key) SELECT key FROM keys WHERE id = ?")?
        .execute([id_bytes(id)])?;
    if spent > 0 {
        const OLDEST: &str = "n <= (SELECT max(n) FROM spent) - ?";
        let free = format!("DELETE FROM keys WHERE key IN (SELECT key FROM spent WHERE {OLDEST})");
        transaction.prepare_cached(&free)?.execute([DELETED_KEYS_CAPACITY])?;
        transaction
            .prepare_cached(&format!("DELETE FROM spent WHERE {OLDEST}"))?
            .execute([DELETED_KEYS_CAPACITY])?;
    }
    Ok(())
}

fn pack(points: &[Point]) -> Vec<u8> {
    points.iter().flat_map(|Point(x, y)| [x.to_le_bytes(), y.to_le_bytes()]).flatten().collect()
}
