//! Interrupts while an operation is followed: the command detaches from it, cancels it, or asks.

mod prompt;
mod rule;
mod signals;

pub use prompt::Prompt;
pub use signals::{Signal, Signals};

use clap::{Args, ValueEnum};
use prompt::Reply;
use rule::{Rule, Step};
use std::rc::Rc;
use tokio::time::Instant;

/// What an interrupt does while an operation is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum OnInterrupt {
    /// End the command; the operation continues
    Detach,
    /// Cancel the operation, and follow it until its host has confirmed the stop
    Cancel,
}

/// Flag of all commands that follow one operation.
#[derive(Args, Clone, Copy, Default)]
pub struct InterruptArgs {
    /// Action on Ctrl+C, SIGTERM and SIGHUP. Default: detach; on a terminal, Ctrl+C asks
    #[arg(long, value_name = "ACTION")]
    pub on_interrupt: Option<OnInterrupt>,
}

/// What a command does because of an interrupt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Cancels the operation.
    Cancel(Signal),
    /// Ends; by the signal, or with its exit code after the answer to the question.
    Detach(Option<Signal>),
}

/// Signals and answers of the user.
pub struct Interrupts {
    chosen: Option<OnInterrupt>,
    signals: Signals,
    prompt: Rc<Prompt>,
    /// When the question was asked, unless it was answered.
    asked_at: Option<Instant>,
    /// The operation was cancelled because of an interrupt.
    is_cancelled: bool,
}

impl Interrupts {
    /// Interrupts from now on. They no longer end the process.
    ///
    /// # Errors
    /// If the system refuses the signal handlers.
    pub fn new(args: InterruptArgs, prompt: Rc<Prompt>) -> std::io::Result<Self> {
        Ok(Self {
            chosen: args.on_interrupt,
            signals: Signals::new()?,
            prompt,
            asked_at: None,
            is_cancelled: false,
        })
    }

    /// Next thing to do. Safe to drop before it is ready.
    ///
    /// # Errors
    /// [`crate::output::OutputError`] if the question can't be asked.
    pub async fn next(&mut self) -> Result<Action, crate::output::OutputError> {
        loop {
            tokio::select! {
                signal = self.signals.next() => {
                    let since_asked = self.asked_at.map(|at| at.elapsed());
                    let rule = Rule { chosen: self.chosen, can_ask: prompt::can_ask() };
                    match rule.step(signal, since_asked, self.is_cancelled) {
                        Step::Ask => {
                            self.asked_at = Some(Instant::now());
                            self.prompt.ask()?;
                        }
                        Step::Cancel => {
                            self.is_cancelled = true;
                            return Ok(Action::Cancel(signal));
                        }
                        Step::Detach => return Ok(Action::Detach(Some(signal))),
                    }
                }
                reply = self.prompt.reply() => match reply {
                    Reply::Detach => return Ok(Action::Detach(None)),
                    Reply::Cancel => {
                        self.is_cancelled = true;
                        return Ok(Action::Cancel(Signal::Interrupt));
                    }
                    // The next Ctrl+C is not a second one of this question.
                    Reply::Follow => self.asked_at = None,
                    Reply::Unknown => self.prompt.ask()?,
                },
            }
        }
    }

    /// The cancel request failed, so the next interrupt may send it again.
    pub fn not_cancelled(&mut self) {
        self.is_cancelled = false;
    }
}
