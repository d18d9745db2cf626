//! Connection of the page as a state machine, without clocks, sockets or randomness of its own.
//!
//! It opens the stream and waits for the hello message. Then it is live as long as something arrives: its data is stale
//! as soon as a heartbeat is missed, and after two the stream is reopened. A broken stream is reopened with exponential
//! backoff from 0.5 s to 30 s and jitter, without a limit of attempts. A stream that opens but delivers nothing, or
//! breaks twice in a row, may be blocked on the way: then the page tries long polling, which counts as connected once a
//! poll is answered. While polling it retries the stream every minute. After a loss (a gap, another server instance, an
//! expired position) it takes a new snapshot before it follows the feed again.

use backoff::Backoff;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Timeout for the hello message of an opened stream, milliseconds.
const HELLO_WITHIN: f64 = 3_000.0;
/// Heartbeats without a message after which the stream is dead.
const DEAD_AFTER_BEATS: f64 = 2.0;
/// Heartbeats without a message after which the data of an open connection is stale: one, and a half for its transit.
const STALE_AFTER_BEATS: f64 = 1.5;
/// Interval at which polling retries the stream, milliseconds.
const PROBE_EVERY: f64 = 60_000.0;
/// Time the server may hold a poll, seconds: as short as a heartbeat, because a held poll looks like a dead one.
pub const POLL_WAIT_SECONDS: u32 = 2;
/// Timeout of a poll, milliseconds.
const POLL_LIMIT: f64 = POLL_WAIT_SECONDS as f64 * 1_000.0 + 8_000.0;
/// While polling, data is stale after this time without an answer: its wait, a pause and the transit, milliseconds.
const POLL_STALE_AFTER: f64 = 4_000.0;
/// A longer outage is shown as "server offline", milliseconds.
const AWAY_AFTER: f64 = 60_000.0;
/// The page is stale when nothing arrived for this long and no connection is open, milliseconds.
const STALE_AFTER: f64 = 2_500.0;
/// Minimum time between two losses without a pause before the next snapshot, milliseconds.
const LOSS_APART: f64 = 2_000.0;

/// Longest pause after the first failure, and after many; half of it is random.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Transport of the feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Stream,
    Poll,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Mode {
    Idle,
    /// The stream is opened; its hello message is awaited.
    Connecting {
        since: f64,
    },
    Live,
    /// `proven`: a poll was answered. Before that it is only an attempt.
    Polling {
        proven: bool,
        asked: f64,
    },
    /// A snapshot is requested.
    Resync,
    Waiting {
        until: f64,
    },
}

/// Why the page polls instead of using the stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum PollReason {
    /// It opens, but nothing arrives.
    Mute,
    /// It breaks as soon as it is opened.
    Breaks,
}

impl PollReason {
    /// Explanation for the user.
    pub fn in_words(self) -> &'static str {
        match self {
            PollReason::Mute => {
                "Live updates are blocked, so the page is polling. A proxy or antivirus may be buffering the connection. Live updates are retried every minute."
            }
            PollReason::Breaks => {
                "The live connection closes immediately, so the page is polling. A proxy or firewall may be rejecting it. Live updates are retried every minute."
            }
        }
    }
}

/// Input of the state machine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Input {
    /// The page connects; `seeded` when it has a snapshot, valid at `valid_at`.
    Start {
        seeded: bool,
        valid_at: f64,
    },
    /// The stream's first message; `same_server` when the server instance is the known one.
    Hello {
        beat_seconds: f64,
        same_server: bool,
    },
    /// Any other message of the stream.
    Message,
    StreamFailed,
    /// A poll was answered, with or without events.
    PollAnswered {
        events: bool,
    },
    PollFailed,
    /// Events are missing, which needs a snapshot.
    Lost,
    SnapshotTaken,
    SnapshotFailed,
    /// Time passes.
    Tick,
    /// Retry now: requested by the user, or the network is back.
    Nudge,
}

/// Output of the state machine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Command {
    OpenStream,
    CloseStream,
    /// Request the next page of the feed after this many milliseconds.
    Poll {
        after: f64,
    },
    StopPoll,
    TakeSnapshot,
    /// Send [`Input::Tick`] after this many milliseconds.
    Wake {
        after: f64,
    },
}

/// State shown by the badge.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub enum Connectivity {
    /// Not connected yet.
    Idle,
    Connecting,
    Live,
    /// Connected, but a heartbeat is missing. `age`: time since the last message, milliseconds.
    Silent {
        age: f64,
    },
    Polling {
        why: PollReason,
    },
    /// `next`: time until the next attempt; `age`: time since the last message; both in milliseconds.
    Reconnecting {
        next: f64,
        age: f64,
    },
    /// Offline since a time, milliseconds since 1970.
    Away {
        since: f64,
        next: f64,
    },
}

