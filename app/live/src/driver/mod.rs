//! Browser side of the connection: opens streams, sends polls, keeps timers, and reports to
//! [`ConnectionState`], which makes all decisions. Module `tab_sync` decides which tab connects, and `reports` applies
//! events in time.

mod reports;
mod tab_sync;

use crate::ConnectionStatus;
use crate::Identity;
use crate::connection::clock::ClockSync;
use crate::connection::sequence_check::{SequenceCheck, Verdict};
use crate::connection::state::{Command, ConnectionState, Input, POLL_WAIT_SECONDS};
use crate::connection::wire;
use crate::model::store::OperationStore;
use crate::tabs::channel::{Request, Tabs};
use crate::tabs::follower::Follower;
use crate::tabs::frame::Frame;
use crate::tabs::leader_election::{Role, Tab};
use crate::{api, base, http::Call};
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::event::{Beat, Hello, Skipped};
use protocol::paths;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{AbortController, EventSource, MessageEvent};

/// ID that no operation has.
const NO_OPERATION: &str = "00000000-0000-0000-0000-000000000000";

/// An open stream and its event handlers.
pub(super) struct Stream {
    source: EventSource,
    turn: u64,
    _on_message: Vec<Closure<dyn FnMut(MessageEvent)>>,
    _on_error: Closure<dyn FnMut(web_sys::Event)>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.source.set_onerror(None);
        self.source.close();
    }
}

pub(super) struct Driver {
    pub(super) store: OperationStore,
    pub(super) status: ConnectionStatus,
    pub(super) identity: Identity,
    /// A stream has failed since the last one began.
    had_no_stream: bool,
    pub(super) connection: ConnectionState,
    pub(super) sequence: SequenceCheck,
    pub(super) sync: ClockSync,
    /// Newest event when the stream began: it sends older ones first.
    head: u64,
    stream: Option<Stream>,
    pub(super) poll: Option<AbortController>,
    poll_turn: u64,
    /// Turn of the request that is awaited; 0 for none.
    pub(super) asked: u64,
    /// Incremented with each request, to detect outdated answers.
    pub(super) turn: u64,
    /// A request for counts is in flight.
    counting: bool,
    /// When the timer shows held reports; `None` without a timer.
    pub(super) shows_at: Option<f64>,
    pub(super) tab: Tab,
    pub(super) follower: Follower,
    /// Present where the browser supports locks and channels.
    pub(super) tabs: Option<Tabs>,
    /// Other tabs listen. Without any, a leading tab forwards nothing.
    pub(super) followed: bool,
    /// Number of tabs that joined so far.
    pub(super) joined: u32,
    /// The lock, or our request for it.
    pub(super) request: Option<Request>,
}

#[derive(Clone)]
pub(super) struct Handle(pub(super) Rc<RefCell<Driver>>);

pub(super) fn now() -> f64 {
    js_sys::Date::now()
}

/// Connects the page to the feed as long as the app lives. Called once, in the browser.
pub fn start(store: OperationStore, status: ConnectionStatus, identity: Identity) {
    let server = store.server().map(|(id, _)| id);
    let handle = Handle(Rc::new(RefCell::new(Driver {
        sequence: SequenceCheck::at(store.seq()),
        store: store.clone(),
        status: status.clone(),
        identity,
        had_no_stream: false,
        connection: ConnectionState::default(),
        sync: ClockSync::default(),
        head: 0,
        stream: None,
        poll: None,
        poll_turn: 0,
        asked: 0,
        turn: 0,
        counting: false,
        shows_at: None,
        tab: Tab::default(),
        follower: Follower::new(now(), now(), server),
        tabs: None,
        followed: true,
        joined: 0,
        request: None,
    })));
    handle.join_tabs();
    handle.follow_identity();

    let every_second = handle.clone();
    set_interval(move || every_second.second(), Duration::from_secs(1));
    let online = handle.clone();
    // Lives as long as the app, so the handle is not needed.
    let _ = window_event_listener_untyped("online", move |_| online.retry_now());
    Effect::new({
        let (status, handle) = (status.clone(), handle.clone());
        move |earlier: Option<()>| {
            status.track_retry();
            if earlier.is_some() {
                handle.retry_now();
            }
        }
    });
    Effect::new({
        let unsure = store.counts_unsure();
        move |_| {
            if unsure.get() > 0 {
                handle.clone().refresh_counts();
            }
        }
    });
}

