//! Model files: atomic writes and hashes.

use crate::trouble::{unreadable, unwritable};
use host_kit::AtomicFile;
use protocol::Failure;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::Path;

/// Writes the bytes to `path` atomically, and creates its folder.
///
/// # Errors
/// If writing fails. The previous file is unchanged.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| AtomicFile::put(path, bytes)).map_err(|e| unwritable(path, &e))
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
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_atomically_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/model.json");
        assert_eq!(get(&path).unwrap(), None);
        put(&path, b"one").unwrap();
        put(&path, b"two, longer").unwrap();
        assert_eq!(get(&path).unwrap().unwrap(), b"two, longer");
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_rename_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the file's place lets the write succeed and the rename fail.
        let path = folder.path().join("model.json");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("kept"), b"kept").unwrap();
        assert!(put(&path, b"new").unwrap_err().message.starts_with("Cannot write"));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the part is gone");
    }

    #[test]
    fn a_hash_matches_its_standard() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
