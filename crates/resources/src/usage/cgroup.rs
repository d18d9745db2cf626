//! Cgroup of one operation, below the cgroup of this process. Needs cgroup v2 and permission to create groups there.
//!
//! CPU time and pressure of a group are always counted. Memory and bytes are counted only if its controllers are
//! enabled, which is not possible below a group that has processes itself, as that of this process has.

use super::pressure::some;
use super::{Reading, larger};
use crate::parse::number;
use crate::proc_file::ProcFile;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Beginning of the names of groups. The ID of the process that created it, and a name follow.
const PREFIX: &str = "signalbox-";

/// Number of attempts to remove a group with processes when it is dropped, and their interval.
const DROP_LOOKS: usize = 50;
const DROP_PAUSE: Duration = Duration::from_millis(2);

/// Cgroup of one operation. When it is dropped, it is removed, and processes that it still has are killed.
pub struct OperationCgroup {
    folder: PathBuf,
    cpu_stat: ProcFile,
    cpu: ProcFile,
    memory: ProcFile,
    io: ProcFile,
    memory_peak: ProcFile,
    memory_current: ProcFile,
    io_stat: ProcFile,
}

impl OperationCgroup {
    /// Creates a group below that of this process. `None` without cgroup v2, or without permission.
    pub fn create(name: &str) -> Option<Self> {
        Self::below(&own_folder()?, name)
    }

    fn below(parent: &Path, name: &str) -> Option<Self> {
        let folder = parent.join(format!("{PREFIX}{}-{name}", std::process::id()));
        std::fs::create_dir(&folder).ok()?;
        let file = |name: &str| ProcFile::new(folder.join(name));
        let created = Self {
            cpu_stat: file("cpu.stat"),
            cpu: file("cpu.pressure"),
            memory: file("memory.pressure"),
            io: file("io.pressure"),
            memory_peak: file("memory.peak"),
            memory_current: file("memory.current"),
            io_stat: file("io.stat"),
            folder,
        };
        // Old kernels can't kill a group, and count less.
        created.folder.join("cgroup.kill").exists().then_some(created)
    }

    /// Removes groups that processes left which have ended. Blocks its thread for a moment.
    pub fn remove_leftovers() {
        let Some(entries) = own_folder().and_then(|folder| std::fs::read_dir(folder).ok()) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let of = name
                .to_str()
                .and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
            if of.is_some_and(|id| !Path::new(&format!("/proc/{id}")).exists()) {
                // One that still has processes can't be removed.
                let _ = std::fs::remove_dir(entry.path());
            }
        }
    }

    /// Moves a process into the group; processes that it starts from now on begin there.
    ///
    /// # Errors
    /// If it has ended, or permission is missing.
    pub fn add(&self, process: u32) -> io::Result<()> {
        std::fs::write(self.folder.join("cgroup.procs"), process.to_string())
    }

    /// Processes of the group that are alive.
    pub fn processes(&self) -> Vec<u32> {
        let text = std::fs::read_to_string(self.folder.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// Kills all processes of the group at once; none escapes by forking.
    ///
    /// # Errors
    /// If permission is missing.
    pub fn kill(&self) -> io::Result<()> {
        std::fs::write(self.folder.join("cgroup.kill"), "1")
    }

    /// Replaces what the group counts exactly in a reading of its processes.
    pub fn complete(&mut self, reading: &mut Reading) {
        let stat = self.cpu_stat.read().unwrap_or_default();
        let micros = |name| value(stat, name).map(|micros| micros as f64 / 1e6);
        let (cpu, throttled) = (micros("usage_usec"), micros("throttled_usec"));
        reading.cpu = cpu.or(reading.cpu);
        reading.throttled = throttled.or(reading.throttled);
        // Threads that lived between two samples waited as well. Pressure is wall time, so the threads waited at least
        // as long.
        reading.cpu_wait = larger(reading.cpu_wait, some(&mut self.cpu));
        reading.disk_wait = larger(reading.disk_wait, some(&mut self.io));
        reading.memory_wait = some(&mut self.memory).or(reading.memory_wait);
        reading.peak_memory_bytes = self.memory_peak.read().and_then(number).or(reading.peak_memory_bytes);
        reading.resident_bytes = self.memory_current.read().and_then(number).or(reading.resident_bytes);
        if let Some((read, written)) = self.io_stat.read().and_then(disk_bytes) {
            (reading.read_bytes, reading.written_bytes) = (Some(read), Some(written));
        }
    }
}

impl Drop for OperationCgroup {
    fn drop(&mut self) {
        // Its processes have ended, unless the runtime is shutting down.
        let mut removed = std::fs::remove_dir(&self.folder);
        for _ in 0..DROP_LOOKS {
            if removed.is_ok() || self.kill().is_err() {
                return;
            }
            #[expect(clippy::disallowed_methods, reason = "the runtime is shutting down")]
            std::thread::sleep(DROP_PAUSE);
            removed = std::fs::remove_dir(&self.folder);
        }
        // One with processes that can't be killed stays; the next start of the host removes it.
    }
}

/// Folder of the cgroup v2 of this process.
fn own_folder() -> Option<PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    folder_of(&mounts, &groups)
}

