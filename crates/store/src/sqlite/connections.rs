//! Connections to the database: its lock, one that writes, and a few that read.

use super::error::Result;
use super::migrations;
use crate::{StoreError, Weight};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time for which a statement waits for another connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// Prepared statements kept per connection. Filters make many, which need not be prepared again for each page.
const STATEMENTS_KEPT: usize = 64;
/// Reading connections kept for later queries.
const READERS_KEPT: usize = 4;

/// Locks a database for this process: two servers on one database would number events twice.
pub(super) fn lock(database: &Path) -> std::result::Result<File, StoreError> {
    let shown = database.display().to_string();
    let file = File::create(database.with_extension("lock")).map_err(|why| StoreError::lock(&shown, why))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::in_use(&shown)),
        Err(TryLockError::Error(why)) => Err(StoreError::lock(&shown, why)),
    }
}

/// Connection that writes.
pub(super) struct Writing {
    connection: Connection,
    /// Current setting of `PRAGMA synchronous`.
    weight: Weight,
}

impl Writing {
    /// Opens or creates a database, and migrates it to the newest version.
    pub(super) fn open(path: &Path) -> std::result::Result<Self, StoreError> {
        refuse_newer(path)?;
        let open_error = |why| StoreError::open(&path.display().to_string(), why);
        let mut connection = Connection::open(path).map_err(open_error)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(open_error)?;
        prepare(&mut connection)?;
        Ok(Self { connection, weight: Weight::Heavy })
    }

    /// Connection for queries of the thread that writes.
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Connection for a transaction with this durability.
    pub(super) fn with(&mut self, weight: Weight) -> Result<&mut Connection> {
        if self.weight != weight {
            let level = match weight {
                Weight::Heavy => "FULL",
                Weight::Light => "NORMAL",
            };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.weight = weight;
        }
        Ok(&mut self.connection)
    }
}

fn prepare(connection: &mut Connection) -> Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    migrations::migrate(connection)
}

/// Refuses a database of a newer version before anything is written to it. Other errors are those of the connection
/// that writes, which comes next.
fn refuse_newer(path: &Path) -> std::result::Result<(), StoreError> {
    let version = |path| migrations::version(&open_to_read(path)?);
    match path.exists().then(|| version(path)) {
        Some(Ok(found)) => migrations::refuse_newer(found),
        Some(Err(_)) | None => Ok(()),
    }
}

fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Connections that read.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::default() }
    }

    /// Runs a query on one of them.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T>,
    ) -> std::result::Result<T, StoreError> {
        let kept = self.idle.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.open()?,
        };
        let answer = query(&connection);
        let mut kept = self.idle.lock();
        if kept.len() < READERS_KEPT {
            kept.push(connection);
        }
        Ok(answer?)
    }

    fn open(&self) -> std::result::Result<Connection, StoreError> {
        let open_error = |why| StoreError::open(&self.path.display().to_string(), why);
        let connection = open_to_read(&self.path).map_err(open_error)?;
        connection.pragma_update(None, "cache_size", -4_000).map_err(open_error)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(connection)
    }
}
