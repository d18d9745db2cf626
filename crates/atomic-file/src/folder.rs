//! Folders: atomic replacement, write access, and durable renames.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Replaces a folder by one with these files, durably: content first, then the name.
///
/// The new folder is written beside it, in `partial`. The caller removes `partial` after an error, because on a full
/// disk it would occupy the space that is needed.
///
/// # Errors
/// If writing fails. The previous folder is unchanged, unless the last rename failed.
pub fn replace_folder(folder: &Path, partial: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    remove(partial)?;
    fs::create_dir_all(partial)?;
    for (name, bytes) in files {
        let mut file = File::create(partial.join(name))?;
        file.write_all(bytes)?;
        // Before the rename, because a crash must not leave the name without the content.
        file.sync_all()?;
    }
    remove(folder)?;
    fs::rename(partial, folder)?;
    sync(folder.parent().unwrap_or(Path::new(".")))
}

/// Checks write access: creates the folder and writes a probe file.
///
/// # Errors
/// If that fails.
pub fn probe(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    fs::create_dir_all(folder)?;
    fs::write(&probe, b"x")?;
    fs::remove_file(&probe)
}

/// Makes a rename durable, if the system allows to sync a folder.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_replaced_with_all_its_files() {
        let root = tempfile::tempdir().unwrap();
        let (folder, partial) = (root.path().join("results"), root.path().join("results.part"));
        replace_folder(&folder, &partial, &[("a", b"1"), ("b", b"2")]).unwrap();
        replace_folder(&folder, &partial, &[("a", b"3")]).unwrap();
        assert_eq!(fs::read(folder.join("a")).unwrap(), b"3");
        assert_eq!((folder.join("b").exists(), partial.exists()), (false, false));
    }

    #[test]
    fn a_folder_below_a_file_is_not_writable() {
        let root = tempfile::tempdir().unwrap();
        probe(&root.path().join("deep/er")).unwrap();
        assert_eq!(fs::read_dir(root.path().join("deep/er")).unwrap().count(), 0, "the probe is removed");
        fs::write(root.path().join("file"), b"").unwrap();
        assert!(probe(&root.path().join("file")).is_err());
    }
}
