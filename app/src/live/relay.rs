//! What a tab that listens does with the leader's words. Pure.
//!
//! It counts the records as the leader does, by their numbers. The leader says with its standing how far it
//! is: whoever has less by then has missed something, and asks the server for what is between (one page of the
//! poll after another, without waiting) while it holds back what the leader goes on to say. Too much between,
//! another life of the server, or an answer that brings nothing forward, and it takes a snapshot. So it can
//! join at any moment, and lose any frame.

use super::feed::{Follower, Verdict};
use super::frame::{Frame, Standing};
use super::link::Shown;
use super::wire::{self, Page};
use protocol::{Event, InstanceId};
use std::collections::VecDeque;

/// A leader may be silent for so many beats.
const BEATS: f64 = 2.0;
/// The beat of a leader that has not said its own, milliseconds.
const BEAT: f64 = 2_000.0;
/// A tab that noticed nothing for so long was asleep itself, milliseconds.
const ASLEEP: f64 = 3_000.0;
/// Behind for longer than this, the page is no longer of this moment, milliseconds.
const STALE_AFTER: f64 = 2_500.0;
/// Between two snapshots, milliseconds.
const APART: f64 = 2_000.0;
/// More events than this are not asked for one by one.
const MOST_BEHIND: u64 = 3_000;
/// So many frames are held back; with more the tab is so far behind that it starts over.
const MOST_HELD: usize = 5_000;

/// What to ask the server for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errand {
    /// What is after this event, as far as it is there.
    Page {
        after: u64,
    },
    Snapshot,
}

/// What follows from a frame or an answer.
#[derive(Debug, Default)]
pub struct Taken {
    /// To be applied, in this order.
    pub events: Vec<Event>,
    pub errand: Option<Errand>,
}

/// One that listens. Times are the browser's, milliseconds since 1970.
#[derive(Debug)]
pub struct Relay {
    /// The leader's last word.
    heard: f64,
    /// As `heard`, but not counting what this tab slept through.
    silent_since: f64,
    ticked: f64,
    told: Option<Standing>,
    server: Option<InstanceId>,
    errand: Option<Errand>,
    needs_snapshot: bool,
    asked_snapshot: f64,
    behind_since: Option<f64>,
    held: VecDeque<Frame>,
}

impl Relay {
    /// Starts to listen at `now`, knowing this life of the server; what is known was true at `heard`.
    pub fn new(now: f64, heard: f64, server: Option<InstanceId>) -> Self {
        Self {
            heard,
            silent_since: now,
            ticked: now,
            told: None,
            needs_snapshot: server.is_none(),
            server,
            errand: None,
            asked_snapshot: f64::NEG_INFINITY,
            behind_since: None,
            held: VecDeque::new(),
        }
    }

    /// The leader's last word, or when this tab last knew by itself.
    pub fn heard(&self) -> f64 {
        self.heard
    }

    /// Something is missing that only a snapshot mends.
    pub fn needs_snapshot(&self) -> bool {
        self.needs_snapshot
    }

    /// Nothing is asked for or held back: what comes is applied as it comes.
    pub fn direct(&self) -> bool {
        self.errand.is_none() && !self.needs_snapshot
    }

    /// A frame of the leader came.
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
                if self.held.len() >= MOST_HELD {
                    self.held.clear();
                    self.needs_snapshot = true;
                }
                self.held.push_back(frame);
            }
        }
        taken
    }

    /// The page that was asked for; nothing when it did not come or could not be read.
    pub fn page_came(&mut self, page: Option<Page>, follower: &mut Follower, now: f64) -> Taken {
        let mut taken = Taken::default();
        self.errand = None;
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

    /// A snapshot of this life of the server was taken, and the follower starts from it; nothing when there
    /// was no answer: the leader's next standing is the time to try again.
    pub fn snapshot_came(&mut self, server: Option<InstanceId>, follower: &mut Follower, now: f64) -> Taken {
        let mut taken = Taken::default();
        self.errand = None;
        if server.is_some() {
            self.server = server;
            self.needs_snapshot = false;
            self.go_on(&mut taken, follower, now);
        }
        taken
    }

    /// Time goes on. A tab that slept can't tell for how long the leader was silent.
    pub fn tick(&mut self, now: f64) {
        if now - self.ticked > ASLEEP || now < self.ticked {
            self.silent_since = now;
        }
        self.ticked = now;
    }

    /// How much longer the leader was silent than it may be, milliseconds.
    pub fn silent(&self, now: f64) -> f64 {
        now - self.silent_since - self.patience()
    }

    fn patience(&self) -> f64 {
        BEATS * self.told.as_ref().map_or(BEAT, |told| told.beat)
    }

    /// What was held back, then what the leader said last.
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

    /// Compares what the leader said of itself with what is known here.
    fn compare(&mut self, taken: &mut Taken, follower: &Follower, now: f64) {
        let Some(told) = &self.told else { return };
        if self.errand.is_some() {
            return;
        }
        let other_life = told.fresh && told.server.is_some() && told.server != self.server;
        if other_life {
            self.needs_snapshot = true;
        }
        let seq = told.seq;
        // A leader in trouble: the server would not answer us either.
        let worth_asking = told.fresh;
        if self.needs_snapshot {
            self.behind_since.get_or_insert(now);
            if worth_asking && now - self.asked_snapshot > APART {
                self.asked_snapshot = now;
                self.send(Errand::Snapshot, taken);
            }
        } else if seq > follower.covered() {
            self.mend(seq, taken, follower, now);
        }
    }

    /// What the leader sent, as the next of what is known.
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
                // What the server no longer holds the leader mends with a snapshot, and says how far it is.
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

    /// Something between what is known and `target` is missing.
    fn mend(&mut self, target: u64, taken: &mut Taken, follower: &Follower, now: f64) {
        self.behind_since.get_or_insert(now);
        let after = follower.seq();
        if target - after > MOST_BEHIND {
            self.lose(taken, follower, now);
        } else {
            self.send(Errand::Page { after }, taken);
        }
    }

    /// Only a snapshot helps.
    fn lose(&mut self, taken: &mut Taken, follower: &Follower, now: f64) {
        self.needs_snapshot = true;
        self.compare(taken, follower, now);
    }

    fn send(&mut self, errand: Errand, taken: &mut Taken) {
        self.errand = Some(errand);
        taken.errand = Some(errand);
    }

    /// The page can be trusted to be of this moment.
    pub fn fresh(&self, now: f64) -> bool {
        if self.behind_since.is_some_and(|since| now - since > STALE_AFTER) {
            return false;
        }
        match &self.told {
            Some(told) => told.fresh && now - self.heard <= self.patience(),
            None => now - self.heard < STALE_AFTER,
        }
    }

    /// What the badge says at `now`: what the leader's does, as long as that is true here.
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

/// Takes the events of a page; false when one before them is missing.
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
