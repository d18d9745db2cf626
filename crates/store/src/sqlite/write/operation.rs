//! Current state of an operation and its attempt.

use crate::sqlite::error::Result;
use crate::sqlite::rows::{id_bytes, to_json};
use crate::sqlite::search;
use protocol::{Attempt, HostName, Operation, Time, filter};
use rusqlite::{Transaction, params};

pub(super) fn put(transaction: &Transaction<'_>, operation: &Operation, attempt: &Attempt) -> Result<()> {
    let mut bare = operation.clone();
    let heard_at = bare.heard_at.take().map(Time::micros);
    let progress = bare.progress.take().map(|p| to_json(&p, "a progress")).transpose()?;
    let (stored, about) = (search::stored(transaction, id_bytes(bare.id))?, bare.words());
    // Parameters never change.
    if stored.is_none() {
        put_params(transaction, &bare)?;
    }
    let n: i64 = transaction
        .prepare_cached(
            "INSERT INTO operations
                (id, kind, state, host, title, doc, heard_at, progress, parent, about, ended_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET state = excluded.state, host = excluded.host,
                title = excluded.title, doc = excluded.doc, heard_at = excluded.heard_at,
                progress = excluded.progress, about = excluded.about, ended_at = excluded.ended_at
             RETURNING n",
        )?
        .query_row(
            params![
                id_bytes(bare.id),
                bare.kind.as_str(),
                bare.state.as_str(),
                bare.host.as_ref().map(HostName::as_str),
                bare.title,
                to_json(&bare, "an operation")?,
                heard_at,
                progress,
                bare.parent.map(id_bytes),
                about,
                bare.ended_at.map(Time::micros),
            ],
            |row| row.get(0),
        )?;
    if stored.is_none_or(|(_, before)| before != about) {
        search::put(transaction, n, &about)?;
    }
    transaction
        .prepare_cached("INSERT OR REPLACE INTO attempts (n, number, doc) VALUES (?, ?, ?)")?
        .execute(params![n, attempt.number, to_json(attempt, "an attempt")?])?;
    Ok(())
}

/// Makes an operation searchable by its parameters.
pub(in crate::sqlite) fn put_params(transaction: &Transaction<'_>, operation: &Operation) -> Result<()> {
    each_param(transaction, operation, "INSERT OR IGNORE INTO params (name, value, id) VALUES (?, ?, ?)")
}

pub(super) fn delete_params(transaction: &Transaction<'_>, operation: &Operation) -> Result<()> {
    each_param(transaction, operation, "DELETE FROM params WHERE name = ? AND value = ? AND id = ?")
}

fn each_param(transaction: &Transaction<'_>, operation: &Operation, sql: &str) -> Result<()> {
    for (name, value) in operation.params.as_object().into_iter().flatten() {
        if let Some(value) = filter::plain(value) {
            transaction.prepare_cached(sql)?.execute(params![name, value, id_bytes(operation.id)])?;
        }
    }
    Ok(())
}