impl Handle {
    /// Passes an input to the connection and executes its commands.
    pub(super) fn dispatch(&self, input: Input) {
        match input {
            // A stream also ends with the session, and when the role changes.
            Input::StreamFailed => {
                let mut driver = self.0.borrow_mut();
                driver.had_no_stream = true;
                driver.identity.check();
            }
            // The role may have changed again while there was no stream that would have ended.
            Input::Hello { .. } => {
                let mut driver = self.0.borrow_mut();
                if std::mem::take(&mut driver.had_no_stream) {
                    driver.identity.check();
                }
            }
            _ => {}
        }
        let commands = {
            let mut driver = self.0.borrow_mut();
            let now = now();
            let was_fresh = driver.connection.fresh(now);
            let commands = driver.connection.on(input, now, js_sys::Math::random());
            // A message changes nothing visible, unless it ends a silence; the next tick shows its effects.
            if input != Input::Message || !was_fresh {
                driver.show(now);
                driver.publish_status(now);
            }
            commands
        };
        for command in commands {
            match command {
                Command::OpenStream => self.open_stream(),
                Command::CloseStream => self.close_stream(),
                Command::Poll { after } => self.poll(after),
                Command::StopPoll => {
                    let stopped = self.0.borrow_mut().poll.take();
                    if let Some(controller) = stopped {
                        controller.abort();
                    }
                }
                Command::TakeSnapshot => self.clone().take_snapshot(),
                Command::Wake { after } => {
                    let handle = self.clone();
                    // A small margin, so that the time has passed for sure.
                    let after = Duration::from_millis(after as u64 + 5);
                    set_timeout(move || handle.dispatch(Input::Tick), after);
                }
            }
        }
    }

    /// Updates the page's clock once a second.
    fn second(&self) {
        self.dispatch(Input::Tick);
        self.tick_tab();
        self.measure();
        let driver = self.0.borrow();
        let now = now();
        let (_, fresh) = driver.current_status(now);
        let clock = fresh.then(|| driver.sync.page_time(now)).flatten();
        driver.store.tick(clock, driver.sync.newest());
        driver.status.set_latency(driver.sync.latency(now));
    }

    /// Measures the server's clock with a request, from time to time while the stream is open. Polls measure it anyway.
    fn measure(&self) {
        let seq = {
            let mut driver = self.0.borrow_mut();
            let connected = driver.tab.role() != Role::Listens && driver.connection.is_live();
            if !connected || !driver.sync.should_measure(now()) {
                return;
            }
            driver.sequence.seq()
        };
        let handle = self.clone();
        spawn_local(async move {
            // Events of no operation: only the time.
            let path = format!("{}&operation={NO_OPERATION}", paths::feed_page(seq, 0));
            let sent = now();
            let page = Call::get(&path).text().await.ok().and_then(|text| wire::page(&text).ok());
            if let Some(page) = page {
                handle.0.borrow_mut().sync.measure(page.now, sent, now());
            }
        });
    }

