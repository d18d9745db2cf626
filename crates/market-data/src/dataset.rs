//! Folder of one data set: its segments, and the lock that allows one load at a time.

use crate::bars::{Bar, Timeframe};
use crate::days::trading_day;
use crate::failures::{failure, unreadable, unwritable};
use crate::grid::is_off_grid;
use crate::period::Period;
use crate::range::Range;
use crate::segment::{self, SegmentError};
use crate::symbol::Symbol;
use atomic_file::PART;
use protocol::{Failure, Time};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Data set: one symbol in one timeframe from one source.
#[derive(Clone, Debug)]
pub struct DataSet {
    pub symbol: Symbol,
    pub timeframe: Timeframe,
    folder: PathBuf,
}

/// Stored segment.
#[derive(Clone, Debug)]
pub struct Stored {
    pub period: Period,
    pub path: PathBuf,
    pub bytes: u64,
}

/// Exclusive lock on a data set, held as long as any clone lives. A crash releases it too.
#[derive(Clone, Debug)]
pub struct DataSetLock {
    _file: Arc<File>,
}

impl DataSet {
    /// Data set below the root folder. Reads and creates nothing yet.
    pub fn new(root: &Path, source: &str, symbol: Symbol, timeframe: Timeframe) -> Self {
        let folder = root.join(source).join(symbol.file_name()).join(timeframe.as_str());
        Self { symbol, timeframe, folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn path(&self, period: Period) -> PathBuf {
        self.folder.join(period.file())
    }

    /// Creates the folder if missing, locks the data set, and removes leftovers of a crashed load.
    ///
    /// # Errors
    /// If another load holds the lock, or the folder is not writable.
    pub fn claim(&self) -> Result<DataSetLock, Failure> {
        fs::create_dir_all(&self.folder).map_err(|e| unwritable(&self.folder, &e, ""))?;
        // The dot hides it from programs that read a folder of Parquet files.
        let path = self.folder.join(".lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| unwritable(&path, &e, ""))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failure(
                    format!(
                        "Another load of {} {} from the same source is writing to {}.",
                        self.symbol,
                        self.timeframe,
                        self.folder.display()
                    ),
                    "Wait until that load ends, or cancel it. Then start this load again.",
                ));
            }
            Err(TryLockError::Error(e)) => return Err(unwritable(&path, &e, "")),
        }
        self.sweep().map_err(|e| unwritable(&self.folder, &e, ""))?;
        Ok(DataSetLock { _file: Arc::new(file) })
    }

    fn sweep(&self) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().ends_with(PART) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Stored segments, oldest first; empty without a folder.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn segments(&self) -> Result<Vec<Stored>, Failure> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(unreadable(&self.folder, &e)),
        };
        let mut stored = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| unreadable(&self.folder, &e))?;
            let name = entry.file_name();
            let Some(period) = name.to_str().and_then(|n| Period::of_file(n, self.timeframe)) else {
                continue;
            };
            let bytes = entry.metadata().map_err(|e| unreadable(&entry.path(), &e))?.len();
            stored.push(Stored { period, path: entry.path(), bytes });
        }
        stored.sort_by_key(|s| s.period);
        Ok(stored)
    }

    /// Bars of a stored segment within the range; empty if there is no segment.
    ///
    /// # Errors
    /// If the file exists and can't be read.
    pub fn bars(&self, period: Period, range: Range) -> Result<Vec<Bar>, Failure> {
        let path = self.path(period);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        self.scan(&path, range, |bars| all.extend_from_slice(bars)).map_err(|e| broken(&path, &e))?;
        Ok(all)
    }

    /// Passes the bars of a segment file within the range to `take`, in chunks, in time order. Daily bars are
    /// normalized to one per day at its first moment: earlier versions stored them in the time zone of their source,
    /// some days twice.
    ///
    /// # Errors
    /// If the file does not exist or is not a segment.
    pub fn scan(&self, path: &Path, range: Range, mut take: impl FnMut(&[Bar])) -> Result<(), SegmentError> {
        if self.timeframe != Timeframe::D1 {
            return segment::scan(path, range, take);
        }
        let (mut last, mut days) = (None, Vec::new());
        segment::scan(path, Range::default(), |bars| {
            days.clear();
            for bar in bars {
                let day = trading_day(bar.time);
                if range.contains(day) && last < Some(day) {
                    last = Some(day);
                    days.push(Bar { time: day, ..*bar });
                }
            }
            if !days.is_empty() {
                take(&days);
            }
        })
    }

    /// Start of the newest valid bar. Earlier versions stored bars after `latest` and an off-grid last bar; both are
    /// ignored.
    ///
    /// # Errors
    /// If the last segment can't be read.
    pub fn last(&self, latest: Option<Time>) -> Result<Option<Time>, Failure> {
        for stored in self.segments()?.iter().rev() {
            let mut bars =
                self.bars(stored.period, Range { from: None, to: latest.map(|t| t.plus_micros(1)) })?;
            while let Some(bar) = bars.pop() {
                if !is_off_grid(self.timeframe, bar.time, bars.last().map(|b| b.time)) {
                    return Ok(Some(bar.time));
                }
            }
        }
        Ok(None)
    }
}

/// Failure of a stored segment that can't be read.
pub fn broken(path: &Path, error: &SegmentError) -> Failure {
    match error {
        SegmentError::Io(e) => unreadable(path, e),
        _ => failure(
            format!("Cannot read stored segment {}: {error}.", path.display()),
            "Move that file to another folder, then load with the mode backfill, which loads only the missing bars.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(root: &Path) -> DataSet {
        DataSet::new(root, "csv", Symbol::new("MSFT").unwrap(), Timeframe::H1)
    }

    #[test]
    fn a_second_lock_of_the_same_data_set_fails_with_a_reason() {
        let root = tempfile::tempdir().unwrap();
        let claim = set(root.path()).claim().unwrap();
        let clone = claim.clone();
        let refused = set(root.path()).claim().unwrap_err();
        assert!(refused.message.starts_with("Another load of MSFT 1h"), "{}", refused.message);
        drop(claim);
        assert!(set(root.path()).claim().is_err(), "a part of the first load still works on it");
        drop(clone);
        set(root.path()).claim().unwrap();
    }

    #[test]
    fn leftovers_of_a_crashed_load_are_removed_and_segments_kept() {
        let root = tempfile::tempdir().unwrap();
        let set = set(root.path());
        fs::create_dir_all(set.folder()).unwrap();
        for name in ["2023.parquet", "2024.parquet.part", "notes.txt", "2024-01.parquet", "2022.parquet"] {
            fs::write(set.folder().join(name), b"x").unwrap();
        }
        let _lock = set.claim().unwrap();
        assert!(!set.folder().join("2024.parquet.part").exists());
        assert!(set.folder().join("notes.txt").exists(), "what is not ours stays");
        let names: Vec<_> = set.segments().unwrap().iter().map(|s| s.period.file()).collect();
        assert_eq!(names, ["2022.parquet", "2023.parquet"]);
    }

    #[test]
    fn a_damaged_segment_is_named_with_advice() {
        let root = tempfile::tempdir().unwrap();
        let set = set(root.path());
        fs::create_dir_all(set.folder()).unwrap();
        fs::write(set.folder().join("2024.parquet"), b"torn").unwrap();
        let load_error = set.last(None).unwrap_err();
        assert!(
            load_error.message.contains("2024.parquet") && load_error.hint.contains("backfill"),
            "{load_error:?}"
        );
    }
}
