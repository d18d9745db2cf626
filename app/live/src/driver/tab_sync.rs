//! Coordination of the driver with other tabs: executes what [`Tab`](crate::tabs::leader_election::Tab) and
//! [`Follower`] decide.

use super::{Driver, Handle, now};
use crate::connection::sequence_check::SequenceCheck;
use crate::connection::state::{Connectivity, Input};
use crate::connection::wire;
use crate::http::Call;
use crate::tabs::channel::{Answer, Tabs};
use crate::tabs::follower::{Effects, Follower, ServerRequest};
use crate::tabs::frame::{Frame, LeaderStatus};
use crate::tabs::leader_election::{self, Role};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::access::Me;
use protocol::paths;

/// Maximum age of a feed position to continue from, milliseconds: beyond that a snapshot is smaller than the missed
/// events.
const TOO_OLD: f64 = 60_000.0;

fn hidden() -> bool {
    document().hidden()
}

impl Driver {
    /// State of the badge at `now`, and whether the connection is alive.
    pub(super) fn current_status(&self, now: f64) -> (Connectivity, bool) {
        match self.tab.role() {
            Role::Listens => (self.follower.connectivity(now), self.follower.fresh(now)),
            _ if self.tab.resting() => (Connectivity::Idle, false),
            _ => (self.connection.connectivity(now), self.connection.fresh(now)),
        }
    }

    /// Updates what the page says about its data at `now`. Data that arrives too late is not current.
    pub(super) fn show(&self, now: f64) {
        let (connectivity, fresh) = self.current_status(now);
        self.status.show(connectivity, fresh && !self.sync.delayed(now));
    }

    fn send(&self, frame: &Frame) {
        if let Some(tabs) = &self.tabs {
            tabs.send(frame);
        }
    }

    /// Sends a frame to listening tabs if this tab leads and there are some. The frame is built only then.
    pub(super) fn pass_on(&self, frame: impl FnOnce() -> Frame) {
        if self.tab.role() == Role::Leads && self.followed {
            self.send(&frame());
        }
    }

    /// Sends the status to listening tabs.
    pub(super) fn publish_status(&self, now: f64) {
        // Also without listeners: a tab that was not counted learns that it missed something.
        if self.tab.role() != Role::Leads {
            return;
        }
        let (connectivity, fresh) = self.current_status(now);
        let server = self.store.server().map(|(id, _)| id);
        self.send(&Frame::Status(LeaderStatus {
            connectivity,
            fresh,
            seq: self.sequence.seq(),
            server,
            beat: self.connection.beat(),
            clock: self.sync.reading(now),
        }));
    }
}

impl Handle {
    /// Joins the other tabs, or runs alone.
    pub(super) fn join_tabs(&self) {
        let handle = self.clone();
        let user = self.0.borrow().identity.me_now().and_then(|me| me.name);
        let tabs = Tabs::open(user, move |frame| handle.receive(frame));
        let shared = tabs.is_some();
        self.0.borrow_mut().tabs = tabs;
        self.role(leader_election::Input::Start { shared, hidden: hidden() });
        let handle = self.clone();
        // Lives as long as the app, so the handle is not needed.
        let _ = window_event_listener_untyped("visibilitychange", move |_| {
            handle.role(leader_election::Input::Seen { hidden: hidden() });
        });
    }

    /// Leaves the other tabs when the session ends, and joins them when the user is signed in again. Tells them when
    /// the identity has changed: only this tab has noticed.
    pub(super) fn follow_identity(&self) {
        let identity = self.0.borrow().identity;
        let handle = self.clone();
        Effect::new(move |before: Option<(bool, Option<Me>)>| {
            let now = (identity.is_signed_out(), identity.me());
            if let Some((was_out, me)) = before {
                match now.0 {
                    out if out != was_out => handle.role(if out {
                        leader_election::Input::SignedOut
                    } else {
                        leader_election::Input::SignedIn
                    }),
                    _ if me != now.1 => handle.0.borrow().pass_on(|| Frame::Identity),
                    _ => {}
                }
            }
            now
        });
        // The user may have signed in again in another tab.
        let look = move |_| {
            if identity.is_signed_out_now() && !hidden() {
                identity.check();
            }
        };
        // Both live as long as the app, so the handles are not needed.
        let _ = window_event_listener_untyped("visibilitychange", look);
        let _ = window_event_listener_untyped("focus", look);
    }

