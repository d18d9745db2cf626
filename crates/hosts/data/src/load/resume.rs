//! What a checkpoint of a load holds, and what of it can be trusted when a later attempt comes back.

use super::super::bars::{Period, Range};
use super::super::dataset::DataSet;
use super::super::segment;
use super::super::source::{Known, Opened, Place, off_thread};
use super::super::validate::Validator;
use super::report::{Report, say};
use protocol::counts::counted;
use protocol::{LogLevel, Time};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::path::Path;

/// A finished segment: file name, bars in it, bars that the load put into it, and the hash of its bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) file: String,
    pub(super) rows: u64,
    pub(super) new: u64,
    pub(super) hash: String,
}

/// The state of a checkpoint. It is taken when a segment was finished, before the row that begins the next.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Of this shape; others are not read.
    pub(super) version: u32,
    /// The content that was read, as its source told it.
    pub(super) fingerprint: String,
    /// The range that the load was after when it began.
    pub(super) from: Option<Time>,
    pub(super) to: Option<Time>,
    /// Where the next row is in the text of the source.
    pub(super) offset: u64,
    pub(super) line: u64,
    /// When the bar of the next row begins.
    pub(super) next: Time,
    /// The rows were not in order and were sorted: there is no place to go on from, but what was done holds.
    pub(super) sorted: bool,
    /// Rows read before it.
    pub(super) read: u64,
    /// The last bar that was taken before it.
    pub(super) last: Option<Time>,
    /// What was counted before it.
    pub(super) validator: Validator,
    pub(super) done: Vec<Done>,
}

/// Of the shape above.
pub(super) const VERSION: u32 = 2;

impl Saved {
    /// What a checkpoint holds; `None` when it is of another version and nothing can be made of it.
    pub(super) fn read(state: Value) -> Option<Self> {
        serde_json::from_value::<Self>(state).ok().filter(|saved| saved.version == VERSION)
    }

    /// The range that the load was after when it began.
    pub(super) fn range(&self) -> Range {
        Range { from: self.from, to: self.to }
    }

    /// Where its source was.
    pub(super) fn known(&self) -> Known {
        Known { place: Place { offset: self.offset, line: self.line }, fingerprint: self.fingerprint.clone() }
    }

    /// Splits what was done into segments that are still there as they were, and those that are not.
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

/// What of an earlier attempt holds.
#[derive(Default)]
pub(super) struct Trust {
    /// Everything: the load goes on at its place.
    pub(super) whole: Option<Saved>,
    /// Segments that need not be written again, where rows have to be read again.
    pub(super) segments: Vec<Done>,
    /// The content that they were read from.
    pub(super) fingerprint: String,
    /// They are of rows that were sorted.
    pub(super) sorted: bool,
}

impl Trust {
    /// Looks at the files that the checkpoint names.
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
        say(
            report,
            LogLevel::Warn,
            format!(
                "Segments changed since the previous attempt: {}. Reading from the start",
                names.join(", ")
            ),
        );
        Self { whole: None, segments: good, fingerprint: saved.fingerprint, sorted: saved.sorted }
    }

    /// What the source has to be asked for.
    pub(super) fn narrow(&self, range: Range) -> Range {
        let next = self.whole.as_ref().map(|saved| saved.next);
        Range { from: next.into_iter().chain(range.from).max(), ..range }
    }

    /// Forgets everything when the source is not what it was.
    pub(super) fn hold_against(&mut self, opened: &Opened, report: &impl Report) {
        if self.whole.is_none() && self.segments.is_empty() {
            return;
        }
        if opened.fingerprint != self.fingerprint || (self.whole.is_some() && !opened.resumed) {
            say(
                report,
                LogLevel::Warn,
                "The source changed since the previous attempt: reading from the start",
            );
            *self = Self::default();
        } else if let Some(saved) = &self.whole {
            let kept = counted(saved.done.len() as u64, "segment", "segments");
            say(report, LogLevel::Info, format!("Resuming after {kept} completed by a previous attempt"));
        }
    }
}

/// The hash of some bytes, as it is kept in checkpoints: 128 bits are enough to tell files apart.
pub(super) fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The hash of a file.
///
/// # Errors
/// When it can't be read.
pub(super) fn hash_of(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hex(&hasher.finalize()))
}

fn hex(digest: &[u8]) -> String {
    digest.iter().take(16).map(|b| format!("{b:02x}")).collect()
}
