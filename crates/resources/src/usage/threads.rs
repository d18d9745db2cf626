//! Threads of this process that work on one operation.

use super::Reading;
use super::task::{self, Task};
use super::totals::Totals;
use crate::sampler::{monotonic, thread_cpu};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Threads that work on one operation; clones share everything.
#[derive(Clone, Default)]
pub struct ThreadGroup {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    totals: Totals,
    live: BTreeMap<u32, DiskBytes>,
    /// Whether a thread was ever counted.
    begun: bool,
    /// Bytes of threads that left.
    ended: (u64, u64),
    /// A thread's counters were not readable.
    bytes_unknown: bool,
    /// CPU seconds of polls, and the rest of their time.
    polls_cpu: f64,
    unknown: f64,
}

/// Bytes that a thread had read and written when it began to work for the operation.
type DiskBytes = Option<(u64, u64)>;

/// The current thread works for the operation until this is dropped, on the same thread.
pub struct ThreadGuard {
    id: u32,
    state: Arc<Mutex<State>>,
    /// It stays on its thread.
    _thread: PhantomData<*const ()>,
}

impl ThreadGroup {
    /// Begins to measure without a thread.
    pub fn begin(&self) {
        lock(&self.state).begun = true;
    }

    /// Counts the current thread from now on. `None` if the system does not count threads, or it is counted already.
    pub fn enter(&self) -> Option<ThreadGuard> {
        let id = current_thread()?;
        let now = Task::read(&folder(id))?;
        let mut state = lock(&self.state);
        if state.live.contains_key(&id) {
            return None;
        }
        state.begun = true;
        state.totals.enter(id, Task { cpu: thread_cpu(), ..now });
        state.live.insert(id, task::disk_bytes(&folder(id)));
        Some(ThreadGuard { id, state: Arc::clone(&self.state), _thread: PhantomData })
    }

    /// Reads the counters; `None` if no thread was counted.
    pub fn read(&self) -> Option<Reading> {
        let mut state = lock(&self.state);
        let state = &mut *state;
        if !state.begun {
            return None;
        }
        let threads: Vec<_> =
            state.live.keys().filter_map(|id| Some((*id, Task::read(&folder(*id))?))).collect();
        state.totals.update(&threads);
        let mut bytes = Some(state.ended).filter(|_| !state.bytes_unknown);
        for (id, base) in &state.live {
            bytes = bytes.zip(since(*id, *base)).map(plus);
        }
        let (read, written) = bytes.unzip();
        Some(Reading {
            cpu: Some(state.totals.cpu + state.polls_cpu),
            cpu_wait: Some(state.totals.cpu_wait),
            disk_wait: Some(state.totals.disk_wait),
            memory_wait: state.totals.memory_wait(),
            throttled: None,
            unknown: state.unknown,
            read_bytes: read,
            written_bytes: written,
            // The memory of a process is not that of its threads.
            resident_bytes: None,
            peak_memory_bytes: None,
            threads: u32::try_from(state.live.len()).ok(),
        })
    }
}

impl Drop for ThreadGuard {
    fn drop(&mut self) {
        let folder = folder(self.id);
        let mut state = lock(&self.state);
        let state = &mut *state;
        let base = state.live.remove(&self.id).flatten();
        match since(self.id, base) {
            Some(more) => state.ended = plus((state.ended, more)),
            None => state.bytes_unknown = true,
        }
        let others = state.live.keys().filter_map(|id| Some((*id, Task::read(&self::folder(*id))?)));
        let mut threads: Vec<_> = others.collect();
        if let Some(last) = Task::read(&folder) {
            threads.push((self.id, Task { cpu: thread_cpu().max(last.cpu), ..last }));
        }
        state.totals.update(&threads);
    }
}

/// Time of one poll of a future that works for the operation.
pub struct PollClock {
    begun: f64,
    cpu: f64,
}

impl PollClock {
    /// Begins on the thread that polls.
    pub fn start() -> Self {
        Self { begun: monotonic(), cpu: thread_cpu() }
    }

    /// Adds the time since the start to the operation's. Whether a poll without CPU waited for one or for a disk is
    /// unknown.
    pub fn stop(self, of: &ThreadGroup) {
        let cpu = (thread_cpu() - self.cpu).max(0.0);
        let mut state = lock(&of.state);
        state.begun = true;
        state.polls_cpu += cpu;
        state.unknown += (monotonic() - self.begun - cpu).max(0.0);
    }
}

/// Bytes of a thread since then.
fn since(id: u32, base: DiskBytes) -> Option<(u64, u64)> {
    let (now, base) = (task::disk_bytes(&folder(id))?, base?);
    Some((now.0.saturating_sub(base.0), now.1.saturating_sub(base.1)))
}

fn plus((a, b): ((u64, u64), (u64, u64))) -> (u64, u64) {
    (a.0.saturating_add(b.0), a.1.saturating_add(b.1))
}

fn folder(id: u32) -> PathBuf {
    PathBuf::from(format!("/proc/self/task/{id}"))
}

/// ID of the current thread: the link `/proc/thread-self` ends with it.
fn current_thread() -> Option<u32> {
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    /// Computes until this thread has used that much CPU time.
    fn compute(seconds: f64) {
        let begun = thread_cpu();
        while thread_cpu() - begun < seconds {
            std::hint::black_box((0..1_000u64).sum::<u64>());
        }
    }

    #[test]
    fn only_the_work_for_the_operation_counts() {
        compute(0.05);
        let group = ThreadGroup::default();
        assert_eq!(group.read(), None, "nothing was measured");
        {
            let guard = group.enter();
            assert!(guard.is_some() && group.enter().is_none(), "a thread counts once");
            compute(0.05);
        }
        compute(0.2);
        let shared = group.clone();
        let other = std::thread::spawn(move || {
            let _counted = shared.enter();
            compute(0.02);
        });
        other.join().unwrap();
        let read = group.read().unwrap();
        let cpu = read.cpu.unwrap();
        assert!((0.07..0.15).contains(&cpu), "{cpu}");
        assert_eq!((read.threads, read.peak_memory_bytes), (Some(0), None));
        assert_eq!(group.read().unwrap().cpu, Some(cpu), "threads that left stay counted");
    }
}
