//! Past runs, for baselines and forecasts; baselines of rules; numbers of ended operations by the hour.

use crate::sqlite::error::Result;
use crate::sqlite::packed::unpack_band;
use crate::sqlite::rows::{id_bytes, id_from, json, kind as kind_name, state};
use crate::{MAX_PAST_RUNS_SEARCHED, PastRunsQuery, RuleBand, Run, Tally};
use protocol::{Baseline, KindName, OperationId};
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) fn earlier(connection: &Connection, wanted: PastRunsQuery<'_>) -> Result<Vec<(OperationId, u32)>> {
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
    let PastRunsQuery { kind, title, before, series, limit } = wanted;
    let mut rows = statement.query(params![kind.as_str(), title, id_bytes(before), series, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((id_from(row.get(0)?), row.get(1)?));
    }
    Ok(found)
}

pub(crate) fn rule_band(connection: &Connection, id: OperationId) -> Result<Option<RuleBand>> {
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
    let bare: Baseline = json(&doc, || format!("the baseline of operation {id}"))?;
    let band = packed.map(|packed| unpack_band(&packed, id)).transpose()?;
    Ok(Some(RuleBand { attempt, skip: skip as u64, baseline: Baseline { band, ..bare } }))
}

pub(crate) fn runs(connection: &Connection) -> Result<Vec<(KindName, Run)>> {
    let mut statement =
        connection.prepare_cached("SELECT kind, title, seconds, ratios FROM runs ORDER BY n")?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = kind_name(row.get(0)?, "the kind of a past run")?;
        let ratios = json(&row.get::<_, String>(3)?, || "the forecasts of a past run")?;
        out.push((kind, Run { title: row.get(1)?, seconds: row.get(2)?, ratios }));
    }
    Ok(out)
}

pub(crate) fn tallies(connection: &Connection, since_hour: i64) -> Result<Vec<Tally>> {
    let mut statement = connection.prepare_cached(
        "SELECT hour, kind, state, n, seconds FROM tallies WHERE hour >= ? ORDER BY hour, kind, state",
    )?;
    let mut rows = statement.query([since_hour])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let what = "a number of ended operations";
        out.push(Tally {
            hour: row.get(0)?,
            kind: kind_name(row.get(1)?, what)?,
            state: state(&row.get::<_, String>(2)?, what)?,
            count: row.get::<_, i64>(3)? as u64,
            seconds: row.get(4)?,
        });
    }
    Ok(out)
}
