//! Putting a file in its place in one step: a reader sees the old one or the new one, never a part of either.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// What unfinished files end in. One that is found was left by a load that crashed.
pub(crate) const PART: &str = ".part";

/// Where segments are put. Tests put a disk in its place that runs full.
pub(crate) trait Disk: Send + Sync + 'static {
    /// Puts the bytes at `path`, all of them or nothing.
    ///
    /// # Errors
    /// When they could not be written; what was at `path` before is there still.
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
}

/// The real one.
pub(crate) struct LocalDisk;

impl Disk for LocalDisk {
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let part = path.with_extension(format!(
            "{}{PART}",
            path.extension().map(|e| e.to_string_lossy()).unwrap_or_default()
        ));
        let written = write_through(&part, bytes).and_then(|()| fs::rename(&part, path));
        if written.is_err() {
            // On a full disk the part would hold the space that is missing.
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

/// Makes the rename itself durable, where the system lets a folder be synced.
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
    fn a_file_is_replaced_whole_and_leaves_no_part_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("2024.parquet");
        LocalDisk.put(&path, b"one").unwrap();
        LocalDisk.put(&path, b"two, longer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two, longer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_was_there_stays_when_the_new_cannot_be_put() {
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
