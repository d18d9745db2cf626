//! Log lines of an attempt.

use crate::sqlite::error::Result;
use crate::sqlite::rows::{level, number_of};
use protocol::{LogLine, OperationId, Time};
use rusqlite::{Connection, params};

pub(crate) fn logs(
    connection: &Connection,
    id: OperationId,
    attempt: u32,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<LogLine>> {
    let Some(n) = number_of(connection, id)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "SELECT line, at, level, text FROM logs WHERE n = ? AND attempt = ? AND line < ?
         ORDER BY line DESC LIMIT ?",
    )?;
    let before = before.map_or(i64::MAX, |b| i64::try_from(b).unwrap_or(i64::MAX));
    let mut rows = statement.query(params![n, attempt, before, limit])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let line = row.get::<_, i64>(0)? as u64;
        let what = || format!("log line {line} of operation {id}");
        lines.push(LogLine {
            n: line,
            at: Time::from_micros(row.get(1)?),
            level: level(&row.get::<_, String>(2)?, what)?,
            text: row.get(3)?,
        });
    }
    lines.reverse();
    Ok(lines)
}
