//! Atomic file writes: a reader sees the old file or the new one, never a part.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// File being written beside its path. [`AtomicFile::commit`] gives it its name; without it, nothing is left.
#[derive(Debug)]
pub struct AtomicFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl AtomicFile {
    /// Begins a file that others may read, as the umask allows. Its folder must exist.
    ///
    /// # Errors
    /// If it can't be created.
    pub fn create(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::with_mode(path.into(), 0o666)
    }

    /// Begins a file that only its user may read.
    ///
    /// # Errors
    /// If it can't be created.
    pub fn private(path: impl Into<PathBuf>) -> io::Result<Self> {
        Self::with_mode(path.into(), 0o600)
    }

    fn with_mode(path: PathBuf, mode: u32) -> io::Result<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let prefix = format!(".{name}.");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(".part");
        if let Some(permissions) = permissions(mode) {
            builder.permissions(permissions);
        }
        Ok(Self { file: builder.tempfile_in(folder_of(&path))?, path })
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// If writing fails. The previous file is unchanged.
    pub fn put(path: impl Into<PathBuf>, bytes: &[u8]) -> io::Result<()> {
        let mut file = Self::create(path)?;
        file.write_all(bytes)?;
        file.commit()
    }

    /// Gives the file its name, durably: content first, then the name. Replaces an existing file.
    ///
    /// # Errors
    /// If that fails.
    pub fn commit(self) -> io::Result<()> {
        // Before the rename, because a crash must not leave the name without the content.
        self.file.as_file().sync_all()?;
        self.file.persist(&self.path)?;
        sync_folder(folder_of(&self.path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(unix)]
fn permissions(mode: u32) -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn permissions(_mode: u32) -> Option<Permissions> {
    None
}

/// Makes a rename durable, if the system allows to sync a folder.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_replaced_atomically_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.json");
        AtomicFile::put(&path, b"one").unwrap();
        let mut begun = AtomicFile::create(&path).unwrap();
        begun.write_all(b"half").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one", "nothing is visible before the commit");
        drop(begun);
        AtomicFile::put(&path, b"two, longer").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two, longer");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_failed_rename_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the file's place lets the write succeed and the rename fail.
        let path = folder.path().join("model.json");
        fs::create_dir_all(path.join("kept")).unwrap();
        assert!(AtomicFile::put(&path, b"new").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the part is gone");
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_readable_by_its_user_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        // An existing file does not pass on its permissions.
        AtomicFile::put(&path, b"old").unwrap();
        let mut file = AtomicFile::private(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
