//! Atomic file writes: a reader sees the old file or the new one, never a part.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Suffix of unfinished files. A crashed load leaves them behind.
pub const PART: &str = ".part";

/// Destination of segments. Tests replace it with a disk that is full.
pub trait Disk: Send + Sync + 'static {
    /// Writes the bytes to `path` atomically.
    ///
    /// # Errors
    /// If writing fails. The previous file is unchanged.
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
}

/// File system of this machine.
pub struct LocalDisk;

impl Disk for LocalDisk {
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let part = path.with_extension(format!(
            "{}{PART}",
            path.extension().map(|e| e.to_string_lossy()).unwrap_or_default()
        ));
        let written = write_through(&part, bytes).and_then(|()| fs::rename(&part, path));
        if written.is_err() {
            // On a full disk the unfinished file would occupy the space that is needed.
            let _ = fs::remove_file(&part);
        }
        written?;
        sync_folder(path)
    }
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    // Before the rename: a crash must not leave the new name with old or no content.
    file.sync_all()
}

/// Makes the rename durable, if the system supports syncing a folder.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_atomically_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("2024.parquet");
        LocalDisk.put(&path, b"one").unwrap();
        LocalDisk.put(&path, b"two, longer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two, longer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_rename_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the file's place lets the write succeed and the rename fail.
        let path = folder.path().join("2024.parquet");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("kept"), b"kept").unwrap();
        assert!(LocalDisk.put(&path, b"new").is_err());
        assert_eq!(fs::read(path.join("kept")).unwrap(), b"kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the part is gone");
    }
}
