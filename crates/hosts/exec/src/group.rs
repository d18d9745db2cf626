//! All processes of one command, and how they are made to end.
//!
//! They are: its process group; those that left it but were begun with the operation's id in their environment;
//! and descendants of either. One that left the group, wiped its environment and lost its parent is not found.

use crate::procs::{self, Id, Proc};
use crate::watchdog::Watchdog;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Between two looks at whether they are gone: from the first to the longest.
const FIRST_LOOK: Duration = Duration::from_millis(4);
const LONGEST_LOOK: Duration = Duration::from_millis(64);
/// When a group is dropped before its end, so often and with such pauses is looked for what is left of it.
const DROP_LOOKS: usize = 50;
const DROP_PAUSE: Duration = Duration::from_millis(2);

/// The processes of a command. Dropped before they are gone, it kills them.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Pid,
    /// `NAME=value` in the environment of each of them.
    mark: String,
    watchdog: Arc<Watchdog>,
    gone: bool,
}

impl Group {
    /// The group of a process that was begun as its leader with the mark in its environment. Also says why the
    /// watchdog can't watch it, if so.
    pub fn new(leader: Id, mark: String, watchdog: Arc<Watchdog>) -> Option<(Self, Option<std::io::Error>)> {
        let pid = Pid::from_raw(i32::try_from(leader).ok()?)?;
        let unwatched = watchdog.add(leader).err();
        Some((Self { leader: pid, mark, watchdog, gone: false }, unwatched))
    }

    pub fn id(&self) -> Id {
        self.leader.as_raw_pid().unsigned_abs()
    }

    pub fn leader(&self) -> Pid {
        self.leader
    }

    /// Those that are alive; `None` where that can't be seen.
    async fn alive(&self) -> Option<Vec<Proc>> {
        let (group, mark) = (self.id(), self.mark.clone());
        tokio::task::spawn_blocking(move || look(group, &mark)).await.ok().flatten()
    }

    /// How many are alive. Where they can't be seen, one as long as there is a group.
    pub async fn count(&self) -> usize {
        match self.alive().await {
            Some(alive) => alive.len(),
            None => usize::from(test_kill_process_group(self.leader).is_ok()),
        }
    }

    /// Sends signals to all of them, one after another.
    pub async fn signal(&self, signals: &[Signal]) {
        for signal in signals {
            // Nobody left to get it is no error here.
            let _ = kill_process_group(self.leader, *signal);
        }
        let outside = self.alive().await.unwrap_or_default().into_iter().filter(|one| one.group != self.id());
        for one in outside {
            signals.iter().for_each(|signal| signal_one(&one, *signal));
        }
    }

    /// Waits until none is alive or the time is up; says whether none is.
    pub async fn empty_by(&self, deadline: Option<Instant>) -> bool {
        let mut pause = FIRST_LOOK;
        loop {
            if self.count().await == 0 {
                return true;
            }
            let next = Instant::now() + pause;
            if deadline.is_some_and(|deadline| deadline < next) {
                if let Some(deadline) = deadline {
                    tokio::time::sleep_until(deadline).await;
                }
                return self.count().await == 0;
            }
            tokio::time::sleep_until(next).await;
            pause = (pause * 2).min(LONGEST_LOOK);
        }
    }

    /// Kills them, again and again until none is alive. `stuck` is told once if that takes long.
    pub async fn kill(&self, mut stuck: impl FnMut(usize)) {
        const LONG: Duration = Duration::from_secs(5);
        let begun = Instant::now();
        let mut told = false;
        loop {
            self.signal(&[Signal::KILL]).await;
            if self.empty_by(Some(Instant::now() + LONGEST_LOOK)).await {
                return;
            }
            if !told && begun.elapsed() > LONG {
                told = true;
                stuck(self.count().await);
            }
        }
    }

    /// None is alive and the leader was waited for: its id may belong to somebody else from now on.
    pub fn gone(mut self) {
        self.gone = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.gone {
            // The runtime is being dropped: what can be done at once is done. Looked at more than once, as
            // one may leave the group between the look and the signal.
            for _ in 0..DROP_LOOKS {
                let _ = kill_process_group(self.leader, Signal::KILL);
                let left = look(self.id(), &self.mark).unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                left.iter().for_each(|one| signal_one(one, Signal::KILL));
                std::thread::sleep(DROP_PAUSE);
            }
        }
        self.watchdog.forget(self.id());
    }
}

/// Those of a group that are alive, and those that left it; `None` where that can't be seen.
fn look(group: Id, mark: &str) -> Option<Vec<Proc>> {
    let all = procs::all().ok()?;
    let mut members = procs::members(&all, group, &procs::marked(&all, mark));
    members.retain(|p| !p.dead);
    Some(members)
}

/// Sends a signal to a process, and to no later one that has its id.
#[cfg(target_os = "linux")]
fn signal_one(one: &Proc, signal: Signal) {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    let Some(pid) = i32::try_from(one.id).ok().and_then(Pid::from_raw) else { return };
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if procs::one(one.id).is_some_and(|now| now.began == one.began) {
        let _ = pidfd_send_signal(handle, signal);
    }
}

/// Without a table of processes none outside the group is known.
#[cfg(not(target_os = "linux"))]
fn signal_one(_: &Proc, _: Signal) {}
