//! Standard output and standard error of commands. A failed write is an error with its own exit code; the `print!`
//! macros would panic.

use crate::exit::UsageError;
use std::borrow::Cow;
use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};

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
                write!(f, "the output could not be written: {error}. The output may be incomplete")
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

/// Writes text for people to standard output, as one or several lines without control characters: titles, parameters
/// and messages come from others, and must not control the terminal.
///
/// # Errors
/// [`OutputError`]; the command can't continue then.
pub fn line(text: &str) -> Result<(), OutputError> {
    written(&json_escapes(text))
}

/// Writes a line of JSON to standard output.
///
/// # Errors
/// Like [`line()`].
pub fn json(text: &str) -> Result<(), OutputError> {
    written(&escaped(text))
}

/// Writes a line of a log to standard output, which keeps its colours.
///
/// # Errors
/// Like [`line()`].
pub fn log_line(text: &str) -> Result<(), OutputError> {
    written(&styled(text))
}

/// Writes lines to standard output, which keep their colours.
///
/// # Errors
/// Like [`line()`].
pub fn styled_lines(lines: &[String]) -> Result<(), OutputError> {
    written(&lines.iter().map(|line| styled(line)).collect::<Vec<_>>().join("\n"))
}

/// Writes bytes to standard output.
///
/// # Errors
/// Like [`line()`].
pub fn bytes(bytes: &[u8]) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    Ok(out.flush()?)
}

fn written(text: &str) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.trim_end_matches('\n'))?;
    Ok(out.flush()?)
}

/// Asks for `yes` on the terminal; `verb` is what it does, such as "delete".
///
/// # Errors
/// [`UsageError`] if standard input is no terminal; or the question can't be asked.
pub fn confirmed(verb: &str) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() {
        let text = format!("the confirmation needs a terminal. Use --yes to {verb} without it");
        return Err(UsageError(text).into());
    }
    terminal_control(&format!("Type yes to {verb}: "))?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// Text without control characters except line ends and tabs.
fn json_escapes(text: &str) -> String {
    text.split('\n').map(ansi::plain).collect::<Vec<_>>().join("\n")
}

/// One line whose only control sequences are colours, which end with it.
fn styled(text: &str) -> String {
    let one_row = text.replace(['\n', '\r'], " ");
    let styled = ansi::coloured(&one_row);
    let reset = if styled.contains('\u{1b}') { "\u{1b}[0m" } else { "" };
    format!("{styled}{reset}")
}

/// JSON whose texts have no control characters: JSON allows those from U+007F on, but terminals act on some of them.
fn escaped(json: &str) -> Cow<'_, str> {
    if !json.contains(|c: char| c.is_control()) {
        return json.into();
    }
    let escaped = |c: char| match c {
        '\u{7f}'..='\u{9f}' => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    json.chars().map(escaped).collect::<String>().into()
}

/// Writes a line for people to standard error, without control characters.
///
/// # Errors
/// [`OutputError::Closed`]. Other errors are ignored, because they can't be reported anywhere.
pub fn note(text: &str) -> Result<(), OutputError> {
    terminal_control(&format!("{}\n", json_escapes(text)))
}

/// Writes to standard error without a line end, for a status line.
///
/// # Errors
/// Like [`note`].
pub fn terminal_control(text: &str) -> Result<(), OutputError> {
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
    fn untrusted_text_cannot_control_the_terminal() {
        let hostile = "a\u{1b}[2J\u{1b}]52;c;eA==\u{7}b\u{0}\u{9b}2Jc\rd\u{1b}[31me";
        assert_eq!(json_escapes(&format!("{hostile}\n\tf")), "abcde\n\tf");
        assert_eq!(styled(&format!("{hostile}\nf")), "abc d\u{1b}[31me f\u{1b}[0m");
        assert_eq!(styled("plain"), "plain");
    }

    #[test]
    fn json_output_has_no_control_characters_and_the_same_meaning() {
        let json = serde_json::to_string("a\u{1b}[2J\u{9b}2J\u{7f}é").unwrap();
        let printed = escaped(&json);
        assert!(!printed.contains(|c: char| c.is_control()), "{printed}");
        assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), "a\u{1b}[2J\u{9b}2J\u{7f}é");
    }

    #[test]
    fn a_closed_pipe_is_distinguished_from_a_full_disk() {
        let closed = OutputError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(closed, OutputError::Closed));
        let full = OutputError::from(io::Error::from(io::ErrorKind::StorageFull));
        assert!(full.to_string().starts_with("the output could not be written: "), "{full}");
    }
}
