//! Compares the hosts' journals with the server's reports: overlapping runs, runs that continued after their reported
//! end, and attempts started twice.

use super::{Deletions, End, Promise, Violation};
use crate::journal::Run;
use protocol::api::OperationDetail;
use protocol::{Attempt, FailureReason, OperationId, State, Time};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Possible error of a receipt's time, which is a host's, converted to the server's clock. The offset is estimated from
/// a request that took at most 2 s, so it is wrong by at most half of that.
const MAX_CLOCK_ERROR_MICROS: i64 = 1_000_000;

/// Kind that only starts other operations.
const SWEEP: &str = "analysis.sweep";

/// Evidence to compare.
pub struct Evidence<'a> {
    pub runs: &'a [Run],
    /// From the API, after the schedule.
    pub details: &'a BTreeMap<OperationId, OperationDetail>,
    /// From the feed: how each attempt ended, and when a reader got it.
    pub ends: &'a HashMap<(OperationId, u32), (End, Time)>,
    /// Attempts whose times are of clocks that jumped. Times in journals are not.
    pub clock_jumped: &'a HashSet<(OperationId, u32)>,
    /// From the feed: deleted operations. Their attempts are known only from the feed.
    pub deleted: &'a Deletions,
}

impl Evidence<'_> {
    /// Attempts of an operation according to the server; `None` if the server never had it.
    fn attempts(&self, id: OperationId) -> Option<Vec<ReportedAttempt>> {
        if let Some(detail) = self.details.get(&id) {
            let reported = |a: &Attempt| ReportedAttempt { number: a.number, end: End::of_attempt(a) };
            return Some(detail.attempts.iter().map(reported).collect());
        }
        // Only ended operations are deleted, so the feed has the end of each attempt.
        self.deleted.get(&id)?;
        let ended =
            |number| Some(ReportedAttempt { number, end: Some(self.ends.get(&(id, number))?.0.clone()) });
        Some((1..).map_while(ended).collect())
    }
}

/// Attempt according to the server.
struct ReportedAttempt {
    number: u32,
    /// `None` while it is not over.
    end: Option<End>,
}

/// Finds all violations among the runs.
pub fn check(evidence: &Evidence<'_>) -> Vec<Violation> {
    let mut by_operation: BTreeMap<OperationId, Vec<&Run>> = BTreeMap::new();
    for run in evidence.runs {
        by_operation.entry(run.id).or_default().push(run);
    }
    let mut found = Vec::new();
    for (id, mut runs) in by_operation {
        runs.sort_by_key(|run| run.begin);
        let Some(attempts) = evidence.attempts(id) else {
            let what = format!("{} ran it, but the server does not know it", runs[0].host);
            found.push(Violation::of(Promise::NoneLost, id, what));
            continue;
        };
        found.extend(overlaps(id, &runs, &attempts));
        found.extend(started_once(id, &runs));
        found.extend(runs.iter().flat_map(|run| ended_when_reported(run, &attempts, evidence)));
    }
    found.extend(evidence.details.values().filter_map(|detail| really_succeeded(evidence.runs, detail)));
    found
}

/// A succeeded operation was run to its last step, and has its result.
fn really_succeeded(runs: &[Run], detail: &OperationDetail) -> Option<Violation> {
    let operation = &detail.operation;
    // A sweep has no steps of its own.
    if operation.state != State::Succeeded || operation.kind.as_str() == SWEEP {
        return None;
    }
    let steps = operation.params.get("steps").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let mut mine = runs.iter().filter(|r| (r.id, r.attempt) == (operation.id, operation.attempt));
    let counted = detail.result.as_ref().and_then(|r| r.document.get("steps")?.as_u64());
    let what = if !mine.any(|run| run.step == steps) {
        format!("attempt {} succeeded, but no journal has it at step {steps}", operation.attempt)
    } else if counted != Some(steps) {
        format!("it succeeded with {steps} steps, but its result says {counted:?}")
    } else {
        return None;
    };
    Some(Violation::of(Promise::SuccessIsTrue, operation.id, what))
}

