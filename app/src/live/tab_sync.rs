//! Coordination of the driver with other tabs: executes what [`Tab`](super::leader_election::Tab) and [`Relay`] decide.

use super::driver::{Driver, Handle, now};
use super::feed::Follower;
use super::follower::{Relay, ServerRequest, Taken};
use super::frame::{Frame, Standing};
use super::leader_election::{self, Role};
use super::link::{Input, Shown};
use super::tabs::{Answer, Tabs};
use super::wire;
use crate::http::Call;
use leptos::prelude::*;
use leptos::task::spawn_local;

/// Maximum age of a feed position to continue from, milliseconds: beyond that a snapshot is smaller than the missed
/// events.
const TOO_OLD: f64 = 60_000.0;

fn hidden() -> bool {
    document().hidden()
}

impl Driver {
    /// State of the badge at `now`, and whether the connection is alive.
    pub(super) fn stands(&self, now: f64) -> (Shown, bool) {
        match self.tab.role() {
            Role::Listens => (self.relay.shown(now), self.relay.fresh(now)),
            _ if self.tab.resting() => (Shown::Still, false),
            _ => (self.link.shown(now), self.link.fresh(now)),
        }
    }

    /// Updates what the page says about its data at `now`. Data that arrives too late is not current.
    pub(super) fn show(&self, now: f64) {
        let (shown, fresh) = self.stands(now);
        self.live.show(shown, fresh && !self.sync.delayed(now));
    }

    fn say(&self, frame: &Frame) {
        if let Some(tabs) = &self.tabs {
            tabs.say(frame);
        }
    }

    /// Sends a frame to listening tabs if this tab leads. The frame is built only then.
    pub(super) fn pass_on(&self, frame: impl FnOnce() -> Frame) {
        if self.tab.role() == Role::Leads {
            self.say(&frame());
        }
    }

    /// Sends the status to listening tabs.
    pub(super) fn pass_on_standing(&self, now: f64) {
        self.pass_on(|| {
            let (shown, fresh) = self.stands(now);
            let server = self.live.server().map(|(id, _)| id);
            Frame::Standing(Standing {
                shown,
                fresh,
                seq: self.follower.seq(),
                server,
                beat: self.link.beat(),
                clock: self.sync.reading(now),
            })
        });
    }
}

impl Handle {
    /// Joins the other tabs, or runs alone.
    pub(super) fn meet(&self) {
        let handle = self.clone();
        let tabs = Tabs::open(move |frame| handle.hear(frame));
        let shared = tabs.is_some();
        self.0.borrow_mut().tabs = tabs;
        self.role(leader_election::Input::Start { shared, hidden: hidden() });
        let handle = self.clone();
        // Lives as long as the app, so the handle is not needed.
        let _ = window_event_listener_untyped("visibilitychange", move |_| {
            handle.role(leader_election::Input::Seen { hidden: hidden() });
        });
    }

