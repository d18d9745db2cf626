//! Output while an operation is followed: a status line on a terminal, lines elsewhere, events as JSON for programs.

use crate::interrupt::Prompt;
use crate::output::{self, OutputError};
use crate::{terminal, text};
use display::zone::Zone;
use protocol::{Forecast, LogLine, Operation, Progress, Time};
use std::io::IsTerminal;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// Interval of progress lines if standard error is no terminal.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// Printer of one operation.
pub struct Printer {
    /// Current state.
    pub op: Operation,
    json: bool,
    /// Standard error is a terminal with a status line.
    terminal: bool,
    /// Complete status line; the terminal's width decides what is drawn of it.
    status: String,
    printed_at: Option<Instant>,
    /// Last printed connection problem, to print each only once.
    last_error: String,
    /// Newest known time of the server, and when it arrived: its clock may differ from the local one.
    server_time: Option<(Time, Instant)>,
    /// Question that may be in place of the status line.
    prompt: Rc<Prompt>,
}

impl Printer {
    pub fn new(op: Operation, json: bool, prompt: Rc<Prompt>) -> Self {
        let terminal = std::io::stderr().is_terminal() && !json;
        Self {
            op,
            json,
            terminal,
            status: String::new(),
            printed_at: None,
            last_error: String::new(),
            server_time: None,
            prompt,
        }
    }

    /// Prints the current state: as JSON for programs; title and status for people.
    pub fn begin(&mut self) -> Result<(), OutputError> {
        if self.json {
            output::json(&serde_json::to_string(&self.op).unwrap_or_default())
        } else if self.op.state.ended() {
            Ok(())
        } else {
            output::note(&format!("{} {}", self.op.kind, text::one_row(&self.op.title)))?;
            self.show(true)
        }
    }

    /// Continues with another state, after events in between were lost: why.
    pub fn restart(&mut self, op: Operation, why: &str) -> Result<(), OutputError> {
        self.write_note(why)?;
        if self.json {
            output::json(&serde_json::to_string(&op).unwrap_or_default())?;
        }
        self.changed(op)
    }

    /// Prints an event as sent by the server.
    pub fn event(&mut self, json: &str) -> Result<(), OutputError> {
        if self.json { output::json(json) } else { Ok(()) }
    }

    /// Prints a changed state.
    pub fn changed(&mut self, op: Operation) -> Result<(), OutputError> {
        let at_once = op.state != self.op.state || op.attempt != self.op.attempt;
        self.op = op;
        if self.op.state.ended() { Ok(()) } else { self.show(at_once) }
    }

    /// Prints newer progress. Without a new forecast, the previous one is still valid.
    pub fn progress(&mut self, progress: Progress, forecast: Option<Forecast>) -> Result<(), OutputError> {
        self.op.progress = Some(progress);
        self.op.forecast = forecast.or(self.op.forecast.take());
        self.show(false)
    }

    /// Learns the time of the server from an event.
    pub fn server_time(&mut self, at: Time) {
        self.server_time = Some((at, Instant::now()));
    }

    /// Draws the remaining time again.
    pub fn tick(&mut self) -> Result<(), OutputError> {
        if self.terminal && !self.status.is_empty() && !self.prompt.is_open() {
            self.show(false)
        } else {
            Ok(())
        }
    }

    /// Current time of the server.
    fn now(&self) -> Time {
        match self.server_time {
            Some((at, since)) => {
                at.plus_micros(i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX))
            }
            None => Time::now(),
        }
    }

    pub fn log(&mut self, lines: &[LogLine]) -> Result<(), OutputError> {
        self.clear()?;
        for line in lines {
            let at = Zone::Utc.clock_millis(line.at);
            output::log_line(&format!("{at} {:<5} {}", line.level.as_str(), line.text))?;
        }
        self.draw()
    }

    /// Prints a connection problem, once while it stays the same.
    pub fn write_note(&mut self, notice: &str) -> Result<(), OutputError> {
        if self.last_error != notice {
            self.clear()?;
            output::note(notice)?;
            notice.clone_into(&mut self.last_error);
            if self.prompt.is_open() {
                self.prompt.draw()?;
            }
        }
        Ok(())
    }

    /// Resets the connection problem.
    pub fn connected(&mut self) {
        self.last_error.clear();
    }

    /// Removes the status line from the terminal.
    pub fn clear(&self) -> Result<(), OutputError> {
        if self.terminal { output::terminal_control("\r\x1b[K") } else { Ok(()) }
    }

    /// Prints the status; `at_once` also if lines are printed only at intervals.
    fn show(&mut self, at_once: bool) -> Result<(), OutputError> {
        if self.json {
            return Ok(());
        }
        let status = text::one_row(&text::standing(&self.op, self.now()));
        if self.terminal {
            self.status = status;
            // A redraw would hide what is typed.
            return if self.prompt.is_open() { Ok(()) } else { self.draw() };
        }
        if at_once || self.printed_at.is_none_or(|at| at.elapsed() > PROGRESS_INTERVAL) {
            output::note(&status)?;
            self.printed_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Draws the status line in one write.
    fn draw(&self) -> Result<(), OutputError> {
        if !self.terminal {
            return Ok(());
        }
        if self.prompt.is_open() {
            return self.prompt.draw();
        }
        output::terminal_control(&format!("\r\x1b[K{}", terminal::fitted(&self.status, terminal::columns())))
    }
}
