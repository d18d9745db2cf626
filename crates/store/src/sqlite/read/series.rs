//! Points of an attempt.

use crate::sqlite::error::Result;
use crate::sqlite::packed::unpack;
use crate::sqlite::rows::number_of;
use protocol::{OperationId, Point, Points};
use rusqlite::{Connection, params};

/// All series.
pub(crate) fn points(connection: &Connection, id: OperationId, attempt: u32) -> Result<Vec<Points>> {
    let Some(n) = number_of(connection, id)? else { return Ok(Vec::new()) };
    let mut statement = connection
        .prepare_cached("SELECT name, packed FROM points WHERE n = ? AND attempt = ? ORDER BY name, rowid")?;
    let mut rows = statement.query(params![n, attempt])?;
    let mut out: Vec<Points> = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let packed = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
        match out.last_mut() {
            Some(last) if last.name == name => last.points.extend(unpack(packed, id)?),
            _ => out.push(Points { name, points: unpack(packed, id)?.collect() }),
        }
    }
    Ok(out)
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
