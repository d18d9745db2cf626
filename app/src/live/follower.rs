//! Feed of a listening tab, received from the leader. Pure.
//!
//! It checks the sequence as the leader does. The leader's status contains its feed position: a tab behind it has a
//! gap, and requests the missing events from the server (page by page, without waiting) while it holds later frames. A
//! gap that is too large, a new server instance, or an answer without progress leads to a snapshot. So a tab can join
//! at any time and lose any frame.

use super::feed::{Follower, Verdict};
use super::frame::{Frame, Standing};
use super::link::Shown;
use super::wire::{self, Page};
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
pub struct Taken {
    /// Events to apply, in order.
    pub events: Vec<Event>,
    pub server_request: Option<ServerRequest>,
}

/// A listening tab. Times are the browser's, milliseconds since 1970.
#[derive(Debug)]
pub struct Relay {
    /// Time of the leader's last frame.
    heard: f64,
    /// Like `heard`, without the time this tab was suspended.
    silent_since: f64,
    ticked: f64,
    told: Option<Standing>,
    server: Option<InstanceId>,
    server_request: Option<ServerRequest>,
    needs_snapshot: bool,
    asked_snapshot: f64,
    behind_since: Option<f64>,
    held: VecDeque<Frame>,
}

impl Relay {
    /// Starts listening at `now` with a known server instance and data valid at `heard`.
    pub fn new(now: f64, heard: f64, server: Option<InstanceId>) -> Self {
        Self {
            heard,
            silent_since: now,
            ticked: now,
            told: None,
            needs_snapshot: server.is_none(),
            server,
            server_request: None,
            asked_snapshot: f64::NEG_INFINITY,
            behind_since: None,
            held: VecDeque::new(),
        }
    }

    /// Time of the leader's last frame, or of this tab's own data.
    pub fn heard(&self) -> f64 {
        self.heard
    }

    /// Events are missing, which needs a snapshot.
    pub fn needs_snapshot(&self) -> bool {
        self.needs_snapshot
    }

    /// Nothing is requested or held: frames are applied as they arrive.
    pub fn direct(&self) -> bool {
        self.server_request.is_none() && !self.needs_snapshot
    }

    /// Handles a frame of the leader.
    pub fn take(&mut self, frame: Frame, follower: &mut Follower, now: f64) -> Taken {
        self.heard = now;
        self.silent_since = now;
        let mut taken = Taken::default();
        match frame {
            Frame::Standing(standing) => {
                self.told = Some(standing);
                self.compare(&mut taken, follower, now);
            }
            Frame::Join | Frame::Nudge | Frame::Beat(_) => {}
            frame if self.direct() => self.apply(frame, &mut taken, follower, now),
            frame => {
                if self.held.len() >= MAX_HELD {
                    self.held.clear();
                    self.needs_snapshot = true;
                }
                self.held.push_back(frame);
            }
        }
        taken
    }

    /// Handles the requested page; `None` when it failed or could not be parsed.
    pub fn page_came(&mut self, page: Option<Page>, follower: &mut Follower, now: f64) -> Taken {
        let mut taken = Taken::default();
        self.server_request = None;
        let before = follower.seq();
        match page {
            Some(page) if page.reset.is_none() => {
                if !add(page, &mut taken, follower) || follower.seq() == before {
                    self.needs_snapshot = true;
                }
            }
            Some(_) => self.needs_snapshot = true,
            None => {
                self.needs_snapshot = true;
                self.asked_snapshot = now;
            }
        }
        self.go_on(&mut taken, follower, now);
        taken
    }

    /// Handles a snapshot of a server instance, with the follower at its position; `None` when the request failed: the
    /// leader's next status triggers a retry.
    pub fn snapshot_came(&mut self, server: Option<InstanceId>, follower: &mut Follower, now: f64) -> Taken {
        let mut taken = Taken::default();
        self.server_request = None;
        if server.is_some() {
            self.server = server;
            self.needs_snapshot = false;
            self.go_on(&mut taken, follower, now);
        }
        taken
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
        BEATS * self.told.as_ref().map_or(HEARTBEAT_INTERVAL, |told| told.beat)
    }

    /// Applies held frames, then checks the leader's last status.
    fn go_on(&mut self, taken: &mut Taken, follower: &mut Follower, now: f64) {
        while self.direct()
            && let Some(frame) = self.held.pop_front()
        {
            self.apply(frame, taken, follower, now);
        }
        self.compare(taken, follower, now);
        if self.direct() {
            self.behind_since = None;
        }
    }

