//! Failures of the environment, as messages: what happened, why, and what to do next.

use protocol::{Failure, FailureReason};
use std::io;
use std::path::Path;

/// Failure of the work.
pub(crate) fn failure(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure { reason: FailureReason::Work, message: message.into(), hint: hint.into() }
}

/// Failure to read a file below the models folder.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    failure(
        format!("Cannot read {}: {error}.", path.display()),
        "Check the disk that contains the file, and that the host's user can read the file. Then try again.",
    )
}

/// Failure to write a file below the models folder.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => failure(
            format!("The disk of {shown} is full."),
            "Free up space. Then resume, or retry if there is no checkpoint.",
        ),
        _ => failure(
            format!("Cannot write {shown}: {error}."),
            "Give the host's user write access, or configure another folder. Then resume, or retry if there is no checkpoint.",
        ),
    }
}
