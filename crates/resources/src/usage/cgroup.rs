//! Cgroup of one operation, below the cgroup of this process. Needs cgroup v2 and permission to create groups there.
//!
//! CPU time and pressure of a group are always counted. Memory and bytes are counted only if its controllers are
//! enabled, which is not possible below a group that has processes itself, as that of this process has. A group with
//! limits is therefore created beside that of this process, if the group above may be divided.

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

/// Limits that the kernel enforces for a group; `None` is unlimited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CgroupLimits {
    /// Memory of all processes together, without swap.
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    pub processes: Option<u32>,
}

impl CgroupLimits {
    /// Controllers that enforce these limits.
    fn controllers(self) -> impl Iterator<Item = &'static str> {
        self.memory_bytes.map(|_| "memory").into_iter().chain(self.processes.map(|_| "pids"))
    }
}

/// Limits that the processes of a group have reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReachedLimits {
    /// The kernel killed a process for its memory.
    pub memory: bool,
    /// The kernel refused to start a process or thread.
    pub processes: bool,
}

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

    /// Creates a group with limits, below that of this process or beside it.
    ///
    /// # Errors
    /// Why this system does not permit it.
    pub fn create_limited(name: &str, limits: CgroupLimits) -> Result<Self, String> {
        let own = own_folder().ok_or("this process is in no cgroup of version 2")?;
        // Above a unit that is not divided is a slice, which belongs to systemd.
        let is_slice = |folder: &Path| folder.extension().is_some_and(|extension| extension == "slice");
        let above = own.parent().filter(|parent| parent.join("cgroup.procs").exists() && !is_slice(parent));
        let mut reasons = Vec::new();
        for parent in [Some(own.as_path()), above].into_iter().flatten() {
            match Self::limited_below(parent, name, limits) {
                Ok(created) => return Ok(created),
                Err(why) => reasons.push(why),
            }
        }
        Err(reasons.join("; "))
    }

    fn limited_below(parent: &Path, name: &str, limits: CgroupLimits) -> Result<Self, String> {
        let control = parent.join("cgroup.subtree_control");
        let enabled = std::fs::read_to_string(&control).unwrap_or_default();
        for controller in
            limits.controllers().filter(|name| !enabled.split_whitespace().any(|one| one == *name))
        {
            std::fs::write(&control, format!("+{controller}")).map_err(|e| {
                format!("{} does not permit the controller '{controller}' ({e})", parent.display())
            })?;
        }
        let created = Self::below(parent, name)
            .ok_or_else(|| format!("no cgroup can be created in {}", parent.display()))?;
        created
            .set_limits(limits)
            .map_err(|e| format!("limits can't be set in {} ({e})", created.folder.display()))?;
        Ok(created)
    }

    fn set_limits(&self, limits: CgroupLimits) -> io::Result<()> {
        if let Some(bytes) = limits.memory_bytes {
            std::fs::write(self.folder.join("memory.max"), bytes.to_string())?;
            // An operation beyond its limit ends as a whole, instead of slowing down the machine. Old kernels and those
            // without swap lack these files.
            for (file, value) in [("memory.swap.max", "0"), ("memory.oom.group", "1")] {
                let file = self.folder.join(file);
                if file.exists() {
                    std::fs::write(file, value)?;
                }
            }
        }
        match limits.processes {
            Some(processes) => std::fs::write(self.folder.join("pids.max"), processes.to_string()),
            None => Ok(()),
        }
    }

    /// Limits that its processes have reached so far.
    pub fn reached(&self) -> ReachedLimits {
        let events = |file: &str, name| {
            let text = std::fs::read_to_string(self.folder.join(file)).unwrap_or_default();
            value(&text, name).is_some_and(|count| count > 0)
        };
        ReachedLimits { memory: events("memory.events", "oom_kill"), processes: events("pids.events", "max") }
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
        let Some(own) = own_folder() else { return };
        let folders = [Some(own.as_path()), own.parent()].into_iter().flatten();
        for entry in folders.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten() {
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

    /// Group in an ordinary folder, with the files of a cgroup.
    fn group(folder: PathBuf, files: &[(&str, &str)]) -> OperationCgroup {
        let file = |name: &str| ProcFile::new(folder.join(name));
        let group = OperationCgroup {
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
        group
    }

    #[test]
    fn limits_are_written_and_reached_ones_are_read() {
        let parent = tempfile::tempdir().unwrap();
        let files = [
            ("memory.events", "low 0\noom 2\noom_kill 0\n"),
            ("memory.swap.max", "max"),
            ("memory.oom.group", "0"),
        ];
        let group = group(parent.path().join("a"), &files);
        assert_eq!(group.reached(), ReachedLimits::default(), "nothing was killed");
        group.set_limits(CgroupLimits { memory_bytes: Some(1 << 20), processes: Some(7) }).unwrap();
        let written = |file: &str| std::fs::read_to_string(parent.path().join("a").join(file)).unwrap();
        assert_eq!((written("memory.max").as_str(), written("pids.max").as_str()), ("1048576", "7"));
        assert_eq!((written("memory.swap.max").as_str(), written("memory.oom.group").as_str()), ("0", "1"));
        for (file, text) in [("memory.events", "oom 2\noom_kill 1\n"), ("pids.events", "max 3\n")] {
            std::fs::write(parent.path().join("a").join(file), text).unwrap();
        }
        assert_eq!(group.reached(), ReachedLimits { memory: true, processes: true });
    }

    #[test]
    fn missing_controllers_are_enabled_above_the_group() {
        let parent = tempfile::tempdir().unwrap();
        let control = parent.path().join("cgroup.subtree_control");
        std::fs::write(&control, "cpu pids").unwrap();
        let both = CgroupLimits { memory_bytes: Some(1), processes: Some(1) };
        let create = |limits| OperationCgroup::limited_below(parent.path(), "a", limits).err().unwrap();
        // An ordinary folder gets no files of a cgroup.
        assert!(create(both).contains("no cgroup can be created"));
        assert_eq!(std::fs::read_to_string(&control).unwrap(), "+memory");
        std::fs::remove_file(&control).unwrap();
        std::fs::create_dir(&control).unwrap();
        let error = create(CgroupLimits { processes: Some(1), ..CgroupLimits::default() });
        assert!(error.contains("does not permit the controller 'pids'"), "{error}");
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
        let mut group = group(folder, &files);
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
