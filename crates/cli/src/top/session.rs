//! Session: brings feed, keys and screen together until the user leaves the view.

use super::draw::{self, Picture, Theme};
use super::feed::{self, Message};
use super::keys::{self, Command};
use super::log::Log;
use super::model::Model;
use super::screen::{self, Screen};
use super::view::{Mode, View};
use crate::errors::{sentence, unsure};
use crate::exit::Exit;
use crate::interrupt::Signals;
use crate::target::Target;
use anyhow::bail;
use client::{Client, ClientError};
use protocol::api::CancelOperation;
use protocol::{EventBody, Operation, OperationId, Time};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

/// Messages of the feed that wait for the view.
const MAX_MESSAGES: usize = 1_024;
/// Interval of samples, and of pictures if nothing happens.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
/// Time without a message, after which the age of the data is shown. A heartbeat comes every 2 s.
const STALE_AFTER: Duration = Duration::from_secs(4);

/// Result of a request.
enum Done {
    Log(Result<Log, ClientError>),
    Cancelled(OperationId, Result<Box<Operation>, ClientError>),
}

/// Everything that the view shows, and requests that are under way.
struct Session<'a> {
    target: &'a Target,
    model: Model,
    view: View,
    trouble: Option<String>,
    heard_at: Option<Instant>,
    /// The server's clock, and when it was read.
    clock: (Time, Instant),
    requests: JoinSet<Done>,
    log_requested: bool,
}

/// Shows the view until the user leaves it.
pub async fn run(target: &Target) -> anyhow::Result<Exit> {
    let mut signals = Signals::new()?;
    let (sender, mut messages) = mpsc::channel(MAX_MESSAGES);
    let feed = tokio::spawn(feed::follow(target.client.clone(), sender));
    let mut screen = Screen::open()?;
    let mut keys = screen::keys();
    let mut session = Session {
        target,
        model: Model::default(),
        view: View::default(),
        trouble: None,
        heard_at: None,
        clock: (Time::now(), Instant::now()),
        requests: JoinSet::new(),
        log_requested: false,
    };
    let theme = Theme::of_environment();
    let mut sample = tokio::time::interval(SAMPLE_INTERVAL);
    sample.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut next_picture = Instant::now();
    let mut is_changed = true;
    loop {
        tokio::select! {
            signal = signals.next() => {
                drop(screen);
                signal.end_process();
            }
            key = keys.recv() => match key {
                Some(event) => match keys::command(&event, session.view.mode) {
                    Some(Command::Quit) => break,
                    Some(Command::Redraw) => screen.clear()?,
                    Some(command) => session.command(command, screen.rows()),
                    None => {}
                },
                None => bail!("the terminal was closed"),
            },
            message = messages.recv() => match message {
                Some(message) => {
                    session.message(message);
                    // All that arrived meanwhile is one picture.
                    while let Ok(message) = messages.try_recv() {
                        session.message(message);
                    }
                }
                None => bail!("the event stream ended unexpectedly. Run `signalbox top` again"),
            },
            Some(done) = session.requests.join_next() => session.done(done?)?,
            _ = sample.tick() => {
                session.model.sample();
                session.load_log();
            }
            () = tokio::time::sleep_until(next_picture), if is_changed => {
                next_picture = session.draw(&mut screen, theme)?;
                is_changed = false;
                continue;
            }
        }
        is_changed = true;
    }
    feed.abort();
    Ok(Exit::Fine)
}

