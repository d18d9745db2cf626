//! Process tracking and termination of one command.
//!
//! Its processes are the process group, processes that left it but have the run's ID in their environment, and
//! descendants of all of these. A process that was seen once stays one of them, so a cleared environment and a parent
//! that is gone do not hide it.
//!
//! A look at the process table is not atomic: of a chain of processes that each fork and exit, it can find none. So the
//! end is believed only after a look at the stopped group, which can't fork: that is exact. Processes outside the group
//! can't be stopped at once, so several looks must find none. A process is missed if it left the group, cleared its
//! environment and lost its parent between two looks, or if it left the group and forks and exits during each of them.
//! Another attempt of the operation, which may be running by now, is another run.

use crate::procs::{self, Id, Proc};
use crate::watchdog::Watchdog;
use backoff::Backoff;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Shortest and longest interval of liveness checks.
const FIRST_LOOK: Duration = Duration::from_millis(4);
const MAX_CHECK_INTERVAL: Duration = Duration::from_millis(64);
/// Number of kill attempts, and their interval, when a group is dropped early.
const DROP_LOOKS: usize = 50;
const DROP_PAUSE: Duration = Duration::from_millis(2);
/// Number of further looks that must find no process outside the group, and their interval.
const OUTSIDE_LOOKS: usize = 3;
const OUTSIDE_PAUSE: Duration = Duration::from_millis(3);

/// Processes of a command. Kills them if it is dropped while they are alive.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Pid,
    /// `NAME=value` in the environment of each process.
    mark: String,
    watchdog: Arc<Watchdog>,
    seen: Arc<Mutex<Seen>>,
    gone: bool,
}

/// Processes that were seen alive.
#[derive(Debug, Default)]
struct Seen {
    /// Their IDs and start times.
    alive: BTreeMap<Id, u64>,
    /// Whether one was ever outside the group.
    outside: bool,
}

impl Group {
    /// Group of a process that was started as its leader, with the mark in its environment. Also returns why the
    /// watchdog can't watch it.
    pub fn new(leader: Id, mark: String, watchdog: Arc<Watchdog>) -> Option<(Self, Option<std::io::Error>)> {
        let pid = Pid::from_raw(i32::try_from(leader).ok()?)?;
        let unwatched = watchdog.add(leader).err();
        Some((Self { leader: pid, mark, watchdog, seen: Arc::default(), gone: false }, unwatched))
    }

    pub fn id(&self) -> Id {
        self.leader.as_raw_pid().unsigned_abs()
    }

    pub fn leader(&self) -> Pid {
        self.leader
    }

    /// Processes that are alive; `None` if the process table is not available.
    async fn alive(&self) -> Option<Vec<Proc>> {
        let (group, mark, seen) = (self.id(), self.mark.clone(), Arc::clone(&self.seen));
        tokio::task::spawn_blocking(move || members_of(group, &mark, &seen)).await.ok().flatten()
    }

    /// Remembers the processes of a table while the parents that lead to them are alive.
    pub fn remember(&self, table: &[Proc]) {
        let mut seen = lock(&self.seen);
        let known = still(table, &seen.alive);
        let members = procs::members(table, &BTreeSet::from([self.id()]), &known);
        seen.outside |= members.iter().any(|p| !p.dead && p.group != self.id());
        seen.alive.extend(members.iter().filter(|p| !p.dead).map(|p| (p.id, p.began)));
    }

    /// Number of live processes; 0 only if that is certain. Without a process table it is 1 while the group exists.
    pub async fn count(&self) -> usize {
        let (leader, mark, seen) = (self.leader, self.mark.clone(), Arc::clone(&self.seen));
        let certain = tokio::task::spawn_blocking(move || certain_members_of(leader, &mark, &seen));
        match certain.await.ok().flatten() {
            Some(alive) => alive.len(),
            None => usize::from(test_kill_process_group(self.leader).is_ok()),
        }
    }

    /// Sends signals to all processes, in order.
    pub async fn signal(&self, signals: &[Signal]) {
        // First, because a signal can end the parent that leads to a process outside the group.
        self.alive().await;
        for signal in signals {
            // A missing receiver is not an error.
            let _ = kill_process_group(self.leader, *signal);
        }
        let outside = self.alive().await.unwrap_or_default().into_iter().filter(|one| one.group != self.id());
        for one in outside {
            signals.iter().for_each(|signal| signal_one(&one, *signal));
        }
    }

