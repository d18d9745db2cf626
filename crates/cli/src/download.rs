//! Downloads that continue where they were cut.
//!
//! A download is written to a part file beside its target, whose name has the tag of the content. After a cut it is
//! continued, by the same command or a later one, as long as the content is the same.

use crate::output::{self, OutputError};
use crate::terminal;
use anyhow::{Context, bail};
use client::{Client, ClientError, Download, PoolError};
use protocol::OperationId;
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Consecutive cuts without a new byte after which the download is given up.
const MAX_CUTS: u32 = 5;
/// Pause before a download is continued.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// File for an artifact without a given one.
///
/// # Errors
/// A sentence if the name is not one of a file.
pub fn file_name(name: &str) -> anyhow::Result<PathBuf> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if plain && name.chars().all(|c| !c.is_control()) {
        return Ok(PathBuf::from(name));
    }
    bail!("'{name}' is not a valid file name. Choose a file name with --to-file FILE")
}

/// Tag as a part of a file name; `None` if it can't be one.
fn tag_of(etag: &str) -> Option<&str> {
    let tag = etag.trim_matches('"');
    (!tag.is_empty() && tag.len() <= 64 && tag.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(tag)
}

fn part_file(to: &Path, tag: &str) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{tag}.part"));
    PathBuf::from(name)
}

/// Part of an earlier download: its tag, and its size.
fn earlier_part(to: &Path) -> Option<(String, u64)> {
    let begin = format!("{}.", to.file_name()?.to_str()?);
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let tag = name.strip_prefix(&begin)?.strip_suffix(".part")?;
        let size = entry.metadata().ok()?.len();
        (tag_of(tag).is_some() && size > 0).then(|| (tag.to_owned(), size))
    })
}

