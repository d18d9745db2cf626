//! Base-2 exponential histograms: distributions that can be merged, with percentiles of bounded error.
//!
//! The buckets are those of Prometheus' native histograms and of OpenTelemetry's exponential histograms: at schema `s`,
//! the bounds are the powers of `2^(2^−s)`. At schema 5, a percentile differs from the exact one by at most 1.1 %, at
//! schema 3 by at most 4.5 %. Histograms of any schema can be merged, so percentiles of many hosts or hours are
//! computed from the merged buckets, never averaged.
//!
//! Knows only arithmetic. Must not know what is measured, or when. Compiles to native code and to WebAssembly.
//!
//! ```
//! # use signalbox_histogram::Histogram;
//! let mut latencies = Histogram::default();
//! for milliseconds in 1..=100 {
//!     latencies.record(f64::from(milliseconds) / 1_000.0)?;
//! }
//! let p95 = latencies.quantile(0.95).unwrap_or_default();
//! assert!((p95 / 0.095 - 1.0).abs() < 0.011);
//! # Ok::<_, signalbox_histogram::NotRecordable>(())
//! ```

mod bounds;
mod encoding;

pub use encoding::DecodeError;

use std::ops::RangeInclusive;
use thiserror::Error;

/// Lowest schema: each bucket spans a factor of 65,536.
pub const LOWEST_SCHEMA: i8 = -4;
/// Highest schema: each bucket spans a factor of 1.0027.
pub const HIGHEST_SCHEMA: i8 = 8;
/// Schema of new histograms: each bucket spans a factor of 1.022.
pub const DEFAULT_SCHEMA: i8 = 5;
/// Largest number of buckets. A value beyond them lowers the schema, so memory is bounded by 8 KiB. At schema 5, the
/// buckets span a factor of 4 billion: from 1 µs to 70 min.
const MAX_BUCKETS: usize = 1_024;

/// A value that is no measurement: negative, infinite or NaN.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
#[error("{0} can't be recorded: a histogram holds finite numbers from 0 on")]
pub struct NotRecordable(pub f64);

/// Distribution of numbers from 0 on. The unit is that of its owner.
#[derive(Clone, PartialEq, Debug)]
pub struct Histogram {
    schema: i8,
    /// Number of values that are exactly 0.
    zeros: u64,
    /// Index of the first bucket.
    first: i32,
    /// From the lowest to the highest bucket that has values, without gaps.
    buckets: Vec<u64>,
    sum: f64,
    min: f64,
    max: f64,
}

/// Values within bounds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bucket {
    /// Lower bound, exclusive; for values of 0, both bounds are 0.
    pub lower: f64,
    /// Upper bound, inclusive.
    pub upper: f64,
    /// Number of values.
    pub count: u64,
}

impl Default for Histogram {
    /// Empty, at schema 5.
    fn default() -> Self {
        Self {
            schema: DEFAULT_SCHEMA,
            zeros: 0,
            first: 0,
            buckets: Vec::new(),
            sum: 0.0,
            min: f64::INFINITY,
            max: 0.0,
        }
    }
}

impl Histogram {
    /// Records one value.
    ///
    /// # Errors
    /// [`NotRecordable`] if the value is negative, infinite or NaN; the histogram is unchanged.
    pub fn record(&mut self, value: f64) -> Result<(), NotRecordable> {
        if !(value.is_finite() && value >= 0.0) {
            return Err(NotRecordable(value));
        }
        if value == 0.0 {
            self.zeros = self.zeros.saturating_add(1);
        } else {
            let index = self.make_room(bounds::index_of(value, self.schema));
            let bucket = &mut self.buckets[(index - self.first) as usize];
            *bucket = bucket.saturating_add(1);
        }
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        Ok(())
    }

