//! Errors inside of the SQLite store, so that its public errors have no types of the database.

use crate::StoreError;

pub(super) type Result<T> = std::result::Result<T, Error>;

#[derive(Debug)]
pub(super) enum Error {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error,
            Error::Sql(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => {
                StoreError::disk_full()
            }
            Error::Sql(error) => StoreError::database(error),
        }
    }
}
