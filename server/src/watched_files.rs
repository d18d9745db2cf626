//! Files that are read again when they change, such as certificates and tokens.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// Modification time and size of a file; `None` for a missing one.
type Stamp = Option<(SystemTime, u64)>;

/// Files, and their version that was read last.
pub struct WatchedFiles {
    paths: Arc<[PathBuf]>,
    seen: Vec<Stamp>,
}

impl WatchedFiles {
    /// Called before the files are read for the first time, so that no change is missed.
    pub fn new(paths: impl Into<Arc<[PathBuf]>>) -> Self {
        let paths = paths.into();
        Self { seen: stamps(&paths), paths }
    }

    /// Reads the files when they change, until `stop` is cancelled. `apply` gets each new value. A version that can't
    /// be read is tried again after each interval, because the cause can be another file or a permission; `apply` gets
    /// the error once.
    pub async fn follow<T: Send + 'static>(
        mut self,
        interval: Duration,
        stop: CancellationToken,
        read: impl Fn(&[PathBuf]) -> anyhow::Result<T> + Send + Sync + 'static,
        mut apply: impl FnMut(anyhow::Result<T>),
    ) {
        let read = Arc::new(read);
        let mut failed = None;
        while stop.run_until_cancelled(tokio::time::sleep(interval)).await.is_some() {
            let (paths, seen, read) = (Arc::clone(&self.paths), self.seen.clone(), Arc::clone(&read));
            let checked = tokio::task::spawn_blocking(move || {
                let now = stamps(&paths);
                (now != seen).then(|| (now, read(&paths)))
            });
            match checked.await {
                Ok(Some((now, Ok(new)))) => {
                    (self.seen, failed) = (now, None);
                    apply(Ok(new));
                }
                Ok(Some((now, Err(error)))) if failed.as_ref() != Some(&now) => {
                    failed = Some(now);
                    apply(Err(error));
                }
                _ => {}
            }
        }
    }
}

fn stamps(paths: &[PathBuf]) -> Vec<Stamp> {
    let stamp = |path: &Path| {
        let found = path.metadata().ok()?;
        Some((found.modified().ok()?, found.len()))
    };
    paths.iter().map(|path| stamp(path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::{Context, bail};
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn a_version_that_can_not_be_read_is_reported_once_and_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "old").unwrap();
        let (readable, stop) = (Arc::new(AtomicBool::new(false)), CancellationToken::new());
        let (tries, mut tried) = mpsc::channel(100);
        let read = {
            let readable = Arc::clone(&readable);
            move |paths: &[PathBuf]| {
                tries.blocking_send(()).context("the test has ended")?;
                if !readable.load(Ordering::Relaxed) {
                    bail!("no permission");
                }
                Ok(std::fs::read_to_string(&paths[0])?)
            }
        };
        let (results, mut applied) = mpsc::channel(2);
        let watched = WatchedFiles::new([path.clone()]);
        std::fs::write(&path, "newer").unwrap();
        let apply = move |new: anyhow::Result<String>| {
            results.try_send(new.map_err(|error| error.to_string())).unwrap();
        };
        let following = tokio::spawn(watched.follow(Duration::from_millis(1), stop.clone(), read, apply));
        for _ in 0..5 {
            tried.recv().await.unwrap();
        }
        readable.store(true, Ordering::Relaxed);
        assert_eq!(applied.recv().await.unwrap(), Err("no permission".to_owned()));
        assert_eq!(applied.recv().await.unwrap(), Ok("newer".to_owned()), "the error comes once");
        stop.cancel();
        following.await.unwrap();
    }
}