/// Pairs of overlapping runs, unless the server had given up the first with a reason that allows for it.
fn overlaps(id: OperationId, runs: &[&Run], attempts: &[ReportedAttempt]) -> Vec<Violation> {
    let mut found = Vec::new();
    for (n, first) in runs.iter().enumerate() {
        for second in &runs[n + 1..] {
            let overlap = first.end.is_none_or(|end| end > second.begin);
            if !overlap || given_up(attempts, first.attempt.min(second.attempt), first, second) {
                continue;
            }
            let what = format!(
                "{} while {}; attempt {} according to the server: {}",
                describe(second),
                describe(first),
                first.attempt,
                describe_end(attempts, first.attempt)
            );
            found.push(Violation::of(Promise::NeverTwiceAtOnce, id, what));
        }
    }
    found
}

/// Whether the older attempt failed because its host was silent or a user abandoned it: both say that it may continue.
fn given_up(attempts: &[ReportedAttempt], older: u32, first: &Run, second: &Run) -> bool {
    let end = attempts.iter().find(|a| a.number == older).and_then(|a| a.end.as_ref());
    let failure = end.and_then(|end| end.failure.as_ref());
    first.attempt != second.attempt
        && failure.is_some_and(|f| matches!(f.reason, FailureReason::HostSilent | FailureReason::Abandoned))
}

/// A process of a host runs an attempt once.
fn started_once(id: OperationId, runs: &[&Run]) -> Vec<Violation> {
    let mut seen = HashSet::new();
    let again = runs.iter().filter(|run| !seen.insert((run.attempt, run.instance)));
    again
        .map(|run| Violation::of(Promise::StartedOnce, id, format!("{}, for the second time", describe(run))))
        .collect()
}

/// The work of a cancelled or succeeded attempt is over when the feed reports its end, and when its receipt says that
/// the work stopped.
fn ended_when_reported(run: &Run, attempts: &[ReportedAttempt], evidence: &Evidence<'_>) -> Vec<Violation> {
    let Some(attempt) = attempts.iter().find(|a| a.number == run.attempt) else {
        let what = format!("{}, but the server never created that attempt", describe(run));
        return vec![Violation::of(Promise::NoneLost, run.id, what)];
    };
    let mut found = Vec::new();
    let over = |end: &&End| matches!(end.state, State::Cancelled | State::Succeeded);
    let Some(end) = attempt.end.as_ref().filter(over) else { return found };
    let after = |moment: Time| run.end.is_none_or(|end| end > moment);
    let mut early = |what: &str, moment: Time| {
        let what = format!("{}; {what} at {moment}", describe(run));
        found.push(Violation::of(Promise::CancelledIsOver, run.id, what));
    };
    if let Some((read, reported)) = evidence.ends.get(&(run.id, run.attempt))
        && after(*reported)
    {
        early(&format!("the feed reported {}", read.state), *reported);
    }
    let stopped = end.receipt.as_ref().and_then(|r| r.stopped).filter(|_| end.state == State::Cancelled);
    if let Some(stopped) = stopped
        && !evidence.clock_jumped.contains(&(run.id, run.attempt))
        && after(stopped.plus_micros(MAX_CLOCK_ERROR_MICROS))
    {
        early("its receipt says that the work stopped", stopped);
    }
    found
}

fn describe(run: &Run) -> String {
    let end = run.end.map_or("still running".to_owned(), |end| format!("until {end}"));
    format!("attempt {} ran on {} from {} ({end})", run.attempt, run.host, run.begin)
}

fn describe_end(attempts: &[ReportedAttempt], attempt: u32) -> String {
    let Some(attempt) = attempts.iter().find(|a| a.number == attempt) else {
        return "unknown".to_owned();
    };
    let Some(end) = &attempt.end else { return "not ended".to_owned() };
    let ended = end.ended_at.map_or(String::new(), |at| format!(" at {at}"));
    let why = end.failure.as_ref().map_or(String::new(), |f| format!(", {:?}: {}", f.reason, f.message));
    format!("{}{ended}{why}", end.state)
}

#[cfg(test)]
mod tests {
    use super::super::made::{at, attempt, failure, operation};
    use super::*;
    use protocol::{Attempt, InstanceId, Receipt};

    fn run(id: OperationId, host: &str, attempt: u32, begin: i64, end: Option<i64>) -> Run {
        let instance = InstanceId::new();
        Run { host: host.into(), id, attempt, instance, begin: at(begin), end: end.map(at), step: 5 }
    }

