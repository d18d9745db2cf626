//! Blocks in SQLite, and the roll-up from tier to tier. Blocks its thread.

use crate::block::Block;
use crate::error::HistoryError;
use crate::roll_up::roll_up;
use crate::scale::Scale;
use crate::schema;
use crate::stored_blocks::{load, save};
use crate::tier::Tier;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time to wait for another connection's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Samples of a source, to be written.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Batch {
    /// Name of the source, such as `host/gpu-1`.
    pub source: String,
    /// Seconds since 1970, ascending.
    pub seconds: Vec<i64>,
    /// Values by metric, in the order of `seconds`; `None` is unknown.
    pub metrics: BTreeMap<String, Vec<Option<f64>>>,
    /// Process of the source that counted its seconds, and where they begin; stored with the samples.
    pub anchor: Option<Anchor>,
}

/// Where the ticks of a process of a source begin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Anchor {
    /// ID of the process.
    pub instance: String,
    /// Second of its tick 0, since 1970.
    pub base: i64,
}

/// Database of the history.
pub struct Store {
    connection: Connection,
    /// IDs of metrics, as in the database.
    metrics: HashMap<String, u32>,
    /// Scales of metrics by ID.
    scales: HashMap<u32, Scale>,
    refused: u64,
    /// Identity of the file.
    file: Option<(u64, u64)>,
}