    /// Compares the leader's status with this tab's position.
    fn compare(&mut self, taken: &mut Taken, follower: &Follower, now: f64) {
        let Some(told) = &self.told else { return };
        if self.server_request.is_some() {
            return;
        }
        let other_life = told.fresh && told.server.is_some() && told.server != self.server;
        if other_life {
            self.needs_snapshot = true;
        }
        let seq = told.seq;
        // A disconnected leader means that the server would not answer us either.
        let worth_asking = told.fresh;
        if self.needs_snapshot {
            self.behind_since.get_or_insert(now);
            if worth_asking && now - self.asked_snapshot > APART {
                self.asked_snapshot = now;
                self.send(ServerRequest::Snapshot, taken);
            }
        } else if seq > follower.covered() {
            self.mend(seq, taken, follower, now);
        }
    }

    /// Applies a frame in sequence.
    fn apply(&mut self, frame: Frame, taken: &mut Taken, follower: &mut Follower, now: f64) {
        let missing = match &frame {
            Frame::Message(text) => match wire::event(text) {
                Ok(event) => match follower.event(event.seq) {
                    Verdict::Next => {
                        taken.events.push(event);
                        None
                    }
                    Verdict::Old => None,
                    Verdict::Missing => Some(event.seq),
                },
                Err(_) => return self.lose(taken, follower, now),
            },
            Frame::Skipped(text) => match serde_json::from_str(text) {
                Ok(range) => {
                    follower.skipped(range);
                    None
                }
                Err(_) => return self.lose(taken, follower, now),
            },
            Frame::Page(after, _) if *after > follower.covered() => Some(*after),
            Frame::Page(_, text) => match wire::page(text) {
                // The leader recovers from a reset with a snapshot, and then sends its position.
                Ok(page) if page.reset.is_some() => None,
                Ok(page) => {
                    if !add(page, taken, follower) {
                        return self.lose(taken, follower, now);
                    }
                    None
                }
                Err(_) => return self.lose(taken, follower, now),
            },
            Frame::Beat(_) | Frame::Standing(_) | Frame::Join | Frame::Nudge => None,
        };
        if let Some(target) = missing {
            self.held.push_front(frame);
            self.mend(target, taken, follower, now);
        }
    }

    /// Requests the missing events up to `target`.
    fn mend(&mut self, target: u64, taken: &mut Taken, follower: &Follower, now: f64) {
        self.behind_since.get_or_insert(now);
        let after = follower.seq();
        if target - after > MAX_BEHIND {
            self.lose(taken, follower, now);
        } else {
            self.send(ServerRequest::Page { after }, taken);
        }
    }

    /// Requests a snapshot.
    fn lose(&mut self, taken: &mut Taken, follower: &Follower, now: f64) {
        self.needs_snapshot = true;
        self.compare(taken, follower, now);
    }

    fn send(&mut self, server_request: ServerRequest, taken: &mut Taken) {
        self.server_request = Some(server_request);
        taken.server_request = Some(server_request);
    }

    /// Whether the page's data is current.
    pub fn fresh(&self, now: f64) -> bool {
        if self.behind_since.is_some_and(|since| now - since > STALE_AFTER) {
            return false;
        }
        match &self.told {
            Some(told) => told.fresh && now - self.heard <= self.patience(),
            None => now - self.heard < STALE_AFTER,
        }
    }

    /// State of the badge at `now`: the leader's, as long as it is true here.
    pub fn shown(&self, now: f64) -> Shown {
        let since = match (&self.told, self.behind_since) {
            (_, Some(since)) if now - since > STALE_AFTER => since,
            (Some(told), _) if now - self.heard <= self.patience() => return told.shown,
            (None, _) if now - self.silent_since <= self.patience() => return Shown::Connecting,
            _ => self.heard,
        };
        Shown::Reconnecting { next: 0.0, age: now - since }
    }
}

/// Takes the events of a page; false when events before them are missing.
fn add(page: Page, taken: &mut Taken, follower: &mut Follower) -> bool {
    if let Some(range) = page.skipped {
        follower.skipped(range);
    }
    for event in page.events {
        match follower.event(event.seq) {
            Verdict::Next => taken.events.push(event),
            Verdict::Old => {}
            Verdict::Missing => return false,
        }
    }
    follower.page(page.next);
    true
}

#[cfg(test)]
mod tests;
