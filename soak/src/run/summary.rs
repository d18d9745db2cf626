//! Figures of a run, as JSON for programs and as a table for people.

use super::quiescence::Memory;
use super::reader::Reader;
use super::workload::Workload;
use crate::check::Violation;
use crate::event_log::EventLog;
use protocol::State;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

#[derive(Serialize)]
pub struct Summary {
    pub seed: u64,
    pub seconds: u64,
    pub schedules: u32,
    /// Number of faults by name.
    pub faults: BTreeMap<String, u64>,
    /// Faults that were not possible here, with the reason.
    pub skipped: Vec<String>,
    pub starts_requested: usize,
    pub starts_refused: usize,
    pub responses_lost: u64,
    pub operations: usize,
    pub attempts: usize,
    /// Number of attempts by how they ended.
    pub ends: BTreeMap<String, usize>,
    pub runs_on_hosts: usize,
    pub cancels_requested: u64,
    pub cancelled: usize,
    pub deletes_requested: usize,
    /// Number of deleted operations, according to the feed.
    pub deleted: usize,
    /// Milliseconds from the request of a cancel to its release, faults included, except in schedules with clock jumps.
    pub released_ms_p50: f64,
    pub released_ms_p99: f64,
    pub events: BTreeMap<String, u64>,
    /// Number of events that were reported as skipped, mostly to the slow reader.
    pub skipped_events: u64,
    pub late_reports: u64,
    pub violations: Vec<Found>,
}

/// Violation with the schedule in which it was found.
#[derive(Serialize, Clone)]
pub struct Found {
    pub schedule: u32,
    /// Command that repeats the schedule.
    pub replay: String,
    #[serde(flatten)]
    pub violation: Violation,
}

impl Summary {
    pub fn of(
        (seed, seconds, schedules): (u64, u64, u32),
        event_log: &EventLog,
        workload: &Workload,
        readers: &[Arc<Reader>],
        memory: &Memory,
        runs_on_hosts: usize,
    ) -> Self {
        let request_log = workload.request_log.lock();
        let attempts: Vec<_> = memory
            .details
            .values()
            .flat_map(|d| {
                d.attempts.iter().map(|a| (a, memory.clock_jumped.contains(&(d.operation.id, a.number))))
            })
            .collect();
        let mut ends: BTreeMap<String, usize> = BTreeMap::new();
        let (mut released, mut cancelled) = (Vec::new(), 0);
        for (attempt, clock_jumped) in &attempts {
            let how = match &attempt.failure {
                Some(failure) => format!("{} ({:?})", attempt.state, failure.reason),
                None => attempt.state.to_string(),
            };
            *ends.entry(how).or_default() += 1;
            let is_cancelled = attempt.state == State::Cancelled;
            cancelled += usize::from(is_cancelled);
            // A duration measured by a clock that jumped is meaningless.
            if let Some(receipt) = attempt.receipt.as_ref().filter(|_| is_cancelled && !clock_jumped) {
                released.extend(receipt.released.map(|at| at.seconds_since(receipt.requested) * 1e3));
            }
        }
        released.sort_by(f64::total_cmp);
        let events = readers.iter().map(|r| (r.name.to_owned(), r.state(|b| b.order.events))).collect();
        Self {
            seed,
            seconds,
            schedules,
            faults: event_log.faults(),
            skipped: Vec::new(),
            starts_requested: request_log.asked.len(),
            starts_refused: request_log.refused.len(),
            responses_lost: request_log.lost_responses,
            operations: memory.details.len(),
            attempts: attempts.len(),
            ends,
            runs_on_hosts,
            cancels_requested: request_log.cancels_requested,
            cancelled,
            deletes_requested: request_log.deletes.asked.len(),
            deleted: readers[0].state(|b| b.history.deleted.len()),
            released_ms_p50: quantile(&released, 0.5),
            released_ms_p99: quantile(&released, 0.99),
            events,
            skipped_events: readers.iter().map(|r| r.state(|b| b.order.left_out)).sum(),
            late_reports: readers[0].state(|b| b.history.late),
            violations: Vec::new(),
        }
    }
}

/// Smallest value that at least this share of the values does not exceed; 0 if there are none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let n = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(n.saturating_sub(1)).copied().unwrap_or(0.0)
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, value: String| writeln!(f, "  {name:<36}{value}");
        row("seed", self.seed.to_string())?;
        row("time", format!("{} min {:02} s", self.seconds / 60, self.seconds % 60))?;
        row("schedules", self.schedules.to_string())?;
        row("faults", self.faults.values().sum::<u64>().to_string())?;
        for (name, n) in &self.faults {
            row(&format!("  {name}"), n.to_string())?;
        }
        row("starts", format!("{} ({} refused)", self.starts_requested, self.starts_refused))?;
        row("lost responses", self.responses_lost.to_string())?;
        row("operations", self.operations.to_string())?;
        row("attempts", self.attempts.to_string())?;
        for (how, n) in &self.ends {
            row(&format!("  {how}"), n.to_string())?;
        }
        row("runs in journals of hosts", self.runs_on_hosts.to_string())?;
        row("cancels requested", self.cancels_requested.to_string())?;
        let released = format!("{:.1} ms, {:.1} ms", self.released_ms_p50, self.released_ms_p99);
        row("cancelled", self.cancelled.to_string())?;
        row("  requested → released, p50, p99", released)?;
        row("single deletions requested", self.deletes_requested.to_string())?;
        row("deleted", self.deleted.to_string())?;
        for (name, n) in &self.events {
            row(&format!("events read by {name}"), n.to_string())?;
        }
        row("  of these skipped", self.skipped_events.to_string())?;
        row("late reports, ignored", self.late_reports.to_string())?;
        for what in &self.skipped {
            row("skipped fault", what.clone())?;
        }
        row("violations", self.violations.len().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_measured_value() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(
            (quantile(&sorted, 0.5), quantile(&sorted, 0.99), quantile(&sorted, 1.0)),
            (50.0, 99.0, 100.0)
        );
        assert_eq!((quantile(&[], 0.5), quantile(&[7.0], 0.99)), (0.0, 7.0));
    }
}
