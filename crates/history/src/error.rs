//! Errors of the history.

use std::path::PathBuf;
use thiserror::Error;

/// The history can't be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// SQLite reports an error.
    #[error("the history's database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A file can't be moved away.
    #[error("the corrupt history can't be renamed: {0}")]
    SetAside(#[from] std::io::Error),
    /// A later version wrote the database.
    #[error("a later version of Signalbox wrote the history; move {} away to create a new history", .0.display())]
    Later(PathBuf),
}

impl HistoryError {
    /// Whether the database file itself is damaged, so that only a new one helps.
    pub fn is_corrupt(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(error.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
    }
}
