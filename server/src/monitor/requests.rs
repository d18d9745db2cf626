//! History of the server's requests to hosts, and of the requests to the server: recorded by minute, and read as
//! metrics named `requests.*` and `served.*`.

use super::recorder::Recorder;
use crate::served::Served;
use engine::Engine;
use history::{Buckets, Series, Tallied, Tallies, Tally, matches};
use pool::{Outcome, Requests};
use protocol::Time;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Interval at which requests are recorded, in seconds. Divides a minute.
const INTERVAL_SECONDS: i64 = 5;
/// Number of parts of minutes that wait while the history can't be written: an hour of twenty hosts. The oldest of more
/// are dropped.
const MAX_WAITING: usize = 14_400;

/// Records requests for ever. Those of the last seconds before a kill are lost.
pub async fn record(recorder: Recorder, engine: Engine, served: Arc<Served>) -> ! {
    let mut waiting: Vec<Tallied> = Vec::new();
    let mut taken_at = Instant::now();
    loop {
        // At the multiples of the interval, so that nothing belongs to two minutes.
        let now = Time::now().micros();
        let interval = INTERVAL_SECONDS * 1_000_000;
        let left = interval - now.rem_euclid(interval);
        tokio::time::sleep(Duration::from_micros(left.unsigned_abs())).await;
        let seconds = taken_at.elapsed().as_secs_f64();
        taken_at = Instant::now();
        // The middle of the part: a timer may fire a moment early.
        let second = (Time::now().micros() / 1_000_000) - INTERVAL_SECONDS / 2;
        for (host, requests) in engine.take_host_requests() {
            let tally = tally(&requests, seconds);
            waiting.push(Tallied { source: source(host.as_str()), second, tally });
        }
        let tally = tally(&served.take(), seconds);
        waiting.push(Tallied { source: SERVED_SOURCE.to_owned(), second, tally });
        waiting.drain(..waiting.len().saturating_sub(MAX_WAITING));
        // While the history can't be written, they are kept.
        if recorder.write_tallies(waiting.clone()).await.is_ok() {
            waiting.clear();
        }
    }
}

/// Source of the requests to the server.
pub const SERVED_SOURCE: &str = "server/requests";

/// Source of the requests to a host, also if the host is a part of the server.
pub fn source(host: &str) -> String {
    format!("host/{host}")
}

fn tally(requests: &Requests, seconds: f64) -> Tally {
    let counts = Outcome::ALL.map(|outcome| requests.ended(outcome)).to_vec();
    Tally { seconds, counts, values: requests.latency.clone() }
}

fn failed(tally: &Tally) -> u64 {
    let by_class = Outcome::ALL.iter().zip(&tally.counts);
    by_class.filter(|(outcome, _)| outcome.is_failure()).map(|(_, count)| count).sum()
}

/// A metric of requests: its name, and its value of a tally.
pub type Metric = (String, Box<dyn Fn(&Tally) -> Option<f64>>);

/// Metrics of all requests; `area` is the beginning of their names.
fn metrics(area: &str) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = vec![
        (format!("{area}.per_second"), Box::new(move |tally| rate(tally.count(), tally))),
        (format!("{area}.failures_per_second"), Box::new(move |tally| rate(failed(tally), tally))),
        (
            format!("{area}.latency_max_seconds"),
            Box::new(|tally| tally.values.range().map(|range| *range.end())),
        ),
    ];
    for (name, q) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        let of = move |tally: &Tally| tally.values.quantile(q);
        metrics.push((format!("{area}.latency_{name}_seconds"), Box::new(of)));
    }
    metrics
}

fn rate(count: u64, tally: &Tally) -> Option<f64> {
    (tally.seconds > 0.0).then(|| count as f64 / tally.seconds)
}

/// Metric of the requests with an outcome.
fn ended(name: String, outcome: Outcome) -> Metric {
    (name, Box::new(move |tally| rate(tally.counts.get(outcome as usize).copied().unwrap_or(0), tally)))
}

/// Metrics of requests to a host that match a name or pattern.
pub fn wanted(patterns: &[String]) -> Vec<Metric> {
    let failures = Outcome::ALL.into_iter().filter(|outcome| outcome.is_failure());
    let by_class =
        failures.map(|outcome| ended(format!("requests.{}.failures_per_second", outcome.name()), outcome));
    matching(metrics("requests").into_iter().chain(by_class), patterns)
}

/// Metrics of requests to the server that match a name or pattern.
pub fn wanted_served(patterns: &[String]) -> Vec<Metric> {
    let others = [("refusals", Outcome::ClientError), ("cancellations", Outcome::Cancelled)];
    let others = others.map(|(name, outcome)| ended(format!("served.{name}_per_second"), outcome));
    matching(metrics("served").into_iter().chain(others), patterns)
}

fn matching(metrics: impl Iterator<Item = Metric>, patterns: &[String]) -> Vec<Metric> {
    metrics.filter(|(name, _)| patterns.iter().any(|pattern| matches(pattern, name))).collect()
}