/// Downloads to a file; returns its size in bytes.
///
/// # Errors
/// A sentence if the server refuses, the file can't be written, or the connection was cut too often; then the part
/// stays, and the next command continues it.
pub async fn to_file(client: &Client, id: OperationId, name: &str, to: &Path) -> anyhow::Result<u64> {
    let resolved = match std::fs::metadata(to) {
        Ok(found) if found.is_dir() => bail!("{} is a folder. Name a file with --to-file FILE", to.display()),
        // Such as a device or a pipe: it can't be replaced by a file.
        Ok(found) if !found.is_file() => return straight_to(client, id, name, to).await,
        // Behind a link is the file to replace.
        Ok(_) => std::fs::canonicalize(to).with_context(|| format!("{} can't be read", to.display()))?,
        Err(_) if to.is_symlink() => {
            bail!(
                "{} is a link to a file that does not exist. Remove the link, or name another file",
                to.display()
            )
        }
        Err(_) => to.to_owned(),
    };
    let to = resolved.as_path();
    let (mut tag, mut size) = earlier_part(to).map_or((None, 0), |(tag, size)| (Some(tag), size));
    let mut cuts = 0;
    let mut bar = Bar::new(name);
    loop {
        let etag = tag.as_ref().map(|tag| format!("\"{tag}\""));
        let (before, known) = (size, tag.clone());
        let cut = match client.artifact(id, name, size, etag.as_deref()).await {
            Ok(mut download) => {
                let now = download.etag.as_deref().and_then(tag_of).unwrap_or("download").to_owned();
                if download.from == 0
                    && let Some(old) = known.filter(|old| *old != now)
                {
                    // The content changed.
                    let _ = std::fs::remove_file(part_file(to, &old));
                }
                let part = part_file(to, &now);
                size = download.from;
                tag = Some(now);
                let mut file = opened(&part, size)?;
                match append(&mut download, &mut file, &mut size, &mut bar).await? {
                    None => {
                        file.sync_all().with_context(|| format!("{} can't be written", part.display()))?;
                        std::fs::rename(&part, to)
                            .with_context(|| format!("{} can't be written", to.display()))?;
                        bar.clear()?;
                        return Ok(size);
                    }
                    Some(error) => ClientError::Other(error),
                }
            }
            Err(
                error @ (ClientError::Broken { .. }
                | ClientError::AgentEnded { .. }
                | ClientError::Timeout { .. }
                | ClientError::Unreachable { .. }),
            ) => error,
            Err(error) => return Err(crate::errors::advised(error)),
        };
        cuts = if size > before { 1 } else { cuts + 1 };
        if cuts > MAX_CUTS {
            bar.clear()?;
            bail!(
                "{} The download was interrupted; the same command continues it",
                crate::errors::sentence(&cut)
            );
        }
        output::still_read()?;
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// Downloads to what is no regular file, without continuing after a cut.
async fn straight_to(client: &Client, id: OperationId, name: &str, to: &Path) -> anyhow::Result<u64> {
    let mut download = client.artifact(id, name, 0, None).await.map_err(crate::errors::advised)?;
    let opened = OpenOptions::new().write(true).open(to);
    let mut file = opened.with_context(|| format!("{} can't be written", to.display()))?;
    let (mut size, mut bar) = (0, Bar::new(name));
    let cut = append(&mut download, &mut file, &mut size, &mut bar).await?;
    bar.clear()?;
    match cut {
        None => Ok(size),
        Some(error) => {
            bail!(
                "{} The download was interrupted after {size} bytes",
                crate::errors::sentence(&ClientError::Other(error))
            )
        }
    }
}

fn opened(part: &Path, size: u64) -> anyhow::Result<File> {
    let open = || -> std::io::Result<File> {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(part)?;
        file.set_len(size)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
        Ok(file)
    };
    open().with_context(|| format!("{} can't be written", part.display()))
}

/// Appends what arrives; returns the error that cut it.
async fn append(
    download: &mut Download,
    file: &mut File,
    size: &mut u64,
    bar: &mut Bar,
) -> anyhow::Result<Option<PoolError>> {
    loop {
        match download.next().await {
            Ok(Some(piece)) => {
                file.write_all(&piece).context("the file can't be written")?;
                *size += piece.len() as u64;
                bar.show(*size, download.total)?;
            }
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(error)),
        }
    }
}

/// Downloads to standard output. A cut is an error, because a reader may have taken the first part.
///
/// # Errors
/// Like [`to_file`].
pub async fn to_output(client: &Client, id: OperationId, name: &str) -> anyhow::Result<()> {
    let mut download = client.artifact(id, name, 0, None).await.map_err(crate::errors::advised)?;
    while let Some(piece) = download.next().await? {
        output::bytes(&piece)?;
    }
    Ok(())
}

/// Progress line on a terminal.
struct Bar {
    name: String,
    drawn: Option<tokio::time::Instant>,
    terminal: bool,
}

impl Bar {
    /// Interval of drawing.
    const INTERVAL: Duration = Duration::from_millis(100);

    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), drawn: None, terminal: std::io::stderr().is_terminal() }
    }

    fn show(&mut self, size: u64, total: Option<u64>) -> Result<(), OutputError> {
        if !self.terminal || self.drawn.is_some_and(|drawn| drawn.elapsed() < Self::INTERVAL) {
            return Ok(());
        }
        self.drawn = Some(tokio::time::Instant::now());
        let bytes = display::format::bytes;
        let far = match total {
            Some(total) if total > 0 => {
                let share = display::format::percent(size as f64 / total as f64);
                format!("{} of {}, {share}", bytes(size), bytes(total))
            }
            _ => bytes(size),
        };
        let line = terminal::fitted(&format!("{} {far}", self.name), terminal::columns());
        output::terminal_control(&format!("\r\u{1b}[K{line}"))
    }

    fn clear(&self) -> Result<(), OutputError> {
        if self.drawn.is_some() { output::terminal_control("\r\u{1b}[K") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_is_never_written_outside_of_the_folder() {
        assert_eq!(file_name("bars").unwrap(), Path::new("bars"));
        for hostile in ["", "..", "../a", "/etc/passwd", "a/b", ".ssh", "a\nb"] {
            assert!(file_name(hostile).is_err(), "{hostile:?}");
        }
    }

    #[test]
    fn a_part_of_an_earlier_download_is_found_by_its_tag() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("bars");
        assert_eq!(earlier_part(&to), None);
        std::fs::write(folder.path().join("bars.parquet"), "no part").unwrap();
        std::fs::write(part_file(&to, "a1b2"), "12345").unwrap();
        assert_eq!(earlier_part(&to), Some(("a1b2".into(), 5)));
        assert_eq!(tag_of("\"../x\""), None);
    }
}
