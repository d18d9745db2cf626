//! Feed of a listening tab, received from the leader. Pure.
//!
//! It checks the sequence as the leader does. The leader's status contains its feed position: a tab behind it has a
//! gap, and requests the missing events from the server (page by page, without waiting) while it holds later frames. A
//! gap that is too large, a new server instance, or an answer without progress leads to a snapshot. So a tab can join
//! at any time and lose any frame.

use super::frame::{Frame, LeaderStatus};
use crate::connection::sequence_check::{SequenceCheck, Verdict};
use crate::connection::state::Connectivity;
use crate::connection::wire::{self, Page};
use protocol::{Event, InstanceId};
use std::collections::VecDeque;

/// Heartbeats that a leader may miss.
const BEATS: f64 = 2.0;
/// Heartbeat interval until the leader sends its own, milliseconds.
const HEARTBEAT_INTERVAL: f64 = 2_000.0;
/// A gap between ticks that means this tab was suspended, milliseconds.
const ASLEEP: f64 = 3_000.0;
/// Behind for longer than this, the page is stale, milliseconds.
const STALE_AFTER: f64 = 2_500.0;
/// Minimum time between two snapshots, milliseconds.
const APART: f64 = 2_000.0;
/// Maximum number of missing events to request one by one.
const MAX_BEHIND: u64 = 3_000;
/// Maximum number of held frames; beyond that a snapshot is needed.
const MAX_HELD: usize = 5_000;

/// A request to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerRequest {
    /// Events after this one.
    Page {
        after: u64,
    },
    Snapshot,
}

/// Result of a frame or an answer.
#[derive(Debug, Default)]
pub struct Effects {
    /// Events to apply, in order.
    pub events: Vec<Event>,
    pub server_request: Option<ServerRequest>,
}

/// A listening tab. Times are the browser's, milliseconds since 1970.
#[derive(Debug)]
pub struct Follower {
    /// Time of the leader's last frame.
    last_frame: f64,
    /// Like `last_frame`, without the time this tab was suspended.
    silent_since: f64,
    ticked: f64,
    leader: Option<LeaderStatus>,
    server: Option<InstanceId>,
    server_request: Option<ServerRequest>,
    needs_snapshot: bool,
    asked_snapshot: f64,
    behind_since: Option<f64>,
    held: VecDeque<Frame>,
}

impl Follower {
    /// Starts listening at `now` with a known server instance and data valid at `last_frame`.
    pub fn new(now: f64, last_frame: f64, server: Option<InstanceId>) -> Self {
        Self {
            last_frame,
            silent_since: now,
            ticked: now,
            leader: None,
            needs_snapshot: server.is_none(),
            server,
            server_request: None,
            asked_snapshot: f64::NEG_INFINITY,
            behind_since: None,
            held: VecDeque::new(),
        }
    }

    /// Time of the leader's last frame, or of this tab's own data.
    pub fn last_frame(&self) -> f64 {
        self.last_frame
    }

    /// Events are missing, which needs a snapshot.
    pub fn needs_snapshot(&self) -> bool {
        self.needs_snapshot
    }

    /// Nothing is requested or held: frames are applied as they arrive.
    pub fn in_sync(&self) -> bool {
        self.server_request.is_none() && !self.needs_snapshot
    }

    /// Handles a frame of the leader.
    pub fn take(&mut self, frame: Frame, sequence: &mut SequenceCheck, now: f64) -> Effects {
        self.last_frame = now;
        self.silent_since = now;
        let mut effects = Effects::default();
        match frame {
            Frame::Status(status) => {
                self.leader = Some(status);
                self.compare(&mut effects, sequence, now);
            }
            Frame::Identity | Frame::Join | Frame::Nudge | Frame::Beat(_) => {}
            frame if self.in_sync() => self.apply(frame, &mut effects, sequence, now),
            frame => {
                if self.held.len() >= MAX_HELD {
                    self.held.clear();
                    self.needs_snapshot = true;
                }
                self.held.push_back(frame);
            }
        }
        effects
    }

    /// Handles the requested page; `None` when it failed or could not be parsed.
    pub fn page_arrived(&mut self, page: Option<Page>, sequence: &mut SequenceCheck, now: f64) -> Effects {
        let mut effects = Effects::default();
        self.server_request = None;
        let before = sequence.seq();
        match page {
            Some(page) if page.reset.is_none() => {
                if !add(page, &mut effects, sequence) || sequence.seq() == before {
                    self.needs_snapshot = true;
                }
            }
            Some(_) => self.needs_snapshot = true,
            None => {
                self.needs_snapshot = true;
                self.asked_snapshot = now;
            }
        }
        self.proceed(&mut effects, sequence, now);
        effects
    }

    /// Handles a snapshot of a server instance, with the sequence at its position; `None` when the request failed: the
    /// leader's next status triggers a retry.
    pub fn snapshot_arrived(
        &mut self,
        server: Option<InstanceId>,
        sequence: &mut SequenceCheck,
        now: f64,
    ) -> Effects {
        let mut effects = Effects::default();
        self.server_request = None;
        if server.is_some() {
            self.server = server;
            self.needs_snapshot = false;
            self.proceed(&mut effects, sequence, now);
        }
        effects
    }

    /// Handles the passage of time. A suspended tab can't tell how long the leader was silent.
    pub fn tick(&mut self, now: f64) {
        if now - self.ticked > ASLEEP || now < self.ticked {
            self.silent_since = now;
        }
        self.ticked = now;
    }