/// `36 35 98:0 /root /mount/point options - cgroup2 …`, and `0::/path`.
fn folder_of(mounts: &str, groups: &str) -> Option<PathBuf> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (fields, kind) = line.split_once(" - ")?;
        let mut fields = fields.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let below = Path::new(path).strip_prefix(root).ok()?;
        kind.starts_with("cgroup2 ").then(|| Path::new(point).join(below))
    })
}

/// Value of a file with a name and a number in each line.
fn value(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ').and_then(number))
}

/// `8:0 rbytes=1 wbytes=2 …`: bytes read and written, of all devices; `None` if the file is empty.
fn disk_bytes(text: &str) -> Option<(u64, u64)> {
    let sum = |name: &str| {
        let values =
            text.split_ascii_whitespace().filter_map(|field| field.strip_prefix(name).and_then(number));
        values.fold(None, |sum: Option<u64>, value| Some(sum.unwrap_or(0).saturating_add(value)))
    };
    Some((sum("rbytes=")?, sum("wbytes=")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_where_version_2_is_mounted() {
        let mounts = "30 20 0:25 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                      31 30 0:26 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      32 30 0:27 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw\n";
        let groups = "3:cpu:/a\n0::/user.slice/b\n";
        assert_eq!(folder_of(mounts, groups).unwrap(), Path::new("/sys/fs/cgroup/unified/user.slice/b"));
        assert_eq!(folder_of(mounts, "3:cpu:/a\n"), None, "not in a group of version 2");
        let container = "32 30 0:27 /docker/x /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        assert_eq!(folder_of(container, "0::/docker/x/y\n").unwrap(), Path::new("/sys/fs/cgroup/y"));
        assert_eq!(folder_of(container, "0::/other\n"), None);
    }

    #[test]
    fn exact_figures_replace_samples_and_unknown_ones_do_not() {
        let parent = tempfile::tempdir().unwrap();
        let name = format!("{PREFIX}{}-a", std::process::id());
        let folder = parent.path().join(name);
        assert!(OperationCgroup::below(parent.path(), "a").is_none(), "no file of a cgroup appeared");
        let files = [
            ("cgroup.kill", ""),
            ("cpu.stat", "usage_usec 2500000\nuser_usec 1\nthrottled_usec 500000\n"),
            ("cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=3000000\nfull avg10=0 total=1\n"),
            ("io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=100000\n"),
            ("io.stat", "8:0 rbytes=10 wbytes=20 rios=1\n8:16 rbytes=1 wbytes=2 rios=1\n"),
        ];
        let file = |name: &str| ProcFile::new(folder.join(name));
        let mut group = OperationCgroup {
            cpu_stat: file("cpu.stat"),
            cpu: file("cpu.pressure"),
            memory: file("memory.pressure"),
            io: file("io.pressure"),
            memory_peak: file("memory.peak"),
            memory_current: file("memory.current"),
            io_stat: file("io.stat"),
            folder: folder.clone(),
        };
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let sampled = Reading {
            cpu: Some(2.0),
            cpu_wait: Some(1.0),
            disk_wait: Some(0.5),
            memory_wait: Some(0.25),
            peak_memory_bytes: Some(7),
            ..Reading::default()
        };
        let mut reading = sampled;
        group.complete(&mut reading);
        let expected = Reading {
            cpu: Some(2.5),
            cpu_wait: Some(3.0),
            throttled: Some(0.5),
            read_bytes: Some(11),
            written_bytes: Some(22),
            ..sampled
        };
        assert_eq!(reading, expected);
    }
}
