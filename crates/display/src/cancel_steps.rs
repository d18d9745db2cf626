//! Texts about the progress of a cancel: the steps of its receipt, and deviations from them.

use crate::format;
use crate::zone::Zone;
use protocol::receipt::Step;
use protocol::{Condition, ConditionKind, FailureReason, Receipt, State, Time};

/// Usual deadline for a host to stop, in seconds; a longer wait is mentioned.
const USUAL_DEADLINE: f64 = 5.0;

/// Steps of a cancel so far: the first with its time, the others with the time since the first.
pub fn steps(receipt: &Receipt, zone: Zone) -> Vec<(&'static str, String, Time)> {
    Step::ALL
        .into_iter()
        .filter_map(|step| receipt.at(step).map(|at| (step, at)))
        .map(|(step, at)| {
            let text = match step {
                Step::Requested => zone.clock_millis(at),
                _ => format::offset(at.seconds_since(receipt.requested)),
            };
            (step.as_str(), text, at)
        })
        .collect()
}

/// Latest step of a cancel, for the progress bar: `acknowledged +6 ms`.
pub fn last_step(receipt: &Receipt) -> String {
    match steps(receipt, Zone::Utc).pop() {
        Some(("requested", _, _)) | None => "requested".to_owned(),
        Some((step, text, _)) => format!("{step} {text}"),
    }
}

/// Receipt in one line: `Cancelled: stopped and released in 22 ms, confirmed by gpu-1`.
pub fn summary(receipt: &Receipt, state: State, host: Option<&str>) -> String {
    match state {
        State::Cancelled => match (receipt.released.or(receipt.stopped), host) {
            // Nothing ran on a host.
            _ if receipt.sent.is_none() => "Cancelled before it started".to_owned(),
            (Some(at), host) => {
                let took = format::span(at.seconds_since(receipt.requested));
                let what = if receipt.released.is_some() { "stopped and released" } else { "stopped" };
                let by = host.map(|host| format!(", confirmed by {host}")).unwrap_or_default();
                format!("Cancelled: {what} in {took}{by}")
            }
            (None, _) => "Cancelled".to_owned(),
        },
        State::Cancelling => "Cancelling".to_owned(),
        _ => "Cancel requested".to_owned(),
    }
}

/// Deviation of a cancel from its usual steps: an obstacle, or another end.
pub fn branch(
    receipt: &Receipt,
    state: State,
    condition: Option<&Condition>,
    failed: Option<FailureReason>,
    now: Time,
) -> Option<String> {
    let since = |at: Time| format::duration(now.seconds_since(at));
    if receipt.not_stored {
        return Some("sent to the host, not stored yet: the server can't write its database".to_owned());
    }
    let unreachable = condition
        .is_some_and(|c| matches!(c.kind, ConditionKind::CancelUndelivered | ConditionKind::Unreachable));
    match state {
        State::Cancelling => {
            if unreachable && receipt.acknowledged.is_none() {
                let age = since(receipt.requested);
                return Some(format!("not delivered for {age}; retrying until the host answers"));
            }
            if condition.is_some_and(|c| c.kind == ConditionKind::ChildrenRunning) {
                return Some(
                    "the operation itself has stopped; waiting for its child runs to end".to_owned(),
                );
            }
            if let Some(stopped) = receipt.stopped {
                let late = now.seconds_since(stopped) > USUAL_DEADLINE;
                return late.then(|| format!("resources not released after {}", since(stopped)));
            }
            let acknowledged_at = receipt.acknowledged?;
            let late = now.seconds_since(acknowledged_at) > USUAL_DEADLINE;
            late.then(|| {
                format!(
                    "not stopped after {}; the host force-stops the operation after its deadline",
                    since(acknowledged_at)
                )
            })
        }
        State::Cancelled => {
            let took = receipt.stopped?.seconds_since(receipt.acknowledged.or(receipt.sent)?);
            (took > USUAL_DEADLINE).then(|| {
                format!(
                    "took {} to stop, longer than the usual {USUAL_DEADLINE} s; the host force-stops operations after \
                     their deadline",
                    format::span(took)
                )
            })
        }
        State::Failed if failed == Some(FailureReason::Abandoned) => {
            Some("abandoned: the stop was never confirmed".to_owned())
        }
        State::Succeeded => Some("too late: the work finished before it could be stopped".to_owned()),
        State::Failed => {
            Some("never confirmed: the operation failed before the cancel took effect".to_owned())
        }
        State::Queued | State::Starting | State::Running => None,
    }
}

