//! Terminal for a command: a pty that controls its session, and the screen that it shows.

use crate::process::PATIENCE;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

/// Command with a terminal of its own.
pub struct Terminal {
    child: Child,
    master: File,
    /// Keeps the terminal open, so that its last output is read.
    slave: Option<File>,
    shown: Arc<(Mutex<vt100::Parser>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Runs a command as the foreground job of a terminal.
    pub fn run(command: &Command, rows: u16, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        // A session that the terminal controls; the process ID stays that of the command.
        let mut session = Command::new("setsid");
        session
            .arg("--ctty")
            .arg(command.get_program())
            .args(command.get_args())
            .env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            set(&mut session, name, value);
        }
        let end = || slave.try_clone().unwrap();
        let child = session.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let shown = Arc::new((Mutex::new(vt100::Parser::new(size(rows), size(columns), 0)), Condvar::new()));
        let master = File::from(master);
        let reader = {
            let (mut master, shown) = (master.try_clone().unwrap(), Arc::clone(&shown));
            std::thread::spawn(move || {
                let mut bytes = [0; 4_096];
                // Fails once the other side is closed.
                while let Ok(count @ 1..) = master.read(&mut bytes) {
                    shown.0.lock().unwrap().process(&bytes[..count]);
                    shown.1.notify_all();
                }
            })
        };
        Self { child, master, slave: Some(slave), shown, reader: Some(reader) }
    }

    /// Types keys; `\x03` is Ctrl+C.
    pub fn type_keys(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Text of the screen.
    pub fn text(&self) -> String {
        self.shown.0.lock().unwrap().screen().contents()
    }

    /// Whether the screen has a colour.
    pub fn has_colours(&self) -> bool {
        let parser = self.shown.0.lock().unwrap();
        let (rows, columns) = parser.screen().size();
        let cells = (0..rows.get()).flat_map(|row| (0..columns.get()).map(move |column| (row, column)));
        let colour = |(row, column)| parser.screen().cell(row, column).map(vt100::Cell::fgcolor);
        cells.map(colour).any(|colour| colour.is_some_and(|colour| colour != vt100::Color::Default))
    }

    /// Waits until the screen shows something.
    pub fn wait_for(&self, what: &str, shows: impl Fn(&str) -> bool) -> String {
        let parser = self.shown.0.lock().unwrap();
        let not_yet = |parser: &mut vt100::Parser| !shows(&parser.screen().contents());
        let (parser, waited) = self.shown.1.wait_timeout_while(parser, PATIENCE, not_yet).unwrap();
        let text = parser.screen().contents();
        assert!(!waited.timed_out(), "{what} is not on the screen:\n{text}");
        text
    }

    /// Waits until the screen shows a text.
    pub fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    /// Process ID of the command.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the command.
    pub fn signal(&self, signal: &str) {
        crate::process::signal(signal, self.id());
    }

    /// Whether the terminal is in its normal mode, with a visible cursor on its main screen.
    pub fn is_restored(&self) -> bool {
        let modes = tcgetattr(&self.master).unwrap().local_modes;
        let parser = self.shown.0.lock().unwrap();
        modes.contains(LocalModes::ICANON | LocalModes::ECHO)
            && !parser.screen().hide_cursor()
            && !parser.screen().alternate_screen()
    }

    /// Waits until the command has ended; returns its exit code or the negative number of its signal, and the screen.
    pub fn end(mut self) -> (i32, String) {
        let started = tokio::time::Instant::now();
        let status: ExitStatus = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < PATIENCE, "it did not end:\n{}", self.text());
            std::thread::yield_now();
        };
        // After `kill -9`, another process restores it.
        crate::process::wait_until(|| self.is_restored(), "the terminal is not restored");
        self.slave.take();
        self.reader.take().unwrap().join().unwrap();
        (status.code().unwrap_or_else(|| -status.signal().unwrap()), self.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended in the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn set(command: &mut Command, name: &OsStr, value: Option<&OsStr>) {
    match value {
        Some(value) => command.env(name, value),
        None => command.env_remove(name),
    };
}
