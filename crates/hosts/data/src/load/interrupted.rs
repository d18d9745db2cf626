//! Why a reading of the source ended before its end.

use host_kit::WorkError;
use protocol::Failure;

/// Why a reading ended early.
#[derive(Debug)]
pub(super) enum Interrupted {
    /// Rows are not in order of time, and some of those before are stored already: the source is read again, and
    /// sorted.
    Unsorted,
    /// The source was written while it was read. What was stored of it is of one content.
    Changed,
    /// Another file has the name of the source now. What was read is whole, and older.
    Replaced,
    /// The load ends.
    Work(WorkError),
}

impl From<WorkError> for Interrupted {
    fn from(error: WorkError) -> Self {
        Self::Work(error)
    }
}

impl From<Failure> for Interrupted {
    fn from(failure: Failure) -> Self {
        Self::Work(failure.into())
    }
}
