//! Samples of the attempts that ran, one a second, in memory.

use crate::usage::UsageSample;
use protocol::samples::AttemptSamples;
use protocol::{OperationId, TimeSplit};
use std::collections::{BTreeMap, VecDeque};

/// Largest number of samples that are kept: a hundred attempts for ten minutes. The oldest are dropped.
const MAX_ROWS: usize = 60_000;
/// Largest number of attempts that are sampled in a second.
const MAX_ATTEMPTS: usize = 500;

/// Names of the metrics after those of the time.
const USAGE: [&str; 5] = [
    "usage.cpu_cores",
    "usage.read_bytes_per_second",
    "usage.written_bytes_per_second",
    "usage.resident_bytes",
    "usage.threads",
];
const VALUES: usize = TimeSplit::NAMES.len() + USAGE.len();

/// Values of one attempt; an unknown one is not a number.
type Values = [f32; VALUES];

/// Values of an attempt in a second.
type Row = (OperationId, u32, Values);

/// Samples of all attempts.
#[derive(Default)]
pub(crate) struct AttemptLog {
    seconds: VecDeque<(u64, Vec<Row>)>,
    rows: usize,
}

impl AttemptLog {
    /// Adds the samples of a second.
    pub fn push(&mut self, tick: u64, samples: impl Iterator<Item = (OperationId, u32, UsageSample)>) {
        let rows: Vec<Row> =
            samples.take(MAX_ATTEMPTS).map(|(id, attempt, sample)| (id, attempt, values(&sample))).collect();
        if rows.is_empty() {
            return;
        }
        self.rows += rows.len();
        self.seconds.push_back((tick, rows));
        while self.rows > MAX_ROWS {
            let Some((_, dropped)) = self.seconds.pop_front() else { break };
            self.rows -= dropped.len();
        }
    }

    /// Average number of samples of a second, at least 1.
    pub fn per_second(&self) -> usize {
        self.rows.checked_div(self.seconds.len()).unwrap_or(0).max(1)
    }

    /// Samples from the first to the last of these ticks, by attempt.
    pub fn within(&self, first: u64, last: u64) -> Vec<AttemptSamples> {
        let start = self.seconds.partition_point(|(tick, _)| *tick < first);
        let mut found: BTreeMap<(OperationId, u32), (Vec<u64>, Vec<Values>)> = BTreeMap::new();
        for (tick, rows) in self.seconds.range(start..).take_while(|(tick, _)| *tick <= last) {
            for (id, attempt, values) in rows {
                let (ticks, all) = found.entry((*id, *attempt)).or_default();
                ticks.push(*tick);
                all.push(*values);
            }
        }
        let named = |all: &[Values]| {
            let column =
                |n: usize| -> Vec<Option<f64>> { all.iter().map(|values| known(values[n])).collect() };
            let columns = (0..VALUES).map(|n| (name(n), column(n)));
            columns.filter(|(_, column)| column.iter().any(Option::is_some)).collect()
        };
        found
            .into_iter()
            .map(|((id, attempt), (ticks, all))| AttemptSamples { id, attempt, ticks, metrics: named(&all) })
            .collect()
    }
}

fn name(n: usize) -> String {
    match TimeSplit::NAMES.get(n) {
        Some(part) => format!("time.{part}_ratio"),
        None => USAGE[n - TimeSplit::NAMES.len()].to_owned(),
    }
}

fn values(sample: &UsageSample) -> Values {
    let seconds = sample.split.seconds();
    let mut values = [f32::NAN; VALUES];
    let parts = sample.split.parts().map(|part| Some(part / seconds));
    let usage = [
        sample.cpu_seconds.map(|cpu| cpu / seconds),
        sample.read_bytes.map(|bytes| bytes as f64 / seconds),
        sample.written_bytes.map(|bytes| bytes as f64 / seconds),
        sample.resident_bytes.map(|bytes| bytes as f64),
        sample.threads.map(f64::from),
    ];
    for (value, known) in values.iter_mut().zip(parts.into_iter().chain(usage)) {
        *value = known.map_or(f32::NAN, |known| known as f32);
    }
    values
}

/// The value with as many digits as it has.
fn known(value: f32) -> Option<f64> {
    value.is_finite().then(|| (f64::from(value) * 1e4).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cpu_wait: f64) -> UsageSample {
        UsageSample {
            split: TimeSplit { on_cpu: 2.0 - cpu_wait, cpu_wait, ..TimeSplit::default() },
            cpu_seconds: Some(1.0),
            read_bytes: Some(4_096),
            written_bytes: None,
            resident_bytes: None,
            threads: Some(3),
        }
    }

    #[test]
    fn samples_are_shares_of_their_second_and_unknown_ones_are_absent() {
        let (a, b) = (OperationId::new(), OperationId::new());
        let mut log = AttemptLog::default();
        log.push(7, std::iter::empty());
        log.push(8, [(a, 1, sample(0.5))].into_iter());
        log.push(9, [(a, 1, sample(1.0)), (b, 2, sample(0.0))].into_iter());
        let all = log.within(1, 9);
        assert_eq!(all.len(), 2);
        let of_a = all.iter().find(|samples| samples.id == a).unwrap();
        assert_eq!(of_a.ticks, [8, 9]);
        assert_eq!(of_a.metrics["time.cpu_wait_ratio"], [Some(0.25), Some(0.5)]);
        assert_eq!(of_a.metrics["usage.cpu_cores"], [Some(0.5), Some(0.5)]);
        assert_eq!(of_a.metrics["usage.read_bytes_per_second"][0], Some(2_048.0));
        assert!(!of_a.metrics.contains_key("usage.written_bytes_per_second"));
        assert_eq!(log.within(1, 8).len(), 1);
    }

    #[test]
    fn memory_is_limited() {
        let mut log = AttemptLog::default();
        let ids: Vec<_> = (0..MAX_ATTEMPTS + 10).map(|_| OperationId::new()).collect();
        for tick in 0..200 {
            log.push(tick, ids.iter().map(|id| (*id, 1, sample(0.0))));
        }
        assert!(log.rows <= MAX_ROWS);
        assert_eq!(log.within(199, 199).len(), MAX_ATTEMPTS);
        assert!(log.within(0, 10).is_empty(), "the oldest are dropped");
    }
}
