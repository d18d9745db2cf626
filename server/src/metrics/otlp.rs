//! Metrics for OTLP: the same ones as for Prometheus, with units as in OpenTelemetry.
//!
//! A name lacks the unit and `_total`, because a collector adds both when it passes a metric on to Prometheus.

use super::Figures;
use otlp::metrics::exponential_histogram_data_point::Buckets;
use otlp::metrics::{
    AggregationTemporality, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Metric,
    NumberDataPoint, Sum, metric, number_data_point,
};
use prometheus::{BucketSpan, MetricFamily, MetricType};
use prometheus_client::encoding::prometheus_protobuf::{self, prometheus_data_model as prometheus};
use prometheus_client::registry::Registry;
use protocol::Time;

impl Figures {
    /// Figures as metrics, cumulative since the server started. `events_before` is the number of events before that.
    pub fn for_otlp(mut self, started: Time, events_before: u64) -> Vec<Metric> {
        self.snapshot.seq = self.snapshot.seq.saturating_sub(events_before);
        let now = self.snapshot.now;
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let families = prometheus_protobuf::encode(&registry).expect("writing to memory can't fail");
        let times = Times { started: nanos(started), now: nanos(now) };
        families.into_iter().map(|family| times.metric(family)).collect()
    }
}

#[derive(Clone, Copy)]
struct Times {
    started: u64,
    now: u64,
}

impl Times {
    fn metric(self, family: MetricFamily) -> Metric {
        let temporality = AggregationTemporality::Cumulative as i32;
        let kind = family.r#type();
        let data = match kind {
            MetricType::Counter => metric::Data::Sum(Sum {
                data_points: self.numbers(&family),
                aggregation_temporality: temporality,
                is_monotonic: true,
            }),
            MetricType::Histogram => metric::Data::ExponentialHistogram(ExponentialHistogram {
                data_points: family.metric.iter().filter_map(|of| self.histogram(of)).collect(),
                aggregation_temporality: temporality,
            }),
            _ => metric::Data::Gauge(Gauge { data_points: self.numbers(&family) }),
        };
        Metric {
            name: name_of(&family, kind),
            description: family.help,
            unit: unit_of(&family.unit).to_owned(),
            data: Some(data),
            ..Metric::default()
        }
    }

    fn numbers(self, family: &MetricFamily) -> Vec<NumberDataPoint> {
        let value = |of: &prometheus::Metric| {
            let counter = of.counter.as_ref().map(|counter| counter.value);
            counter.or_else(|| of.gauge.as_ref().map(|gauge| gauge.value))
        };
        let point = |of: &prometheus::Metric| {
            let start_time_unix_nano = if of.counter.is_some() { self.started } else { 0 };
            Some(NumberDataPoint {
                attributes: attributes(of),
                start_time_unix_nano,
                time_unix_nano: self.now,
                value: Some(number_data_point::Value::AsDouble(value(of)?)),
                ..NumberDataPoint::default()
            })
        };
        family.metric.iter().filter_map(point).collect()
    }

    fn histogram(self, of: &prometheus::Metric) -> Option<ExponentialHistogramDataPoint> {
        let histogram = of.histogram.as_ref()?;
        Some(ExponentialHistogramDataPoint {
            attributes: attributes(of),
            start_time_unix_nano: self.started,
            time_unix_nano: self.now,
            count: histogram.sample_count,
            sum: Some(histogram.sample_sum),
            scale: histogram.schema,
            zero_count: histogram.zero_count,
            zero_threshold: histogram.zero_threshold,
            positive: Some(buckets(&histogram.positive_span, &histogram.positive_delta)),
            ..ExponentialHistogramDataPoint::default()
        })
    }
}

/// Buckets without gaps. In OTLP, the index of a bucket is that of its lower bound; in Prometheus, of its upper one.
fn buckets(spans: &[BucketSpan], deltas: &[i64]) -> Buckets {
    let mut bucket_counts = Vec::new();
    let (mut count, mut deltas) = (0_i64, deltas.iter());
    for (n, span) in spans.iter().enumerate() {
        let gap = if n == 0 { 0 } else { usize::try_from(span.offset).unwrap_or(0) };
        bucket_counts.extend(std::iter::repeat_n(0, gap));
        for delta in deltas.by_ref().take(span.length as usize) {
            count += delta;
            bucket_counts.push(u64::try_from(count).unwrap_or(0));
        }
    }
    let offset = spans.first().filter(|_| !bucket_counts.is_empty()).map_or(0, |first| first.offset - 1);
    Buckets { offset, bucket_counts }
}

fn attributes(of: &prometheus::Metric) -> Vec<otlp::KeyValue> {
    of.label.iter().map(|label| otlp::attribute(&label.name, &label.value)).collect()
}

fn name_of(family: &MetricFamily, kind: MetricType) -> String {
    let name = family.name.as_str();
    let name = if kind == MetricType::Counter { name.strip_suffix("_total").unwrap_or(name) } else { name };
    let without_unit = name.strip_suffix(family.unit.as_str()).and_then(|name| name.strip_suffix('_'));
    without_unit.filter(|_| !family.unit.is_empty()).unwrap_or(name).to_owned()
}

/// Unit by UCUM, as OpenTelemetry uses it.
fn unit_of(unit: &str) -> &str {
    match unit {
        "seconds" => "s",
        "bytes" => "By",
        other => other,
    }
}

fn nanos(time: Time) -> u64 {
    u64::try_from(time.micros()).unwrap_or(0).saturating_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use histogram::Histogram;

    #[test]
    fn buckets_of_otlp_have_the_bounds_of_those_that_were_recorded() {
        let mut recorded = Histogram::default();
        [0.003, 0.004, 0.5].into_iter().for_each(|seconds| recorded.record(seconds).unwrap());
        let (first, counts) = recorded.indexed_buckets();
        let mut last = 0;
        let deltas: Vec<i64> =
            counts.iter().map(|count| *count as i64 - std::mem::replace(&mut last, *count as i64)).collect();
        let spans = [BucketSpan { offset: first, length: u32::try_from(counts.len()).unwrap() }];
        let buckets = buckets(&spans, &deltas);
        assert_eq!(buckets.bucket_counts.iter().sum::<u64>(), 3);
        let base = 2_f64.powf(0.5_f64.powi(i32::from(recorded.schema())));
        let at = |seconds: f64| {
            let holds = |n: &usize| {
                let lower = base.powi(buckets.offset + *n as i32);
                buckets.bucket_counts[*n] > 0 && lower < seconds && seconds <= lower * base * (1.0 + 1e-12)
            };
            (0..buckets.bucket_counts.len()).find(holds)
        };
        for seconds in [0.003, 0.004, 0.5] {
            assert!(at(seconds).is_some(), "{seconds} is in a bucket with its bounds: {buckets:?}");
        }
    }

    #[test]
    fn gaps_between_buckets_are_empty_buckets() {
        let span = |offset, length| BucketSpan { offset, length };
        let buckets = buckets(&[span(-3, 2), span(2, 1)], &[4, -1, 2]);
        assert_eq!(buckets, Buckets { offset: -4, bucket_counts: vec![4, 3, 0, 0, 5] });
        assert_eq!(super::buckets(&[span(0, 0)], &[]), Buckets { offset: 0, bucket_counts: vec![] });
    }
}
