//! An operation that has not ended, with what the desk knows of its host's part in it.

use crate::forecast::Track;
use crate::lifecycle::Record;
use crate::pace::Pace;
use protocol::HostName;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// An operation that has not ended.
pub(super) struct Live {
    pub(super) record: Record,
    /// The host that has it, while it counts against that host's places.
    pub(super) on: Option<HostName>,
    /// The host said that it has the attempt.
    pub(super) accepted: bool,
    /// The errand that starts it gave up without an answer.
    pub(super) start_given_up: bool,
    /// A start errand is under way.
    pub(super) starting: bool,
    /// A cancel errand is under way.
    pub(super) cancelling: bool,
    /// The host was known to have the attempt when the cancel last went out: then only its list says that it is lost.
    pub(super) had_at_cancel: bool,
    /// Stops the errands of the attempt.
    pub(super) stop: CancellationToken,
    /// No further try to start it is wanted.
    pub(super) unwanted: CancellationToken,
    /// The place in the host's feed at which it said that it has the attempt, or showed it in a list.
    pub(super) seen_at: Option<u64>,
    /// How fast it goes, to notice when it doesn't.
    pub(super) pace: Pace,
    /// Its forecasts so far.
    pub(super) track: Track,
    /// For so long its host was listened for and not heard.
    pub(super) in_vain: Duration,
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
            in_vain: Duration::ZERO,
        }
    }

    /// Its host has said in some way that it has the attempt.
    pub(super) fn host_has_it(&self) -> bool {
        self.accepted || self.seen_at.is_some() || self.record.operation.started_at.is_some()
    }

    /// Another attempt has just been made.
    pub(super) fn fresh_errands(&mut self) {
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
        self.in_vain = Duration::ZERO;
    }
}

fn track_of(record: &Record) -> Track {
    record.attempts.last().map(|attempt| Track::of(attempt.origin)).unwrap_or_default()
}
