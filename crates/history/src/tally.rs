//! Tallies: how many things ended how, and the distribution of a value of theirs, by minute for 7 days and by ten
//! minutes for 90 days. Percentiles of any time are those of merged distributions, never averages.

use crate::error::HistoryError;
use crate::store::Store;
use histogram::{DecodeError, Histogram};
use rusqlite::{OptionalExtension, Transaction, params};
use thiserror::Error;

/// First byte of the format.
const VERSION: u8 = 1;
/// Largest number of classes of a tally.
const MAX_CLASSES: usize = 255;
const DAY: i64 = 86_400;

/// What ended within a part of a slot.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tally {
    /// Length of the observed part, in seconds; what ended outside of it is unknown.
    pub seconds: f64,
    /// Number by class. The owner knows what the classes mean; absent ones are 0.
    pub counts: Vec<u64>,
    /// Distribution of their values, such as latencies. What has no value is not in it.
    pub values: Histogram,
}

/// Bytes that are no tally.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
enum Damage {
    #[error("the stored count is cut off")]
    Truncated,
    #[error("the stored count has the unknown format {0}")]
    Version(u8),
    #[error("the stored count has the impossible length of {0} s")]
    Seconds(f64),
    #[error("{0}")]
    Histogram(#[from] DecodeError),
}

impl Tally {
    /// Adds another part of the same or of another slot.
    pub fn merge(&mut self, other: &Self) {
        self.seconds += other.seconds;
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.values.merge(&other.values);
    }

    /// Number of all classes.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn encode(&self) -> Vec<u8> {
        let counts = &self.counts[..self.counts.len().min(MAX_CLASSES)];
        let mut out = vec![VERSION];
        out.extend(self.seconds.to_le_bytes());
        out.push(counts.len() as u8);
        out.extend(counts.iter().flat_map(|count| count.to_le_bytes()));
        out.extend(self.values.encode());
        out
    }

    fn decode(bytes: &[u8]) -> Result<Self, Damage> {
        let (version, rest) = bytes.split_first().ok_or(Damage::Truncated)?;
        if *version != VERSION {
            return Err(Damage::Version(*version));
        }
        let (seconds, rest) = rest.split_first_chunk().ok_or(Damage::Truncated)?;
        let seconds = f64::from_le_bytes(*seconds);
        if !seconds.is_finite() || seconds < 0.0 {
            return Err(Damage::Seconds(seconds));
        }
        let (classes, rest) = rest.split_first().ok_or(Damage::Truncated)?;
        let (counts, values) = rest.split_at_checked(usize::from(*classes) * 8).ok_or(Damage::Truncated)?;
        let counts = counts.as_chunks().0.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        Ok(Self { seconds, counts, values: Histogram::decode(values)? })
    }
}

/// Resolution at which tallies are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Tier {
    Minute,
    TenMinutes,
}

impl Tier {
    const ALL: [Tier; 2] = [Tier::Minute, Tier::TenMinutes];

    const fn slot_seconds(self) -> i64 {
        match self {
            Tier::Minute => 60,
            Tier::TenMinutes => 600,
        }
    }

    const fn kept_seconds(self) -> i64 {
        match self {
            Tier::Minute => 7 * DAY,
            Tier::TenMinutes => 90 * DAY,
        }
    }

    /// Schema of the distributions: 1.1 % error for minutes, 4.3 % for ten minutes.
    const fn schema(self) -> i8 {
        match self {
            Tier::Minute => histogram::DEFAULT_SCHEMA,
            Tier::TenMinutes => 3,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Tier::Minute => 0,
            Tier::TenMinutes => 1,
        }
    }

    fn slot_of(self, second: i64) -> i64 {
        second.div_euclid(self.slot_seconds()) * self.slot_seconds()
    }
}

/// A part of a minute of a source, to be written.
#[derive(Clone, PartialEq, Debug)]
pub struct Tallied {
    /// Name of the source, such as `host/gpu-1`.
    pub source: String,
    /// A second of the minute, since 1970.
    pub second: i64,
    pub tally: Tally,
}

/// Tallies of a source.
#[derive(Clone, PartialEq, Debug)]
pub struct Tallies {
    /// Length of a slot in seconds: 60 or 600.
    pub slot_seconds: i64,
    /// By start of the slot, in seconds since 1970, ascending. Absent slots are unknown.
    pub slots: Vec<(i64, Tally)>,
}

