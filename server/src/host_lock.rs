//! Lock of a host's data folder: one host at a time uses it, and a server finds the process that does.
//!
//! A POSIX record lock, because the kernel knows its holder's PID and releases it however that process ends. Closing
//! any other handle to the file would release it, too, so a host opens the file only once.

use anyhow::{Context, bail};
use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Time that a host waits for the previous one to end.
const LOCK_TIMEOUT: Duration = Duration::from_secs(20);
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Held lock; released when the process ends.
pub struct HostLock {
    file: File,
}

/// Process that holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// `None` in another PID namespace, such as another container.
    pub pid: Option<Pid>,
    /// Whether a server started it; `None` until it has written that.
    pub bundled: Option<bool>,
}

/// Content of the file.
#[derive(Serialize, Deserialize)]
struct LockContent {
    pid: u32,
    bundled: bool,
}

impl HostLock {
    /// Locks a folder, and creates it if missing. Waits for a host that is about to end.
    ///
    /// # Errors
    /// If another host keeps the lock, or the folder is not writable.
    pub async fn take(folder: &Path, bundled: bool) -> anyhow::Result<Self> {
        let shown = folder.display();
        let failed = || format!("can't lock the data folder {shown}; choose another folder with --data");
        std::fs::create_dir_all(folder).with_context(failed)?;
        let mut options = File::options();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = options.open(path(folder)).with_context(failed)?;
        let until = Instant::now() + LOCK_TIMEOUT;
        let mut announced = false;
        loop {
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::AGAIN | Errno::ACCESS | Errno::INTR) => {}
                Err(error) => return Err(error).with_context(failed),
            }
            let pid = blocking(&file)
                .flatten()
                .map_or_else(|| "unknown PID".to_owned(), |pid| format!("PID {pid}"));
            if Instant::now() >= until {
                bail!(
                    "another host ({pid}) uses the data folder {shown}. End that process, or choose another folder \
                     with --data"
                );
            }
            if !std::mem::replace(&mut announced, true) {
                tracing::info!(
                    "waiting for another host ({pid}) to end, because it uses the data folder {shown}"
                );
            }
            sleep(LOCK_POLL_INTERVAL).await;
        }
        file.set_len(0).with_context(failed)?;
        let note = serde_json::to_string(&LockContent { pid: std::process::id(), bundled })?;
        file.write_all(note.as_bytes()).with_context(failed)?;
        Ok(Self { file })
    }

    /// Metadata of the locked file, which identify the folder.
    pub fn metadata(&self) -> std::io::Result<Metadata> {
        self.file.metadata()
    }

    /// Process that holds the lock of a folder. Must not be called by a host for its own folder.
    pub fn holder(folder: &Path) -> Option<Holder> {
        let file = File::open(path(folder)).ok()?;
        let pid = blocking(&file)?;
        let note = std::io::read_to_string(file)
            .ok()
            .and_then(|text| serde_json::from_str::<LockContent>(&text).ok());
        // Until it is overwritten, the content is that of an earlier holder.
        let own = note.filter(|note| pid.is_none_or(|pid| u32::try_from(pid.as_raw_pid()) == Ok(note.pid)));
        Some(Holder { pid, bundled: own.map(|note| note.bundled) })
    }
}

/// PID of the process that holds a lock on the file. The inner value is `None` if the PID is not visible.
fn blocking(file: &File) -> Option<Option<Pid>> {
    fcntl_getlk(file, &Flock::from(FlockType::WriteLock)).ok().flatten().map(|lock| lock.pid)
}

fn path(folder: &Path) -> PathBuf {
    folder.join("host.lock")
}
