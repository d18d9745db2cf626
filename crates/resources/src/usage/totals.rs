//! Sums over the threads of an operation, those that have ended included.

use super::pressure::MachinePressure;
use super::task::Task;
use crate::sampler::monotonic;
use std::collections::HashMap;

/// Seconds by which the CPU time of a running thread in `/proc` may be behind its clock.
const CLOCK_LAG: f64 = 0.1;

/// Sums of the counters of threads, read again and again.
#[derive(Default)]
pub(crate) struct Totals {
    known: HashMap<u32, Task>,
    pressure: MachinePressure,
    before: Option<Moment>,
    pub cpu: f64,
    pub cpu_wait: f64,
    pub disk_wait: f64,
    /// `None` once it can't be known: threads read pages from a disk, and the kernel does not measure the pressure.
    memory_wait: Waited,
}

#[derive(Clone, Copy)]
struct Moment {
    at: f64,
    memory: Option<f64>,
    io: Option<f64>,
}

#[derive(Clone, Copy, Default)]
struct Waited {
    seconds: f64,
    unknown: bool,
}

impl Totals {
    /// Begins to count a thread that may have run before.
    pub fn enter(&mut self, id: u32, now: Task) {
        self.known.insert(id, now);
    }

    /// Adds what the threads did since the last call. A thread that is seen for the first time counts from its start;
    /// one that is missing has ended.
    pub fn update(&mut self, threads: &[(u32, Task)]) {
        let now = Moment { at: monotonic(), memory: self.pressure.memory(), io: self.pressure.io() };
        let before = self.before.replace(now).unwrap_or(now);
        let passed = (now.at - before.at).max(0.0);
        let (mut disk_wait, mut faults, mut uninterruptible) = (0.0, 0, 0_u32);
        let mut next = HashMap::with_capacity(threads.len());
        for (id, thread) in threads {
            // A thread with far less than before is another one with the same ID.
            let known = self.known.get(id).filter(|known| known.cpu <= thread.cpu + CLOCK_LAG).copied();
            let known = known.unwrap_or_default();
            next.insert(*id, Task { cpu: thread.cpu.max(known.cpu), ..*thread });
            self.cpu += (thread.cpu - known.cpu).max(0.0);
            self.cpu_wait += (thread.cpu_wait - known.cpu_wait).max(0.0);
            disk_wait += (thread.disk_wait - known.disk_wait).max(0.0);
            faults += thread.major_faults.saturating_sub(known.major_faults);
            uninterruptible += u32::from(thread.uninterruptible);
        }
        self.known = next;
        let increase = |of: fn(&Moment) -> Option<f64>| Some((of(&now)? - of(&before)?).max(0.0));
        // Most kernels count the waits for disks only if that is switched on, and never those for a journal. So a
        // thread that is seen in an uninterruptible wait counts as waiting since the last call, if any disk was waited
        // for.
        let seen = f64::from(uninterruptible) * passed;
        self.disk_wait += if increase(|moment| moment.io).is_some_and(|io| io == 0.0) {
            disk_wait
        } else {
            disk_wait.max(seen)
        };
        if faults > 0 {
            match increase(|moment| moment.memory) {
                Some(memory) => self.memory_wait.seconds += memory,
                None => self.memory_wait.unknown = true,
            }
        }
    }

    /// Time in which threads waited for memory.
    pub fn memory_wait(&self) -> Option<f64> {
        (!self.memory_wait.unknown).then_some(self.memory_wait.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread(cpu: f64, cpu_wait: f64) -> Task {
        Task { cpu, cpu_wait, ..Task::default() }
    }

    #[test]
    fn threads_that_ended_stay_counted_and_earlier_work_of_a_thread_is_not() {
        let mut totals = Totals::default();
        totals.enter(1, thread(10.0, 5.0));
        totals.update(&[(1, thread(10.5, 5.0)), (2, thread(0.25, 1.0))]);
        assert_eq!((totals.cpu, totals.cpu_wait), (0.75, 1.0));
        totals.update(&[(1, thread(11.0, 5.5))]);
        // Another thread got the ID of the one that ended, and one is read a moment before its last value.
        totals.update(&[(1, thread(10.9375, 5.5)), (2, thread(0.125, 0.0))]);
        totals.update(&[(1, thread(11.0, 5.5)), (2, thread(0.125, 0.0))]);
        assert_eq!((totals.cpu, totals.cpu_wait), (1.375, 1.5));
        assert_eq!(totals.memory_wait(), Some(0.0), "no page was read from a disk");
    }
}