/// Adds metrics of requests. A slot that is longer than a bucket gives its value to all buckets that begin in
/// it; the percentiles of a longer bucket are those of all its requests.
pub fn add(buckets: &mut Buckets, tallies: &Tallies, wanted: Vec<Metric>) {
    let begin = |n: usize| buckets.start + n as i64 * buckets.bucket_seconds;
    // Tallies of different times, and the one of each bucket.
    let (different, of_bucket): (Vec<Tally>, Vec<Option<usize>>) =
        if buckets.bucket_seconds < tallies.slot_seconds {
            let place = |n| {
                let slot = begin(n).div_euclid(tallies.slot_seconds) * tallies.slot_seconds;
                tallies.slots.binary_search_by_key(&slot, |(start, _)| *start).ok()
            };
            let different = tallies.slots.iter().map(|(_, tally)| tally.clone()).collect();
            (different, (0..buckets.count).map(place).collect())
        } else {
            let mut different = Vec::new();
            let merged = (0..buckets.count).map(|n| {
                let first = tallies.slots.partition_point(|(start, _)| *start < begin(n));
                let end = tallies.slots.partition_point(|(start, _)| *start < begin(n + 1));
                let ((_, first), others) = tallies.slots[first..end].split_first()?;
                let mut all = first.clone();
                others.iter().for_each(|(_, tally)| all.merge(tally));
                different.push(all);
                Some(different.len() - 1)
            });
            let of_bucket = merged.collect();
            (different, of_bucket)
        };
    for (name, value) in wanted {
        let values: Vec<Option<f64>> = different.iter().map(value).collect();
        let values: Vec<Option<f64>> =
            of_bucket.iter().map(|place| (*place).and_then(|n| values[n])).collect();
        if values.iter().any(Option::is_some) {
            buckets.metrics.insert(name, Series { min: values.clone(), mean: values.clone(), max: values });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::history::Tier;
    use std::collections::BTreeMap;

    fn tally(seconds: f64, failed: u64, latencies: &[f64]) -> Tally {
        let mut tally = Tally { seconds, counts: vec![0; Outcome::ALL.len()], ..Tally::default() };
        tally.counts[Outcome::Success as usize] = latencies.len() as u64;
        tally.counts[Outcome::Timeout as usize] = failed;
        latencies.iter().for_each(|latency| tally.values.record(*latency).unwrap());
        tally
    }

    fn buckets(bucket_seconds: i64, count: usize) -> Buckets {
        Buckets { tier: Tier::Second, start: 120, bucket_seconds, count, metrics: BTreeMap::new() }
    }

    fn mean(buckets: &Buckets, metric: &str) -> Vec<Option<f64>> {
        buckets.metrics[metric].mean.clone()
    }

    #[test]
    fn percentiles_of_a_longer_time_are_those_of_all_its_requests() {
        let fast: Vec<f64> = (1..=90).map(|n| f64::from(n) / 1_000.0).collect();
        let slow: Vec<f64> = (91..=100).map(|n| f64::from(n) / 1_000.0).collect();
        let slots = vec![(120, tally(60.0, 0, &fast)), (180, tally(60.0, 6, &slow))];
        let tallies = Tallies { slot_seconds: 60, slots };
        let mut all = buckets(120, 2);
        add(&mut all, &tallies, wanted(&["requests.*".into(), "requests.*.failures_per_second".into()]));
        let p95 = mean(&all, "requests.latency_p95_seconds");
        // The mean of both minutes' percentiles would be 0.093.
        assert!((p95[0].unwrap() / 0.095 - 1.0).abs() < 0.011, "{p95:?}");
        assert_eq!(p95[1], None, "the next two minutes are unknown");
        assert_eq!(mean(&all, "requests.timeout.failures_per_second"), [Some(0.05), None]);
        assert_eq!(mean(&all, "requests.latency_max_seconds"), [Some(0.1), None]);
    }

    #[test]
    fn a_minute_gives_its_value_to_all_buckets_that_begin_in_it() {
        let slots = vec![(120, tally(60.0, 0, &[0.2; 30])), (240, tally(30.0, 0, &[0.4; 60]))];
        let tallies = Tallies { slot_seconds: 60, slots };
        let mut all = buckets(30, 6);
        add(&mut all, &tallies, wanted(&["requests.per_second".into()]));
        // A minute that is not over has the rate of its observed part.
        let expected = [Some(0.5), Some(0.5), None, None, Some(2.0), Some(2.0)];
        assert_eq!(mean(&all, "requests.per_second"), expected);
        assert_eq!(all.metrics.len(), 1, "only what was asked for");
    }

    #[test]
    fn requests_to_the_server_are_served_by_outcome() {
        let mut of_minute = tally(60.0, 0, &[0.2; 30]);
        of_minute.counts[Outcome::ClientError as usize] = 6;
        of_minute.counts[Outcome::ServerError as usize] = 3;
        of_minute.counts[Outcome::Cancelled as usize] = 12;
        let tallies = Tallies { slot_seconds: 60, slots: vec![(120, of_minute)] };
        let mut all = buckets(60, 1);
        add(&mut all, &tallies, wanted_served(&["served.*".into()]));
        for (metric, expected) in [
            ("served.per_second", 0.85),
            ("served.failures_per_second", 0.05),
            ("served.refusals_per_second", 0.1),
            ("served.cancellations_per_second", 0.2),
            ("served.latency_max_seconds", 0.2),
        ] {
            assert_eq!(mean(&all, metric), [Some(expected)], "{metric}");
        }
    }

    #[test]
    fn only_a_question_for_requests_reads_them() {
        let is_wanted = |pattern: &str| !wanted(&[pattern.to_owned()]).is_empty();
        assert!(is_wanted("requests.per_second") && is_wanted("requests.*.failures_per_second"));
        assert!(!is_wanted("cpu.busy_ratio") && !is_wanted("disk.*.busy_ratio"));
    }
}
