//! SQLite implementation of [`Store`]: one connection that writes, a few that read, write-ahead log.

mod write;

use crate::schema::migrate;
use crate::{
    Change, Earlier, EventRecord, Filter, HostCursor, Keep, Page, RuleBand, Run, Store, StoreError, Stored,
    Tally, Weight, query, runs,
};
use parking_lot::Mutex;
use protocol::filter::Order;
use protocol::host::ResultDoc;
use protocol::{
    Attempt, AuditEntry, HostName, InstanceId, KindName, LogLevel, LogLine, Operation, OperationId, Point,
    Points, Progress, State, Time,
};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use write::apply_one;
pub(crate) use write::put_params;

/// Embedded database in one file.
pub struct Sqlite {
    path: PathBuf,
    /// Lock of the database: two servers on one database would number events twice.
    _lock: File,
    write: Mutex<WriteSide>,
    read: Mutex<Vec<Connection>>,
}

struct WriteSide {
    connection: Connection,
    /// Current setting of `PRAGMA synchronous`.
    weight: Weight,
}

impl Sqlite {
    /// Opens or creates the database and migrates it to the newest version.
    ///
    /// # Errors
    /// If the file can't be opened, is in use by another Signalbox, or has a newer version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let shown = path.display().to_string();
        let open_error = |source| StoreError::Open { path: shown.clone(), source };
        let lock = lock(path)?;
        let mut connection = Connection::open(path).map_err(open_error)?;
        connection.busy_timeout(std::time::Duration::from_secs(2))?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(open_error)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "OFF")?;
        connection.pragma_update(None, "cache_size", -16_000)?;
        connection.set_prepared_statement_cache_capacity(64);
        migrate(&mut connection)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
            write: Mutex::new(WriteSide { connection, weight: Weight::Heavy }),
            read: Mutex::new(Vec::new()),
        })
    }

    /// Runs a query on a read-only connection; connections are kept for later queries.
    fn reading<T>(&self, query: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let kept = self.read.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let flags =
                    rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.path, flags)
                    .map_err(|source| StoreError::Open { path: self.path.display().to_string(), source })?;
                connection.busy_timeout(std::time::Duration::from_secs(2))?;
                connection.pragma_update(None, "cache_size", -4_000)?;
                // Filters make many statements, which need not be prepared again for each page.
                connection.set_prepared_statement_cache_capacity(64);
                connection
            }
        };
        let answer = query(&connection);
        let mut kept = self.read.lock();
        if kept.len() < 4 {
            kept.push(connection);
        }
        answer
    }
}

fn lock(database: &Path) -> Result<File, StoreError> {
    let path = database.with_extension("lock");
    let shown = || database.display().to_string();
    let file = File::create(&path).map_err(|source| StoreError::Lock { path: shown(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: shown() }),
        Err(TryLockError::Error(source)) => Err(StoreError::Lock { path: shown(), source }),
    }
}

pub(crate) fn id_bytes(id: OperationId) -> [u8; 16] {
    *id.0.as_bytes()
}

pub(crate) fn id_from(bytes: [u8; 16]) -> OperationId {
    OperationId(uuid::Uuid::from_bytes(bytes))
}

const OPERATION: &str = "doc, heard_at, progress";

fn read_operation(row: &Row<'_>, at: usize) -> Result<Operation, StoreError> {
    let doc: String = row.get(at)?;
    let mut operation: Operation = serde_json::from_str(&doc)?;
    let heard_at: Option<i64> = row.get(at + 1)?;
    operation.heard_at = heard_at.map(Time::from_micros);
    let progress: Option<String> = row.get(at + 2)?;
    operation.progress = progress.map(|p| serde_json::from_str::<Progress>(&p)).transpose()?;
    Ok(operation)
}

fn attempts_of(connection: &Connection, n: i64) -> Result<Vec<Attempt>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT doc FROM attempts WHERE n = ? ORDER BY number")?;
    let mut rows = statement.query([n])?;
    let mut attempts = Vec::new();
    while let Some(row) = rows.next()? {
        attempts.push(serde_json::from_str(&row.get::<_, String>(0)?)?);
    }
    Ok(attempts)
}

pub(crate) fn number_of(connection: &Connection, id: OperationId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT n FROM operations WHERE id = ?")?;
    Ok(statement.query_row([id_bytes(id)], |row| row.get(0)).optional()?)
}