    fn found(id: OperationId, runs: &[Run], attempts: Vec<Attempt>, reported: Option<i64>) -> Vec<Promise> {
        found_if(id, runs, attempts, reported, &[])
    }

    fn found_if(
        id: OperationId,
        runs: &[Run],
        attempts: Vec<Attempt>,
        reported: Option<i64>,
        clock_jumped: &[u32],
    ) -> Vec<Promise> {
        let last = attempts.last().unwrap();
        let end = End::of_attempt(last);
        let ends = end
            .zip(reported)
            .map(|(end, reported)| ((id, last.number), (end, at(reported))))
            .into_iter()
            .collect();
        let mut operation = operation(id, last.state, last.number);
        operation.params = serde_json::json!({"steps": 5});
        let document = serde_json::json!({"steps": 5});
        let result = Some(protocol::host::ResultDoc { document, ..Default::default() });
        let detail = OperationDetail { operation, attempts, result, series: vec![], audit: vec![], seq: 9 };
        let clock_jumped = clock_jumped.iter().map(|attempt| (id, *attempt)).collect();
        let (details, deleted) = (BTreeMap::from([(id, detail)]), HashMap::new());
        let evidence =
            Evidence { runs, details: &details, ends: &ends, clock_jumped: &clock_jumped, deleted: &deleted };
        check(&evidence).into_iter().map(|v| v.promise).collect()
    }

    /// Same as `found`, for a deleted operation, of which only the feed's reports remain.
    fn found_deleted(id: OperationId, runs: &[Run], attempts: &[Attempt], reported: i64) -> Vec<Promise> {
        let end = |a: &Attempt| Some(((id, a.number), (End::of_attempt(a)?, at(reported))));
        let ends = attempts.iter().filter_map(end).collect();
        let deleted = HashMap::from([(id, (State::Cancelled, at(reported)))]);
        let (details, clock_jumped) = (BTreeMap::new(), HashSet::new());
        let evidence =
            Evidence { runs, details: &details, ends: &ends, clock_jumped: &clock_jumped, deleted: &deleted };
        check(&evidence).into_iter().map(|v| v.promise).collect()
    }

    #[test]
    fn deleted_operations_are_compared_with_the_feed() {
        let id = OperationId::new();
        let attempts = [failed(1, FailureReason::Work), attempt(2, State::Cancelled)];
        let runs = |second| [run(id, "a", 1, 0, Some(10)), run(id, "b", 2, 10, second)];
        assert_eq!(found_deleted(id, &runs(Some(20)), &attempts, 25), []);
        assert_eq!(found_deleted(id, &runs(Some(30)), &attempts, 25), [Promise::CancelledIsOver]);
        assert_eq!(found_deleted(id, &runs(None), &attempts, 25), [Promise::CancelledIsOver]);
        // The feed never reported the end of the second attempt.
        assert_eq!(found_deleted(id, &runs(Some(20)), &attempts[..1], 25), [Promise::NoneLost]);
        let overlaps = [run(id, "a", 1, 0, Some(15)), run(id, "b", 2, 10, Some(20))];
        assert_eq!(found_deleted(id, &overlaps, &attempts, 25), [Promise::NeverTwiceAtOnce]);
    }

    fn failed(number: u32, reason: FailureReason) -> Attempt {
        Attempt { failure: Some(failure(reason)), ..attempt(number, State::Failed) }
    }

    #[test]
    fn consecutive_runs_are_good() {
        let id = OperationId::new();
        let runs = [run(id, "a", 1, 0, Some(10)), run(id, "b", 2, 10, Some(20))];
        let attempts = vec![failed(1, FailureReason::Work), attempt(2, State::Succeeded)];
        assert_eq!(found(id, &runs, attempts, Some(25)), []);
    }

    #[test]
    fn overlapping_runs_are_found_unless_the_server_gave_a_reason() {
        let id = OperationId::new();
        let runs = [run(id, "a", 1, 0, None), run(id, "b", 2, 10, Some(20))];
        let with = |reason| found(id, &runs, vec![failed(1, reason), attempt(2, State::Failed)], None);
        assert_eq!(with(FailureReason::HostRestarted), [Promise::NeverTwiceAtOnce]);
        assert_eq!(with(FailureReason::HostLost), [Promise::NeverTwiceAtOnce]);
        assert_eq!(with(FailureReason::HostSilent), []);
        assert_eq!(with(FailureReason::Abandoned), []);
    }

