//! Question after Ctrl+C, and its answer. The terminal stays in its normal mode, which even `kill -9` leaves intact.

use crate::output::{self, OutputError};
use std::cell::{Cell, RefCell};
use std::io::{BufRead, IsTerminal};
use tokio::sync::oneshot;

const QUESTION: &str = "detach (d), cancel the operation (c), keep following (Enter): ";

/// Answer of the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reply {
    Detach,
    Cancel,
    Follow,
    Unknown,
}

impl Reply {
    fn of(line: &str) -> Self {
        match line.trim().to_lowercase().as_str() {
            "d" | "detach" => Reply::Detach,
            "c" | "cancel" => Reply::Cancel,
            "" => Reply::Follow,
            _ => Reply::Unknown,
        }
    }
}

/// Question that takes the place of the status line until it is answered.
#[derive(Default)]
pub struct Prompt {
    is_open: Cell<bool>,
    /// Line that a thread reads from standard input.
    line: RefCell<Option<oneshot::Receiver<String>>>,
}

/// Whether a question can be asked and answered: there is a terminal, and the command is not in the background, where
/// reading would stop it.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal() && is_in_foreground()
}

#[cfg(unix)]
fn is_in_foreground() -> bool {
    rustix::termios::tcgetpgrp(std::io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp())
}

#[cfg(not(unix))]
fn is_in_foreground() -> bool {
    true
}

impl Prompt {
    /// Whether the question waits for its answer.
    pub fn is_open(&self) -> bool {
        self.is_open.get()
    }

    /// Asks, and reads a line of standard input.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn ask(&self) -> Result<(), OutputError> {
        self.is_open.set(true);
        let mut line = self.line.borrow_mut();
        if line.is_none() {
            let (sender, receiver) = oneshot::channel();
            // A thread of its own: the runtime would wait for a task that reads.
            std::thread::spawn(move || {
                let mut text = String::new();
                let _ = std::io::stdin().lock().read_line(&mut text);
                let _ = sender.send(text);
            });
            *line = Some(receiver);
        }
        drop(line);
        self.draw()
    }

    /// Draws the question again, below new output.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn draw(&self) -> Result<(), OutputError> {
        output::terminal_control(&format!("\r\x1b[K{QUESTION}"))
    }

    /// Leaves the row of the question, if it is open, because the operation ended.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn close(&self) -> Result<(), OutputError> {
        if self.is_open.replace(false) { output::terminal_control("\r\x1b[K") } else { Ok(()) }
    }

    /// Prints a line in the place of the status line; the question is no longer open.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn note(&self, text: &str) -> Result<(), OutputError> {
        self.is_open.set(false);
        if std::io::stderr().is_terminal() {
            output::terminal_control("\r\x1b[K")?;
        }
        output::note(text)
    }

    /// Answer to the open question. Safe to drop before it is ready.
    pub async fn reply(&self) -> Reply {
        loop {
            let line = std::future::poll_fn(|context| {
                let mut line = self.line.borrow_mut();
                match line.as_mut() {
                    Some(receiver) => std::pin::Pin::new(receiver).poll(context),
                    None => std::task::Poll::Pending,
                }
            });
            let line = line.await.unwrap_or_default();
            self.line.borrow_mut().take();
            // A line that was typed after the question was closed is no answer.
            if self.is_open.replace(false) {
                return Reply::of(&line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_letter_or_a_word_and_enter_keeps_following() {
        let replies = ["d\n", " C \n", "cancel\n", "\n", "", "x\n"].map(Reply::of);
        let expected =
            [Reply::Detach, Reply::Cancel, Reply::Cancel, Reply::Follow, Reply::Follow, Reply::Unknown];
        assert_eq!(replies, expected);
    }
}
