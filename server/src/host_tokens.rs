//! File with the tokens of a host. It is read again when it changes, so that a token can be replaced while operations
//! run.

use anyhow::{Context, ensure};
use host_kit::{CancellationToken, HostTokens};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Interval of checks for a changed file.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);
/// Largest number of tokens: an old and a new one, for each of a few servers.
const MAX_TOKENS: usize = 8;

/// Tokens of a file, and the file.
pub struct TokenFile {
    path: PathBuf,
    tokens: HostTokens,
    seen: Option<(SystemTime, u64)>,
}

impl TokenFile {
    /// Reads the tokens: one on each line.
    ///
    /// # Errors
    /// A sentence if the file can't be read, or has no tokens.
    pub fn open(path: PathBuf) -> anyhow::Result<Self> {
        let seen = stamp(&path);
        let tokens = HostTokens::new(read(&path)?);
        Ok(Self { path, tokens, seen })
    }

    /// Tokens that follow the file.
    pub fn tokens(&self) -> HostTokens {
        self.tokens.clone()
    }

    /// Reads the file when it changes, until `stop` is cancelled. Keeps the tokens if the new file is invalid.
    pub async fn reload(mut self, stop: CancellationToken) {
        // Version of the file that could not be read: tried again, but logged once.
        let mut failed = None;
        while stop.run_until_cancelled(tokio::time::sleep(RELOAD_INTERVAL)).await.is_some() {
            let (path, before) = (self.path.clone(), self.seen);
            let checked = tokio::task::spawn_blocking(move || {
                let now = stamp(&path);
                (now, (now != before).then(|| read(&path)))
            });
            let Ok((now, new)) = checked.await else { continue };
            match new {
                None => {}
                Some(Ok(new)) => {
                    (self.seen, failed) = (now, None);
                    tracing::info!(file = %self.path.display(), count = new.len(), "new tokens of the host");
                    self.tokens.replace(new);
                }
                Some(Err(error)) if failed.replace(now) != Some(now) => {
                    tracing::warn!(
                        "can't use the new tokens, and keeps the previous ones; trying again every second: {error:#}"
                    );
                }
                Some(Err(_)) => {}
            }
        }
    }
}

/// Modification time and size of a file; `None` for a missing one.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let found = path.metadata().ok()?;
    Some((found.modified().ok()?, found.len()))
}

fn read(path: &Path) -> anyhow::Result<Vec<String>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read {shown}, the file with the host's tokens"))?;
    let tokens: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    ensure!(!tokens.is_empty(), "{shown} has no tokens. Write one on each line");
    ensure!(
        tokens.len() <= MAX_TOKENS,
        "{shown} has {} tokens; at most {MAX_TOKENS} are possible",
        tokens.len()
    );
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_token_and_a_file_without_any_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let with = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read(&path).map_err(|error| error.to_string())
        };
        assert_eq!(with("new\r\n\n old \n").unwrap(), ["new", "old"]);
        assert!(with("\n \n").unwrap_err().contains("has no tokens"));
        assert!(with(&"token\n".repeat(9)).unwrap_err().contains("at most 8"));
        std::fs::remove_file(&path).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("can't read"));
    }
}
