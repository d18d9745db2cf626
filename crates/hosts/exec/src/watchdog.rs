//! Kills leftover processes after this process died without cleanup (`kill -9` or a crash).
//!
//! A small `sh` reads process groups from a pipe. The kernel closes the pipe when this process ends, and the shell
//! kills the remaining groups. It does not reach processes that left their group with `setsid`.

use crate::procs::Id;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// Shell script. Its only input is numbers.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
groups=' '
while read -r what group; do
    case $what in
        add) groups="$groups$group " ;;
        drop)
            left=' '
            for one in $groups; do [ "$one" = "$group" ] || left="$left$one "; done
            groups=$left ;;
    esac
done
for one in $groups; do kill -s KILL -- "-$one" 2>/dev/null; done
"#;

/// Watchdog of all groups of a host. Started with the first group.
#[derive(Debug, Default)]
pub(crate) struct Watchdog(Mutex<WatchdogState>);

#[derive(Debug, Default)]
struct WatchdogState {
    shell: Option<Child>,
    groups: BTreeSet<Id>,
}

impl Watchdog {
    /// Adds a group.
    ///
    /// # Errors
    /// If there is no shell. The group is then not watched.
    pub fn add(&self, group: Id) -> io::Result<()> {
        let mut watched = self.lock();
        watched.groups.insert(group);
        if watched.send(&format!("add {group}\n")).is_ok() {
            return Ok(());
        }
        // Not started, or dead: a new one gets all groups.
        watched.shell = Some(begin()?);
        let all: String = watched.groups.iter().map(|group| format!("add {group}\n")).collect();
        watched.send(&all)
    }

    /// Removes a group.
    pub fn forget(&self, group: Id) {
        let mut watched = self.lock();
        if watched.groups.remove(&group) {
            // A shell that can't be written to is dead, and its state with it.
            let _ = watched.send(&format!("drop {group}\n"));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, WatchdogState> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl WatchdogState {
    fn send(&mut self, words: &str) -> io::Result<()> {
        let pipe = self.shell.as_mut().and_then(|shell| shell.stdin.as_mut());
        pipe.ok_or(io::ErrorKind::NotConnected)?.write_all(words.as_bytes())
    }
}

impl Drop for WatchdogState {
    fn drop(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            // It ends at once. Reaped so that no zombie remains.
            let _ = shell.wait();
        }
    }
}

fn begin() -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", SCRIPT])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> Child {
        Command::new("sleep").arg("1000").process_group(0).spawn().unwrap()
    }

    #[test]
    fn a_closed_pipe_kills_the_remaining_groups_but_not_removed_ones() {
        let (mut left, mut done, mut other) = (sleeper(), sleeper(), sleeper());
        let watchdog = Watchdog::default();
        for group in [&left, &done, &other] {
            watchdog.add(group.id()).unwrap();
        }
        watchdog.forget(done.id());
        // Closes the pipe, as the kernel does for a killed process.
        drop(watchdog);
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(left.wait().unwrap().signal(), Some(9));
        assert_eq!(other.wait().unwrap().signal(), Some(9));
        assert_eq!(done.try_wait().unwrap(), None, "still running");
        done.kill().unwrap();
        done.wait().unwrap();
    }

    #[test]
    fn a_lost_watchdog_is_replaced_and_gets_all_groups() {
        let (mut first, mut second) = (sleeper(), sleeper());
        let watchdog = Watchdog::default();
        watchdog.add(first.id()).unwrap();
        {
            let mut watched = watchdog.lock();
            let shell = watched.shell.as_mut().unwrap();
            shell.kill().unwrap();
            shell.wait().unwrap();
        }
        watchdog.add(second.id()).unwrap();
        drop(watchdog);
        for child in [&mut first, &mut second] {
            use std::os::unix::process::ExitStatusExt;
            assert_eq!(child.wait().unwrap().signal(), Some(9));
        }
    }
}
