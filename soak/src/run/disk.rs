//! Small private disk for the server's database, so that it can be full. If this process may not mount one privately,
//! the fault is skipped, and the summary says so.

use anyhow::bail;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Size of the disk, enough for the database of a long run.
const DISK_MIB: usize = 512;

/// In-memory disk mounted on a folder.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts a disk on a folder.
    ///
    /// # Errors
    /// If it can't be mounted, with the reason.
    pub fn mount(folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={DISK_MIB}m"), "tmpfs"]).arg(folder);
        let done = command.output()?;
        if !done.status.success() {
            bail!("{}", String::from_utf8_lossy(&done.stderr).trim());
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Fills it to the last byte.
    ///
    /// # Errors
    /// If it can't be filled.
    pub async fn fill(&self) -> anyhow::Result<()> {
        let path = self.filler();
        // Not on the threads that run the proxies.
        Ok(tokio::task::spawn_blocking(move || fill(&path)).await??)
    }

    /// Frees the space.
    pub fn free(&self) {
        let _ = std::fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

fn fill(path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    let mut piece = vec![0u8; 1 << 20];
    loop {
        match file.write(&piece) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(_) if piece.len() > 1 => piece.truncate(piece.len() / 2),
            Err(_) => return Ok(()),
        }
    }
}

impl Drop for Disk {
    /// Fails if the server still runs; then the mount ends with this process's mount namespace.
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.folder).output();
    }
}
