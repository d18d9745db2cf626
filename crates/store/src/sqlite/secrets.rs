//! Encrypted values of secret parameters.

use super::error::Result;
use super::rows::id_bytes;
use crate::SecretParam;
use protocol::OperationId;
use rusqlite::{Connection, Transaction, params};

pub(super) fn put(transaction: &Transaction<'_>, id: OperationId, secrets: &[SecretParam]) -> Result<()> {
    for secret in secrets {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO secret_params (id, name, key, sealed) VALUES (?, ?, ?, ?)",
            )?
            .execute(params![id_bytes(id), secret.name, secret.key, secret.sealed])?;
    }
    Ok(())
}

pub(super) fn delete(transaction: &Transaction<'_>, id: OperationId) -> Result<()> {
    transaction.prepare_cached("DELETE FROM secret_params WHERE id = ?")?.execute([id_bytes(id)])?;
    Ok(())
}

pub(super) fn of(connection: &Connection, id: OperationId) -> Result<Vec<SecretParam>> {
    let mut statement = connection
        .prepare_cached("SELECT name, key, sealed FROM secret_params WHERE id = ? ORDER BY name")?;
    let found = statement.query_map([id_bytes(id)], |row| {
        Ok(SecretParam { name: row.get(0)?, key: row.get(1)?, sealed: row.get(2)? })
    })?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn keys(connection: &Connection) -> Result<Vec<(String, u64)>> {
    let mut statement = connection
        .prepare_cached("SELECT key, count(DISTINCT id) FROM secret_params GROUP BY key ORDER BY key")?;
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}
