//! Minimum, mean and maximum for each pixel of a chart.

use crate::block::Block;
use crate::error::HistoryError;
use crate::roll_up::{Figures, metric_of};
use crate::scale::Scale;
use crate::store::Store;
use crate::tier::Tier;
use rusqlite::{OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};

/// Largest number of buckets of a response.
pub const MAX_BUCKETS: usize = 4_000;

/// What to read.
#[derive(Clone, PartialEq, Debug)]
pub struct Query<'a> {
    pub sources: Vec<Source<'a>>,
    /// Names of metrics; `*` stands for one part of a name, as in `disk.*.busy_ratio`.
    pub metrics: Vec<&'a str>,
    /// Seconds since 1970; `to` is excluded.
    pub from: i64,
    pub to: i64,
    /// Number of buckets, such as the width of the chart in pixels.
    pub width: usize,
    /// Now, by which the tier is chosen that still has `from`.
    pub now: i64,
}

/// Source of values, and the time in which it counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Source<'a> {
    pub name: &'a str,
    /// Seconds since 1970; `until` is excluded.
    pub since: i64,
    pub until: i64,
}

impl<'a> Source<'a> {
    /// Source that always counts.
    pub fn always(name: &'a str) -> Self {
        Self { name, since: i64::MIN, until: i64::MAX }
    }
}

/// Response to a query. Buckets are equally long and follow each other without gaps.
#[derive(Clone, PartialEq, Debug)]
pub struct Buckets {
    /// Resolution of the values that were read.
    pub tier: Tier,
    /// Start of the first bucket, in seconds since 1970.
    pub start: i64,
    /// Length of a bucket in seconds.
    pub bucket_seconds: i64,
    /// Number of buckets.
    pub count: usize,
    /// By metric; only metrics with values.
    pub metrics: BTreeMap<String, Series>,
}

/// Values of a metric by bucket; `None` is unknown.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Series {
    pub min: Vec<Option<f64>>,
    pub mean: Vec<Option<f64>>,
    pub max: Vec<Option<f64>>,
}

impl Query<'_> {
    /// Finest tier that still has the beginning, and whose slots are no finer than the buckets.
    fn tier(&self) -> Tier {
        let wanted = (self.to - self.from) / self.width.max(1) as i64;
        let kept = |tier: &Tier| self.from >= self.now - tier.kept_seconds();
        let finest = Tier::ALL.into_iter().find(kept).unwrap_or(Tier::Hour);
        let coarse = Tier::ALL.into_iter().rev().find(|tier| tier.slot_seconds() <= wanted);
        coarse.unwrap_or(Tier::Second).max(finest)
    }
}

impl Store {
    /// Reads values.
    ///
    /// # Errors
    /// If the database fails.
    pub fn query(&self, query: &Query<'_>) -> Result<Buckets, HistoryError> {
        let tier = query.tier();
        let slot = tier.slot_seconds();
        let width = query.width.clamp(1, MAX_BUCKETS) as i64;
        let start = query.from.div_euclid(slot) * slot;
        let length = (query.to - start).max(slot);
        // Whole slots, so that no value is divided between two buckets.
        let bucket_seconds = (length + width * slot - 1) / (width * slot) * slot;
        let count = ((length + bucket_seconds - 1) / bucket_seconds) as usize;
        let names = self.names(&query.metrics)?;
        let mut buckets: HashMap<u32, Vec<Option<Figures>>> = HashMap::new();
        let mut put = |metric: u32, second: i64, figures: Figures| {
            let all = buckets.entry(metric).or_insert_with(|| vec![None; count]);
            let place = &mut all[((second - start) / bucket_seconds) as usize];
            *place = Some(place.map_or(figures, |known| known.merge(figures)));
        };
        for Source { name: source, since, until } in &query.sources {
            // Whole slots: the one in which a source begins counts.
            let since = start.max(*since).div_euclid(slot) * slot;
            let until = query.to.min(*until);
            self.each_block(source, tier, since, until, |block_start, data| {
                let wanted = |column| names.contains_key(&metric_of(column, tier));
                let block = match Block::decode(data, wanted) {
                    Ok(block) => block,
                    Err(error) => {
                        tracing::warn!(source, ?tier, block_start, %error, "skipping a corrupt block of the metrics history");
                        return;
                    }
                };
                for (metric, (_, scale)) in &names {
                    for number in 0..block.slots {
                        let second = block_start + number as i64 * slot;
                        if second < since || second >= until {
                            continue;
                        }
                        if let Some(figures) = Figures::of_slot(&block, tier, *metric, number, *scale) {
                            put(*metric, second, figures);
                        }
                    }
                }
            })?;
            if tier != Tier::Second {
                for (metric, second, figures) in self.current_minute(source, &names, since, until)? {
                    put(metric, second, figures);
                }
            }
        }
        let metrics = buckets.into_iter().filter_map(|(metric, values)| {
            let figure = |of: fn(&Figures) -> f64| values.iter().map(|v| v.as_ref().map(of)).collect();
            let series = Series { min: figure(|f| f.min), mean: figure(|f| f.mean), max: figure(|f| f.max) };
            Some((names.get(&metric)?.0.clone(), series))
        });
        Ok(Buckets { tier, start, bucket_seconds, count, metrics: metrics.collect() })
    }