    /// Waits until all processes have ended, or the deadline. Returns whether all have ended.
    pub async fn empty_by(&self, deadline: Option<Instant>) -> bool {
        let mut backoff = Backoff::new(FIRST_LOOK, MAX_CHECK_INTERVAL);
        loop {
            if self.count().await == 0 {
                return true;
            }
            let next = Instant::now() + backoff.next_ceiling();
            if deadline.is_some_and(|deadline| deadline < next) {
                if let Some(deadline) = deadline {
                    tokio::time::sleep_until(deadline).await;
                }
                return self.count().await == 0;
            }
            tokio::time::sleep_until(next).await;
        }
    }

    /// Kills the processes repeatedly until none is alive. Calls `stuck` once if that takes long.
    pub async fn kill(&self, mut stuck: impl FnMut(usize)) {
        const LONG: Duration = Duration::from_secs(5);
        let begun = Instant::now();
        let mut logged = false;
        loop {
            self.signal(&[Signal::KILL]).await;
            if self.empty_by(Some(Instant::now() + MAX_CHECK_INTERVAL)).await {
                return;
            }
            if !logged && begun.elapsed() > LONG {
                logged = true;
                stuck(self.count().await);
            }
        }
    }

    /// Marks the group as ended after the leader was reaped: its ID can now belong to another process.
    pub fn gone(mut self) {
        self.gone = true;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.gone {
            // The runtime is shutting down, so this is best effort. Repeated, because a process can leave the group
            // between the lookup and the signal.
            let _ = members_of(self.id(), &self.mark, &self.seen);
            for _ in 0..DROP_LOOKS {
                let _ = kill_process_group(self.leader, Signal::KILL);
                let left = members_of(self.id(), &self.mark, &self.seen).unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                left.iter().for_each(|one| signal_one(one, Signal::KILL));
                #[expect(clippy::disallowed_methods, reason = "the runtime is shutting down")]
                std::thread::sleep(DROP_PAUSE);
            }
        }
        self.watchdog.forget(self.id());
    }
}

/// Live processes of a group, and processes that left it, by one look at the process table. One look can miss some.
/// `None` without a process table.
fn members_of(group: Id, mark: &str, seen: &Mutex<Seen>) -> Option<Vec<Proc>> {
    let all = procs::all().ok()?;
    let mut outside = procs::marked(&all, |variable| variable == mark.as_bytes());
    let mut seen = lock(seen);
    outside.extend(still(&all, &seen.alive));
    let mut members = procs::members(&all, &BTreeSet::from([group]), &outside);
    members.retain(|p| !p.dead);
    seen.outside |= members.iter().any(|p| p.group != group);
    seen.alive = members.iter().map(|p| (p.id, p.began)).collect();
    Some(members)
}

/// Live processes as [`members_of`], but none only if no process of the group is alive.
///
/// The leader must not be reaped yet, so that the group is its own.
fn certain_members_of(leader: Pid, mark: &str, seen: &Mutex<Seen>) -> Option<Vec<Proc>> {
    let look = || members_of(leader.as_raw_pid().unsigned_abs(), mark, seen);
    let mut found = look()?;
    if found.is_empty() {
        // The kernel stops all of a group at once, including the child of a fork that is under way.
        let _ = kill_process_group(leader, Signal::STOP);
        let stopped = look();
        let _ = kill_process_group(leader, Signal::CONT);
        found = stopped?;
    }
    for _ in 0..OUTSIDE_LOOKS {
        if !found.is_empty() || !lock(seen).outside {
            break;
        }
        #[expect(clippy::disallowed_methods, reason = "called on blocking threads")]
        std::thread::sleep(OUTSIDE_PAUSE);
        found = look()?;
    }
    Some(found)
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Processes that were seen and are still in the table, but no later ones with their IDs.
fn still(table: &[Proc], seen: &BTreeMap<Id, u64>) -> BTreeSet<Id> {
    table.iter().filter(|p| seen.get(&p.id) == Some(&p.began)).map(|p| p.id).collect()
}

/// Sends a signal to a process, but not to a later one with the same ID.
#[cfg(target_os = "linux")]
pub(crate) fn signal_one(one: &Proc, signal: Signal) {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    let Some(pid) = i32::try_from(one.id).ok().and_then(Pid::from_raw) else { return };
    let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    if procs::one(one.id).is_some_and(|now| now.began == one.began) {
        let _ = pidfd_send_signal(handle, signal);
    }
}

/// Without a process table, processes outside the group are unknown.
#[cfg(not(target_os = "linux"))]
pub(crate) fn signal_one(_: &Proc, _: Signal) {}