    #[test]
    fn the_same_attempt_on_two_hosts_at_once_has_no_excuse() {
        let id = OperationId::new();
        let runs = [run(id, "a", 1, 0, Some(15)), run(id, "b", 1, 10, Some(20))];
        let attempts = vec![failed(1, FailureReason::HostSilent)];
        assert_eq!(found(id, &runs, attempts, None), [Promise::NeverTwiceAtOnce]);
    }

    #[test]
    fn a_second_run_in_one_process_of_a_host_is_found() {
        let id = OperationId::new();
        let first = run(id, "a", 1, 0, Some(5));
        let second = Run { begin: at(10), end: Some(at(12)), ..first.clone() };
        let attempts = vec![attempt(1, State::Succeeded)];
        assert_eq!(found(id, &[first, second], attempts, Some(20)), [Promise::StartedOnce]);
    }

    #[test]
    fn a_cancel_reported_before_its_work_ended_is_found() {
        let id = OperationId::new();
        let mut cancelled = attempt(1, State::Cancelled);
        let mut receipt = Receipt::requested(1, String::new(), at(1));
        receipt.stopped = Some(at(30));
        cancelled.receipt = Some(receipt);
        let evidence = |end| [run(id, "a", 1, 0, end)];
        assert_eq!(found(id, &evidence(Some(29)), vec![cancelled.clone()], Some(40)), []);
        assert_eq!(
            found(id, &evidence(Some(41)), vec![cancelled.clone()], Some(40)),
            [Promise::CancelledIsOver]
        );
        assert_eq!(found(id, &evidence(None), vec![cancelled.clone()], None), [Promise::CancelledIsOver]);
        // Within the possible error of clocks, the receipt counts as true.
        assert_eq!(
            found(id, &evidence(Some(30 + MAX_CLOCK_ERROR_MICROS)), vec![cancelled.clone()], None),
            []
        );
        let late = evidence(Some(31 + MAX_CLOCK_ERROR_MICROS));
        assert_eq!(found(id, &late, vec![cancelled.clone()], None), [Promise::CancelledIsOver]);
        // With a clock that jumped, the receipt proves nothing, but an early report still counts.
        assert_eq!(found_if(id, &late, vec![cancelled.clone()], None, &[1]), []);
        assert_eq!(found_if(id, &late, vec![cancelled], Some(40), &[1]), [Promise::CancelledIsOver]);
    }

    #[test]
    fn a_success_without_a_complete_run_or_result_is_found() {
        let id = OperationId::new();
        let detail = |steps: u64| {
            let mut operation = operation(id, State::Succeeded, 1);
            operation.params = serde_json::json!({"steps": 5});
            let document = serde_json::json!({"steps": steps});
            let result = Some(protocol::host::ResultDoc { document, ..Default::default() });
            OperationDetail { operation, attempts: vec![], result, series: vec![], audit: vec![], seq: 9 }
        };
        let runs = [run(id, "a", 1, 0, Some(5))];
        assert_eq!(really_succeeded(&runs, &detail(5)), None);
        assert!(really_succeeded(&[Run { step: 4, ..runs[0].clone() }], &detail(5)).is_some());
        assert!(really_succeeded(&[], &detail(5)).is_some());
        assert!(really_succeeded(&runs, &detail(4)).is_some());
        assert!(really_succeeded(&runs, &OperationDetail { result: None, ..detail(5) }).is_some());
    }

    #[test]
    fn a_run_that_the_server_does_not_know_is_found() {
        let (id, other) = (OperationId::new(), OperationId::new());
        let attempts = vec![attempt(1, State::Failed)];
        assert_eq!(found(id, &[run(other, "a", 1, 0, Some(5))], attempts.clone(), None), [Promise::NoneLost]);
        assert_eq!(found(id, &[run(id, "a", 2, 0, Some(5))], attempts, None), [Promise::NoneLost]);
    }
}
