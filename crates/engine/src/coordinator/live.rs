//! Operation that has not ended, with what the coordinator knows about its host's part.

use crate::forecast::Track;
use crate::lifecycle::Record;
use crate::pace::Pace;
use protocol::HostName;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Operation that has not ended.
pub(super) struct Live {
    pub(super) record: Record,
    /// Its host, while it occupies a slot there.
    pub(super) on: Option<HostName>,
    /// The host has confirmed that it has the attempt.
    pub(super) accepted: bool,
    /// The start host request has given up without a response.
    pub(super) start_given_up: bool,
    /// A start host request is pending.
    pub(super) starting: bool,
    /// A cancel host request is pending.
    pub(super) cancelling: bool,
    /// The host was known to have the attempt when the cancel was last sent, so only the host's list can show that it
    /// is lost.
    pub(super) had_at_cancel: bool,
    /// Cancels the host requests of the attempt.
    pub(super) stop: CancellationToken,
    /// Cancelled when no further try to start it is wanted.
    pub(super) unwanted: CancellationToken,
    /// Position in the host's feed at which it reported the attempt, or listed it.
    pub(super) seen_at: Option<u64>,
    /// Usual interval of progress, to detect a stall.
    pub(super) pace: Pace,
    /// Its forecasts so far.
    pub(super) track: Track,
    /// Time for which its host was expected to report but did not.
    pub(super) silent_for: Duration,
}

impl Live {
    pub(super) fn new(record: Record) -> Self {
        Self {
            track: track_of(&record),
            record,
            on: None,
            accepted: false,
            start_given_up: false,
            starting: false,
            cancelling: false,
            had_at_cancel: false,
            stop: CancellationToken::new(),
            unwanted: CancellationToken::new(),
            seen_at: None,
            pace: Pace::default(),
            silent_for: Duration::ZERO,
        }
    }

    /// Whether the host has shown in any way that it has the attempt.
    pub(super) fn host_has_it(&self) -> bool {
        self.accepted || self.seen_at.is_some() || self.record.operation.started_at.is_some()
    }

    /// Resets the host requests for a new attempt.
    pub(super) fn new_requests(&mut self) {
        self.stop.cancel();
        self.stop = CancellationToken::new();
        self.unwanted = CancellationToken::new();
        self.accepted = false;
        self.start_given_up = false;
        self.starting = false;
        self.cancelling = false;
        self.had_at_cancel = false;
        self.seen_at = None;
        self.pace = Pace::default();
        self.track = track_of(&self.record);
        self.silent_for = Duration::ZERO;
    }
}

fn track_of(record: &Record) -> Track {
    record.attempts.last().map(|attempt| Track::of(attempt.origin)).unwrap_or_default()
}
