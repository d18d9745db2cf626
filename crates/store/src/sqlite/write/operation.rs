//! Current state of an operation and its attempt.

use crate::sqlite::error::Result;
use crate::sqlite::rows::{id_bytes, to_json};
use crate::sqlite::search;
use protocol::{Attempt, HostName, Operation, Time, filter};
use rusqlite::{Transaction, params};

/// Not one statement with `RETURNING`: SQLite collects the returned rows in a temporary table, which allocates the
/// cache of a database each time.
const INSERT: &str =
    "INSERT INTO operations (id, kind, state, host, title, doc, heard_at, progress, parent, about, ended_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const UPDATE: &str = "UPDATE operations
     SET state = ?, host = ?, title = ?, doc = ?, heard_at = ?, progress = ?, about = ?, ended_at = ?
     WHERE n = ?";

pub(super) fn put(transaction: &Transaction<'_>, operation: &Operation, attempt: &Attempt) -> Result<()> {
    let mut bare = operation.clone();
    let heard_at = bare.heard_at.take().map(Time::micros);
    let progress = bare.progress.take().map(|p| to_json(&p, "a progress")).transpose()?;
    let (stored, about) = (search::stored(transaction, id_bytes(bare.id))?, bare.words());
    // Parameters never change.
    if stored.is_none() {
        put_params(transaction, &bare)?;
    }
    let doc = to_json(&bare, "an operation")?;
    let (state, host) = (bare.state.as_str(), bare.host.as_ref().map(HostName::as_str));
    let ended_at = bare.ended_at.map(Time::micros);
    let n = match &stored {
        Some((n, _)) => {
            transaction
                .prepare_cached(UPDATE)?
                .execute(params![state, host, bare.title, doc, heard_at, progress, about, ended_at, n])?;
            *n
        }
        None => {
            let (id, parent) = (id_bytes(bare.id), bare.parent.map(id_bytes));
            let (kind, title) = (bare.kind.as_str(), &bare.title);
            transaction.prepare_cached(INSERT)?.execute(params![
                id, kind, state, host, title, doc, heard_at, progress, parent, about, ended_at,
            ])?;
            transaction.last_insert_rowid()
        }
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::migrations;
    use rusqlite::Connection;

    #[test]
    fn storing_an_operation_makes_no_temporary_table() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrations::migrate(&mut connection).unwrap();
        for sql in [INSERT, UPDATE] {
            // Also lists the steps of all triggers.
            let mut statement = connection.prepare(&format!("EXPLAIN {sql}")).unwrap();
            statement.raw_bind_parameter(1, "failed").unwrap();
            let mut rows = statement.raw_query();
            let mut steps = Vec::new();
            while let Some(row) = rows.next().unwrap() {
                steps.push(row.get::<_, String>("opcode").unwrap());
            }
            assert!(steps.iter().any(|step| step == "Program"), "{sql}: no trigger");
            assert!(!steps.iter().any(|step| step.contains("Ephemeral")), "{sql}: {steps:?}");
        }
    }
}
