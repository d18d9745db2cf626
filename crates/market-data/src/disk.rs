//! Destination of segments, which tests replace.

use atomic_file::AtomicFile;
use std::io;
use std::path::Path;

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
        AtomicFile::put(path, bytes)
    }
}