impl Session<'_> {
    fn now(&self) -> Time {
        let micros = i64::try_from(self.clock.1.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.clock.0.plus_micros(micros)
    }

    fn draw(&mut self, screen: &mut Screen, theme: Theme) -> anyhow::Result<Instant> {
        let now = self.now();
        let rows = self.model.rows(&self.view.as_filter(), self.view.with_ended, now);
        let log_before = self.view.log.as_ref().map(|log| log.id);
        let selected = self.view.settle(&rows);
        let silence = self.heard_at.map(|at| at.elapsed()).filter(|silence| *silence > STALE_AFTER);
        let picture = Picture {
            server: self.target.client.server(),
            model: &self.model,
            view: &self.view,
            rows: &rows,
            selected,
            trouble: self.trouble.as_deref(),
            silence,
            now,
            theme,
        };
        let next_picture = screen.draw(|frame| draw::draw(frame, &picture))?;
        // A log that can't be read is requested again only once a second.
        if self.view.log.as_ref().map(|log| log.id) != log_before {
            self.load_log();
        }
        Ok(next_picture)
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Snapshot(snapshot) => {
                self.clock = (snapshot.now, Instant::now());
                self.model.load(*snapshot);
            }
            Message::Event(event) => {
                self.clock = (event.at, Instant::now());
                match event.body {
                    EventBody::Log { id, attempt, lines } => {
                        if let Some(log) = self.view.log.as_mut().filter(|log| log.id == id) {
                            log.append(attempt, lines);
                        }
                    }
                    _ => self.model.apply(*event),
                }
            }
            Message::Alive(now) => self.clock = (now, Instant::now()),
            Message::Trouble(sentence) => {
                self.trouble = Some(sentence);
                return;
            }
        }
        (self.trouble, self.heard_at) = (None, Some(Instant::now()));
    }

    /// Carries out a command; `height` is that of the terminal.
    fn command(&mut self, command: Command, height: u16) {
        let now = self.now();
        let rows = self.model.rows(&self.view.as_filter(), self.view.with_ended, now);
        let view = &mut self.view;
        view.settle(&rows);
        view.note.clear();
        let page = isize::try_from(height / 2).unwrap_or(1).max(1);
        match command {
            Command::Move(by) => view.move_by(&rows, by),
            Command::Page(by) => view.move_by(&rows, by * page),
            Command::First => view.move_by(&rows, isize::MIN / 2),
            Command::Last => view.move_by(&rows, isize::MAX / 2),
            Command::Log if view.log.is_some() => view.log = None,
            Command::Log => {
                let selected = view.selected().and_then(|id| self.model.get(id));
                view.log = selected.map(|known| Log::new(known.op.id, known.op.attempt));
            }
            Command::Ended => view.with_ended = !view.with_ended,
            Command::AskCancel => match view.selected().and_then(|id| self.model.get(id)) {
                Some(known) if known.op.state.ended() => {
                    view.note = format!("The operation has already ended: {}", known.op.state);
                }
                Some(known) => view.mode = Mode::Confirm(known.op.id),
                None => {}
            },
            Command::Cancel => {
                if let Mode::Confirm(id) = std::mem::replace(&mut view.mode, Mode::Normal) {
                    view.note = "Sending the cancel request…".to_owned();
                    self.requests.spawn(cancel(self.target.client.clone(), id));
                }
            }
            Command::Back => match view.mode {
                Mode::Normal if view.log.is_some() => view.log = None,
                Mode::Normal => view.filter.clear(),
                Mode::Filter | Mode::Confirm(_) => view.mode = Mode::Normal,
            },
            Command::EditFilter => view.mode = Mode::Filter,
            Command::Type(c) => view.filter.push(c),
            Command::Erase => {
                view.filter.pop();
            }
            Command::KeepFilter => view.mode = Mode::Normal,
            Command::ClearFilter => {
                view.filter.clear();
                view.mode = Mode::Normal;
            }
            Command::Quit | Command::Redraw => {}
        }
        self.load_log();
    }

    /// Loads log lines that are missing, one request at a time.
    fn load_log(&mut self) {
        let Some(log) = self.view.log.as_ref().filter(|log| log.is_behind && !self.log_requested) else {
            return;
        };
        self.log_requested = true;
        let loading = Log::load(self.target.client.clone(), log.id, log.attempt());
        self.requests.spawn(async move { Done::Log(loading.await) });
    }

    fn done(&mut self, done: Done) -> anyhow::Result<()> {
        match done {
            Done::Log(loaded) => {
                self.log_requested = false;
                match (loaded, &mut self.view.log) {
                    (Ok(loaded), Some(log)) if loaded.id == log.id => log.join(loaded),
                    // Another operation was selected meanwhile.
                    (Ok(_), Some(_)) => self.load_log(),
                    (Err(error), Some(_)) => {
                        self.view.note = format!("The log can't be read: {}", sentence(&error));
                    }
                    (_, None) => {}
                }
            }
            Done::Cancelled(id, Ok(operation)) => {
                self.view.note.clear();
                self.target.wrote_quietly(id, operation.seq);
                self.model.update(*operation);
            }
            Done::Cancelled(_, Err(error)) => {
                let error = unsure(error, "The operation may have been cancelled");
                self.view.note = format!("The cancel request failed: {error}");
            }
        }
        Ok(())
    }
}

async fn cancel(client: Client, id: OperationId) -> Done {
    let request = CancelOperation { reason: String::new() };
    Done::Cancelled(id, client.cancel(id, &request).await.map(Box::new))
}