    /// Figures of a source's newest minute within a time, with the start of the minute, if the minute is not over and
    /// therefore in no upper tier yet.
    fn current_minute(
        &self,
        source: &str,
        names: &HashMap<u32, (String, Scale)>,
        from: i64,
        to: i64,
    ) -> Result<Vec<(u32, i64, Figures)>, HistoryError> {
        let newest = self
            .connection()
            .prepare_cached(
                "SELECT start, data FROM blocks WHERE source = (SELECT id FROM sources WHERE name = ?1) AND tier = 0
                 AND start >= ?2 AND start < ?3 ORDER BY start DESC LIMIT 1",
            )?
            .query_row(params![source, from, to], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional()?;
        let Some((start, data)) = newest else { return Ok(Vec::new()) };
        // Corrupt blocks are reported where the upper tiers are read, or hold a minute only.
        let seconds = Block::decode(&data, |column| names.contains_key(&column)).unwrap_or_default();
        let mut rolled_up = Block::default();
        self.each_block(source, Tier::Minute, start, start + 1, |_, data| {
            let wanted = |column| names.contains_key(&metric_of(column, Tier::Minute));
            rolled_up = Block::decode(data, wanted).unwrap_or_default();
        })?;
        let figures = names.iter().filter_map(|(metric, (_, scale))| {
            let slot = Tier::Minute.slot_of(start);
            if Figures::of_slot(&rolled_up, Tier::Minute, *metric, slot, *scale).is_some() {
                return None;
            }
            let known = (0..seconds.slots).filter(|slot| start + (*slot as i64) < to);
            let known =
                known.filter_map(|slot| Figures::of_slot(&seconds, Tier::Second, *metric, slot, *scale));
            Some((*metric, start, known.reduce(Figures::merge)?))
        });
        Ok(figures.collect())
    }

    /// Machines of a host in a time, with the second from which on it was there.
    ///
    /// # Errors
    /// If the database fails.
    pub fn machines(&self, host: &str) -> Result<Vec<(String, i64)>, HistoryError> {
        let mut query = self
            .connection()
            .prepare_cached("SELECT machine, since FROM machines WHERE host = ?1 ORDER BY since")?;
        let rows = query.query_map([host], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Metrics that match any pattern, by ID.
    fn names(&self, patterns: &[&str]) -> Result<HashMap<u32, (String, Scale)>, HistoryError> {
        let mut query = self.connection().prepare_cached("SELECT id, name FROM metrics")?;
        let all = query.query_map([], |row| Ok((row.get::<_, u32>(0)?, row.get::<_, String>(1)?)))?;
        let mut names = HashMap::new();
        for row in all {
            let (id, name) = row?;
            if patterns.iter().any(|pattern| matches(pattern, &name)) {
                let scale = Scale::of(&name);
                names.insert(id, (name, scale));
            }
        }
        Ok(names)
    }

    fn each_block(
        &self,
        source: &str,
        tier: Tier,
        from: i64,
        to: i64,
        mut each: impl FnMut(i64, &[u8]),
    ) -> Result<(), HistoryError> {
        let source: Option<u32> = self
            .connection()
            .prepare_cached("SELECT id FROM sources WHERE name = ?1")?
            .query_row([source], |row| row.get(0))
            .optional()?;
        let Some(source) = source else { return Ok(()) };
        let mut query = self.connection().prepare_cached(
            "SELECT start, data FROM blocks WHERE source = ?1 AND tier = ?2 AND start >= ?3 AND start < ?4",
        )?;
        let mut rows = query.query(params![source, tier.number(), tier.block_of(from), to])?;
        while let Some(row) = rows.next()? {
            each(row.get(0)?, row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?);
        }
        Ok(())
    }
}

/// Whether a name matches a pattern, part by part.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.split('.'), name.split('.'));
    loop {
        match (pattern.next(), name.next()) {
            (None, None) => return true,
            (Some(part), Some(word)) if part == "*" || part == word => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_part_of_a_name() {
        assert!(matches("disk.*.busy_ratio", "disk.sda.busy_ratio"));
        assert!(matches("load.1m", "load.1m"));
        assert!(!matches("disk.*", "disk.sda.busy_ratio"));
        assert!(!matches("disk.*.busy_ratio", "disk.sda.reads_per_second"));
    }

    #[test]
    fn the_tier_is_as_fine_as_the_buckets_and_still_has_the_beginning() {
        let now = 1_000_000_000;
        let tier = |ago: i64, length: i64| {
            let from = now - ago;
            Query { sources: vec![], metrics: vec![], from, to: from + length, width: 800, now }.tier()
        };
        assert_eq!(tier(900, 900), Tier::Second);
        assert_eq!(tier(86_400, 86_400), Tier::Minute);
        assert_eq!(tier(90 * 86_400, 90 * 86_400), Tier::Hour);
        assert_eq!(tier(3 * 86_400, 600), Tier::Minute, "seconds are kept for two days");
        assert_eq!(tier(300 * 86_400, 600), Tier::Hour);
    }
}
