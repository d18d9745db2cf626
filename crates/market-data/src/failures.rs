//! Failures of the environment, as messages: what happened, why, and what to do next.

use protocol::{Failure, FailureReason};
use std::io;
use std::path::Path;

/// Failure of the work.
pub fn failure(message: impl Into<String>, hint: impl Into<String>) -> Failure {
    Failure { reason: FailureReason::Work, message: message.into(), hint: hint.into() }
}

/// Failure to read a file or folder.
pub fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound => failure(
            format!("{shown} was not found."),
            "Check that the folder exists, and that its disk is mounted.",
        ),
        io::ErrorKind::PermissionDenied => failure(
            format!("Permission denied: the host can't read {shown}."),
            "Give the host's user read access, then try again.",
        ),
        io::ErrorKind::IsADirectory => failure(
            format!("{shown} is a folder, not a file."),
            "Move this folder elsewhere, and put the file in its place.",
        ),
        _ => failure(
            format!("Cannot read {shown}: {error}."),
            "Check the disk that contains the file, then try again.",
        ),
    }
}

/// Failure to write below the data folder. `kept` says what is already stored. Only then can the load be resumed.
pub fn unwritable(path: &Path, error: &io::Error, kept: &str) -> Failure {
    let shown = path.display();
    let (kept, again) = match kept {
        "" => (String::new(), "start the load again"),
        kept => (format!(" {kept}"), "resume; completed segments are not loaded again"),
    };
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            failure(format!("The disk of {shown} is full.{kept}"), format!("Free up space, then {again}."))
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => failure(
            format!("The host can't write to {shown}: {error}.{kept}"),
            format!("Give the host's user write access or configure another folder, then {again}."),
        ),
        _ => failure(
            format!("Cannot write {shown}: {error}.{kept}"),
            format!("Check the disk that contains the file, then {again}."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_error_says_what_is_kept_and_what_to_do() {
        let error = io::Error::from(io::ErrorKind::StorageFull);
        let explained =
            unwritable(Path::new("/data/bars"), &error, "7 of 13 segments (11,204 rows) are kept.");
        assert_eq!(
            explained.message,
            "The disk of /data/bars is full. 7 of 13 segments (11,204 rows) are kept."
        );
        assert!(explained.hint.contains("resume"));
        let explained = unwritable(Path::new("/data/bars"), &error, "");
        assert_eq!(explained.hint, "Free up space, then start the load again.", "nothing can be resumed");
    }

    #[test]
    fn a_permission_error_is_explained() {
        let error = io::Error::from(io::ErrorKind::PermissionDenied);
        let explained = unreadable(Path::new("/data/MSFT_1h.csv"), &error);
        assert_eq!(explained.message, "Permission denied: the host can't read /data/MSFT_1h.csv.");
        assert!(explained.hint.contains("user"));
    }
}
