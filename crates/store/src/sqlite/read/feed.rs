//! The event log, and the positions in hosts' feeds.

use crate::sqlite::error::Result;
use crate::sqlite::rows::{host, id_from};
use crate::{EventRecord, HostCursor};
use protocol::{HostName, InstanceId};
use rusqlite::{Connection, params};

pub(crate) fn head(connection: &Connection) -> Result<u64> {
    let head: Option<i64> = connection.query_row("SELECT max(seq) FROM events", [], |row| row.get(0))?;
    Ok(head.unwrap_or(0) as u64)
}

pub(crate) fn events(connection: &Connection, after: u64, limit: u32) -> Result<Option<Vec<EventRecord>>> {
    let mut statement = connection.prepare_cached(
        "SELECT seq, operation, progress, json FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
    )?;
    let mut rows = statement.query(params![i64::try_from(after).unwrap_or(i64::MAX), limit])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(EventRecord {
            seq: row.get::<_, i64>(0)? as u64,
            operation: row.get::<_, Option<[u8; 16]>>(1)?.map(id_from),
            progress: row.get(2)?,
            json: row.get::<_, String>(3)?.into(),
        });
    }
    let whole = events.first().is_none_or(|first| first.seq == after + 1);
    Ok(whole.then_some(events))
}

pub(crate) fn cursors(connection: &Connection) -> Result<Vec<(HostName, HostCursor)>> {
    let mut statement = connection.prepare_cached("SELECT host, instance, seq FROM cursors")?;
    let mut rows = statement.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let host = host(row.get(0)?, "the position in a host's feed")?;
        let instance = InstanceId(uuid::Uuid::from_bytes(row.get(1)?));
        out.push((host, HostCursor { instance, seq: row.get::<_, i64>(2)? as u64 }));
    }
    Ok(out)
}