impl Store {
    /// Opens or creates the database. A corrupt one is set aside, and a new one begun.
    ///
    /// # Errors
    /// If the file can't be read, written or set aside, or a later version wrote it.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        match Self::open_as_is(path) {
            Err(error) if error.is_corrupt() => {
                let aside = set_aside(path)?;
                tracing::error!(%error, aside = %aside.display(), "the metrics history is corrupt; continuing with a new, empty history");
                Self::open_as_is(path)
            }
            opened => opened,
        }
    }

    fn open_as_is(path: &Path) -> Result<Self, HistoryError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version > schema::VERSION {
            return Err(HistoryError::Later(path.to_owned()));
        }
        connection.pragma_update(None, "journal_mode", "wal")?;
        // After a power cut, the last seconds are missing; the hosts still have them.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.execute_batch(schema::CREATE)?;
        connection.pragma_update(None, "user_version", schema::VERSION)?;
        let metrics: HashMap<String, u32> = connection
            .prepare("SELECT name, id FROM metrics")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let scales = metrics.iter().map(|(name, id)| (*id, Scale::of(name))).collect();
        Ok(Self { connection, metrics, scales, refused: 0, file: identity(path) })
    }

    /// Whether the file at a path is still the one that was opened: it may have been deleted or replaced.
    pub fn is_file(&self, path: &Path) -> bool {
        self.file.is_some() && self.file == identity(path)
    }

    /// Number of refused values since it was opened: impossible ones, and others than those already known of a second.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Anchor of a source's newest process.
    ///
    /// # Errors
    /// If the database fails.
    pub fn anchor(&self, source: &str) -> Result<Option<Anchor>, HistoryError> {
        let mut query =
            self.connection.prepare_cached("SELECT instance, base FROM anchors WHERE source = ?1")?;
        let anchor = |row: &rusqlite::Row<'_>| Ok(Anchor { instance: row.get(0)?, base: row.get(1)? });
        Ok(query.query_row([source], anchor).optional()?)
    }

    /// Newest second with a value of a source.
    ///
    /// # Errors
    /// If the database fails.
    pub fn newest(&self, source: &str) -> Result<Option<i64>, HistoryError> {
        let row = self
            .connection
            .prepare_cached(
                "SELECT start, data FROM blocks WHERE source = (SELECT id FROM sources WHERE name = ?1) AND tier = 0
                 ORDER BY start DESC LIMIT 1",
            )?
            .query_row([source], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional()?;
        Ok(row.map(|(start, data)| {
            let block = Block::decode(&data, |_| true).unwrap_or_default();
            let newest =
                block.columns.values().filter_map(|values| values.iter().rposition(Option::is_some)).max();
            start + newest.unwrap_or(0) as i64
        }))
    }

    /// Notes on which machine a host is from a second on.
    ///
    /// # Errors
    /// If the database fails.
    pub fn on_machine(&mut self, host: &str, machine: &str, since: i64) -> Result<(), HistoryError> {
        let newest: Option<String> = self
            .connection
            .prepare_cached("SELECT machine FROM machines WHERE host = ?1 ORDER BY since DESC LIMIT 1")?
            .query_row([host], |row| row.get(0))
            .optional()?;
        if newest.as_deref() != Some(machine) {
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO machines (host, since, machine) VALUES (?1, ?2, ?3)")?
                .execute(params![host, since, machine])?;
        }
        Ok(())
    }

    /// Writes samples, all or none of them. A second that is already known keeps its value.
    ///
    /// # Errors
    /// If the database fails.
    pub fn write(&mut self, batches: &[Batch]) -> Result<(), HistoryError> {
        let mut refused = 0;
        let mut new_metrics = Vec::new();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for batch in batches {
            let mut columns = Vec::new();
            for (name, values) in &batch.metrics {
                let column = match self.metrics.get(name) {
                    Some(known) => *known,
                    None => {
                        let column = id_of(&transaction, "metrics", name)?;
                        new_metrics.push((name.clone(), column));
                        self.scales.insert(column, Scale::of(name));
                        column
                    }
                };
                columns.push((column, Scale::of(name), values));
            }
            let source = Self::source_id(&transaction, &batch.source)?;
            refused += write_batch(&transaction, source, &batch.seconds, &columns, &self.scales)?;
            if let Some(anchor) = &batch.anchor {
                transaction
                    .prepare_cached(
                        "INSERT OR REPLACE INTO anchors (source, instance, base) VALUES (?1, ?2, ?3)",
                    )?
                    .execute(params![batch.source, anchor.instance, anchor.base])?;
            }
        }
        transaction.commit()?;
        // Only now: IDs of a transaction that failed are given again.
        self.metrics.extend(new_metrics);
        self.refused += refused;
        Ok(())
    }

    /// Deletes values that are older than their tier keeps them.
    ///
    /// # Errors
    /// If the database fails.
    pub fn prune(&mut self, now: i64) -> Result<(), HistoryError> {
        for tier in Tier::ALL {
            let oldest = tier.block_of(now - tier.kept_seconds());
            self.connection
                .prepare_cached("DELETE FROM blocks WHERE tier = ?1 AND start < ?2")?
                .execute(params![tier.number(), oldest])?;
        }
        self.prune_tallies(now)
    }

    pub(crate) fn begin(&mut self) -> Result<Transaction<'_>, HistoryError> {
        Ok(self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
    }

    /// ID of a source, which is added if it is new.
    pub(crate) fn source_id(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<u32> {
        id_of(transaction, "sources", name)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// Device and number of a file.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

/// Moves the database away, with its log.
fn set_aside(path: &Path) -> Result<PathBuf, HistoryError> {
    let with = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let aside = with(".corrupt");
    std::fs::rename(path, &aside)?;
    for log in ["-wal", "-shm"] {
        match std::fs::remove_file(with(log)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(aside)
}

/// ID of a name in a table of names, which is added if it is new.
fn id_of(transaction: &Transaction<'_>, table: &str, name: &str) -> rusqlite::Result<u32> {
    transaction
        .prepare_cached(&format!("INSERT OR IGNORE INTO {table} (name) VALUES (?1)"))?
        .execute([name])?;
    transaction
        .prepare_cached(&format!("SELECT id FROM {table} WHERE name = ?1"))?
        .query_row([name], |row| row.get(0))
}

type Column<'a> = (u32, Scale, &'a Vec<Option<f64>>);

/// Writes the samples of a source, and rolls up the minutes that they complete. Returns how many values were refused.
fn write_batch(
    transaction: &Transaction<'_>,
    source: u32,
    seconds: &[i64],
    columns: &[Column<'_>],
    scales: &HashMap<u32, Scale>,
) -> Result<u64, HistoryError> {
    let mut refused = 0;
    let mut minutes: BTreeSet<i64> = BTreeSet::new();
    let mut complete: BTreeSet<i64> = BTreeSet::new();
    // The minute before this batch is complete when a later one begins.
    complete.extend(newest_block(transaction, source)?);
    minutes.extend(seconds.iter().map(|second| Tier::Second.block_of(*second)));
    for minute in &minutes {
        let mut block = load(transaction, source, Tier::Second, *minute)?;
        for (column, scale, values) in columns {
            for (second, value) in seconds.iter().zip(values.iter()) {
                let Some(value) = value.filter(|_| Tier::Second.block_of(*second) == *minute) else {
                    continue;
                };
                let slot = Tier::Second.slot_of(*second);
                match (scale.encode(value), block.get(*column, slot)) {
                    (Some(code), None) => {
                        block.set(*column, slot, code);
                    }
                    // The same sample again, as after a restart.
                    (Some(code), Some(known)) if code == known => {}
                    _ => refused += 1,
                }
            }
        }
        save(transaction, source, Tier::Second, *minute, &block)?;
    }
    complete.extend(&minutes);
    if let Some(newest) = minutes.last() {
        let last_second = newest + Tier::Second.block_seconds() - 1;
        if !seconds.contains(&last_second) && complete.last() == Some(newest) {
            complete.remove(newest);
        }
    }
    roll_up(transaction, source, &complete, scales)?;
    Ok(refused)
}

fn newest_block(transaction: &Transaction<'_>, source: u32) -> rusqlite::Result<Option<i64>> {
    transaction
        .prepare_cached("SELECT max(start) FROM blocks WHERE source = ?1 AND tier = 0")?
        .query_row([source], |row| row.get(0))
}
