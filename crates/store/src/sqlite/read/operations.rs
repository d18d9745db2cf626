//! Operations: single ones, pages, counts, results, and those beyond retention.

use crate::sqlite::error::Result;
use crate::sqlite::query;
use crate::sqlite::rows::{OPERATION, attempts_of, id_bytes, id_from, json, kind, operation as read, state};
use crate::sqlite::search::{self, MAX_CANDIDATES};
use crate::{EndedOperation, Filter, Keep, Page, Stored};
use protocol::filter::Order;
use protocol::host::ResultDoc;
use protocol::{KindName, OperationId, State, Time};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

pub(crate) fn unended(connection: &Connection) -> Result<Vec<Stored>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT n, {OPERATION} FROM operations
         WHERE state IN ('queued', 'starting', 'running', 'cancelling') ORDER BY id"
    ))?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(stored(connection, row)?);
    }
    Ok(out)
}

pub(crate) fn operation(connection: &Connection, id: OperationId) -> Result<Option<Stored>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT n, {OPERATION} FROM operations WHERE id = ?"))?;
    let mut rows = statement.query([id_bytes(id)])?;
    rows.next()?.map(|row| stored(connection, row)).transpose()
}

/// Operation of a row of `n` and [`OPERATION`].
fn stored(connection: &Connection, row: &Row<'_>) -> Result<Stored> {
    let operation = read(row, 1)?;
    let attempts = attempts_of(connection, row.get(0)?, operation.id)?;
    Ok(Stored { operation, attempts })
}

pub(crate) fn page(connection: &Connection, filter: &Filter) -> Result<Page> {
    page_by(connection, filter, MAX_CANDIDATES)
}

/// Page that reads and sorts at most `candidates` operations of the search index; with more, or 0, it reads the list in
/// its order.
pub(crate) fn page_by(connection: &Connection, filter: &Filter, candidates: u32) -> Result<Page> {
    let among = search::candidates(connection, &filter.text, candidates)?;
    let (ids, values) = query::ids(filter, Time::now(), among.as_ref());
    let direction = match filter.order {
        Order::Newest => "DESC",
        Order::Oldest => "ASC",
    };
    let wanted = query::page_size(filter) as usize;
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {OPERATION} FROM operations WHERE id IN ({ids}) ORDER BY id {direction}"
    ))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut operations = Vec::new();
    while let Some(row) = rows.next()? {
        operations.push(read(row, 0)?);
    }
    let more = operations.len() > wanted;
    operations.truncate(wanted);
    let next = operations.last().map(|o| o.id).filter(|_| more);
    Ok(Page { operations, next })
}

pub(crate) fn counts(connection: &Connection) -> Result<Vec<(State, u64)>> {
    by_state(connection, "SELECT state, sum(n) FROM counts GROUP BY state", Vec::new())
}

pub(crate) fn counts_by_kind(connection: &Connection) -> Result<Vec<(KindName, State, u64)>> {
    let mut statement = connection.prepare_cached("SELECT kind, state, n FROM counts WHERE n > 0")?;
    let mut rows = statement.query([])?;
    let what = || "a number of operations by kind and state";
    let mut counts = Vec::new();
    while let Some(row) = rows.next()? {
        let kind = kind(row.get(0)?, what())?;
        counts.push((kind, state(&row.get::<_, String>(1)?, what())?, row.get::<_, i64>(2)? as u64));
    }
    Ok(counts)
}

/// Kind of an operation.
pub(crate) fn kind_of(connection: &Connection, id: OperationId) -> Result<Option<KindName>> {
    let found: Option<String> = connection
        .prepare_cached("SELECT kind FROM operations WHERE id = ?")?
        .query_row([id_bytes(id)], |row| row.get(0))
        .optional()?;
    found.map(|found| kind(found, "an operation")).transpose()
}

pub(crate) fn counts_of(connection: &Connection, filter: &Filter) -> Result<Vec<(State, u64)>> {
    let among = search::candidates(connection, &filter.text, MAX_CANDIDATES)?;
    let (sql, values) = query::counts(filter, Time::now(), among.as_ref());
    by_state(connection, &sql, values)
}

/// Counts of all states, in their order, from rows of a state and its count.
fn by_state(
    connection: &Connection,
    sql: &str,
    values: Vec<rusqlite::types::Value>,
) -> Result<Vec<(State, u64)>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut counts: Vec<(State, u64)> = State::ALL.into_iter().map(|state| (state, 0)).collect();
    while let Some(row) = rows.next()? {
        let found = state(&row.get::<_, String>(0)?, "a number of operations by state")?;
        let count = row.get::<_, i64>(1)? as u64;
        counts.iter_mut().filter(|(state, _)| *state == found).for_each(|(_, n)| *n = count);
    }
    Ok(counts)
}

pub(crate) fn result(connection: &Connection, id: OperationId) -> Result<Option<ResultDoc>> {
    let doc: Option<String> = connection
        .prepare_cached(
            "SELECT results.doc FROM results JOIN operations USING (n)
             WHERE id = ? ORDER BY attempt DESC LIMIT 1",
        )?
        .query_row([id_bytes(id)], |row| row.get(0))
        .optional()?;
    doc.map(|doc| json(&doc, || format!("the result of operation {id}"))).transpose()
}

pub(crate) fn too_old(
    connection: &Connection,
    keep: Keep,
    now: Time,
    limit: u32,
) -> Result<Vec<EndedOperation>> {
    let mut found: Vec<EndedOperation> = Vec::new();
    let mut take = |state: State, bound: Option<[u8; 16]>, most: u64| -> Result<()> {
        let left = most.min(u64::from(limit).saturating_sub(found.len() as u64));
        let bound = bound.unwrap_or([0xff; 16]);
        let mut statement = connection.prepare_cached(
            "SELECT id, kind FROM operations WHERE state = ? AND id < ? ORDER BY id LIMIT ?",
        )?;
        let mut rows = statement.query(params![state.as_str(), bound, left as i64])?;
        while let Some(row) = rows.next()? {
            let id = id_from(row.get(0)?);
            if !found.iter().any(|known| (known.id, known.state) == (id, state)) {
                let kind = kind(row.get(1)?, format!("operation {id}"))?;
                found.push(EndedOperation { id, kind, state });
            }
        }
        Ok(())
    };
    for (state, count) in counts(connection)?.into_iter().filter(|(state, _)| state.ended()) {
        if let Some(age) = keep.age {
            // IDs begin with the millisecond of acceptance (RFC 9562, section 5.7).
            let millis = (now.micros() / 1_000 - age.as_millis() as i64).max(0) as u64;
            let mut bound = [0u8; 16];
            bound[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
            take(state, Some(bound), u64::MAX)?;
        }
        if let Some(most) = keep.most {
            take(state, None, count.saturating_sub(most))?;
        }
    }
    Ok(found)
}
