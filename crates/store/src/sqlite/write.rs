//! Effect of each change on the tables.

mod delete;
mod operation;

pub(super) use operation::put_params;

use super::audit;
use super::error::Result;
use super::packed::{POINT_BYTES, pack, pack_band};
use super::rows::{id_bytes, to_json};
use super::secrets;
use crate::{Change, EventRecord, RUNS, Run, TALLY_HOURS};
use protocol::{Baseline, KindName, LogLine, OperationId, Points};
use rusqlite::{Transaction, params};

/// Number of events kept for reconnecting readers; older ones are trimmed when new ones come.
const EVENTS_KEPT: u64 = 500_000;
/// Events trimmed at once, so that no batch waits long for it.
const TRIM: u64 = 2_000;

pub(super) fn apply(transaction: &Transaction<'_>, change: &Change) -> Result<()> {
    match change {
        Change::Operation { operation, attempt } => operation::put(transaction, operation, attempt),
        Change::Progress { id, heard_at, progress } => {
            let progress = to_json(progress, "a progress")?;
            transaction
                .prepare_cached("UPDATE operations SET heard_at = ?, progress = ? WHERE id = ?")?
                .execute(params![heard_at.micros(), progress, id_bytes(*id)])?;
            Ok(())
        }
        Change::Points { id, attempt, series } => points(transaction, *id, *attempt, series),
        Change::Log { id, attempt, lines } => log(transaction, *id, *attempt, lines),
        Change::Result { id, attempt, result } => {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO results (n, attempt, doc) SELECT n, ?, ? FROM operations WHERE id = ?",
                )?
                .execute(params![attempt, to_json(result, "a result")?, id_bytes(*id)])?;
            Ok(())
        }
        Change::Event(record) => event(transaction, record),
        Change::Cursor { host, cursor } => {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO cursors (host, instance, seq) VALUES (?, ?, ?)")?
                .execute(params![host.as_str(), cursor.instance.0.as_bytes(), cursor.seq as i64])?;
            Ok(())
        }
        Change::Key { key, id, request, at } => {
            transaction
                .prepare_cached("INSERT OR IGNORE INTO keys (key, id, request, at) VALUES (?, ?, ?, ?)")?
                .execute(params![key, id_bytes(*id), request, at.micros()])?;
            Ok(())
        }
        Change::Secrets { id, secrets } => secrets::put(transaction, *id, secrets),
        Change::RuleBand { id, attempt, baseline } => rule_band(transaction, *id, *attempt, baseline),
        Change::Drain { host, on } => {
            let sql = match on {
                true => "INSERT OR IGNORE INTO drained VALUES (?)",
                false => "DELETE FROM drained WHERE host = ?",
            };
            transaction.prepare_cached(sql)?.execute([host.as_str()])?;
            Ok(())
        }
        Change::Run { kind, run } => past_run(transaction, kind, run),
        Change::Audit(entry) => audit::append(transaction, entry),
        Change::Configuration { lines } => {
            transaction.execute("DELETE FROM configuration", [])?;
            for line in lines {
                transaction.prepare_cached("INSERT INTO configuration VALUES (?)")?.execute([line])?;
            }
            Ok(())
        }
        Change::Forget { ids } => {
            transaction
                .prepare_cached("DELETE FROM tallies WHERE hour < (SELECT max(hour) FROM tallies) - ?")?
                .execute([TALLY_HOURS])?;
            ids.iter().try_for_each(|id| delete::operation(transaction, *id))
        }
    }
}

fn points(transaction: &Transaction<'_>, id: OperationId, attempt: u32, series: &[Points]) -> Result<()> {
    for one in series {
        transaction
            .prepare_cached(
                "INSERT INTO points (n, attempt, name, packed)
                 SELECT n, ?, ?, ? FROM operations WHERE id = ?",
            )?
            .execute(params![attempt, one.name, pack(&one.points), id_bytes(id)])?;
    }
    Ok(())
}

fn log(transaction: &Transaction<'_>, id: OperationId, attempt: u32, lines: &[LogLine]) -> Result<()> {
    for line in lines {
        let (level, at) = (line.level.as_str(), line.at.micros());
        transaction
            .prepare_cached(
                "INSERT OR IGNORE INTO logs (n, attempt, line, at, level, text)
                 SELECT n, ?, ?, ?, ?, ? FROM operations WHERE id = ?",
            )?
            .execute(params![attempt, line.n as i64, at, level, line.text, id_bytes(id)])?;
    }
    Ok(())
}

fn event(transaction: &Transaction<'_>, event: &EventRecord) -> Result<()> {
    let EventRecord { seq, operation, progress, json } = event;
    transaction
        .prepare_cached("INSERT INTO events (seq, operation, progress, json) VALUES (?, ?, ?, ?)")?
        .execute(params![*seq as i64, operation.map(id_bytes), progress, &**json])?;
    if *seq > EVENTS_KEPT && seq.is_multiple_of(TRIM) {
        transaction
            .prepare_cached("DELETE FROM events WHERE seq <= ?")?
            .execute([(seq - EVENTS_KEPT) as i64])?;
    }
    Ok(())
}

fn rule_band(
    transaction: &Transaction<'_>,
    id: OperationId,
    attempt: u32,
    baseline: &Baseline,
) -> Result<()> {
    let bare = Baseline { band: None, ..baseline.clone() };
    let doc = to_json(&bare, "a baseline")?;
    let packed = baseline.band.as_ref().map(pack_band);
    transaction
        .prepare_cached(&format!(
            "INSERT OR REPLACE INTO rules (n, attempt, skip, doc, packed) SELECT n, ?2,
             (SELECT coalesce(sum(length(packed) / {POINT_BYTES}), 0) FROM points
              WHERE points.n = operations.n AND attempt = ?2 AND name = ?3), ?4, ?5
             FROM operations WHERE id = ?1",
        ))?
        .execute(params![id_bytes(id), attempt, baseline.series, doc, packed])?;
    Ok(())
}

fn past_run(transaction: &Transaction<'_>, kind: &KindName, run: &Run) -> Result<()> {
    let ratios = to_json(&run.ratios, "the forecasts of a past run")?;
    transaction
        .prepare_cached("INSERT INTO runs (kind, title, seconds, ratios) VALUES (?, ?, ?, ?)")?
        .execute(params![kind.as_str(), run.title, run.seconds, ratios])?;
    transaction
        .prepare_cached(
            "DELETE FROM runs WHERE kind = ?1 AND n <=
             (SELECT n FROM runs WHERE kind = ?1 ORDER BY n DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![kind.as_str(), RUNS])?;
    Ok(())
}