/// The state machine. Times are the browser's, milliseconds since 1970.
#[derive(Clone, Debug)]
pub struct ConnectionState {
    mode: Mode,
    /// Transport to use after a pause or a snapshot.
    way: Way,
    why: PollReason,
    needs_snapshot: bool,
    backoff: Backoff,
    /// Consecutive streams that ended before their hello message.
    breaks: u32,
    /// When a second stream was opened while polling.
    probe: Option<f64>,
    next_probe: f64,
    beat: f64,
    last_message: f64,
    last_loss: f64,
    trouble_since: Option<f64>,
    /// The stream is in use and was open before.
    was_live: bool,
}

impl Default for ConnectionState {
    fn default() -> Self {
        Self {
            mode: Mode::Idle,
            way: Way::Stream,
            why: PollReason::Mute,
            needs_snapshot: false,
            backoff: Backoff::new(FIRST_PAUSE, MAX_PAUSE),
            breaks: 0,
            probe: None,
            next_probe: 0.0,
            beat: 2_000.0,
            last_message: 0.0,
            last_loss: f64::NEG_INFINITY,
            trouble_since: None,
            was_live: false,
        }
    }
}

impl ConnectionState {
    /// Handles an input at `now`; `chance` is a random number from 0 to 1. Returns the commands in order.
    pub fn on(&mut self, input: Input, now: f64, chance: f64) -> Vec<Command> {
        match (input, self.mode) {
            (Input::Start { seeded, valid_at }, Mode::Idle) => {
                self.last_message = valid_at;
                self.needs_snapshot = !seeded;
                self.proceed(now)
            }
            (_, Mode::Idle) => vec![],

            (Input::Hello { beat_seconds, same_server }, Mode::Connecting { .. } | Mode::Polling { .. }) => {
                if beat_seconds > 0.0 {
                    self.beat = beat_seconds * 1_000.0;
                }
                let mut commands = self.leave_polling(false);
                self.way = Way::Stream;
                self.breaks = 0;
                self.was_live = true;
                self.mode = Mode::Live;
                if same_server {
                    self.received(now);
                } else {
                    commands.extend(self.lost(now, chance));
                }
                commands
            }
            (Input::Message, Mode::Live) => {
                self.received(now);
                vec![]
            }

            (Input::StreamFailed, Mode::Connecting { .. }) => {
                self.breaks += 1;
                if self.breaks >= 2 {
                    self.why = PollReason::Breaks;
                    self.ask(now)
                } else {
                    self.pause(now, chance)
                }
            }
            (Input::StreamFailed, Mode::Live) => self.pause(now, chance),
            (Input::StreamFailed, Mode::Polling { .. }) => {
                self.probe = None;
                self.next_probe = now + PROBE_EVERY;
                vec![]
            }

            (Input::PollAnswered { events }, Mode::Polling { asked, .. }) => {
                self.mode = Mode::Polling { proven: true, asked: now };
                self.way = Way::Poll;
                self.received(now);
                let took = now - asked;
                // Limits the rate behind a proxy that answers at once and empty.
                let least = if events { 100.0 } else { 1_000.0 };
                vec![Command::Poll { after: (least - took).max(0.0) }]
            }
            (Input::PollFailed, Mode::Polling { .. }) => {
                self.needs_snapshot = true;
                self.pause(now, chance)
            }

            (Input::Lost, Mode::Live | Mode::Polling { .. } | Mode::Connecting { .. }) => {
                self.lost(now, chance)
            }

            (Input::SnapshotTaken, Mode::Resync) => {
                self.needs_snapshot = false;
                self.last_message = now;
                self.proceed(now)
            }
            (Input::SnapshotFailed, Mode::Resync) => self.pause(now, chance),

            (Input::Tick, _) => self.tick(now, chance),
            (Input::Nudge, Mode::Waiting { .. }) => self.proceed(now),
            _ => vec![],
        }
    }

    fn tick(&mut self, now: f64, chance: f64) -> Vec<Command> {
        match self.mode {
            Mode::Waiting { until } if now >= until => self.proceed(now),
            Mode::Connecting { since } if now - since > HELLO_WITHIN => {
                self.why = PollReason::Mute;
                let mut commands = vec![Command::CloseStream];
                commands.extend(self.ask(now));
                commands
            }
            Mode::Live if now - self.last_message > DEAD_AFTER_BEATS * self.beat => {
                self.trouble(now);
                let mut commands = vec![Command::CloseStream];
                commands.extend(self.proceed(now));
                commands
            }
            Mode::Polling { asked, .. } if now - asked > POLL_LIMIT => {
                self.needs_snapshot = true;
                self.pause(now, chance)
            }
            Mode::Polling { proven: true, .. } => match self.probe {
                Some(since) if now - since > HELLO_WITHIN => {
                    self.probe = None;
                    self.next_probe = now + PROBE_EVERY;
                    vec![Command::CloseStream]
                }
                None if now >= self.next_probe => {
                    self.probe = Some(now);
                    vec![Command::OpenStream]
                }
                _ => vec![],
            },
            _ => vec![],
        }
    }

