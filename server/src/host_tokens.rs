//! File with the tokens of a host. It is read again when it changes, so that a token can be replaced while operations
//! run.

use crate::watched_files::WatchedFiles;
use anyhow::{Context, ensure};
use host_kit::{CancellationToken, HostTokens};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Interval of checks for a changed file.
const RELOAD_INTERVAL: Duration = Duration::from_secs(1);
/// Largest number of tokens: an old and a new one, for each of a few servers.
const MAX_TOKENS: usize = 8;

/// Tokens of a file, and the file.
pub struct TokenFile {
    path: PathBuf,
    file: WatchedFiles,
    tokens: HostTokens,
}

impl TokenFile {
    /// Reads the tokens: one on each line.
    ///
    /// # Errors
    /// A sentence if the file can't be read, or has no tokens.
    pub fn open(path: PathBuf) -> anyhow::Result<Self> {
        let file = WatchedFiles::new([path.clone()]);
        let tokens = HostTokens::new(read(&path)?);
        Ok(Self { path, file, tokens })
    }

    /// Tokens that follow the file.
    pub fn tokens(&self) -> HostTokens {
        self.tokens.clone()
    }

    /// Reads the file when it changes, until `stop` is cancelled. Keeps the tokens if the new file is invalid.
    pub async fn reload(self, stop: CancellationToken) {
        let Self { path, file, tokens } = self;
        let apply = |new: anyhow::Result<Vec<String>>| match new {
            Ok(new) => {
                tracing::info!(file = %path.display(), count = new.len(), "read new tokens of the host");
                tokens.replace(new);
            }
            Err(error) => tracing::warn!(
                "the new tokens of the host can't be used, so the previous tokens stay valid; trying again every second: {error:#}"
            ),
        };
        file.follow(RELOAD_INTERVAL, stop, |paths| read(&paths[0]), apply).await;
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<String>> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read {shown}, the file with the host's tokens"))?;
    let tokens: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    ensure!(!tokens.is_empty(), "{shown} has no tokens. Write one token per line");
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