    fn open_stream(&self) {
        let (path, turn) = {
            let mut driver = self.0.borrow_mut();
            driver.turn += 1;
            (paths::feed(driver.sequence.seq()), driver.turn)
        };
        let Ok(source) = EventSource::new(&base::url(&path)) else {
            // Deferred: the connection is still executing the command that led here.
            let handle = self.clone();
            set_timeout(move || handle.dispatch(Input::StreamFailed), Duration::ZERO);
            return;
        };
        let mut on_message = Vec::new();
        let mut listen = |name: &str, handler: fn(&Handle, &str)| {
            let handle = self.clone();
            let closure = Closure::<dyn FnMut(MessageEvent)>::new(move |message: MessageEvent| {
                if handle.is_stream(turn)
                    && let Some(text) = message.data().as_string()
                {
                    handler(&handle, &text);
                }
            });
            // Fails only for an invalid event name.
            let _ = source.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
            on_message.push(closure);
        };
        listen("message", Handle::message);
        listen("hello", Handle::hello);
        listen("beat", Handle::beat);
        listen("skipped", Handle::skipped);
        listen("reset", |handle, _| handle.dispatch(Input::Lost));
        let handle = self.clone();
        let on_error = Closure::<dyn FnMut(web_sys::Event)>::new(move |_| {
            if handle.is_stream(turn) {
                // The browser would reconnect by itself; the connection decides that instead.
                handle.close_stream();
                handle.dispatch(Input::StreamFailed);
            }
        });
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        self.0.borrow_mut().stream =
            Some(Stream { source, turn, _on_message: on_message, _on_error: on_error });
    }

    fn is_stream(&self, turn: u64) -> bool {
        self.0.borrow().stream.as_ref().is_some_and(|stream| stream.turn == turn)
    }

    pub(super) fn close_stream(&self) {
        if let Some(stream) = self.0.borrow_mut().stream.take() {
            stream.source.close();
            // A handler of the stream may be closing it: let that return first.
            set_timeout(move || drop(stream), Duration::ZERO);
        }
    }

    fn hello(&self, text: &str) {
        let Some(hello) = self.known(json::from_str::<Hello>(text)) else { return };
        let same_server = {
            let mut driver = self.0.borrow_mut();
            driver.sync.observe(hello.now, now());
            driver.head = hello.head;
            driver.store.server().is_some_and(|(server, _)| server == hello.server)
        };
        self.dispatch(Input::Hello { beat_seconds: hello.beat_seconds, same_server });
    }

    fn message(&self, text: &str) {
        self.pass_on(text, Frame::Message);
        let Some(event) = self.known(wire::event(text)) else { return };
        let verdict = {
            let mut driver = self.0.borrow_mut();
            if event.seq > driver.head {
                driver.sync.observe(event.at, now());
            } else {
                driver.sync.observe_answer(event.at, now());
            }
            driver.sequence.event(event.seq)
        };
        match verdict {
            Verdict::Next => {
                self.apply(&event);
                self.dispatch(Input::Message);
            }
            Verdict::Old => self.dispatch(Input::Message),
            Verdict::Missing => self.dispatch(Input::Lost),
        }
    }

    fn beat(&self, text: &str) {
        self.pass_on(text, Frame::Beat);
        let Some(beat) = self.known(json::from_str::<Beat>(text)) else { return };
        let complete = {
            let mut driver = self.0.borrow_mut();
            driver.sync.observe(beat.now, now());
            driver.sequence.beat(beat.head)
        };
        self.dispatch(if complete { Input::Message } else { Input::Lost });
    }

    fn skipped(&self, text: &str) {
        self.pass_on(text, Frame::Skipped);
        if let Some(range) = self.known(json::from_str::<Skipped>(text)) {
            self.0.borrow_mut().sequence.skipped(range);
            self.dispatch(Input::Message);
        }
    }

    /// Forwards a message of the stream to listening tabs.
    fn pass_on(&self, text: &str, frame: fn(String) -> Frame) {
        self.0.borrow().pass_on(|| frame(text.to_owned()));
    }

    /// Handles a parsed message. A parse error counts as a gap: the page may be older than the server.
    fn known<T>(&self, read: Result<T, json::Error>) -> Option<T> {
        match read {
            Ok(message) => Some(message),
            Err(e) => {
                leptos::logging::warn!("feed message could not be parsed: {e}");
                self.dispatch(Input::Lost);
                None
            }
        }
    }