    /// Adds all values of another histogram. The result has the lower schema of both.
    pub fn merge(&mut self, other: &Histogram) {
        let mut other = other.clone();
        self.downscale(other.schema);
        other.downscale(self.schema);
        if let (Some(lowest), Some(highest)) = (other.lowest(), other.highest()) {
            self.make_room(lowest);
            other.downscale(self.schema);
            self.make_room(other.highest().unwrap_or(highest));
            other.downscale(self.schema);
        }
        for (index, count) in (other.first..).zip(&other.buckets) {
            let bucket = &mut self.buckets[(index - self.first) as usize];
            *bucket = bucket.saturating_add(*count);
        }
        self.zeros = self.zeros.saturating_add(other.zeros);
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Lowers the schema to `schema` if it is higher. Each step joins two buckets and doubles the error.
    pub fn downscale(&mut self, schema: i8) {
        while self.schema > schema.max(LOWEST_SCHEMA) {
            self.coarsen();
        }
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.buckets.iter().fold(self.zeros, |sum, count| sum.saturating_add(*count))
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Sum of all values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Mean of all values, exact; `None` if there are none.
    pub fn mean(&self) -> Option<f64> {
        (!self.is_empty()).then(|| self.sum / self.count() as f64)
    }

    /// Smallest and largest value, exact; `None` if there are none.
    pub fn range(&self) -> Option<RangeInclusive<f64>> {
        (!self.is_empty()).then_some(self.min..=self.max)
    }

    /// Current schema.
    pub fn schema(&self) -> i8 {
        self.schema
    }

    /// Largest relative error of a quantile at the current schema: `√base − 1`.
    pub fn error(&self) -> f64 {
        bounds::upper_bound(1, self.schema).sqrt() - 1.0
    }

    /// The value below or at which the share `q` of all values lies (nearest rank: the 95th of 100 values for 0.95).
    /// The middle of its bucket, at most [`error`](Self::error) away; `None` if there are no values, or `q` is not from
    /// 0 to 1.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count);
        if rank == count {
            return Some(self.max);
        }
        let mut below = 0_u64;
        for bucket in self.buckets() {
            below = below.saturating_add(bucket.count);
            if below >= rank {
                return Some((bucket.lower.sqrt() * bucket.upper.sqrt()).clamp(self.min, self.max));
            }
        }
        Some(self.max)
    }

    /// Number of values up to and including `bound`. Exact if it is the bound of a bucket, such as a power of two at
    /// schema 0 and higher; otherwise without the values of the bucket in which it lies.
    pub fn count_up_to(&self, bound: f64) -> u64 {
        self.buckets()
            .take_while(|bucket| bucket.upper <= bound)
            .fold(0, |sum, b| sum.saturating_add(b.count))
    }

    /// Buckets that have values, from low to high.
    pub fn buckets(&self) -> impl Iterator<Item = Bucket> {
        let zeros = Bucket { lower: 0.0, upper: 0.0, count: self.zeros };
        let others = (self.first..).zip(&self.buckets).map(|(index, count)| Bucket {
            lower: bounds::upper_bound(index - 1, self.schema),
            upper: bounds::upper_bound(index, self.schema),
            count: *count,
        });
        std::iter::once(zeros).chain(others).filter(|bucket| bucket.count > 0)
    }

    /// Number of values that are exactly 0.
    pub fn zeros(&self) -> u64 {
        self.zeros
    }

    /// Index of the first bucket, and the counts from it on without gaps, as native histograms of Prometheus and
    /// exponential histograms of OpenTelemetry encode them: bucket `i` has the values from `base^(i−1)`, exclusive, to
    /// `base^i` with `base = 2^(2^−schema)`.
    pub fn indexed_buckets(&self) -> (i32, &[u64]) {
        (self.first, &self.buckets)
    }

    fn lowest(&self) -> Option<i32> {
        (!self.buckets.is_empty()).then_some(self.first)
    }

    fn highest(&self) -> Option<i32> {
        (!self.buckets.is_empty()).then(|| self.first + self.buckets.len() as i32 - 1)
    }

    /// Makes a bucket for `index`, at a lower schema if there would be too many; returns its index then.
    fn make_room(&mut self, mut index: i32) -> i32 {
        loop {
            let (lowest, highest) = (self.lowest().unwrap_or(index), self.highest().unwrap_or(index));
            let (low, high) = (lowest.min(index), highest.max(index));
            if (high - low) as usize >= MAX_BUCKETS && self.schema > LOWEST_SCHEMA {
                self.coarsen();
                index = bounds::coarser(index);
                continue;
            }
            let before = (lowest - low) as usize;
            self.buckets.splice(0..0, std::iter::repeat_n(0, before));
            self.first = low;
            self.buckets.resize((high - low + 1) as usize, 0);
            return index;
        }
    }

    /// Joins pairs of buckets.
    fn coarsen(&mut self) {
        let (first, before) = (bounds::coarser(self.first), self.first);
        let mut joined: Vec<u64> = Vec::with_capacity(self.buckets.len() / 2 + 1);
        for (index, count) in (before..).zip(&self.buckets) {
            let at = (bounds::coarser(index) - first) as usize;
            joined.resize(joined.len().max(at + 1), 0);
            joined[at] = joined[at].saturating_add(*count);
        }
        self.buckets = joined;
        self.first = first;
        self.schema -= 1;
    }
}

#[cfg(test)]
mod tests;
