//! Processes of a command, read again and again.

use super::task::{self, Process, Task};
use super::totals::Totals;
use super::{Reading, larger};
use std::path::Path;

/// Largest number of threads that are read; of more, the others count only with the CPU time of their process.
const MAX_THREADS: usize = 2_000;

/// Counters of a changing set of processes. Ended children count with their parent.
#[derive(Default)]
pub struct ProcessTree {
    totals: Totals,
    reading: Reading,
}

impl ProcessTree {
    /// Reads these processes; they are all of the operation's that are alive. Blocks its thread for some 50 µs a
    /// process.
    pub fn read(&mut self, processes: impl IntoIterator<Item = u32>) -> Reading {
        let mut threads = Vec::new();
        let mut found = 0_u32;
        let (mut cpu, mut resident, mut bytes) = (None::<f64>, 0_u64, None::<(u64, u64)>);
        let mut peak = self.reading.peak_memory_bytes;
        for id in processes {
            let folder = format!("/proc/{id}");
            let folder = Path::new(&folder);
            let Some(process) = Process::read(folder) else { continue };
            cpu = Some(cpu.unwrap_or(0.0) + process.cpu);
            resident = resident.saturating_add(process.resident_bytes);
            peak = peak.max(task::peak_memory(folder));
            if let Some((read, written)) = task::disk_bytes(folder) {
                let (all_read, all_written) = bytes.unwrap_or_default();
                bytes = Some((all_read.saturating_add(read), all_written.saturating_add(written)));
            }
            let Ok(entries) = std::fs::read_dir(folder.join("task")) else { continue };
            for entry in entries.flatten() {
                found = found.saturating_add(1);
                let id = entry.file_name().to_str().and_then(|id| id.parse().ok());
                if let Some(id) = id.filter(|_| threads.len() < MAX_THREADS) {
                    threads.extend(Task::read(&entry.path()).map(|thread| (id, thread)));
                }
            }
        }
        let Some(cpu) = cpu else { return self.reading };
        self.totals.update(&threads);
        let before = self.reading;
        // A process that ended unseen by its parent takes its counters along.
        let (read, written) = bytes.unzip();
        self.reading = Reading {
            cpu: larger(before.cpu, Some(cpu.max(self.totals.cpu))),
            cpu_wait: Some(self.totals.cpu_wait),
            disk_wait: Some(self.totals.disk_wait),
            memory_wait: self.totals.memory_wait(),
            throttled: None,
            unknown: 0.0,
            read_bytes: before.read_bytes.max(read),
            written_bytes: before.written_bytes.max(written),
            resident_bytes: Some(resident),
            peak_memory_bytes: peak,
            threads: Some(found),
        };
        self.reading
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    #[test]
    fn short_children_count_with_their_parent() {
        // Each child lives for a moment, so no sample sees it.
        let script = "echo begun; read go; for i in 1 2 3 4 5 6 7 8; do sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done'; done";
        let mut parent = Command::new("sh");
        parent.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut parent = parent.spawn().unwrap();
        // Before that, it may have no memory yet.
        let mut begun = String::new();
        BufReader::new(parent.stdout.take().unwrap()).read_line(&mut begun).unwrap();
        let mut tree = ProcessTree::default();
        let first = tree.read([parent.id()]);
        assert!(first.peak_memory_bytes > Some(100_000) && first.threads == Some(1), "{first:?}");
        drop(parent.stdin.take());
        // Ended, but not reaped: its counters are still there.
        use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
        let leader = Pid::from_raw(parent.id().cast_signed()).unwrap();
        waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        let last = tree.read([parent.id()]);
        assert!(last.cpu.unwrap() > 0.05, "{last:?}");
        assert_eq!(last.peak_memory_bytes, first.peak_memory_bytes, "a peak stays");
        parent.wait().unwrap();
        assert_eq!(tree.read([parent.id()]).cpu, last.cpu, "counters never decrease");
    }
}
