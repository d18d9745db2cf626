//! Resources of one attempt: readings become its bill, and the division of its time.
//!
//! An attempt is measured only if its work says how: by its threads ([`crate::Context::measure_thread`]), or by
//! readings of its own, such as those of processes ([`crate::Context::report_usage`]). Otherwise its usage is unknown.

use bottleneck::{Interval, divide};
use parking_lot::Mutex;
use protocol::{Measured, ResourceUsage, TimeSplit};
use resources::Reading;
use resources::usage::{ThreadGroup, ThreadGuard};
use tokio::time::Instant;

/// Shortest time between two readings that is divided; shorter ones are added to the next.
const MIN_INTERVAL_SECONDS: f64 = 0.001;

/// Usage of one attempt.
#[derive(Default)]
pub(crate) struct UsageMeter {
    pub threads: ThreadGroup,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    measured: Option<Measured>,
    begun: Option<Instant>,
    latest: Option<(Instant, Reading)>,
    split: TimeSplit,
    peak_memory_bytes: Option<u64>,
    peak_threads: Option<u32>,
    /// Split and reading at the last sample.
    sampled: Option<(TimeSplit, Reading)>,
}

/// What an attempt used within about a second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct UsageSample {
    /// Its time.
    pub split: TimeSplit,
    /// Differences of the counters; `None` is unknown.
    pub cpu_seconds: Option<f64>,
    pub read_bytes: Option<u64>,
    pub written_bytes: Option<u64>,
    pub resident_bytes: Option<u64>,
    pub threads: Option<u32>,
}

impl UsageMeter {
    /// Counts the current thread until the guard is dropped.
    pub fn enter_thread(&self, now: Instant) -> Option<ThreadGuard> {
        let guard = self.threads.enter()?;
        // The first sample, at the start.
        self.read_threads(now);
        Some(guard)
    }

    /// Begins to measure by threads; none works yet.
    pub fn begin_threads(&self, now: Instant) {
        self.threads.begin();
        self.read_threads(now);
    }

    fn read_threads(&self, now: Instant) {
        if let Some(reading) = self.threads.read() {
            self.report(Measured::Threads, reading, now);
        }
    }

    /// Takes a reading. The time before the first one is not measured.
    pub fn report(&self, measured: Measured, reading: Reading, now: Instant) {
        let mut state = self.state.lock();
        let state = &mut *state;
        state.measured = Some(measured);
        state.begun.get_or_insert(now);
        state.peak_memory_bytes = state.peak_memory_bytes.max(reading.peak_memory_bytes);
        state.peak_threads = state.peak_threads.max(reading.threads);
        let Some((at, before)) = state.latest else {
            state.latest = Some((now, reading));
            // What was used before the first reading, right after the start, belongs to the attempt as well.
            return;
        };
        let seconds = now.saturating_duration_since(at).as_secs_f64();
        if seconds < MIN_INTERVAL_SECONDS && reading == before {
            return;
        }
        state.split = state.split.plus(&divide(&interval(seconds, &before, &reading)));
        state.latest = Some((now, reading));
    }

    /// Usage since the last sample; `None` while nothing is measured, or nothing new is known.
    pub fn sample(&self, now: Instant) -> Option<UsageSample> {
        self.read_threads(now);
        let mut state = self.state.lock();
        let (_, reading) = state.latest?;
        let split = state.split;
        let (split_before, before) = state.sampled.unwrap_or_default();
        let mut parts = split.parts();
        parts
            .iter_mut()
            .zip(split_before.parts())
            .for_each(|(part, before)| *part = (*part - before).max(0.0));
        let passed = TimeSplit::of_parts(parts);
        if passed.seconds() <= 0.0 {
            return None;
        }
        state.sampled = Some((split, reading));
        let bytes = |now: Option<u64>, before: Option<u64>| Some(now?.saturating_sub(before.unwrap_or(0)));
        Some(UsageSample {
            split: passed,
            cpu_seconds: reading.cpu.map(|cpu| (cpu - before.cpu.unwrap_or(0.0)).max(0.0)),
            read_bytes: bytes(reading.read_bytes, before.read_bytes),
            written_bytes: bytes(reading.written_bytes, before.written_bytes),
            resident_bytes: reading.resident_bytes,
            threads: reading.threads,
        })
    }

