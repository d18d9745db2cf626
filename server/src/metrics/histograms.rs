//! Histograms with classic and native buckets. Both are exact: the bounds of the classic ones are also bounds of the
//! recorded ones, and the native ones are the recorded ones.

use histogram::Histogram;
use prometheus_client::encoding::{
    EncodeMetric, MetricEncoder, NativeHistogram, NativeHistogramBuckets, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::histogram::DEFAULT_NATIVE_HISTOGRAM_ZERO_THRESHOLD;
use std::fmt;

/// Exponents of two of the bounds of a classic histogram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    first: i32,
    last: i32,
    step: usize,
}

impl Bounds {
    /// For requests: from 1 ms to 64 s, each twice the one before.
    pub const REQUESTS: Self = Self { first: -10, last: 6, step: 1 };
    /// For waits and work: from 16 ms to 3 days, each four times the one before.
    pub const OPERATIONS: Self = Self { first: -6, last: 18, step: 2 };

    fn values(self) -> impl Iterator<Item = f64> {
        (self.first..=self.last).step_by(self.step).map(|exponent| 2.0_f64.powi(exponent))
    }
}

/// Durations in seconds.
pub(super) struct Durations<'a> {
    pub histogram: &'a Histogram,
    pub bounds: Bounds,
}

impl EncodeMetric for Durations<'_> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let recorded = self.histogram;
        let mut below = 0;
        let cumulative = self.bounds.values().map(|bound| (bound, recorded.count_up_to(bound)));
        let buckets: Vec<(f64, u64)> = cumulative
            .chain([(f64::INFINITY, recorded.count())])
            .map(|(bound, up_to)| (bound, up_to - std::mem::replace(&mut below, up_to)))
            .collect();
        let (first, counts) = recorded.indexed_buckets();
        let length = u32::try_from(counts.len()).map_err(|_| fmt::Error)?;
        let mut last = 0;
        let deltas: Vec<i64> = counts
            .iter()
            .map(|count| {
                let count = i64::try_from(*count).unwrap_or(i64::MAX);
                count - std::mem::replace(&mut last, count)
            })
            .collect();
        // Without a span and a zero bucket, Prometheus would take an empty histogram for a classic one, and with it all
        // of its family.
        let span = if length == 0 { (0, 0) } else { (first, length) };
        let native = NativeHistogram {
            schema: i32::from(recorded.schema()),
            zero_threshold: DEFAULT_NATIVE_HISTOGRAM_ZERO_THRESHOLD,
            zero_count: recorded.zeros(),
            negative: NativeHistogramBuckets { spans: &[], deltas: &[] },
            positive: NativeHistogramBuckets { spans: &[span], deltas: &deltas },
            created: None,
        };
        encoder.encode_histogram_with_native::<NoLabelSet>(
            recorded.sum(),
            recorded.count(),
            &buckets,
            None,
            native,
        )
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}