    /// Passes an input to the tab and executes its commands.
    pub(super) fn role(&self, input: leader_election::Input) {
        let (commands, woke) = {
            let mut driver = self.0.borrow_mut();
            let rested = driver.tab.resting();
            let commands = driver.tab.on(input, now(), js_sys::Math::random());
            (commands, rested && !driver.tab.resting())
        };
        if woke {
            // Without a connection, it would not have noticed a lowered role.
            self.0.borrow().identity.check();
        }
        for command in commands {
            match command {
                leader_election::Command::Ask => self.ask_lock(false),
                leader_election::Command::Steal => self.ask_lock(true),
                leader_election::Command::Release => {
                    let request = self.0.borrow_mut().request.take();
                    drop(request);
                }
                leader_election::Command::Join => self.0.borrow().send(&Frame::Join),
                leader_election::Command::Connect => self.connect(),
                leader_election::Command::Disconnect => self.disconnect(),
            }
        }
        {
            let driver = self.0.borrow();
            driver.status.set_role(driver.tab.role());
        }
        self.show();
    }

    fn ask_lock(&self, steal: bool) {
        let handle = self.clone();
        let mut driver = self.0.borrow_mut();
        driver.request = driver.tabs.as_ref().map(|tabs| {
            tabs.ask(steal, move |answer| {
                handle.role(match answer {
                    Answer::Granted => leader_election::Input::Granted,
                    Answer::Effects => leader_election::Input::Effects,
                    Answer::Refused => leader_election::Input::Refused,
                });
            })
        });
    }

    /// Continues from known data with its own connection.
    fn connect(&self) {
        let (seeded, valid_at) = {
            let mut driver = self.0.borrow_mut();
            // Requests of the listening tab are obsolete.
            driver.asked = 0;
            driver.followed = true;
            let valid_at = driver.follower.last_frame();
            (!driver.follower.needs_snapshot() && now() - valid_at < TOO_OLD, valid_at)
        };
        self.dispatch(Input::Start { seeded, valid_at });
    }

    /// Closes the connection and listens to the next leader.
    fn disconnect(&self) {
        let mut driver = self.0.borrow_mut();
        let connection = std::mem::take(&mut driver.connection);
        let server = driver.store.server().filter(|_| !connection.needs_snapshot()).map(|(id, _)| id);
        driver.follower = Follower::new(now(), connection.last_message(), server);
        driver.asked = 0;
        let poll = driver.poll.take();
        drop(driver);
        self.close_stream();
        if let Some(controller) = poll {
            controller.abort();
        }
    }

    /// Handles a frame of another tab.
    fn receive(&self, frame: Frame) {
        let role = self.0.borrow().tab.role();
        let identity = self.0.borrow().identity;
        match (role, frame) {
            // Another tab is connected: the user may be signed in again.
            (_, frame) if identity.is_signed_out_now() => {
                if matches!(frame, Frame::Status(_)) {
                    identity.check();
                }
            }
            (Role::Listens, Frame::Identity) => identity.check(),
            (Role::Leads, Frame::Join) => {
                let mut driver = self.0.borrow_mut();
                driver.followed = true;
                driver.joined = driver.joined.wrapping_add(1);
                driver.publish_status(now());
            }
            (Role::Leads, Frame::Nudge) => self.dispatch(Input::Nudge),
            (Role::Listens, frame) if frame.is_leaders() => self.listen_to(frame),
            _ => {}
        }
    }

