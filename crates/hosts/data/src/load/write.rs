//! Writes one segment: stored bars are kept, merged or replaced, depending on the mode.

use super::super::params::Mode;
use super::resume::{Done, hash, hash_of};
use market_data::failures::{failure, unreadable, unwritable};
use market_data::segment::Label;
use market_data::{Bar, Claim, DataSet, Disk, Period, Range, segment};
use protocol::{Failure, Time};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Writer of the segments of one load. Cheap to clone. Each clone holds the lock on the data set.
#[derive(Clone)]
pub(super) struct Writer {
    pub(super) set: DataSet,
    pub(super) label: Label,
    pub(super) mode: Mode,
    /// Requested range.
    pub(super) range: Range,
    pub(super) disk: Arc<dyn Disk>,
    /// Times of bars added by this load, by segment. Empty for a full load.
    pub(super) added: Arc<Mutex<BTreeMap<Period, Vec<Time>>>>,
    pub(super) _claim: Claim,
}

impl Writer {
    /// Writes the bars of a period. `kept` lists completed segments for a failure message.
    ///
    /// # Errors
    /// If writing fails. The previous file is unchanged.
    pub(super) fn put(&self, period: Period, new: &[Bar], kept: &str) -> Result<Done, Failure> {
        let stored = self.stored(period)?;
        let (bars, added) = join(&stored, new);
        if added == 0 && !stored.is_empty() && self.mode != Mode::Full {
            // Nothing new: the file is unchanged.
            let path = self.set.path(period);
            let hash = hash_of(&path).map_err(|e| unreadable(&path, &e))?;
            return Ok(Done { file: period.file(), rows: bars.len() as u64, new: 0, hash });
        }
        let hash = self.write(period, &bars, kept)?;
        if self.mode != Mode::Full {
            let was_there = |bar: &Bar| stored.binary_search_by_key(&bar.time, |b| b.time).is_ok();
            let own = new.iter().filter(|bar| !was_there(bar)).map(|bar| bar.time).collect();
            self.added().insert(period, own);
        }
        Ok(Done { file: period.file(), rows: bars.len() as u64, new: added, hash })
    }

    /// Removes the bars added by this load before the source is read again, because modes that keep stored bars would
    /// keep them too. A full load replaces them anyway.
    ///
    /// # Errors
    /// If a segment can't be read, written or removed.
    pub(super) fn withdraw(&self) -> Result<(), Failure> {
        let added = std::mem::take(&mut *self.added());
        for (period, own) in added {
            let mut left = self.set.bars(period, Range::default())?;
            left.retain(|bar| own.binary_search(&bar.time).is_err());
            self.keep(period, &left)?;
        }
        Ok(())
    }

    /// Removes stored bars that a full load did not find in the source any more. Returns the number of changed
    /// segments.
    ///
    /// # Errors
    /// If a segment can't be read, written or removed.
    pub(super) fn clear(&self, done: &[Done]) -> Result<u64, Failure> {
        let mut changed = 0;
        for stored in self.set.segments()? {
            if done.iter().any(|d| d.file == stored.period.file()) || !self.range.meets(stored.period) {
                continue;
            }
            let left = self.stored(stored.period)?;
            if !left.is_empty() && left.len() as u64 == segment::rows(&stored.path).unwrap_or(0) {
                continue;
            }
            self.keep(stored.period, &left)?;
            changed += 1;
        }
        Ok(changed)
    }

    /// Number of stored bars in a range that a full load keeps because they are outside of its own.
    ///
    /// # Errors
    /// If a segment can't be read.
    pub(super) fn beyond(&self, asked: Range) -> Result<u64, Failure> {
        if self.range == asked {
            return Ok(0);
        }
        let mut kept = 0;
        for stored in self.set.segments()? {
            if asked.meets(stored.period) && !self.range.covers(stored.period) {
                let bars = self.set.bars(stored.period, asked)?;
                kept += bars.iter().filter(|bar| !self.range.contains(bar.time)).count() as u64;
            }
        }
        Ok(kept)
    }

    /// Rewrites a segment with these bars, or deletes it if there are none.
    fn keep(&self, period: Period, bars: &[Bar]) -> Result<(), Failure> {
        let path = self.set.path(period);
        if bars.is_empty() {
            return std::fs::remove_file(&path).map_err(|e| unwritable(&path, &e, ""));
        }
        self.write(period, bars, "").map(|_| ())
    }

    fn added(&self) -> MutexGuard<'_, BTreeMap<Period, Vec<Time>>> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stored bars of a period that stay.
    fn stored(&self, period: Period) -> Result<Vec<Bar>, Failure> {
        match self.mode {
            Mode::Tail | Mode::Backfill => self.set.bars(period, Range::default()),
            // The whole period is replaced, so an unreadable file does not matter.
            Mode::Full if self.range.covers(period) => Ok(Vec::new()),
            Mode::Full => {
                let mut bars = self.set.bars(period, Range::default())?;
                bars.retain(|b| !self.range.contains(b.time));
                Ok(bars)
            }
        }
    }

    fn write(&self, period: Period, bars: &[Bar], kept: &str) -> Result<String, Failure> {
        let path = self.set.path(period);
        let bytes = segment::encode(bars, &self.label).map_err(|e| {
            failure(
                format!("Cannot encode segment {period}: {e}."),
                "This is a bug in Signalbox. Please report it.",
            )
        })?;
        self.disk.put(&path, &bytes).map_err(|e| unwritable(&path, &e, kept))?;
        Ok(hash(&bytes))
    }
}

/// Merges both in time order; stored bars win. Also returns the number of new bars taken.
fn join(stored: &[Bar], new: &[Bar]) -> (Vec<Bar>, u64) {
    let mut all = Vec::with_capacity(stored.len() + new.len());
    let mut added = 0;
    let mut rest = stored.iter().peekable();
    for bar in new {
        while let Some(before) = rest.next_if(|b| b.time < bar.time) {
            all.push(*before);
        }
        if rest.peek().is_none_or(|b| b.time != bar.time) {
            all.push(*bar);
            added += 1;
        }
    }
    all.extend(rest);
    (all, added)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn bar(time: i64, close: f64) -> Bar {
        Bar { time: Time::from_micros(time), open: 1.0, high: 2.0, low: 1.0, close, volume: Some(0.0) }
    }

    proptest! {
        #[test]
        fn stored_bars_win_and_none_is_lost_or_duplicated(
            stored in proptest::collection::btree_set(0i64..60, 0..40), new in proptest::collection::btree_set(0i64..60, 0..40)
        ) {
            let bars = |times: &BTreeSet<i64>, close| times.iter().map(|t| bar(*t, close)).collect::<Vec<_>>();
            let (all, added) = join(&bars(&stored, 1.0), &bars(&new, 2.0));
            let expected: BTreeMap<i64, f64> =
                new.iter().map(|t| (*t, 2.0)).chain(stored.iter().map(|t| (*t, 1.0))).collect();
            prop_assert_eq!(all.iter().map(|b| (b.time.micros(), b.close)).collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(added as usize, new.difference(&stored).count());
        }
    }
}
