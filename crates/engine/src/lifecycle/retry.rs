//! When an attempt that failed is tried again by itself.

use super::Record;
use protocol::operation::AttemptOrigin;
use protocol::{FailureReason, State};
use std::time::Duration;

/// The automatic retries of a kind. Without one, nothing is tried again but by a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// How many attempts there are at most, the first one counted.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles from attempt to attempt.
    pub pause: Duration,
    /// No pause is longer.
    pub longest_pause: Duration,
    /// Go on from the checkpoint where there is one.
    pub resume: bool,
    /// Which failures are tried again.
    pub reasons: Vec<FailureReason>,
}

impl RetryPolicy {
    /// The failures that say more of the host than of the work.
    pub const OF_HOSTS: [FailureReason; 4] = [
        FailureReason::HostRestarted,
        FailureReason::HostLost,
        FailureReason::HostStopped,
        FailureReason::HostSilent,
    ];

    /// How the next attempt begins, and after which pause; `None` when there is none. What a person asked to
    /// end is never tried again.
    pub fn next(&self, record: &Record) -> Option<(AttemptOrigin, Duration)> {
        let operation = &record.operation;
        let reason = operation.failure.as_ref()?.reason;
        // A restart that a host itself tells of is one of the service behind it: what that kept a person finds out.
        let of_a_service = record.ended_by_host && reason == FailureReason::HostRestarted;
        let fits = operation.state == State::Failed
            && !of_a_service
            && operation.receipt.is_none()
            && operation.attempt < self.attempts
            && self.reasons.contains(&reason);
        if !fits {
            return None;
        }
        let doublings = (operation.attempt - 1).min(20);
        let pause = self.pause.saturating_mul(1 << doublings).min(self.longest_pause);
        let resume = self.resume && operation.checkpoint.is_some();
        Some((if resume { AttemptOrigin::Resume } else { AttemptOrigin::Retry }, pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Failure, KindName, OperationId, Time};

    fn failed(attempt: u32, reason: FailureReason) -> Record {
        let kind = KindName::new("data.load").unwrap();
        let mut record =
            Record::new(OperationId::new(), kind, "x".into(), serde_json::json!({}), Time::from_micros(1));
        record.operation.state = State::Failed;
        record.operation.attempt = attempt;
        record.operation.failure = Some(Failure { reason, message: "x".into(), hint: String::new() });
        record
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            attempts: 4,
            pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(30),
            resume: true,
            reasons: RetryPolicy::OF_HOSTS.to_vec(),
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_attempts_run_out() {
        let pause =
            |attempt| policy().next(&failed(attempt, FailureReason::HostLost)).map(|(_, p)| p.as_secs());
        assert_eq!([pause(1), pause(2), pause(3), pause(4)], [Some(10), Some(20), Some(30), None]);
    }

    #[test]
    fn only_the_named_failures_are_tried_again_and_nothing_that_was_cancelled() {
        assert_eq!(policy().next(&failed(1, FailureReason::Work)), None);
        assert_eq!(policy().next(&failed(1, FailureReason::Abandoned)), None);
        let mut of_a_service = failed(1, FailureReason::HostRestarted);
        assert!(policy().next(&of_a_service).is_some());
        of_a_service.ended_by_host = true;
        assert_eq!(policy().next(&of_a_service), None, "the service behind the host restarted");
        let mut asked = failed(1, FailureReason::HostLost);
        asked.operation.receipt = Some(protocol::Receipt::requested(1, String::new(), Time::from_micros(2)));
        assert_eq!(policy().next(&asked), None);
    }

    #[test]
    fn it_goes_on_from_a_checkpoint_where_there_is_one() {
        let mut record = failed(1, FailureReason::HostRestarted);
        assert_eq!(policy().next(&record).unwrap().0, AttemptOrigin::Retry);
        let at = Time::from_micros(1);
        record.operation.checkpoint = Some(protocol::Checkpoint {
            attempt: 1,
            at,
            note: "half".into(),
            fraction: None,
            state: serde_json::json!(1),
            files: vec![],
        });
        assert_eq!(policy().next(&record).unwrap().0, AttemptOrigin::Resume);
    }
}
