//! Past runs and their series, for baselines, and stored baselines of rules.

use crate::sqlite::{id_bytes, id_from, number_of, unpack};
use crate::{Earlier, MAX_PAST_RUNS_SEARCHED, RuleBand, StoreError};
use protocol::{Band, Baseline, OperationId, Point};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

pub(crate) fn curve(
    connection: &Connection,
    id: OperationId,
    attempt: u32,
    series: &str,
    take: &mut dyn FnMut(Point),
) -> Result<(), StoreError> {
    let Some(n) = number_of(connection, id)? else { return Ok(()) };
    let mut statement = connection.prepare_cached(
        "SELECT packed FROM points WHERE n = ? AND attempt = ? AND name = ? ORDER BY rowid",
    )?;
    let mut rows = statement.query(params![n, attempt, series])?;
    while let Some(row) = rows.next()? {
        unpack(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?).for_each(&mut *take);
    }
    Ok(())
}

pub(crate) fn earlier(
    connection: &Connection,
    wanted: Earlier<'_>,
) -> Result<Vec<(OperationId, u32)>, StoreError> {
    // With the literal state, because the index by title is partial.
    let title = if wanted.title.is_some() { "title = ?2" } else { "?2 IS NULL" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, attempt FROM (
            SELECT n, id, doc ->> 'attempt' AS attempt FROM operations
            WHERE kind = ?1 AND {title} AND state = 'succeeded' AND id < ?3 ORDER BY id DESC LIMIT {MAX_PAST_RUNS_SEARCHED}
         ) AS runs
         WHERE EXISTS (
            SELECT 1 FROM points WHERE points.n = runs.n AND points.attempt = runs.attempt AND points.name = ?4
         ) ORDER BY id DESC LIMIT ?5"
    ))?;
    let Earlier { kind, title, before, series, limit } = wanted;
    let mut rows = statement.query(params![kind.as_str(), title, id_bytes(before), series, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((id_from(row.get(0)?), row.get(1)?));
    }
    Ok(found)
}

pub(crate) fn keep_band(
    transaction: &Transaction<'_>,
    id: OperationId,
    attempt: u32,
    baseline: &Baseline,
) -> Result<(), StoreError> {
    let bare = Baseline { band: None, ..baseline.clone() };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO rules (n, attempt, skip, doc, packed) SELECT n, ?2,
             (SELECT coalesce(sum(length(packed) / 16), 0) FROM points
              WHERE points.n = operations.n AND attempt = ?2 AND name = ?3), ?4, ?5
             FROM operations WHERE id = ?1",
        )?
        .execute(params![
            id_bytes(id),
            attempt,
            baseline.series,
            serde_json::to_string(&bare)?,
            baseline.band.as_ref().map(pack_band)
        ])?;
    Ok(())
}

pub(crate) fn rule_band(connection: &Connection, id: OperationId) -> Result<Option<RuleBand>, StoreError> {
    let found = connection
        .prepare_cached(
            "SELECT attempt, skip, rules.doc, packed FROM rules JOIN operations USING (n) WHERE id = ?",
        )?
        .query_row([id_bytes(id)], |row| {
            let (attempt, skip): (u32, i64) = (row.get(0)?, row.get(1)?);
            Ok((attempt, skip, row.get::<_, String>(2)?, row.get::<_, Option<Vec<u8>>>(3)?))
        })
        .optional()?;
    let Some((attempt, skip, doc, packed)) = found else { return Ok(None) };
    let bare: Baseline = serde_json::from_str(&doc)?;
    let baseline = Baseline { band: packed.as_deref().map(unpack_band), ..bare };
    Ok(Some(RuleBand { attempt, skip: skip as u64, baseline }))
}

/// Numbers per row of a packed band.
const ROW: usize = 5;

/// Packs a band bit by bit, unlike JSON, because a rule must judge the same after a restart. Missing values are NaN.
fn pack_band(band: &Band) -> Vec<u8> {
    let of = |column: &[Option<f64>], i: usize| column.get(i).copied().flatten().unwrap_or(f64::NAN);
    (0..band.x.len())
        .flat_map(|i| {
            let runs = f64::from(band.runs.get(i).copied().unwrap_or(0));
            [band.x[i], of(&band.p10, i), of(&band.p50, i), of(&band.p90, i), runs]
        })
        .flat_map(f64::to_le_bytes)
        .collect()
}

fn unpack_band(packed: &[u8]) -> Band {
    let mut band = Band::default();
    for row in packed.chunks_exact(8 * ROW) {
        let number = |i: usize| {
            f64::from_le_bytes(row[8 * i..8 * i + 8].try_into().expect("a row has eight bytes per number"))
        };
        let there = |i: usize| Some(number(i)).filter(|n| !n.is_nan());
        band.x.push(number(0));
        band.p10.push(there(1));
        band.p50.push(there(2));
        band.p90.push(there(3));
        band.runs.push(number(4) as u32);
    }
    band
}
