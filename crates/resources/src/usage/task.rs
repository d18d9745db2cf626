//! Counters of one thread, and of one process with its ended children.

use crate::parse::number;
use std::path::Path;

/// Counters of a thread.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Task {
    /// Seconds on a CPU.
    pub cpu: f64,
    /// Seconds in which it was ready to run, but had no CPU.
    pub cpu_wait: f64,
    /// Seconds in which it waited for block devices, as far as the kernel counts them.
    pub disk_wait: f64,
    /// Page faults that read from a disk.
    pub major_faults: u64,
    /// It is in an uninterruptible wait now, mostly for a disk.
    pub uninterruptible: bool,
}

impl Task {
    /// Counters of a thread from its folder in `/proc`; `None` if it has ended, or the kernel does not count.
    pub fn read(folder: &Path) -> Option<Self> {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
        let (cpu, cpu_wait) = schedstat(&read("schedstat")?)?;
        let stat = stat(&read("stat")?)?;
        Some(Self { cpu, cpu_wait, ..stat })
    }
}

/// Seconds on a CPU, and waiting for one.
fn schedstat(text: &str) -> Option<(f64, f64)> {
    let mut fields = text.split_ascii_whitespace().map(|field| field.parse::<u64>().ok());
    let nanos = |field: Option<Option<u64>>| Some(field?? as f64 / 1e9);
    Some((nanos(fields.next())?, nanos(fields.next())?))
}

fn stat(text: &str) -> Option<Task> {
    // The name, in parentheses, may contain anything.
    let (_, rest) = text.rsplit_once(')')?;
    // The first field after the name is the third of the file.
    let field = |n: usize| rest.split_ascii_whitespace().nth(n - 3);
    let ticks = field(42).and_then(number).unwrap_or(0);
    Some(Task {
        major_faults: field(12).and_then(number)?,
        disk_wait: ticks as f64 / ticks_per_second(),
        uninterruptible: field(3)? == "D",
        ..Task::default()
    })
}

/// Counters of a process, its ended children included.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Process {
    /// CPU seconds.
    pub cpu: f64,
    pub resident_bytes: u64,
}

impl Process {
    /// Counters from the folder of a process in `/proc`; `None` if it does not exist.
    pub fn read(folder: &Path) -> Option<Self> {
        process(&std::fs::read_to_string(folder.join("stat")).ok()?)
    }
}

fn process(text: &str) -> Option<Process> {
    let (_, rest) = text.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // User, system, and the same of the children.
    let ticks: u64 = (11..=14).map(|n| number(fields.get(n)?)).sum::<Option<u64>>()?;
    let pages = number(fields.get(21)?)?;
    Some(Process {
        cpu: ticks as f64 / ticks_per_second(),
        resident_bytes: pages.saturating_mul(rustix::param::page_size() as u64),
    })
}

/// Bytes read from and written to disks by a process with its ended children, or by a thread; `None` if that is not
/// readable.
pub(crate) fn disk_bytes(folder: &Path) -> Option<(u64, u64)> {
    let text = std::fs::read_to_string(folder.join("io")).ok()?;
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).and_then(number);
    // What was written to the page cache and deleted before it reached the disk was not written.
    let written = value("write_bytes:")?.saturating_sub(value("cancelled_write_bytes:").unwrap_or(0));
    Some((value("read_bytes:")?, written))
}

/// Peak resident memory of a process in bytes; `None` if it has ended.
pub(crate) fn peak_memory(folder: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(folder.join("status")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    number(value.trim().strip_suffix("kB")?).map(|kilobytes| kilobytes.saturating_mul(1024))
}

fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_waiting_thread_is_read() {
        assert_eq!(schedstat("1500000000 250000000 12\n"), Some((1.5, 0.25)));
        let mut fields = vec!["D"];
        fields.extend(["0"; 8]);
        fields.push("7");
        fields.extend(["0"; 29]);
        fields.push("300");
        let read = stat(&format!("42 (a) b) {}", fields.join(" "))).unwrap();
        assert!(read.uninterruptible && read.major_faults == 7);
        assert!((read.disk_wait - 300.0 / ticks_per_second()).abs() < 1e-9);
    }

    #[test]
    fn a_process_counts_its_ended_children() {
        let text = "42 (a) R) S 10 42 40 0 -1 4194304 1 2 3 4 100 20 3 4 20 0 1 0 5000 9000 250 18446744073709551615";
        let read = process(text).unwrap();
        assert!((read.cpu - 127.0 / ticks_per_second()).abs() < 1e-9);
        assert_eq!(read.resident_bytes, 250 * rustix::param::page_size() as u64);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in "[0-9 ()SD.-]{0,90}") {
            schedstat(&text);
            stat(&text);
            process(&text);
        }
    }
}
