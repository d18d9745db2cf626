//! What the server keeps beside operations: drained hosts, its configuration, keys, deleted operations.

use crate::sqlite::error::Result;
use crate::sqlite::rows::{host, id_bytes, id_from};
use protocol::{HostName, OperationId};
use rusqlite::{Connection, OptionalExtension};

pub(crate) fn drained(connection: &Connection) -> Result<Vec<HostName>> {
    let mut statement = connection.prepare_cached("SELECT host FROM drained ORDER BY host")?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    names.into_iter().map(|name| host(name, "a drained host")).collect()
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
