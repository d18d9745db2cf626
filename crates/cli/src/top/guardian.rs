//! Guardian: restores the terminal if the view is killed in a way that it can't handle, as by `kill -9`.
//!
//! It is a shell that waits for a line on a pipe. If the pipe ends without one, the view is gone.

use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

/// Line that tells the guardian that all is well.
const FAREWELL: &[u8] = b"restored\n";

/// Waits; then sets the modes of the terminal ($0), leaves the alternate screen, and shows the cursor. The signals that
/// end the view must not end the guardian, and writing to the terminal must not stop it.
const SCRIPT: &str = "trap '' INT TERM HUP QUIT TTOU TTIN PIPE
IFS= read -r farewell || { stty \"$0\"; printf '\\033[?2026l\\033[?1049l\\033[?25h'; } </dev/tty >/dev/tty 2>/dev/null";

/// Guardian of a terminal.
pub struct Guardian(Child);

impl Guardian {
    /// Guardian that restores the current modes of the terminal; `None` if the system has no shell or no `stty`.
    pub fn start() -> Option<Self> {
        let modes =
            Command::new("stty").arg("-g").stdin(Stdio::inherit()).stderr(Stdio::null()).output().ok()?;
        let modes = String::from_utf8(modes.stdout).ok().filter(|_| modes.status.success())?;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(SCRIPT).arg(modes.trim()).stdin(Stdio::piped()).stdout(Stdio::null());
        shell.stderr(Stdio::null()).spawn().ok().map(Self)
    }

    /// Dismisses it, after the terminal was restored.
    fn dismiss(&mut self) -> io::Result<()> {
        if let Some(mut pipe) = self.0.stdin.take() {
            pipe.write_all(FAREWELL)?;
        }
        self.0.wait().map(|_| ())
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        // It has restored the terminal if the pipe is broken.
        let _ = self.dismiss();
    }
}
