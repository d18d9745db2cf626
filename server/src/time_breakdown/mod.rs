//! Why an operation is slow: where the time of its current attempt went, and the consumers of the resource that it
//! waited for.
//!
//! Reads the operation, its samples and those of its machine; [`bottleneck`] divides the time and writes the sentence.

mod consumers;
mod samples;

use crate::monitor::{Monitor, Wanted};
use bottleneck::{advice, largest, sentence};
use display::zone::Zone;
use engine::{EngineError, Scoped};
use history::Buckets;
use protocol::time_breakdown::{Limit, TimeBreakdown};
use protocol::{Operation, OperationId, ResourceUsage, Time, TimeSplit};
use samples::{Machine, course, mean_of, usage_of};

/// Largest number of buckets of a course.
pub const MAX_WIDTH: usize = 2_000;
/// Metrics of an attempt.
const OF_ATTEMPT: [&str; 2] = ["time.*", "usage.*"];
/// Gap in the measured time, in seconds and as a share, that is not worth a part of its own: the samples of a running
/// attempt are a few seconds old.
const GAP_SECONDS: f64 = 1.0;
const LIVE_GAP_SECONDS: f64 = 12.0;

/// Breakdown of an operation's current attempt, its course in at most `width` buckets.
///
/// # Errors
/// If the operation is unknown or can't be read. A history that can't be read is only missing.
pub async fn breakdown(
    engine: &Scoped,
    monitor: &Monitor,
    id: OperationId,
    width: usize,
) -> Result<TimeBreakdown, EngineError> {
    let detail = engine.operation(id).await?;
    let operation = detail.operation;
    let attempt = detail.attempts.into_iter().rev().find(|attempt| attempt.number == operation.attempt);
    let now = Time::now();
    let queued_at = operation.queued_at.unwrap_or(operation.created_at);
    let to = operation.ended_at.unwrap_or(now).max(queued_at);
    let started_at = operation.started_at.map(|at| at.max(queued_at).min(to));
    let slot_wait_seconds = started_at.unwrap_or(to).seconds_since(queued_at).max(0.0);
    let live = !operation.state.ended();
    let measured = attempt.and_then(|attempt| attempt.usage);
    let window = started_at.map(|from| Window { from: second(from), to: second(to) + 1, now: second(now) });
    let read = match window {
        Some(window) => {
            let attempts = vec![(id, operation.attempt)];
            let read = monitor.attempts(attempts, window.wanted(width, &OF_ATTEMPT)).await;
            read.ok().and_then(|read| read.into_iter().next()).filter(|read| !read.metrics.is_empty())
        }
        None => None,
    };
    let wall = started_at.map_or(0.0, |from| to.seconds_since(from).max(0.0));
    let time = match measured.as_ref().and_then(|usage| usage.time) {
        Some(time) => filled_up(time, wall, GAP_SECONDS),
        None => filled_up(split_of(read.as_ref()), wall, LIVE_GAP_SECONDS),
    };
    let usage = measured
        .map(|usage| ResourceUsage { time: None, ..usage })
        .or_else(|| read.as_ref().map(|read| usage_of(read, wall)));
    let limit = largest(slot_wait_seconds, &time);
    let course = read.as_ref().map(course);
    let mut breakdown = TimeBreakdown {
        attempt: operation.attempt,
        host: operation.host.clone(),
        queued_at,
        started_at,
        to,
        live,
        slot_wait_seconds,
        time,
        limit,
        sentence: String::new(),
        advice: String::new(),
        cores: None,
        operations: 0,
        consumers: Vec::new(),
        usage,
        course,
    };
    if let Some(window) = window {
        add_machine(engine, monitor, &operation, window, &mut breakdown).await?;
    }
    breakdown.sentence = sentence(&breakdown, Zone::Utc);
    breakdown.advice = advice(&breakdown);
    Ok(breakdown)
}

/// Adds the operations that ran on the same machine, and the consumers of the resource.
async fn add_machine(
    engine: &Scoped,
    monitor: &Monitor,
    operation: &Operation,
    window: Window,
    breakdown: &mut TimeBreakdown,
) -> Result<(), EngineError> {
    let Some(host) = &operation.host else { return Ok(()) };
    let machine = monitor.history(host, window.wanted(MAX_WIDTH, &Machine::METRICS)).await.ok();
    let machine = machine.map(|read| Machine::of(&read)).unwrap_or_default();
    breakdown.cores = machine.cores;
    let hosts = monitor.on_same_boot(host);
    let ran = consumers::ran(engine, &hosts, operation, window).await?;
    breakdown.operations = u32::try_from(ran.len()).unwrap_or(u32::MAX);
    if matches!(breakdown.limit, Limit::Cpu | Limit::Disk | Limit::Memory) {
        breakdown.consumers =
            consumers::largest(monitor, ran, operation, breakdown.limit, &machine, window).await;
    }
    Ok(())
}

/// Seconds since 1970; `to` is excluded.
#[derive(Clone, Copy)]
struct Window {
    from: i64,
    to: i64,
    now: i64,
}

impl Window {
    fn wanted(self, width: usize, metrics: &[&str]) -> Wanted {
        let Self { from, to, now } = self;
        let metrics = metrics.iter().map(|name| (*name).to_owned()).collect();
        Wanted { from, to: to.max(from + 1), now, width: width.clamp(1, MAX_WIDTH), metrics }
    }
}

fn second(time: Time) -> i64 {
    time.micros().div_euclid(1_000_000)
}

/// Split of the samples, each for its bucket.
fn split_of(read: Option<&Buckets>) -> TimeSplit {
    let Some(read) = read else { return TimeSplit::default() };
    let parts = TimeSplit::NAMES.map(|name| {
        let mean = mean_of(read, &format!("time.{name}_ratio"));
        mean.iter().flatten().sum::<f64>() * read.bucket_seconds as f64
    });
    TimeSplit::of_parts(parts)
}

/// The split for the whole wall time: what was not measured is unknown, unless it is a short moment at the start or the
/// end.
fn filled_up(time: TimeSplit, wall: f64, gap: f64) -> TimeSplit {
    let measured = time.seconds();
    if measured <= 0.0 {
        return TimeSplit { unknown: wall, ..TimeSplit::default() };
    }
    let missing = wall - measured;
    if missing > gap {
        return TimeSplit { unknown: time.unknown + missing, ..time };
    }
    TimeSplit::of_parts(time.parts().map(|part| part * wall / measured))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_measured_is_unknown_except_for_a_moment() {
        let time = TimeSplit { on_cpu: 6.0, rest: 3.0, ..TimeSplit::default() };
        let whole = filled_up(time, 9.9, GAP_SECONDS);
        assert!((whole.seconds() - 9.9).abs() < 1e-9 && whole.unknown == 0.0 && whole.on_cpu > 6.0);
        let half = filled_up(time, 20.0, GAP_SECONDS);
        assert_eq!((half.on_cpu, half.unknown, half.seconds()), (6.0, 11.0, 20.0));
        assert_eq!(filled_up(TimeSplit::default(), 5.0, GAP_SECONDS).unknown, 5.0);
        let rounded_up = filled_up(TimeSplit { on_cpu: 4.0, ..TimeSplit::default() }, 3.2, GAP_SECONDS);
        assert!((rounded_up.seconds() - 3.2).abs() < 1e-9);
    }
}
