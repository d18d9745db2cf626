//! Screen: the terminal while it shows the view. It is restored in any case: when the view is closed, after an error, a
//! signal and a panic, and by the guardian after `kill -9`.

use super::guardian::Guardian;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::{self, Event};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::layout::Rect;
use ratatui::{Frame, Terminal, TerminalOptions, Viewport};
use std::io::{self, Stdout};
use std::sync::Once;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Shortest time between two pictures.
const FRAME_INTERVAL: Duration = Duration::from_millis(100);
/// On a slow line, a picture takes long to write; so many times this long, nothing is written.
const SLOW_LINE_FACTOR: u32 = 3;
/// Keys that wait for the view.
const MAX_KEYS: usize = 64;

/// Terminal that shows the view.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// Dismissed after the terminal was restored.
    _guardian: Option<Guardian>,
}

impl Screen {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// As the system reports them.
    pub fn open() -> io::Result<Self> {
        restore_after_panic();
        let guardian = Guardian::start();
        enable_raw_mode()?;
        // From here on, dropping it restores the terminal.
        let screen = match terminal() {
            Ok(terminal) => Self { terminal, _guardian: guardian },
            Err(error) => {
                restore();
                return Err(error);
            }
        };
        execute!(io::stdout(), EnterAlternateScreen, Clear(ClearType::All))?;
        Ok(screen)
    }

    /// Draws what changed; returns the time before which nothing should be drawn again.
    ///
    /// # Errors
    /// As the system reports them.
    pub fn draw(&mut self, picture: impl FnOnce(&mut Frame)) -> io::Result<Instant> {
        let began = Instant::now();
        // Terminals that know it show the whole picture at once; others ignore it.
        execute!(io::stdout(), BeginSynchronizedUpdate)?;
        self.terminal.draw(picture)?;
        execute!(io::stdout(), EndSynchronizedUpdate)?;
        let now = Instant::now();
        Ok(now + FRAME_INTERVAL.max((now - began) * SLOW_LINE_FACTOR))
    }

    /// Draws everything with the next picture, because the size changed, or something else wrote to the terminal.
    ///
    /// # Errors
    /// As the system reports them.
    pub fn clear(&mut self) -> io::Result<()> {
        self.terminal = terminal()?;
        execute!(io::stdout(), Clear(ClearType::All))
    }

    /// Rows of the terminal.
    pub fn rows(&self) -> u16 {
        size().1
    }
}

/// Terminal of the current size. Its size is fixed: after a change, ratatui would ask the terminal for the position of
/// the cursor, whose answer the reader of keys would get.
fn terminal() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    let (columns, rows) = size();
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, rows));
    Terminal::with_options(CrosstermBackend::new(io::stdout()), TerminalOptions { viewport })
}

/// Columns and rows; those of a classic terminal if it does not tell.
fn size() -> (u16, u16) {
    match ratatui::crossterm::terminal::size() {
        Ok((columns, rows)) if columns > 0 && rows > 0 => (columns, rows),
        _ => (80, 24),
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Restores the terminal as far as it still exists.
fn restore() {
    let _ = disable_raw_mode();
    let _ = execute!(io::stdout(), EndSynchronizedUpdate, LeaveAlternateScreen, Show);
}

/// Restores the terminal before a panic is reported, so that the report can be read.
fn restore_after_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            report(panic);
        }));
    });
}

/// Events of the terminal, until it is closed.
pub fn keys() -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(MAX_KEYS);
    // A thread of its own: the runtime would wait for a task that reads.
    std::thread::spawn(move || {
        while let Ok(event) = event::read() {
            if sender.blocking_send(event).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, tcgetattr};
    use std::fs::File;
    use std::io::Read;
    use std::process::Command;

    /// Run by the next test, on a terminal.
    #[test]
    #[ignore = "it panics"]
    fn panics_while_it_draws() {
        let mut screen = Screen::open().unwrap();
        screen.draw(|_| panic!("a bug")).unwrap();
    }

    #[test]
    fn a_panic_restores_the_terminal_before_it_is_reported() {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "--nocapture", "top::screen::tests::panics_while_it_draws"]);
        let end = || slave.try_clone().unwrap();
        let status = command.stdin(end()).stdout(end()).stderr(end()).status().unwrap();
        assert!(!status.success());
        let modes = tcgetattr(&master).unwrap().local_modes;
        assert!(modes.contains(LocalModes::ICANON | LocalModes::ECHO), "the terminal is left in raw mode");
        // Reading fails once the last process has closed the other side.
        drop((slave, command));
        let mut written = Vec::new();
        let _ = File::from(master).read_to_end(&mut written);
        let written = String::from_utf8_lossy(&written);
        let (taken, left) = (written.find("\x1b[?1049h"), written.find("\x1b[?1049l"));
        let reported = written.find("a bug");
        assert!(taken < left && left < reported && taken.is_some(), "{written:?}");
    }
}