impl Store {
    /// Adds parts of minutes, all or none of them.
    ///
    /// # Errors
    /// If the database fails.
    pub fn add_tallies(&mut self, tallied: &[Tallied]) -> Result<(), HistoryError> {
        let transaction = self.begin()?;
        for Tallied { source, second, tally } in tallied {
            let source = Self::source_id(&transaction, source)?;
            for tier in Tier::ALL {
                add(&transaction, source, tier, tier.slot_of(*second), tally)?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Tallies of a source whose slots overlap a time: minutes if they are still kept at its beginning.
    ///
    /// # Errors
    /// If the database fails.
    pub fn tallies(&self, source: &str, from: i64, to: i64, now: i64) -> Result<Tallies, HistoryError> {
        let tier = if from >= now - Tier::Minute.kept_seconds() { Tier::Minute } else { Tier::TenMinutes };
        let mut query = self.connection().prepare_cached(
            "SELECT start, data FROM tallies WHERE source = (SELECT id FROM sources WHERE name = ?1)
             AND tier = ?2 AND start >= ?3 AND start < ?4 ORDER BY start",
        )?;
        let mut rows = query.query(params![source, tier.number(), tier.slot_of(from), to])?;
        let mut slots = Vec::new();
        while let Some(row) = rows.next()? {
            let start = row.get(0)?;
            match Tally::decode(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?) {
                Ok(tally) => slots.push((start, tally)),
                Err(error) => {
                    tracing::warn!(source, start, %error, "skipping a corrupt count in the metrics history")
                }
            }
        }
        Ok(Tallies { slot_seconds: tier.slot_seconds(), slots })
    }

    /// Deletes tallies that are older than their tier keeps them.
    pub(crate) fn prune_tallies(&self, now: i64) -> Result<(), HistoryError> {
        for tier in Tier::ALL {
            self.connection()
                .prepare_cached("DELETE FROM tallies WHERE tier = ?1 AND start < ?2")?
                .execute(params![tier.number(), tier.slot_of(now - tier.kept_seconds())])?;
        }
        Ok(())
    }
}

fn add(
    transaction: &Transaction<'_>,
    source: u32,
    tier: Tier,
    start: i64,
    tally: &Tally,
) -> Result<(), HistoryError> {
    let known: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT data FROM tallies WHERE source = ?1 AND tier = ?2 AND start = ?3")?
        .query_row(params![source, tier.number(), start], |row| row.get(0))
        .optional()?;
    let known = known.and_then(|data| {
        let read = Tally::decode(&data);
        read.inspect_err(
            |error| tracing::warn!(source, start, %error, "replacing a corrupt count in the metrics history"),
        )
        .ok()
    });
    let mut all = known.unwrap_or_default();
    all.merge(tally);
    all.values.downscale(tier.schema());
    transaction
        .prepare_cached("INSERT OR REPLACE INTO tallies (source, tier, start, data) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![source, tier.number(), start, all.encode()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(seconds: f64, counts: &[u64], values: &[f64]) -> Tally {
        let mut tally = Tally { seconds, counts: counts.to_vec(), values: Histogram::default() };
        for value in values {
            tally.values.record(*value).unwrap();
        }
        tally
    }

    proptest! {
        #[test]
        fn a_tally_is_the_same_after_its_way_through_bytes(
            seconds in 0.0_f64..600.0,
            counts in prop::collection::vec(any::<u64>(), 0..12),
            values in prop::collection::vec(1e-6_f64..1e3, 0..50),
        ) {
            let tally = tally(seconds, &counts, &values);
            prop_assert_eq!(Tally::decode(&tally.encode()), Ok(tally));
        }

        #[test]
        fn damaged_bytes_are_an_error_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = Tally::decode(&bytes);
        }
    }

    #[test]
    fn parts_of_a_minute_add_up_and_classes_may_be_absent() {
        let mut all = tally(5.0, &[3], &[0.1, 0.2]);
        all.merge(&tally(2.5, &[1, 0, 4], &[0.3]));
        assert_eq!(all, tally(7.5, &[4, 0, 4], &[0.1, 0.2, 0.3]));
        assert_eq!((all.count(), all.values.count()), (8, 3));
    }
}
