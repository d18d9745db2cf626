//! Change detection for an open file: nothing is kept from a file that was written during the read.

use market_data::failures::unreadable;
use protocol::Failure;
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Identity of a file version: length, modification time and inode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stamp {
    length: u64,
    /// Nanoseconds since 1970.
    modified: u128,
    inode: u64,
}

impl Stamp {
    fn of(about: &Metadata) -> Self {
        let modified = about.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
        Self { length: about.len(), modified: modified.map_or(0, |d| d.as_nanos()), inode: inode(about) }
    }
}

#[cfg(unix)]
fn inode(about: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(about)
}

#[cfg(not(unix))]
fn inode(_: &Metadata) -> u64 {
    0
}

/// Open file with its version.
pub(crate) struct Watch {
    path: PathBuf,
    file: File,
    stamp: Stamp,
}

impl Watch {
    /// Starts to watch an open file.
    ///
    /// # Errors
    /// If the file metadata is not available.
    pub(super) fn new(path: &Path, file: &File) -> io::Result<Self> {
        let stamp = Stamp::of(&file.metadata()?);
        Ok(Self { path: path.to_owned(), file: file.try_clone()?, stamp })
    }

    /// Changes with the content.
    pub(super) fn fingerprint(&self) -> String {
        let Stamp { length, modified, inode } = self.stamp;
        format!("{length}-{modified}-{inode}")
    }

    /// Whether the content changed since the file was opened. Reads the file metadata.
    ///
    /// # Errors
    /// If the metadata is not available.
    pub(crate) fn is_rewritten(&self) -> Result<bool, Failure> {
        let now = self.file.metadata().map_err(|e| unreadable(&self.path, &e))?;
        Ok(Stamp::of(&now) != self.stamp)
    }

    /// Whether another file has its name now. The version that was read is complete, but older. Reads the file
    /// metadata.
    pub(crate) fn is_replaced(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|now| Stamp::of(&now).inode != self.stamp.inode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn changed_truncated_and_replaced_files_are_detected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "1234").unwrap();
        let file = File::open(&path).unwrap();
        let watch = || Watch::new(&path, &file).unwrap();
        let (whole, grown, cut) = (watch(), watch(), watch());
        assert!(!whole.is_rewritten().unwrap() && !whole.is_replaced());
        fs::write(&path, "12345").unwrap();
        assert!(grown.is_rewritten().unwrap());
        fs::write(&path, "").unwrap();
        assert!(cut.is_rewritten().unwrap() && !cut.is_replaced());
        let before = watch();
        fs::write(folder.path().join("b.csv"), "12").unwrap();
        fs::rename(folder.path().join("b.csv"), &path).unwrap();
        assert!(before.is_replaced() && watch().is_replaced());
        fs::remove_file(&path).unwrap();
        assert!(!before.is_replaced(), "what was read is whole, and there is nothing newer");
    }
}
