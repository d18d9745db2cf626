//! Standard output and standard error of the commands. A failed write is an error with an exit code of its own; the
//! `print!` macros would panic instead.

use std::fmt;
use std::io::{self, Write};

/// Exit code when the reader of the output has closed it, as of a program that SIGPIPE ended.
pub const CLOSED: u8 = 141;

/// Why output could not be written.
#[derive(Debug)]
pub enum OutputError {
    /// The reader has closed the pipe, as `head` does when it has read enough.
    Closed,
    /// Anything else, such as a full disk.
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
/// [`OutputError`]; the command can't go on then.
pub fn line(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))?;
    Ok(out.flush()?)
}

/// Writes a line beside the output, to standard error.
///
/// # Errors
/// [`OutputError::Closed`]. There is no place to report any other failure, so it is ignored.
pub fn note(text: &str) -> Result<(), OutputError> {
    beside(&format!("{text}\n"))
}

/// Writes to standard error without a line end, as for a line that is drawn again and again.
///
/// # Errors
/// As [`note`].
pub fn beside(text: &str) -> Result<(), OutputError> {
    let mut err = io::stderr().lock();
    match err.write_all(text.as_bytes()).and_then(|()| err.flush()).map_err(OutputError::from) {
        Err(OutputError::Failed(_)) | Ok(()) => Ok(()),
        closed => closed,
    }
}

/// Fails as soon as the reader of standard output has closed it. A command that waits would otherwise notice only at
/// its next line, which may be hours away.
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
