//! What the server keeps beside operations: drained hosts, the audit log, its configuration, keys, deleted operations.

use crate::sqlite::error::Result;
use crate::sqlite::rows::{host, id_bytes, id_from, json};
use protocol::{AuditEntry, HostName, OperationId};
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) fn drained(connection: &Connection) -> Result<Vec<HostName>> {
    let mut statement = connection.prepare_cached("SELECT host FROM drained ORDER BY host")?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    names.into_iter().map(|name| host(name, "a drained host")).collect()
}

pub(crate) fn audit(
    connection: &Connection,
    operation: Option<OperationId>,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<(u64, AuditEntry)>> {
    let before = before.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX));
    let wanted = if operation.is_some() { "operation = ?1" } else { "?1 IS NULL" };
    let mut statement = connection.prepare_cached(&format!(
        "SELECT n, doc FROM audit WHERE {wanted} AND n < ?2 ORDER BY n DESC LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![operation.map(id_bytes), before, limit])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let n = row.get::<_, i64>(0)? as u64;
        entries.push((n, json(&row.get::<_, String>(1)?, || format!("audit log entry {n}"))?));
    }
    Ok(entries)
}

pub(crate) fn configuration(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare_cached("SELECT line FROM configuration ORDER BY line")?;
    let lines = statement.query_map([], |row| row.get(0))?;
    Ok(lines.collect::<rusqlite::Result<_>>()?)
}

pub(crate) fn given_up(connection: &Connection, id: OperationId) -> Result<bool> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM forgotten WHERE id = ?")?;
    Ok(statement.exists([id_bytes(id)])?)
}

pub(crate) fn key(connection: &Connection, key: &str) -> Result<Option<(OperationId, String)>> {
    let mut statement = connection.prepare_cached("SELECT id, request FROM keys WHERE key = ?")?;
    Ok(statement.query_row([key], |row| Ok((id_from(row.get(0)?), row.get(1)?))).optional()?)
}
