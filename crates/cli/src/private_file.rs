//! Files that only the user can read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Creates the folders of a file, readable by the user only.
///
/// # Errors
/// As the system reports them.
pub fn create_folder(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file for reading and writing, and creates it if needed.
///
/// # Errors
/// As the system reports them.
pub fn open(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Replaces the content of a file: a reader sees the old content or the new one.
///
/// # Errors
/// As the system reports them; the old content stays.
pub fn replace(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    create_folder(file)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    // Only the user can read a temporary file, and it disappears if the process fails.
    let mut pending = tempfile::NamedTempFile::new_in(folder)?;
    pending.write_all(content)?;
    pending.persist(file)?;
    Ok(())
}