    /// Passes an input to the tab and executes its commands.
    pub(super) fn role(&self, input: leader_election::Input) {
        let commands = self.0.borrow_mut().tab.on(input, now(), js_sys::Math::random());
        for command in commands {
            match command {
                leader_election::Command::Ask => self.ask_lock(false),
                leader_election::Command::Steal => self.ask_lock(true),
                leader_election::Command::Release => {
                    let request = self.0.borrow_mut().request.take();
                    drop(request);
                }
                leader_election::Command::Join => self.0.borrow().say(&Frame::Join),
                leader_election::Command::Connect => self.connect(),
                leader_election::Command::Disconnect => self.disconnect(),
            }
        }
        {
            let driver = self.0.borrow();
            driver.live.take_role(driver.tab.role());
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
                    Answer::Taken => leader_election::Input::Taken,
                    Answer::Refused => leader_election::Input::Refused,
                });
            })
        });
    }

    /// Continues from known data with its own connection.
    fn connect(&self) {
        let (seeded, heard) = {
            let mut driver = self.0.borrow_mut();
            // Requests of the listening tab are obsolete.
            driver.asked = 0;
            let heard = driver.relay.heard();
            (!driver.relay.needs_snapshot() && now() - heard < TOO_OLD, heard)
        };
        self.tell(Input::Start { seeded, heard });
    }

    /// Closes the connection and listens to the next leader.
    fn disconnect(&self) {
        let mut driver = self.0.borrow_mut();
        let link = std::mem::take(&mut driver.link);
        let server = driver.live.server().filter(|_| !link.needs_snapshot()).map(|(id, _)| id);
        driver.relay = Relay::new(now(), link.last_word(), server);
        driver.asked = 0;
        let poll = driver.poll.take();
        drop(driver);
        self.close_stream();
        if let Some(controller) = poll {
            controller.abort();
        }
    }

    /// Handles a frame of another tab.
    fn hear(&self, frame: Frame) {
        let role = self.0.borrow().tab.role();
        match (role, frame) {
            (Role::Leads, Frame::Join) => self.0.borrow().pass_on_standing(now()),
            (Role::Leads, Frame::Nudge) => self.tell(Input::Nudge),
            (Role::Listens, frame) if frame.is_leaders() => self.listen_to(frame),
            _ => {}
        }
    }

    fn listen_to(&self, frame: Frame) {
        let standing = matches!(frame, Frame::Standing(_));
        let taken = {
            let mut driver = self.0.borrow_mut();
            let Driver { relay, follower, sync, .. } = &mut *driver;
            let now = now();
            // While this tab is behind, the leader's newest data is not its own.
            if let Frame::Standing(Standing { clock: Some(clock), .. }) = &frame
                && relay.direct()
            {
                sync.adopt(clock);
            }
            relay.take(frame, follower, now)
        };
        self.carry_out(taken);
        if standing {
            self.show();
        }
    }

    fn carry_out(&self, taken: Taken) {
        let (live, turn) = {
            let mut driver = self.0.borrow_mut();
            if taken.server_request.is_some() {
                driver.turn += 1;
                driver.asked = driver.turn;
            }
            (driver.live.clone(), driver.turn)
        };
        taken.events.iter().for_each(|event| live.apply(event));
        match taken.server_request {
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
        let path = format!("/api/v1/events?after={after}&wait=0s");
        let page = Call::get(&path).text().await.ok().and_then(|text| wire::page(&text).ok());
        if self.0.borrow().asked != turn {
            return;
        }
        let taken = {
            let mut driver = self.0.borrow_mut();
            let Driver { relay, follower, .. } = &mut *driver;
            relay.page_came(page, follower, now())
        };
        self.carry_out(taken);
    }

    async fn start_over(self, turn: u64) {
        let snapshot = crate::api::snapshot().await.ok();
        if self.0.borrow().asked != turn {
            return;
        }
        if let Some(snapshot) = &snapshot {
            let live = self.0.borrow().live.clone();
            live.seed(snapshot);
            let mut driver = self.0.borrow_mut();
            driver.follower = Follower::at(snapshot.seq);
            driver.sync.observe_answer(snapshot.now, now());
        }
        let taken = {
            let mut driver = self.0.borrow_mut();
            let Driver { relay, follower, .. } = &mut *driver;
            relay.snapshot_came(snapshot.map(|s| s.server), follower, now())
        };
        self.carry_out(taken);
    }

    /// Asks the connected tab to retry now.
    pub(super) fn nudge(&self) {
        if self.0.borrow().tab.role() == Role::Listens {
            self.0.borrow().say(&Frame::Nudge);
        } else {
            self.tell(Input::Nudge);
        }
    }

    /// Called once a second.
    pub(super) fn tick_tab(&self) {
        let silent = {
            let mut driver = self.0.borrow_mut();
            let now = now();
            let awake = driver.live.kept_awake();
            driver.tab.keep_awake(awake);
            driver.relay.tick(now);
            driver.relay.silent(now)
        };
        self.role(leader_election::Input::Tick { silent });
    }

    /// Updates the connection state.
    fn show(&self) {
        self.0.borrow().show(now());
    }
}
