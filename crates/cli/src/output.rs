//! Standard output and standard error of commands. A failed write is an error with its own exit code; the `print!`
//! macros would panic.

use std::fmt;
use std::io::{self, Write};

/// Exit code if the reader of the output has closed it, as for a program ended by SIGPIPE.
pub const CLOSED: u8 = 141;

/// Error when writing output.
#[derive(Debug)]
pub enum OutputError {
    /// The reader has closed the pipe, as `head` does.
    Closed,
    /// Any other error, such as a full disk.
    Failed(io::Error),
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputError::Closed => write!(f, "the output was closed"),
            OutputError::Failed(error) => {
                write!(f, "the output could not be written: {error}. It may be incomplete")
            }
        }
    }
}

impl std::error::Error for OutputError {}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => OutputError::Closed,
            _ => OutputError::Failed(error),
        }
    }
}

/// Writes a line to standard output.
///
/// # Errors
/// [`OutputError`]; the command can't continue then.
pub fn line(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))?;
    Ok(out.flush()?)
}

/// Writes a line to standard error.
///
/// # Errors
/// [`OutputError::Closed`]. Other errors are ignored, because they can't be reported anywhere.
pub fn note(text: &str) -> Result<(), OutputError> {
    beside(&format!("{text}\n"))
}

/// Writes to standard error without a line end, for a status line.
///
/// # Errors
/// Like [`note`].
pub fn beside(text: &str) -> Result<(), OutputError> {
    let mut err = io::stderr().lock();
    match err.write_all(text.as_bytes()).and_then(|()| err.flush()).map_err(OutputError::from) {
        Err(OutputError::Failed(_)) | Ok(()) => Ok(()),
        closed => closed,
    }
}

/// Fails if the reader of standard output has closed it. A waiting command would notice only at its next line, which
/// may be hours away.
///
/// # Errors
/// [`OutputError::Closed`].
pub fn still_read() -> Result<(), OutputError> {
    #[cfg(unix)]
    {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let out = io::stdout();
        let mut watched = [PollFd::new(&out, PollFlags::empty())];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        if poll(&mut watched, Some(&at_once)).is_ok() && watched[0].revents().contains(PollFlags::ERR) {
            return Err(OutputError::Closed);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_told_from_a_full_disk() {
        let closed = OutputError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(closed, OutputError::Closed));
        let full = OutputError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(full.to_string().starts_with("the output could not be written: "), "{full}");
    }
}
