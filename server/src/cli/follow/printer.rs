//! How one operation is shown while it is followed: one line drawn again and again on a terminal, lines elsewhere,
//! events as JSON for programs.

use crate::cli::{terminal, words};
use crate::output::{self, OutputError};
use app::zone::Zone;
use protocol::{LogLine, Operation, Progress};
use std::io::IsTerminal;
use std::time::Duration;
use tokio::time::Instant;

/// Between two lines of progress where standard error is no terminal.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);

/// Prints one operation.
pub struct Printer {
    /// As it was last told.
    pub op: Operation,
    json: bool,
    /// Standard error is a terminal, and there is a line to be drawn again.
    terminal: bool,
    /// The status line as a whole; what is drawn of it depends on the terminal's width.
    status: String,
    printed_at: Option<Instant>,
    /// The same trouble is printed once.
    trouble: String,
}

impl Printer {
    pub fn new(op: Operation, json: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !json;
        Self { op, json, terminal, status: String::new(), printed_at: None, trouble: String::new() }
    }

    /// The operation as it is now: as JSON for programs; a title and a status for people.
    pub fn begin(&mut self) -> Result<(), OutputError> {
        if self.json {
            output::line(&serde_json::to_string(&self.op).unwrap_or_default())
        } else if self.op.state.ended() {
            Ok(())
        } else {
            output::note(&format!("{} {}", self.op.kind, self.op.title))?;
            self.show(true)
        }
    }

    /// Goes on from another state of it, after events in between were lost.
    pub fn restart(&mut self, op: Operation, why: &str) -> Result<(), OutputError> {
        self.aside(&format!("Some events were missed, because the server no longer keeps them. {why}"))?;
        if self.json {
            output::line(&serde_json::to_string(&op).unwrap_or_default())?;
        }
        self.changed(op)
    }

    /// An event as the server sent it.
    pub fn event(&mut self, json: &str) -> Result<(), OutputError> {
        if self.json { output::line(json) } else { Ok(()) }
    }

    /// The operation now stands like this.
    pub fn changed(&mut self, op: Operation) -> Result<(), OutputError> {
        let at_once = op.state != self.op.state || op.attempt != self.op.attempt;
        self.op = op;
        if self.op.state.ended() { Ok(()) } else { self.show(at_once) }
    }

    pub fn progress(&mut self, progress: Progress) -> Result<(), OutputError> {
        self.op.progress = Some(progress);
        self.show(false)
    }

    pub fn log(&mut self, lines: &[LogLine]) -> Result<(), OutputError> {
        self.clear()?;
        for line in lines {
            let at = Zone::Utc.clock_millis(line.at);
            output::line(&format!("{at} {:<5} {}", line.level.as_str(), line.text))?;
        }
        self.draw()
    }

    /// Something about the connection, once as long as it stays the same.
    pub fn aside(&mut self, said: &str) -> Result<(), OutputError> {
        if self.trouble != said {
            self.clear()?;
            output::note(said)?;
            said.clone_into(&mut self.trouble);
        }
        Ok(())
    }

    /// The server is there.
    pub fn connected(&mut self) {
        self.trouble.clear();
    }

    /// Removes the status line from the terminal.
    pub fn clear(&self) -> Result<(), OutputError> {
        if self.terminal { output::beside("\r\x1b[K") } else { Ok(()) }
    }

    /// Shows where it stands; `at_once` also where lines are printed only now and then.
    fn show(&mut self, at_once: bool) -> Result<(), OutputError> {
        if self.json {
            return Ok(());
        }
        let status = words::standing(&self.op);
        if self.terminal {
            self.status = status;
            return self.draw();
        }
        if at_once || self.printed_at.is_none_or(|at| at.elapsed() > PROGRESS_INTERVAL) {
            output::note(&status)?;
            self.printed_at = Some(Instant::now());
        }
        Ok(())
    }

    /// Draws the status line, in one write.
    fn draw(&self) -> Result<(), OutputError> {
        if !self.terminal {
            return Ok(());
        }
        output::beside(&format!("\r\x1b[K{}", terminal::fitted(&self.status, terminal::columns())))
    }
}
