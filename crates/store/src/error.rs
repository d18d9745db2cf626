//! Errors of the store.

use std::fmt::Display;
use thiserror::Error;

/// Error of the store, for the log and `/readyz`: what happened, why, and what to do.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
}

/// What went wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreErrorKind {
    /// The database or its lock can't be opened.
    Open,
    /// The database has a newer version than this program.
    Newer,
    /// The database has an older version, and is only read.
    Older,
    /// Another Signalbox uses the database.
    InUse,
    /// The disk is full. Nothing was changed.
    DiskFull,
    /// The database refused a statement.
    Database,
    /// A stored record can't be read.
    Record,
}

impl StoreError {
    /// What went wrong.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// A full disk.
    pub fn disk_full() -> Self {
        let message = "the disk of the database is full. Free some space; accepted operations are not lost";
        Self { kind: StoreErrorKind::DiskFull, message: message.to_owned() }
    }

    pub(crate) fn open(path: &str, why: impl Display) -> Self {
        let message = format!(
            "can't open the database {path}: {why}. Check that its folder exists and is writable, or choose another folder with \
             --data"
        );
        Self { kind: StoreErrorKind::Open, message }
    }

    pub(crate) fn lock(path: &str, why: impl Display) -> Self {
        let message =
            format!("can't lock the database {path}: {why}. Check that its folder exists and is writable");
        Self { kind: StoreErrorKind::Open, message }
    }

    pub(crate) fn in_use(path: &str) -> Self {
        let message = format!(
            "the database {path} is in use by another Signalbox server. Stop that server, or choose another folder with --data"
        );
        Self { kind: StoreErrorKind::InUse, message }
    }

    pub(crate) fn newer(found: i64, known: i64) -> Self {
        let message = format!(
            "the database has version {found}, newer than this signalbox supports ({known}). Use the newer version, or \
             another --data folder"
        );
        Self { kind: StoreErrorKind::Newer, message }
    }

    pub(crate) fn older(found: i64, known: i64) -> Self {
        let message = format!(
            "the database has version {found}, and this signalbox needs version {known}. Start `signalbox serve` once \
             to migrate the database"
        );
        Self { kind: StoreErrorKind::Older, message }
    }

    pub(crate) fn database(why: impl Display) -> Self {
        let message =
            format!("database error: {why}. Check the disk and the permissions of the database's folder");
        Self { kind: StoreErrorKind::Database, message }
    }

    /// `what` names the record: `the attempts of operation …`.
    pub(crate) fn record(what: impl Display, why: impl Display) -> Self {
        let message = format!(
            "{what} can't be read from the database: {why}. The database is damaged, or another version of \
             Signalbox wrote it. Use that version, restore a backup, or choose another folder with --data"
        );
        Self { kind: StoreErrorKind::Record, message }
    }

    /// `what` names the value, which can't be serialized.
    pub(crate) fn unwritable(what: impl Display, why: impl Display) -> Self {
        let message = format!("{what} can't be stored: {why}. Report this as a bug");
        Self { kind: StoreErrorKind::Record, message }
    }
}
