//! Deletion of an operation, and what remains of it.

use super::operation::delete_params;
use crate::sqlite::error::Result;
use crate::sqlite::rows::{id_bytes, json, number_of};
use crate::sqlite::{search, secrets};
use crate::{DELETED_KEYS_CAPACITY, DELETED_OPERATIONS_CAPACITY};
use protocol::{Operation, OperationId};
use rusqlite::{Transaction, params};

pub(super) fn operation(transaction: &Transaction<'_>, id: OperationId) -> Result<()> {
    let Some(n) = number_of(transaction, id)? else { return Ok(()) };
    remember_given_up(transaction, n, id)?;
    let doc: String = transaction
        .prepare_cached("SELECT doc FROM operations WHERE n = ?")?
        .query_row([n], |row| row.get(0))?;
    let operation: Operation = json(&doc, || format!("operation {id}"))?;
    delete_params(transaction, &operation)?;
    secrets::delete(transaction, id)?;
    search::remove(transaction, n)?;
    for table in ["attempts", "results", "points", "logs", "rules", "operations"] {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE n = ?"))?.execute([n])?;
    }
    keep_key(transaction, id)?;
    Ok(())
}

/// Remembers an operation with an attempt that may still run, because its host was unreachable.
fn remember_given_up(transaction: &Transaction<'_>, n: i64, id: OperationId) -> Result<()> {
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
    Ok(())
}

/// Keeps the key of a deleted operation taken: a repeated start must not repeat its work. Only the oldest of many such
/// keys become free.
fn keep_key(transaction: &Transaction<'_>, id: OperationId) -> Result<()> {
    let kept = transaction
        .prepare_cached("INSERT INTO spent (key) SELECT key FROM keys WHERE id = ?")?
        .execute([id_bytes(id)])?;
    if kept > 0 {
        const OLDEST: &str = "n <= (SELECT max(n) FROM spent) - ?";
        let free = format!("DELETE FROM keys WHERE key IN (SELECT key FROM spent WHERE {OLDEST})");
        transaction.prepare_cached(&free)?.execute([DELETED_KEYS_CAPACITY])?;
        transaction
            .prepare_cached(&format!("DELETE FROM spent WHERE {OLDEST}"))?
            .execute([DELETED_KEYS_CAPACITY])?;
    }
    Ok(())
}