    /// Usage up to now; `None` if it is unknown.
    pub fn total(&self, now: Instant) -> Option<ResourceUsage> {
        self.read_threads(now);
        let state = self.state.lock();
        let (measured, begun, (at, reading)) = (state.measured?, state.begun?, state.latest?);
        // Files have milliseconds, and no measurement is better.
        let round = |seconds: f64| (seconds * 1e6).round() / 1e6;
        Some(ResourceUsage {
            measured,
            wall_seconds: round(at.saturating_duration_since(begun).as_secs_f64()),
            cpu_seconds: reading.cpu.map(round),
            peak_memory_bytes: state.peak_memory_bytes,
            read_bytes: reading.read_bytes,
            written_bytes: reading.written_bytes,
            received_bytes: None,
            sent_bytes: None,
            // A moment between two threads of a pool is no number of threads.
            peak_threads: state.peak_threads.filter(|threads| *threads > 0),
            time: Some(TimeSplit::of_parts(state.split.parts().map(round))),
        })
    }
}

/// What the threads did between two readings.
fn interval(seconds: f64, before: &Reading, now: &Reading) -> Interval {
    let increase = |of: fn(&Reading) -> Option<f64>| Some((of(now)? - of(before)?).max(0.0));
    Interval {
        seconds,
        on_cpu: increase(|reading| reading.cpu),
        cpu_wait: increase(|reading| reading.cpu_wait),
        disk_wait: increase(|reading| reading.disk_wait),
        memory_wait: increase(|reading| reading.memory_wait),
        throttled: increase(|reading| reading.throttled),
        unknown: (now.unknown - before.unknown).max(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn reading(cpu: f64, cpu_wait: f64) -> Reading {
        Reading {
            cpu: Some(cpu),
            cpu_wait: Some(cpu_wait),
            disk_wait: Some(0.0),
            memory_wait: Some(0.0),
            resident_bytes: Some(100),
            peak_memory_bytes: Some(200),
            ..Reading::default()
        }
    }

    #[test]
    fn a_work_that_says_nothing_has_an_unknown_usage() {
        let meter = UsageMeter::default();
        assert_eq!((meter.total(Instant::now()), meter.sample(Instant::now())), (None, None));
    }

    #[test]
    fn readings_become_a_bill_and_samples_of_a_second() {
        let (meter, start) = (UsageMeter::default(), Instant::now());
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        meter.report(Measured::Processes, reading(0.01, 0.0), at(0.0));
        meter.report(Measured::Processes, reading(0.51, 0.25), at(1.0));
        let first = meter.sample(at(1.1)).unwrap();
        assert_eq!((first.split.on_cpu, first.split.cpu_wait, first.split.rest), (0.5, 0.25, 0.25));
        assert_eq!((first.cpu_seconds, first.read_bytes), (Some(0.51), None));
        assert_eq!(meter.sample(at(1.2)), None, "nothing new");
        meter.report(
            Measured::Processes,
            Reading { peak_memory_bytes: Some(150), ..reading(2.51, 6.25) },
            at(2.0),
        );
        assert_eq!(meter.sample(at(2.1)).unwrap().split.cpu_wait, 0.75);
        let total = meter.total(at(9.0)).unwrap();
        assert_eq!((total.wall_seconds, total.cpu_seconds), (2.0, Some(2.51)));
        assert_eq!((total.peak_memory_bytes, total.written_bytes), (Some(200), None));
        assert_eq!(total.time.unwrap().seconds(), 2.0);
    }

    #[test]
    fn an_operation_that_swaps_is_not_also_waiting_for_a_disk() {
        let before = reading(0.0, 0.0);
        let now = Reading { disk_wait: Some(0.75), memory_wait: Some(0.5), ..before };
        let split = divide(&interval(1.0, &before, &now));
        assert_eq!((split.memory_wait, split.disk_wait, split.rest), (0.5, 0.25, 0.25));
    }
}
