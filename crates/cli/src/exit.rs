//! Exit codes, and errors that have one of their own.

use protocol::State;
use std::fmt;
use std::process::ExitCode;

/// Outcome for the shell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: done, or the operation succeeded.
    Fine,
    /// 1: the operation failed.
    Failed,
    /// 2: the operation was cancelled.
    Cancelled,
    /// 130: the user detached from the operation, which continues.
    Detached,
}

impl Exit {
    /// Outcome of an operation; fine while it has not ended.
    pub(crate) fn of(state: State) -> Self {
        match state {
            State::Failed => Exit::Failed,
            State::Cancelled => Exit::Cancelled,
            _ => Exit::Fine,
        }
    }

    /// Outcome of several operations: a failure counts most, then a cancellation.
    pub(crate) fn of_all(states: impl Iterator<Item = State>) -> Self {
        states.fold(Exit::Fine, |all, state| match (all, Exit::of(state)) {
            (Exit::Failed, _) | (_, Exit::Failed) => Exit::Failed,
            (Exit::Cancelled, _) | (_, Exit::Cancelled) => Exit::Cancelled,
            _ => Exit::Fine,
        })
    }

    pub fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Exit::Fine => 0,
            Exit::Failed => 1,
            Exit::Cancelled => 2,
            Exit::Detached => 130,
        })
    }
}

/// 3: the server was unreachable or rejected the request, or the output could not be written.
pub const TROUBLE: u8 = 3;
/// 64: the command rejected its arguments, and sent nothing to the server.
pub const USAGE: u8 = 64;

/// Arguments that the command rejects; exits with [`USAGE`].
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// [`UsageError`] for an argument that can't be parsed.
pub fn usage(why: impl fmt::Display) -> UsageError {
    UsageError(why.to_string())
}

/// Returns a [`UsageError`] with the formatted text.
macro_rules! bail_usage {
    ($($text:tt)*) => {
        return Err($crate::exit::UsageError(format!($($text)*)).into())
    };
}
pub(crate) use bail_usage;

/// Exit code of a failed command.
pub fn code_of(error: &anyhow::Error) -> u8 {
    if error.is::<UsageError>() { USAGE } else { TROUBLE }
}
