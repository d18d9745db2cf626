//! Points of an attempt.

use crate::sqlite::error::Result;
use crate::sqlite::packed::unpack;
use crate::sqlite::rows::number_of;
use protocol::{OperationId, Point};
use rusqlite::{Connection, params};

/// Names of the series. Jumps from name to name in the index, because an attempt can have millions of rows.
pub(crate) fn names(connection: &Connection, id: OperationId, attempt: u32) -> Result<Vec<String>> {
    let Some(n) = number_of(connection, id)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE names (name) AS (
             SELECT MIN(name) FROM points WHERE n = ?1 AND attempt = ?2
             UNION ALL
             SELECT (SELECT MIN(name) FROM points WHERE n = ?1 AND attempt = ?2 AND name > names.name)
             FROM names WHERE names.name IS NOT NULL)
         SELECT name FROM names WHERE name IS NOT NULL",
    )?;
    let names = statement.query_map(params![n, attempt], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// One series, point by point.
pub(crate) fn curve(
    connection: &Connection,
    id: OperationId,
    attempt: u32,
    series: &str,
    take: &mut dyn FnMut(Point),
) -> Result<()> {
    let Some(n) = number_of(connection, id)? else { return Ok(()) };
    let mut statement = connection.prepare_cached(
        "SELECT packed FROM points WHERE n = ? AND attempt = ? AND name = ? ORDER BY rowid",
    )?;
    let mut rows = statement.query(params![n, attempt, series])?;
    while let Some(row) = rows.next()? {
        unpack(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?, id)?.for_each(&mut *take);
    }
    Ok(())
}