    fn poll(&self, after: f64) {
        let Ok(controller) = AbortController::new() else { return };
        let turn = {
            let mut driver = self.0.borrow_mut();
            driver.turn += 1;
            driver.poll = Some(controller.clone());
            driver.poll_turn = driver.turn;
            driver.turn
        };
        let handle = self.clone();
        set_timeout(
            move || {
                if handle.is_poll(turn) {
                    spawn_local(async move { handle.ask(turn, controller).await });
                }
            },
            Duration::from_millis(after as u64),
        );
    }

    fn is_poll(&self, turn: u64) -> bool {
        let driver = self.0.borrow();
        driver.poll.is_some() && driver.poll_turn == turn
    }

    async fn ask(self, turn: u64, controller: AbortController) {
        let seq = self.0.borrow().sequence.seq();
        let path = paths::feed_page(seq, POLL_WAIT_SECONDS.into());
        let limit = Duration::from_secs(u64::from(POLL_WAIT_SECONDS) + 5);
        let call = Call { limit, abort: Some(controller), ..Call::get(&path) };
        let sent = now();
        let answer = call.text().await;
        if !self.is_poll(turn) {
            return;
        }
        self.0.borrow_mut().poll = None;
        let page = answer.map(|text| {
            let page = wire::page(&text);
            self.0.borrow().pass_on(|| Frame::Page(seq, text));
            page
        });
        match page {
            Ok(Ok(page)) if page.reset.is_some() => self.dispatch(Input::Lost),
            Ok(Ok(page)) => {
                {
                    let mut driver = self.0.borrow_mut();
                    driver.sync.measure(page.now, sent, now());
                    driver.sync.observe(page.now, now());
                }
                if let Some(range) = page.skipped {
                    self.0.borrow_mut().sequence.skipped(range);
                }
                for event in &page.events {
                    let verdict = self.0.borrow_mut().sequence.event(event.seq);
                    match verdict {
                        Verdict::Next => self.apply(event),
                        // A probed stream may have delivered some of it already.
                        Verdict::Old => {}
                        Verdict::Missing => {
                            self.dispatch(Input::Lost);
                            return;
                        }
                    }
                }
                self.0.borrow_mut().sequence.page(page.next);
                self.dispatch(Input::PollAnswered { events: !page.events.is_empty() });
            }
            // An unreadable answer will stay so: pause, then take a snapshot.
            Ok(Err(_)) | Err(_) => self.dispatch(Input::PollFailed),
        }
    }

    fn take_snapshot(self) {
        let turn = {
            let mut driver = self.0.borrow_mut();
            driver.turn += 1;
            driver.asked = driver.turn;
            driver.turn
        };
        spawn_local(async move {
            let answer = api::snapshot().await;
            if self.0.borrow().asked != turn {
                return;
            }
            match answer {
                Ok(snapshot) => {
                    let store = self.0.borrow().store.clone();
                    {
                        let mut driver = self.0.borrow_mut();
                        driver.sequence = SequenceCheck::at(snapshot.seq);
                        driver.sync.observe_answer(snapshot.now, now());
                    }
                    store.seed(&snapshot);
                    self.dispatch(Input::SnapshotTaken);
                }
                Err(_) => self.dispatch(Input::SnapshotFailed),
            }
        });
    }

    /// Requests the counts that events alone can't determine, while the feed continues. One request at a time; counts
    /// that become unsure meanwhile are requested after it.
    fn refresh_counts(self) {
        if std::mem::replace(&mut self.0.borrow_mut().counting, true) {
            return;
        }
        let store = self.0.borrow().store.clone();
        let unsure = store.counts_unsure();
        spawn_local(async move {
            loop {
                let asked_of = unsure.get_untracked();
                let Ok(snapshot) = api::snapshot().await else { break };
                store.count_anew(&snapshot);
                if unsure.get_untracked() == asked_of {
                    break;
                }
            }
            self.0.borrow_mut().counting = false;
        });
    }
}
