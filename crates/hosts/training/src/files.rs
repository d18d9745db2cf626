//! Model files: atomic writes and hashes.

use crate::trouble::{unreadable, unwritable};
use protocol::Failure;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes the bytes to `path` atomically, and creates its folder.
///
/// # Errors
/// If writing fails. The previous file is unchanged.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let part = path.with_extension("part");
    let written = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = written.and_then(|()| write_through(&part, bytes)).and_then(|()| fs::rename(&part, path));
    if written.is_err() {
        // On a full disk the unfinished file would occupy the space that is needed.
        let _ = fs::remove_file(&part);
    }
    written.and_then(|()| sync_folder(path)).map_err(|e| unwritable(path, &e))
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

/// Reads a file; `None` if it does not exist.
///
/// # Errors
/// If it exists and can't be read.
pub(crate) fn get(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(unreadable(path, &e)),
    }
}

/// SHA-256 of some bytes, in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}

/// Digest in hex.
pub(crate) fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_leaves_no_part_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/model.json");
        assert_eq!(get(&path).unwrap(), None);
        put(&path, b"one").unwrap();
        put(&path, b"two, longer").unwrap();
        assert_eq!(get(&path).unwrap().unwrap(), b"two, longer");
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
    }

    #[test]
    fn what_was_there_stays_when_the_new_cannot_be_put() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the file's place lets the write succeed and the rename fail.
        let path = folder.path().join("model.json");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("kept"), b"kept").unwrap();
        assert!(put(&path, b"new").unwrap_err().message.starts_with("Cannot write"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the part is gone");
    }

    #[test]
    fn a_hash_is_that_of_the_standard() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
