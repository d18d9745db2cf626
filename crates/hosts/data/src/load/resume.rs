//! Checkpoint state of a load, and its validation by a later attempt.

use super::super::source::{Known, OpenedSource, SourcePosition, off_thread};
use super::super::validate::Validator;
use crate::report::{Report, log_line};
use display::format::counted;
use market_data::{DataSet, Period, Range, segment};
use protocol::{LogLevel, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::path::Path;

/// Completed segment: file name, number of bars, number of new bars, and hash of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) file: String,
    pub(super) rows: u64,
    pub(super) new: u64,
    pub(super) hash: String,
}

/// Checkpoint state, saved after a completed segment, before the row that starts the next one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Format version. Other versions are not read.
    pub(super) version: u32,
    /// Fingerprint of the content that was read.
    pub(super) fingerprint: String,
    /// Target range at the start of the load.
    pub(super) from: Option<Time>,
    pub(super) to: Option<Time>,
    /// Position of the next row in the text of the source.
    pub(super) offset: u64,
    pub(super) line: u64,
    /// Start of the bar of the next row.
    pub(super) next: Time,
    /// Rows were out of order and sorted. There is no position to continue from, but completed segments are valid.
    pub(super) sorted: bool,
    /// Rows read so far.
    pub(super) read: u64,
    /// Last bar accepted so far.
    pub(super) last: Option<Time>,
    /// Counters so far.
    pub(super) validator: Validator,
    pub(super) done: Vec<Done>,
}

/// Current format version.
pub(super) const VERSION: u32 = 2;

impl Saved {
    /// Reads a checkpoint state; `None` if its version is unknown.
    pub(super) fn read(state: Value) -> Option<Self> {
        serde_json::from_value::<Self>(state).ok().filter(|saved| saved.version == VERSION)
    }

    /// Target range at the start of the load.
    pub(super) fn range(&self) -> Range {
        Range { from: self.from, to: self.to }
    }

    /// Position in the source.
    pub(super) fn known(&self) -> Known {
        Known {
            place: SourcePosition { offset: self.offset, line: self.line },
            fingerprint: self.fingerprint.clone(),
        }
    }

    /// Splits the completed segments into unchanged and changed ones.
    pub(super) fn verify(&self, set: &DataSet) -> (Vec<Done>, Vec<Done>) {
        self.done.iter().cloned().partition(|done| {
            Period::of_file(&done.file, set.timeframe).is_some_and(|period| {
                let path = set.path(period);
                segment::rows(&path).is_ok_and(|rows| rows == done.rows)
                    && hash_of(&path).is_ok_and(|hash| hash == done.hash)
            })
        })
    }
}

/// Valid part of a previous attempt.
#[derive(Default)]
pub(super) struct Trust {
    /// Everything is valid: the load continues at its position.
    pub(super) whole: Option<Saved>,
    /// Segments that need no rewrite, although rows must be read again.
    pub(super) segments: Vec<Done>,
    /// Fingerprint of the content of these segments.
    pub(super) fingerprint: String,
    /// Whether these segments are of sorted rows.
    pub(super) sorted: bool,
}

impl Trust {
    /// Verifies the files of the checkpoint.
    pub(super) async fn of(saved: Option<Saved>, set: &DataSet, report: &impl Report) -> Self {
        let Some(saved) = saved else { return Self::default() };
        let (set, held) = (set.clone(), report.clone());
        let (saved, (good, bad)) = off_thread(move || {
            let _held = held;
            let verified = saved.verify(&set);
            (saved, verified)
        })
        .await;
        if bad.is_empty() && saved.sorted {
            return Self { whole: None, segments: good, fingerprint: saved.fingerprint, sorted: true };
        }
        if bad.is_empty() {
            return Self { fingerprint: saved.fingerprint.clone(), whole: Some(saved), ..Self::default() };
        }
        let names: Vec<&str> = bad.iter().map(|d| d.file.as_str()).collect();
        log_line(
            report,
            LogLevel::Warn,
            format!(
                "Segments changed since the previous attempt: {}. Reading from the start",
                names.join(", ")
            ),
        );
        Self { whole: None, segments: good, fingerprint: saved.fingerprint, sorted: saved.sorted }
    }

    /// Range to request from the source.
    pub(super) fn narrow(&self, range: Range) -> Range {
        let next = self.whole.as_ref().map(|saved| saved.next);
        Range { from: next.into_iter().chain(range.from).max(), ..range }
    }

    /// Discards everything if the source has changed.
    pub(super) fn compare_with_source(&mut self, opened: &OpenedSource, report: &impl Report) {
        if self.whole.is_none() && self.segments.is_empty() {
            return;
        }
        if opened.fingerprint != self.fingerprint || (self.whole.is_some() && !opened.resumed) {
            log_line(
                report,
                LogLevel::Warn,
                "The source changed since the previous attempt: reading from the start",
            );
            *self = Self::default();
        } else if let Some(saved) = &self.whole {
            let kept = counted(saved.done.len() as u64, "segment", "segments");
            log_line(
                report,
                LogLevel::Info,
                format!("Resuming after {kept} completed by a previous attempt"),
            );
        }
    }
}

/// Hash in checkpoints. 128 bits are enough to detect changes.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Hash of a file.
///
/// # Errors
/// If it can't be read.
pub(super) fn hash_of(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}