/// Events of an attempt that arrived after it had ended.
pub fn late(wording: &[String]) -> Option<String> {
    (!wording.is_empty()).then(|| {
        format!("Late report from the host: {}. It is recorded and changes nothing.", wording.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Time {
        Time::parse("2026-11-23T10:43:17.204Z").unwrap()
    }

    fn after(seconds: f64) -> Time {
        start().plus_micros((seconds * 1e6) as i64)
    }

    #[test]
    fn a_cancel_that_is_not_stored_or_waits_for_children_is_described() {
        let mut receipt = Receipt { not_stored: true, ..Receipt::requested(1, String::new(), start()) };
        let wording = branch(&receipt, State::Running, None, None, after(1.0)).unwrap();
        assert!(wording.contains("not stored yet"), "{wording}");
        receipt.not_stored = false;
        assert_eq!(branch(&receipt, State::Running, None, None, after(1.0)), None);
        receipt.note(Step::Stopped, after(0.1));
        let children =
            Condition { kind: ConditionKind::ChildrenRunning, since: after(0.1), message: String::new() };
        let wording = branch(&receipt, State::Cancelling, Some(&children), None, after(60.0)).unwrap();
        assert!(wording.contains("waiting for its child runs to end"), "{wording}");
    }

    #[test]
    fn a_receipt_shows_each_step_with_its_milliseconds() {
        let mut receipt = Receipt::requested(1, String::new(), start());
        assert_eq!(last_step(&receipt), "requested");
        receipt.note(Step::Sent, start().plus_micros(2_000));
        receipt.note(Step::Acknowledged, start().plus_micros(6_400));
        let texts: Vec<_> =
            steps(&receipt, Zone::Utc).into_iter().map(|(s, t, _)| format!("{s} {t}")).collect();
        assert_eq!(texts, ["requested 10:43:17.204 UTC", "sent +2 ms", "acknowledged +6 ms"]);
        assert_eq!(last_step(&receipt), "acknowledged +6 ms");
    }

    #[test]
    fn a_cancel_is_summarized_in_one_line_with_its_confirmation() {
        let mut receipt = Receipt::requested(1, String::new(), start());
        assert_eq!(summary(&receipt, State::Cancelling, Some("gpu-1")), "Cancelling");
        receipt.note(Step::Stopped, after(0.0));
        assert_eq!(summary(&receipt, State::Cancelled, None), "Cancelled before it started");
        receipt.note(Step::Sent, after(0.002));
        assert_eq!(
            summary(&receipt, State::Cancelled, Some("gpu-1")),
            "Cancelled: stopped in 0 ms, confirmed by gpu-1"
        );
        receipt.note(Step::Released, after(0.022));
        let wording = summary(&receipt, State::Cancelled, Some("gpu-1"));
        assert_eq!(wording, "Cancelled: stopped and released in 22 ms, confirmed by gpu-1");
        assert_eq!(summary(&receipt, State::Failed, None), "Cancel requested");
    }

    #[test]
    fn a_normal_cancel_shows_no_alternative_steps() {
        let mut receipt = Receipt::requested(1, String::new(), start());
        assert_eq!(branch(&receipt, State::Cancelling, None, None, after(9.0)), None);
        for step in [Step::Sent, Step::Acknowledged, Step::Stopped, Step::Released] {
            receipt.note(step, after(0.03));
        }
        assert_eq!(branch(&receipt, State::Cancelled, None, None, after(60.0)), None);
        // Cancelled in the queue: no host was involved.
        let queued = Receipt { stopped: Some(after(0.0)), ..Receipt::requested(1, String::new(), start()) };
        assert_eq!(branch(&queued, State::Cancelled, None, None, after(1.0)), None);
    }

    #[test]
    fn an_obstacle_to_a_cancel_is_shown_with_its_age() {
        let mut receipt = Receipt::requested(1, String::new(), start());
        for kind in [ConditionKind::CancelUndelivered, ConditionKind::Unreachable] {
            let unreachable = Condition { kind, since: after(-3.0), message: String::new() };
            let wording = branch(&receipt, State::Cancelling, Some(&unreachable), None, after(12.0)).unwrap();
            assert!(wording.starts_with("not delivered for 12 s"), "{wording}");
        }
        receipt.note(Step::Acknowledged, after(0.5));
        assert_eq!(branch(&receipt, State::Cancelling, None, None, after(5.0)), None);
        let wording = branch(&receipt, State::Cancelling, None, None, after(8.5)).unwrap();
        assert!(wording.starts_with("not stopped after 8 s"), "{wording}");
        receipt.note(Step::Stopped, after(9.0));
        let wording = branch(&receipt, State::Cancelling, None, None, after(20.0)).unwrap();
        assert_eq!(wording, "resources not released after 11 s");
        receipt.note(Step::Released, after(21.0));
        let wording = branch(&receipt, State::Cancelled, None, None, after(30.0)).unwrap();
        assert!(
            wording.starts_with("took 8.5 s to stop, longer than the usual 5 s; the host force-stops"),
            "{wording}"
        );
    }

    #[test]
    fn a_late_report_is_shown_as_without_effect() {
        assert_eq!(late(&[]), None);
        let wording = late(&["attempt 1: stopped".into(), "attempt 1: ended, cancelled".into()]).unwrap();
        assert_eq!(
            wording,
            "Late report from the host: attempt 1: stopped; attempt 1: ended, cancelled. It is recorded and \
             changes nothing."
        );
    }

    #[test]
    fn an_end_that_is_not_a_cancel_is_named_correctly() {
        let receipt = Receipt::requested(1, String::new(), start());
        let wording = |state, failed| branch(&receipt, state, None, failed, after(1.0)).unwrap();
        assert!(wording(State::Succeeded, None).starts_with("too late"));
        assert!(wording(State::Failed, Some(FailureReason::Abandoned)).starts_with("abandoned"));
        assert!(wording(State::Failed, Some(FailureReason::Work)).starts_with("never confirmed"));
    }
}