pub(crate) fn unpack(packed: &[u8]) -> impl Iterator<Item = Point> + '_ {
    packed.chunks_exact(16).map(|pair| {
        let float = |at: usize| {
            f64::from_le_bytes(pair[at..at + 8].try_into().expect("chunks_exact returns 16 bytes each"))
        };
        Point(float(0), float(8))
    })
}

impl Store for Sqlite {
    fn apply(&self, changes: &[Change]) -> Result<(), StoreError> {
        let weight = changes.iter().map(Change::weight).max().unwrap_or(Weight::Light);
        let mut side = self.write.lock();
        if side.weight != weight {
            let level = if weight == Weight::Heavy { "FULL" } else { "NORMAL" };
            side.connection.pragma_update(None, "synchronous", level)?;
            side.weight = weight;
        }
        let transaction =
            side.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for change in changes {
            apply_one(&transaction, change)?;
        }
        transaction.commit()?;
        Ok(())
    }

    fn head(&self) -> Result<u64, StoreError> {
        self.reading(|c| {
            let head: Option<i64> = c.query_row("SELECT max(seq) FROM events", [], |row| row.get(0))?;
            Ok(head.unwrap_or(0) as u64)
        })
    }

    fn unended(&self) -> Result<Vec<Stored>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached(&format!(
                "SELECT n, {OPERATION} FROM operations
                 WHERE state IN ('queued', 'starting', 'running', 'cancelling') ORDER BY id"
            ))?;
            let mut rows = statement.query([])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                out.push(Stored {
                    operation: read_operation(row, 1)?,
                    attempts: attempts_of(c, row.get(0)?)?,
                });
            }
            Ok(out)
        })
    }

    fn operation(&self, id: OperationId) -> Result<Option<Stored>, StoreError> {
        self.reading(|c| {
            let mut statement =
                c.prepare_cached(&format!("SELECT n, {OPERATION} FROM operations WHERE id = ?"))?;
            let mut rows = statement.query([id_bytes(id)])?;
            match rows.next()? {
                None => Ok(None),
                Some(row) => Ok(Some(Stored {
                    operation: read_operation(row, 1)?,
                    attempts: attempts_of(c, row.get(0)?)?,
                })),
            }
        })
    }

    fn page(&self, filter: &Filter) -> Result<Page, StoreError> {
        let (ids, values) = query::ids(filter, Time::now());
        let direction = match filter.order {
            Order::Newest => "DESC",
            Order::Oldest => "ASC",
        };
        let wanted = filter.limit.clamp(1, 500) as usize;
        self.reading(|c| {
            let mut statement = c.prepare_cached(&format!(
                "SELECT {OPERATION} FROM operations WHERE id IN ({ids}) ORDER BY id {direction}"
            ))?;
            let mut rows = statement.query(params_from_iter(values))?;
            let mut operations = Vec::new();
            while let Some(row) = rows.next()? {
                operations.push(read_operation(row, 0)?);
            }
            let more = operations.len() > wanted;
            operations.truncate(wanted);
            let next = operations.last().map(|o| o.id).filter(|_| more);
            Ok(Page { operations, next })
        })
    }

    fn counts(&self) -> Result<Vec<(State, u64)>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached("SELECT state, n FROM counts")?;
            let mut rows = statement.query([])?;
            let mut found: Vec<(State, u64)> = Vec::new();
            while let Some(row) = rows.next()? {
                if let Ok(state) = row.get::<_, String>(0)?.parse() {
                    found.push((state, row.get::<_, i64>(1)? as u64));
                }
            }
            let of = |state| found.iter().find(|(s, _)| *s == state).map_or(0, |(_, n)| *n);
            Ok(State::ALL.into_iter().map(|state| (state, of(state))).collect())
        })
    }

    fn counts_of(&self, filter: &Filter) -> Result<Vec<(State, u64)>, StoreError> {
        let (sql, values) = query::counts(filter, Time::now());
        self.reading(|c| {
            let mut statement = c.prepare_cached(&sql)?;
            let mut rows = statement.query(params_from_iter(values))?;
            let mut found: Vec<(State, u64)> = State::ALL.into_iter().map(|state| (state, 0)).collect();
            while let Some(row) = rows.next()? {
                let state = row.get::<_, String>(0)?;
                if let Some(of) = found.iter_mut().find(|(known, _)| known.as_str() == state) {
                    of.1 = row.get::<_, i64>(1)? as u64;
                }
            }
            Ok(found)
        })
    }

    fn result(&self, id: OperationId) -> Result<Option<ResultDoc>, StoreError> {
        self.reading(|c| {
            let doc: Option<String> = c
                .prepare_cached(
                    "SELECT results.doc FROM results JOIN operations USING (n)
                     WHERE id = ? ORDER BY attempt DESC LIMIT 1",
                )?
                .query_row([id_bytes(id)], |row| row.get(0))
                .optional()?;
            Ok(doc.map(|d| serde_json::from_str(&d)).transpose()?)
        })
    }

    fn points(&self, id: OperationId, attempt: u32) -> Result<Vec<Points>, StoreError> {
        self.reading(|c| {
            let Some(n) = number_of(c, id)? else { return Ok(Vec::new()) };
            let mut statement = c.prepare_cached(
                "SELECT name, packed FROM points WHERE n = ? AND attempt = ? ORDER BY name, rowid",
            )?;
            let mut rows = statement.query(params![n, attempt])?;
            let mut out: Vec<Points> = Vec::new();
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                let packed = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
                match out.last_mut() {
                    Some(last) if last.name == name => last.points.extend(unpack(packed)),
                    _ => out.push(Points { name, points: unpack(packed).collect() }),
                }
            }
            Ok(out)
        })
    }

    fn curve(
        &self,
        id: OperationId,
        attempt: u32,
        series: &str,
        take: &mut dyn FnMut(Point),
    ) -> Result<(), StoreError> {
        self.reading(|c| runs::curve(c, id, attempt, series, take))
    }

    fn earlier(&self, wanted: Earlier<'_>) -> Result<Vec<(OperationId, u32)>, StoreError> {
        self.reading(|c| runs::earlier(c, wanted))
    }

    fn rule_band(&self, id: OperationId) -> Result<Option<RuleBand>, StoreError> {
        self.reading(|c| runs::rule_band(c, id))
    }

    fn logs(
        &self,
        id: OperationId,
        attempt: u32,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        self.reading(|c| {
            let Some(n) = number_of(c, id)? else { return Ok(Vec::new()) };
            let mut statement = c.prepare_cached(
                "SELECT line, at, level, text FROM logs WHERE n = ? AND attempt = ? AND line < ?
                 ORDER BY line DESC LIMIT ?",
            )?;
            let before = before.map_or(i64::MAX, |b| i64::try_from(b).unwrap_or(i64::MAX));
            let mut rows = statement.query(params![n, attempt, before, limit])?;
            let mut lines = Vec::new();
            while let Some(row) = rows.next()? {
                let level = match row.get::<_, String>(2)?.as_str() {
                    "debug" => LogLevel::Debug,
                    "warn" => LogLevel::Warn,
                    "error" => LogLevel::Error,
                    _ => LogLevel::Info,
                };
                lines.push(LogLine {
                    n: row.get::<_, i64>(0)? as u64,
                    at: Time::from_micros(row.get(1)?),
                    level,
                    text: row.get(3)?,
                });
            }
            lines.reverse();
            Ok(lines)
        })
    }

    fn events(&self, after: u64, limit: u32) -> Result<Option<Vec<EventRecord>>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached(
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
        })
    }

    fn cursors(&self) -> Result<Vec<(HostName, HostCursor)>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached("SELECT host, instance, seq FROM cursors")?;
            let mut rows = statement.query([])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                let Ok(host) = HostName::new(row.get::<_, String>(0)?) else { continue };
                let instance = InstanceId(uuid::Uuid::from_bytes(row.get(1)?));
                out.push((host, HostCursor { instance, seq: row.get::<_, i64>(2)? as u64 }));
            }
            Ok(out)
        })
    }

    fn drained(&self) -> Result<Vec<HostName>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached("SELECT host FROM drained ORDER BY host")?;
            let names = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(names
                .collect::<Result<Vec<_>, _>>()?
                .into_iter()
                .filter_map(|n| HostName::new(n).ok())
                .collect())
        })
    }

    fn audit(
        &self,
        operation: Option<OperationId>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        self.reading(|c| {
            let before = before.map_or(i64::MAX, |n| i64::try_from(n).unwrap_or(i64::MAX));
            let wanted = if operation.is_some() { "operation = ?1" } else { "?1 IS NULL" };
            let mut statement = c.prepare_cached(&format!(
                "SELECT n, doc FROM audit WHERE {wanted} AND n < ?2 ORDER BY n DESC LIMIT ?3"
            ))?;
            let mut rows = statement.query(params![operation.map(id_bytes), before, limit])?;
            let mut entries = Vec::new();
            while let Some(row) = rows.next()? {
                entries
                    .push((row.get::<_, i64>(0)? as u64, serde_json::from_str(&row.get::<_, String>(1)?)?));
            }
            Ok(entries)
        })
    }

    fn configuration(&self) -> Result<Vec<String>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached("SELECT line FROM configuration ORDER BY line")?;
            let lines = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            Ok(lines)
        })
    }

    fn runs(&self) -> Result<Vec<(KindName, Run)>, StoreError> {
        self.reading(|c| {
            let mut statement =
                c.prepare_cached("SELECT kind, title, seconds, ratios FROM runs ORDER BY n")?;
            let mut rows = statement.query([])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                let Ok(kind) = KindName::new(row.get::<_, String>(0)?) else { continue };
                let ratios = serde_json::from_str(&row.get::<_, String>(3)?)?;
                out.push((kind, Run { title: row.get(1)?, seconds: row.get(2)?, ratios }));
            }
            Ok(out)
        })
    }

    fn tallies(&self, since_hour: i64) -> Result<Vec<Tally>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached(
                "SELECT hour, kind, state, n, seconds FROM tallies WHERE hour >= ? ORDER BY hour, kind, state",
            )?;
            let mut rows = statement.query([since_hour])?;
            let mut out = Vec::new();
            while let Some(row) = rows.next()? {
                let state = State::ALL.into_iter().find(|s| row.get_ref(2).is_ok_and(|t| t.as_str() == Ok(s.as_str())));
                let (Ok(kind), Some(state)) = (KindName::new(row.get::<_, String>(1)?), state) else { continue };
                let count = row.get::<_, i64>(3)? as u64;
                out.push(Tally { hour: row.get(0)?, kind, state, count, seconds: row.get(4)? });
            }
            Ok(out)
        })
    }

    fn too_old(&self, keep: Keep, now: Time, limit: u32) -> Result<Vec<(OperationId, State)>, StoreError> {
        self.reading(|c| {
            let mut found: Vec<(OperationId, State)> = Vec::new();
            let mut take = |state: State, bound: Option<[u8; 16]>, most: u64| -> Result<(), StoreError> {
                let left = most.min(u64::from(limit).saturating_sub(found.len() as u64));
                let bound = bound.unwrap_or([0xff; 16]);
                let mut statement = c.prepare_cached(
                    "SELECT id FROM operations WHERE state = ? AND id < ? ORDER BY id LIMIT ?",
                )?;
                let mut rows = statement.query(params![state.as_str(), bound, left as i64])?;
                while let Some(row) = rows.next()? {
                    let id = id_from(row.get(0)?);
                    if !found.contains(&(id, state)) {
                        found.push((id, state));
                    }
                }
                Ok(())
            };
            for (state, count) in self.counts()?.into_iter().filter(|(state, _)| state.ended()) {
                if let Some(age) = keep.age {
                    // IDs begin with the millisecond of acceptance (RFC 9562, section 5.7).
                    let millis = (now.micros() / 1_000 - age.as_millis() as i64).max(0) as u64;
                    let mut bound = [0u8; 16];
                    bound[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
                    take(state, Some(bound), u64::MAX)?;
                }
                if let Some(most) = keep.most {
                    take(state, None, count.saturating_sub(most))?;
                }
            }
            Ok(found)
        })
    }

    fn given_up(&self, id: OperationId) -> Result<bool, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached("SELECT 1 FROM forgotten WHERE id = ?")?;
            Ok(statement.exists([id_bytes(id)])?)
        })
    }

    fn key(&self, key: &str) -> Result<Option<(OperationId, String)>, StoreError> {
        self.reading(|c| {
            let mut statement = c.prepare_cached("SELECT id, request FROM keys WHERE key = ?")?;
            Ok(statement.query_row([key], |row| Ok((id_from(row.get(0)?), row.get(1)?))).optional()?)
        })
    }
}
