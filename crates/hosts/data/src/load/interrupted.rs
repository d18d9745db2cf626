//! Reasons for an early end of reading a source.

use host_kit::WorkError;
use protocol::Failure;

/// Reason for an early end of reading.
#[derive(Debug)]
pub(super) enum ReadInterruption {
    /// Rows are out of time order, and some earlier ones are already stored. The source must be read again and sorted.
    Unsorted,
    /// The source was written during the read. Everything stored so far is from one version.
    Changed,
    /// Another file replaced the source. The version that was read is complete, but older.
    Replaced,
    /// The load ends.
    Work(WorkError),
}

impl From<WorkError> for ReadInterruption {
    fn from(error: WorkError) -> Self {
        Self::Work(error)
    }
}

impl From<Failure> for ReadInterruption {
    fn from(failure: Failure) -> Self {
        Self::Work(failure.into())
    }
}