    /// Time beyond the leader's timeout, milliseconds.
    pub fn silent(&self, now: f64) -> f64 {
        now - self.silent_since - self.patience()
    }

    fn patience(&self) -> f64 {
        BEATS * self.leader.as_ref().map_or(HEARTBEAT_INTERVAL, |leader| leader.beat)
    }

    /// Applies held frames, then checks the leader's last status.
    fn proceed(&mut self, effects: &mut Effects, sequence: &mut SequenceCheck, now: f64) {
        while self.in_sync()
            && let Some(frame) = self.held.pop_front()
        {
            self.apply(frame, effects, sequence, now);
        }
        self.compare(effects, sequence, now);
        if self.in_sync() {
            self.behind_since = None;
        }
    }

    /// Compares the leader's status with this tab's position.
    fn compare(&mut self, effects: &mut Effects, sequence: &SequenceCheck, now: f64) {
        let Some(leader) = &self.leader else { return };
        if self.server_request.is_some() {
            return;
        }
        let other_life = leader.fresh && leader.server.is_some() && leader.server != self.server;
        if other_life {
            self.needs_snapshot = true;
        }
        let seq = leader.seq;
        // A disconnected leader means that the server would not answer us either.
        let worth_asking = leader.fresh;
        if self.needs_snapshot {
            self.behind_since.get_or_insert(now);
            if worth_asking && now - self.asked_snapshot > APART {
                self.asked_snapshot = now;
                self.send(ServerRequest::Snapshot, effects);
            }
        } else if seq > sequence.covered() {
            self.mend(seq, effects, sequence, now);
        }
    }

    /// Applies a frame in sequence.
    fn apply(&mut self, frame: Frame, effects: &mut Effects, sequence: &mut SequenceCheck, now: f64) {
        let missing = match &frame {
            Frame::Message(text) => match wire::event(text) {
                Ok(event) => match sequence.event(event.seq) {
                    Verdict::Next => {
                        effects.events.push(event);
                        None
                    }
                    Verdict::Old => None,
                    Verdict::Missing => Some(event.seq),
                },
                Err(_) => return self.lose(effects, sequence, now),
            },
            Frame::Skipped(text) => match json::from_str(text) {
                Ok(range) => {
                    sequence.skipped(range);
                    None
                }
                Err(_) => return self.lose(effects, sequence, now),
            },
            Frame::Page(after, _) if *after > sequence.covered() => Some(*after),
            Frame::Page(_, text) => match wire::page(text) {
                // The leader recovers from a reset with a snapshot, and then sends its position.
                Ok(page) if page.reset.is_some() => None,
                Ok(page) => {
                    if !add(page, effects, sequence) {
                        return self.lose(effects, sequence, now);
                    }
                    None
                }
                Err(_) => return self.lose(effects, sequence, now),
            },
            Frame::Beat(_) | Frame::Status(_) | Frame::Identity | Frame::Join | Frame::Nudge => None,
        };
        if let Some(target) = missing {
            self.held.push_front(frame);
            self.mend(target, effects, sequence, now);
        }
    }

    /// Requests the missing events up to `target`.
    fn mend(&mut self, target: u64, effects: &mut Effects, sequence: &SequenceCheck, now: f64) {
        self.behind_since.get_or_insert(now);
        let after = sequence.seq();
        if target - after > MAX_BEHIND {
            self.lose(effects, sequence, now);
        } else {
            self.send(ServerRequest::Page { after }, effects);
        }
    }

    /// Requests a snapshot.
    fn lose(&mut self, effects: &mut Effects, sequence: &SequenceCheck, now: f64) {
        self.needs_snapshot = true;
        self.compare(effects, sequence, now);
    }

    fn send(&mut self, server_request: ServerRequest, effects: &mut Effects) {
        self.server_request = Some(server_request);
        effects.server_request = Some(server_request);
    }

    /// Whether the page's data is current.
    pub fn fresh(&self, now: f64) -> bool {
        if self.behind_since.is_some_and(|since| now - since > STALE_AFTER) {
            return false;
        }
        match &self.leader {
            Some(leader) => leader.fresh && now - self.last_frame <= self.patience(),
            None => now - self.last_frame < STALE_AFTER,
        }
    }

    /// State of the badge at `now`: the leader's, as long as it is true here.
    pub fn connectivity(&self, now: f64) -> Connectivity {
        let since = match (&self.leader, self.behind_since) {
            (_, Some(since)) if now - since > STALE_AFTER => since,
            (Some(leader), _) if now - self.last_frame <= self.patience() => return leader.connectivity,
            (None, _) if now - self.silent_since <= self.patience() => return Connectivity::Connecting,
            _ => self.last_frame,
        };
        Connectivity::Reconnecting { next: 0.0, age: now - since }
    }
}

/// Takes the events of a page; false when events before them are missing.
fn add(page: Page, effects: &mut Effects, sequence: &mut SequenceCheck) -> bool {
    if let Some(range) = page.skipped {
        sequence.skipped(range);
    }
    for event in page.events {
        match sequence.event(event.seq) {
            Verdict::Next => effects.events.push(event),
            Verdict::Old => {}
            Verdict::Missing => return false,
        }
    }
    sequence.page(page.next);
    true
}

#[cfg(test)]
mod tests;
