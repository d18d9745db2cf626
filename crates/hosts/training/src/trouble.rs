//! What goes wrong outside of us, in sentences: what happened, why, and what to do next.

use protocol::{Failure, FailureReason};
use std::io;
use std::path::Path;

/// A failure of the work.
pub(crate) fn failure(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure { reason: FailureReason::Work, message: message.into(), hint: hint.into() }
}

/// A file below the folder of the models that could not be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    failure(
        format!("{} could not be read: {error}.", path.display()),
        "Check the disk that holds it, and that the user that the host runs as may read it, then try again.",
    )
}

/// A file below the folder of the models that could not be written.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => failure(
            format!("The disk that holds {shown} is full."),
            "Free space there, then resume: what the last checkpoint has is kept.",
        ),
        _ => failure(
            format!("{shown} could not be written: {error}."),
            "Let the user that the host runs as write there, or configure another folder, then resume.",
        ),
    }
}
