//! Retry policies: when a failed attempt is retried automatically.

use super::Record;
use backoff::Backoff;
use protocol::operation::AttemptOrigin;
use protocol::{FailureReason, State};
use std::time::Duration;

/// Retry policy of an operation kind. Without one, only users retry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RetryPolicy {
    /// Largest number of attempts, including the first.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles with each attempt.
    pub pause: Duration,
    /// Longest pause.
    pub longest_pause: Duration,
    /// Resume from the checkpoint if there is one.
    pub resume: bool,
    /// Failures that are retried.
    pub reasons: Vec<FailureReason>,
}

impl RetryPolicy {
    /// Failures that concern the host rather than the work.
    pub const OF_HOSTS: [FailureReason; 4] = [
        FailureReason::HostRestarted,
        FailureReason::HostLost,
        FailureReason::HostStopped,
        FailureReason::HostSilent,
    ];

    /// How the next attempt begins, and after which pause; `None` if there is none. Cancelled operations are never
    /// retried.
    pub fn next(&self, record: &Record) -> Option<(AttemptOrigin, Duration)> {
        let operation = &record.operation;
        let reason = operation.failure.as_ref()?.reason;
        // A restart that a host reports itself is one of the service behind it; a user must find out what remains
        // there.
        let of_a_service = record.ended_by_host && reason == FailureReason::HostRestarted;
        let fits = operation.state == State::Failed
            && !of_a_service
            && operation.receipt.is_none()
            && operation.attempt < self.attempts
            && self.reasons.contains(&reason);
        if !fits {
            return None;
        }
        let pause = Backoff::new(self.pause, self.longest_pause).ceiling_after(operation.attempt - 1);
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
    fn pauses_double_up_to_the_maximum_and_attempts_are_limited() {
        let pause =
            |attempt| policy().next(&failed(attempt, FailureReason::HostLost)).map(|(_, p)| p.as_secs());
        assert_eq!([pause(1), pause(2), pause(3), pause(4)], [Some(10), Some(20), Some(30), None]);
    }

    #[test]
    fn only_the_configured_failures_are_retried_and_never_a_cancel() {
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
    fn a_retry_resumes_from_the_checkpoint_if_there_is_one() {
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
