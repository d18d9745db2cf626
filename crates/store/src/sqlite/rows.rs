//! Values of rows: IDs, names and documents. What can't be read is an error that names it: a row that is skipped, or
//! read as something else, would hide damage.

use super::error::Result;
use crate::StoreError;
use protocol::{Attempt, HostName, KindName, LogLevel, Operation, OperationId, Progress, State, Time};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;

/// Columns of `operations` that [`operation`] reads.
pub(super) const OPERATION: &str = "doc, heard_at, progress";

pub(super) fn id_bytes(id: OperationId) -> [u8; 16] {
    *id.0.as_bytes()
}

pub(super) fn id_from(bytes: [u8; 16]) -> OperationId {
    OperationId(uuid::Uuid::from_bytes(bytes))
}

/// Short ID of an operation in the other tables.
pub(super) fn number_of(connection: &Connection, id: OperationId) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT n FROM operations WHERE id = ?")?;
    Ok(statement.query_row([id_bytes(id)], |row| row.get(0)).optional()?)
}

/// Operation whose columns [`OPERATION`] begin at `at`.
pub(super) fn operation(row: &Row<'_>, at: usize) -> Result<Operation> {
    let doc: String = row.get(at)?;
    let mut operation: Operation = json(&doc, || "an operation")?;
    let heard_at: Option<i64> = row.get(at + 1)?;
    operation.heard_at = heard_at.map(Time::from_micros);
    let progress: Option<String> = row.get(at + 2)?;
    let what = || format!("the progress of operation {}", operation.id);
    operation.progress = progress.map(|p| json::<Progress, _>(&p, what)).transpose()?;
    Ok(operation)
}

/// Attempts of an operation, oldest first.
pub(super) fn attempts_of(connection: &Connection, n: i64, id: OperationId) -> Result<Vec<Attempt>> {
    let mut statement = connection.prepare_cached("SELECT doc FROM attempts WHERE n = ? ORDER BY number")?;
    let mut rows = statement.query([n])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        attempts.push(json(&row.get::<_, String>(0)?, || format!("an attempt of operation {id}"))?);
    }
    Ok(attempts)
}

/// Stored document; `what` names it in errors.
pub(super) fn json<T: DeserializeOwned, W: Display>(text: &str, what: impl FnOnce() -> W) -> Result<T> {
    Ok(serde_json::from_str(text).map_err(|error| StoreError::record(what(), error))?)
}

/// Document to store; `what` names it in errors.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T, what: &str) -> Result<String> {
    Ok(serde_json::to_string(value).map_err(|error| StoreError::unwritable(what, error))?)
}

pub(super) fn state(text: &str, what: impl Display) -> Result<State> {
    Ok(text.parse().map_err(|error: String| StoreError::record(what, error))?)
}

pub(super) fn kind(text: String, what: impl Display) -> Result<KindName> {
    Ok(KindName::new(text).map_err(|error| StoreError::record(what, error))?)
}

pub(super) fn host(text: String, what: impl Display) -> Result<HostName> {
    Ok(HostName::new(text).map_err(|error| StoreError::record(what, error))?)
}

/// Log level by its name; `what` names the line in errors.
pub(super) fn level<W: Display>(text: &str, what: impl FnOnce() -> W) -> Result<LogLevel> {
    const LEVELS: [LogLevel; 4] = [LogLevel::Debug, LogLevel::Info, LogLevel::Warn, LogLevel::Error];
    let found = LEVELS.into_iter().find(|level| level.as_str() == text);
    Ok(found.ok_or_else(|| StoreError::record(what(), format!("'{text}' is not a log level")))?)
}