    /// Data arrived at `now`.
    fn received(&mut self, now: f64) {
        self.last_message = now;
        self.backoff.reset();
        self.trouble_since = None;
    }

    fn trouble(&mut self, now: f64) {
        let since = if self.last_message > 0.0 { self.last_message } else { now };
        self.trouble_since.get_or_insert(since);
    }

    /// Next step after a pause, a snapshot or the start.
    fn proceed(&mut self, now: f64) -> Vec<Command> {
        if self.needs_snapshot {
            self.mode = Mode::Resync;
            return vec![Command::TakeSnapshot];
        }
        match self.way {
            Way::Stream => {
                self.mode = Mode::Connecting { since: now };
                vec![Command::OpenStream]
            }
            Way::Poll => self.ask(now),
        }
    }

    /// Tries the long poll.
    fn ask(&mut self, now: f64) -> Vec<Command> {
        self.mode = Mode::Polling { proven: false, asked: now };
        self.was_live = false;
        self.probe = None;
        self.next_probe = now + PROBE_EVERY;
        vec![Command::Poll { after: 0.0 }]
    }

    /// Stops polling; `stream` also closes its probe.
    fn leave_polling(&mut self, stream: bool) -> Vec<Command> {
        let mut commands = vec![];
        if matches!(self.mode, Mode::Polling { .. }) {
            commands.push(Command::StopPoll);
            if stream && self.probe.is_some() {
                commands.push(Command::CloseStream);
            }
            self.probe = None;
        }
        commands
    }

    /// Pauses with exponential backoff.
    fn pause(&mut self, now: f64, chance: f64) -> Vec<Command> {
        self.trouble(now);
        let mut commands = self.leave_polling(true);
        let longest = self.backoff.next_ceiling().as_secs_f64() * 1_000.0;
        let after = longest * (0.5 + 0.5 * chance.clamp(0.0, 1.0));
        self.mode = Mode::Waiting { until: now + after };
        commands.push(Command::Wake { after });
        commands
    }

    fn lost(&mut self, now: f64, chance: f64) -> Vec<Command> {
        let mut commands = self.leave_polling(true);
        if matches!(self.mode, Mode::Live | Mode::Connecting { .. }) {
            commands.push(Command::CloseStream);
        }
        self.needs_snapshot = true;
        let again = now - self.last_loss < LOSS_APART;
        self.last_loss = now;
        // Everything in flight was stopped above.
        self.mode = Mode::Resync;
        if again {
            commands.extend(self.pause(now, chance));
        } else {
            commands.push(Command::TakeSnapshot);
        }
        commands
    }

    /// Time of the last message.
    pub fn last_message(&self) -> f64 {
        self.last_message
    }

    /// Events are missing, which needs a snapshot.
    pub fn needs_snapshot(&self) -> bool {
        self.needs_snapshot
    }

    /// Heartbeat interval, milliseconds.
    pub fn beat(&self) -> f64 {
        self.beat
    }

    /// Whether the page's data is current.
    pub fn fresh(&self, now: f64) -> bool {
        match self.mode {
            Mode::Idle => true,
            _ => now - self.last_message < self.stale_after(),
        }
    }

    fn stale_after(&self) -> f64 {
        match self.mode {
            Mode::Live => STALE_AFTER_BEATS * self.beat,
            Mode::Polling { proven: true, .. } => POLL_STALE_AFTER,
            _ => STALE_AFTER,
        }
    }

    /// Whether the stream is open.
    pub fn is_live(&self) -> bool {
        self.mode == Mode::Live
    }

    /// State of the badge at `now`.
    pub fn connectivity(&self, now: f64) -> Connectivity {
        let next = match self.mode {
            Mode::Idle => return Connectivity::Idle,
            Mode::Live | Mode::Polling { proven: true, .. } if !self.fresh(now) => {
                return Connectivity::Silent { age: now - self.last_message };
            }
            Mode::Live => return Connectivity::Live,
            Mode::Polling { proven: true, .. } => return Connectivity::Polling { why: self.why },
            Mode::Waiting { until } => (until - now).max(0.0),
            _ => 0.0,
        };
        match self.trouble_since {
            None => Connectivity::Connecting,
            // An interruption shorter than a heartbeat has lost nothing.
            Some(_) if self.was_live && !self.needs_snapshot && now - self.last_message < STALE_AFTER => {
                Connectivity::Live
            }
            Some(since) if now - since > AWAY_AFTER => Connectivity::Away { since, next },
            Some(_) => Connectivity::Reconnecting { next, age: now - self.last_message },
        }
    }
}

#[cfg(test)]
mod tests;