    fn listen_to(&self, frame: Frame) {
        let is_status = matches!(frame, Frame::Status(_));
        let effects = {
            let mut driver = self.0.borrow_mut();
            let Driver { follower, sequence, sync, .. } = &mut *driver;
            let now = now();
            // While this tab is behind, the leader's newest data is not its own.
            if let Frame::Status(LeaderStatus { clock: Some(clock), .. }) = &frame
                && follower.in_sync()
            {
                sync.adopt(clock);
            }
            follower.take(frame, sequence, now)
        };
        self.execute(effects);
        if is_status {
            self.show();
        }
    }

    fn execute(&self, effects: Effects) {
        let turn = {
            let mut driver = self.0.borrow_mut();
            if effects.server_request.is_some() {
                driver.turn += 1;
                driver.asked = driver.turn;
            }
            driver.turn
        };
        effects.events.iter().for_each(|event| self.apply(event));
        match effects.server_request {
            None => {}
            Some(ServerRequest::Page { after }) => {
                let handle = self.clone();
                spawn_local(async move { handle.fetch_missing(after, turn).await });
            }
            Some(ServerRequest::Snapshot) => {
                let handle = self.clone();
                spawn_local(async move { handle.start_over(turn).await });
            }
        }
    }

    async fn fetch_missing(self, after: u64, turn: u64) {
        let path = paths::feed_page(after, 0);
        let page = Call::get(&path).text().await.ok().and_then(|text| wire::page(&text).ok());
        if self.0.borrow().asked != turn {
            return;
        }
        let effects = {
            let mut driver = self.0.borrow_mut();
            let Driver { follower, sequence, .. } = &mut *driver;
            follower.page_arrived(page, sequence, now())
        };
        self.execute(effects);
    }

    async fn start_over(self, turn: u64) {
        let snapshot = crate::api::snapshot().await.ok();
        if self.0.borrow().asked != turn {
            return;
        }
        if let Some(snapshot) = &snapshot {
            let store = self.0.borrow().store.clone();
            store.seed(snapshot);
            let mut driver = self.0.borrow_mut();
            driver.sequence = SequenceCheck::at(snapshot.seq);
            driver.sync.observe_answer(snapshot.now, now());
        }
        let effects = {
            let mut driver = self.0.borrow_mut();
            let Driver { follower, sequence, .. } = &mut *driver;
            follower.snapshot_arrived(snapshot.map(|s| s.server), sequence, now())
        };
        self.execute(effects);
    }

    /// Asks the connected tab to retry now.
    pub(super) fn retry_now(&self) {
        if self.0.borrow().tab.role() == Role::Listens {
            self.0.borrow().send(&Frame::Nudge);
        } else {
            self.dispatch(Input::Nudge);
        }
    }

    /// Called once a second.
    pub(super) fn tick_tab(&self) {
        let silent = {
            let mut driver = self.0.borrow_mut();
            let now = now();
            let awake = driver.status.stays_awake();
            driver.tab.keep_awake(awake);
            driver.follower.tick(now);
            driver.follower.silent(now)
        };
        self.role(leader_election::Input::Tick { silent });
        self.count_followers();
    }

    /// Learns whether other tabs listen: each of them is in the queue for the lock.
    fn count_followers(&self) {
        let driver = self.0.borrow();
        let (Role::Leads, Some(tabs)) = (driver.tab.role(), &driver.tabs) else { return };
        let (handle, joined) = (self.clone(), driver.joined);
        tabs.ask_waiting(move |waiting| {
            let mut driver = handle.0.borrow_mut();
            // One that has joined meanwhile may not be in the answer.
            if driver.joined == joined {
                driver.followed = waiting;
            }
        });
    }

    /// Updates the connection state.
    fn show(&self) {
        self.0.borrow().show(now());
    }
}
