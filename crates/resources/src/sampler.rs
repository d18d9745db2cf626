//! Sampler: reads all files, and makes a sample of them.

use crate::Sample;
use crate::cgroup::Cgroup;
use crate::parse::{self, Stat};
use crate::proc_file::ProcFile;
use crate::rates::Rates;
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Largest number of cores, disks and interfaces with metrics of their own.
const MAX_CORES: u32 = 64;
const MAX_DEVICES: usize = 16;

/// Folder whose free space matters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Folder {
    /// Name in metrics, such as `data`.
    pub name: String,
    pub path: PathBuf,
}

/// Reads resources. Files stay open between samples.
pub struct Sampler {
    stat: ProcFile,
    memory: ProcFile,
    load: ProcFile,
    pressure: [(&'static str, ProcFile); 3],
    disks: ProcFile,
    interfaces: ProcFile,
    open_files: ProcFile,
    process: ProcFile,
    cgroup: Cgroup,
    folders: Vec<Folder>,
    rates: Rates,
    /// Whether a name of `/proc/diskstats` is a whole device, not a partition.
    whole_disks: HashMap<String, bool>,
    page_bytes: f64,
    ticks_per_second: f64,
    started: f64,
    /// When the last sample began, in seconds of the monotonic clock.
    sampled_at: Option<f64>,
    /// CPU time that the last sample took, in seconds.
    last_cost: Option<f64>,
}

impl Sampler {
    /// Sampler of this machine and this process. Rates are known from the second sample on.
    pub fn new(folders: Vec<Folder>) -> Self {
        Self::of(Path::new("/proc"), Cgroup::of_this_process(), folders)
    }

    fn of(proc: &Path, cgroup: Cgroup, folders: Vec<Folder>) -> Self {
        let file = |name: &str| ProcFile::new(proc.join(name));
        Self {
            stat: file("stat"),
            memory: file("meminfo"),
            load: file("loadavg"),
            pressure: ["cpu", "memory", "io"].map(|name| (name, file(&format!("pressure/{name}")))),
            disks: file("diskstats"),
            interfaces: file("net/dev"),
            open_files: file("sys/fs/file-nr"),
            process: file("self/stat"),
            cgroup,
            folders,
            rates: Rates::default(),
            whole_disks: HashMap::new(),
            page_bytes: rustix::param::page_size() as f64,
            ticks_per_second: rustix::param::clock_ticks_per_second() as f64,
            started: monotonic(),
            sampled_at: None,
            last_cost: None,
        }
    }

    /// Seconds of the monotonic clock since the sampler was made. It neither leaps nor stands still when the clock of
    /// the machine is set.
    pub fn uptime(&self) -> f64 {
        monotonic() - self.started
    }

    /// Identity of the machine: its boot, and its network as far as containers have one of their own. `None` if the
    /// system has none.
    pub fn machine() -> Option<String> {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let network = std::fs::read_link("/proc/self/ns/net").ok();
        let network = network.as_deref().and_then(Path::to_str).and_then(|n| n.strip_prefix("net:["));
        Some(match network {
            Some(number) => format!("{}/{}", boot.trim(), number.trim_end_matches(']')),
            None => boot.trim().to_owned(),
        })
    }

    /// Sample of now; call it once a second. Blocks its thread for less than a millisecond.
    pub fn sample(&mut self) -> Sample {
        let (begun, cpu_begun) = (monotonic(), thread_cpu());
        let seconds = self.sampled_at.map_or(0.0, |before| begun - before);
        self.sampled_at = Some(begun);
        self.rates.begin();
        let mut sample = Sample::new();
        self.processors(&mut sample);
        self.memory(&mut sample);
        let loads = self.load.read().map(parse::load).unwrap_or_default();
        for (name, load) in ["load.1m", "load.5m", "load.15m"].into_iter().zip(loads) {
            sample.insert(name.into(), load);
        }
        self.pressure(&mut sample, seconds);
        self.disks(&mut sample, seconds);
        self.interfaces(&mut sample, seconds);
        let (open, limit) = self.open_files.read().and_then(parse::open_files).unzip();
        sample.insert("files.open".into(), open.map(|open| open as f64));
        sample.insert("files.limit".into(), limit.filter(|limit| *limit < 1 << 53).map(|limit| limit as f64));
        self.process(&mut sample, seconds);
        self.limits(&mut sample, seconds);
        for folder in &self.folders {
            let space = rustix::fs::statvfs(&folder.path).ok();
            let bytes = |blocks: fn(&rustix::fs::StatVfs) -> u64| {
                space.as_ref().map(|space| blocks(space) as f64 * space.f_frsize as f64)
            };
            sample.insert(format!("folder.{}.free_bytes", folder.name), bytes(|space| space.f_bavail));
            sample.insert(format!("folder.{}.total_bytes", folder.name), bytes(|space| space.f_blocks));
        }
        sample.insert("monitor.cpu_seconds".into(), self.last_cost);
        sample.insert("monitor.refused_values".into(), Some(self.rates.refused() as f64));
        self.last_cost = Some((thread_cpu() - cpu_begun).max(0.0));
        sample
    }

    fn processors(&mut self, sample: &mut Sample) {
        let Stat { total, cores, running, blocked } = self.stat.read().map(parse::stat).unwrap_or_default();
        let shares = total.map(|ticks| self.rates.processor(None, ticks)).unwrap_or_default();
        for (name, share) in [
            ("cpu.busy_ratio", shares.busy),
            ("cpu.user_ratio", shares.user),
            ("cpu.system_ratio", shares.system),
            ("cpu.iowait_ratio", shares.iowait),
            ("cpu.steal_ratio", shares.steal),
        ] {
            sample.insert(name.into(), share);
        }
        let count = cores.len();
        sample.insert("cpu.count".into(), (count > 0).then_some(count as f64));
        for (number, ticks) in cores.into_iter().filter(|(number, _)| *number < MAX_CORES) {
            let shares = self.rates.processor(Some(number), ticks);
            for (name, share) in [
                ("user", shares.user),
                ("system", shares.system),
                ("iowait", shares.iowait),
                ("steal", shares.steal),
            ] {
                sample.insert(format!("cpu.core.{number}.{name}_ratio"), share);
            }
        }
        sample.insert("tasks.running".into(), running.map(|n| n as f64));
        sample.insert("tasks.blocked".into(), blocked.map(|n| n as f64));
    }

    fn memory(&mut self, sample: &mut Sample) {
        let memory = self.memory.read().map(parse::memory).unwrap_or_default();
        let bytes = |value: Option<u64>| value.map(|bytes| bytes as f64);
        sample.insert("memory.total_bytes".into(), bytes(memory.total));
        let used = |rates: &mut Rates, total: Option<u64>, free: Option<u64>| {
            let (total, free) = (total?, free?);
            // The kernel does not write the file in one instant, but more than everything can't be free.
            let free = rates.at_most(free, total)?;
            Some(total as f64 - free)
        };
        let used_memory = used(&mut self.rates, memory.total, memory.available);
        sample.insert("memory.used_bytes".into(), used_memory);
        sample.insert("memory.cached_bytes".into(), bytes(memory.cached));
        sample.insert("swap.total_bytes".into(), bytes(memory.swap_total));
        let used_swap = used(&mut self.rates, memory.swap_total, memory.swap_free);
        sample.insert("swap.used_bytes".into(), used_swap);
    }

    fn pressure(&mut self, sample: &mut Sample, seconds: f64) {
        for (resource, file) in &mut self.pressure {
            let pressure = file.read().map(parse::pressure).unwrap_or_default();
            // Of the whole system, the CPU's `full` means nothing.
            let full = if *resource == "cpu" { None } else { Some(("full", pressure.full)) };
            for (who, total) in [Some(("some", pressure.some)), full].into_iter().flatten() {
                let name = format!("pressure.{resource}.{who}_ratio");
                let share = total.and_then(|total| self.rates.share(&name, total, seconds, 1e-6));
                sample.insert(name, share);
            }
        }
    }

    fn disks(&mut self, sample: &mut Sample, seconds: f64) {
        let Some(text) = self.disks.read() else { return };
        let whole_disks = &mut self.whole_disks;
        let disks = parse::disks(text).filter(|disk| match whole_disks.get(disk.name) {
            Some(whole) => *whole,
            None => *whole_disks.entry(disk.name.to_owned()).or_insert(is_whole_disk(disk.name)),
        });
        for disk in disks.take(MAX_DEVICES) {
            for (what, counter) in [
                ("read_bytes_per_second", disk.read_bytes),
                ("written_bytes_per_second", disk.written_bytes),
                ("reads_per_second", disk.reads),
                ("writes_per_second", disk.writes),
            ] {
                let name = format!("disk.{}.{what}", disk.name);
                let rate = self.rates.per_second(&name, counter, seconds, 1.0);
                sample.insert(name, rate);
            }
            let name = format!("disk.{}.busy_ratio", disk.name);
            let share = self.rates.share(&name, disk.busy_ms, seconds, 1e-3);
            sample.insert(name, share);
        }
    }

    fn interfaces(&mut self, sample: &mut Sample, seconds: f64) {
        let Some(text) = self.interfaces.read() else { return };
        // The ends of containers come and go, and their traffic is that of other interfaces as well.
        let counted = |name: &str| name != "lo" && !name.starts_with("veth");
        for interface in parse::interfaces(text).filter(|i| counted(i.name)).take(MAX_DEVICES) {
            for (what, counter) in [
                ("received_bytes_per_second", interface.received_bytes),
                ("sent_bytes_per_second", interface.sent_bytes),
                ("received_errors_per_second", interface.received_errors),
                ("sent_errors_per_second", interface.sent_errors),
            ] {
                let name = format!("network.{}.{what}", interface.name);
                let rate = self.rates.per_second(&name, counter, seconds, 1.0);
                sample.insert(name, rate);
            }
        }
    }

    fn process(&mut self, sample: &mut Sample, seconds: f64) {
        let process = self.process.read().and_then(parse::process);
        let cores = process.and_then(|p| {
            self.rates.per_second("process.cpu_cores", p.cpu_ticks, seconds, 1.0 / self.ticks_per_second)
        });
        sample.insert("process.cpu_cores".into(), cores);
        let resident = process.map(|p| p.resident_pages as f64 * self.page_bytes);
        sample.insert("process.resident_bytes".into(), resident);
        sample.insert("process.threads".into(), process.map(|p| p.threads as f64));
        let open = std::fs::read_dir("/proc/self/fd").ok().map(Iterator::count);
        // The folder itself is open while it is read.
        sample.insert("process.open_files".into(), open.map(|open| open.saturating_sub(1) as f64));
    }

    fn limits(&mut self, sample: &mut Sample, seconds: f64) {
        let limits = self.cgroup.read();
        let of_machine = |sample: &Sample, name: &str| sample.get(name).copied().flatten();
        let cores =
            limits.cores.filter(|cores| of_machine(sample, "cpu.count").is_none_or(|all| *cores < all));
        let memory = limits.memory_bytes.map(|bytes| bytes as f64);
        let memory =
            memory.filter(|bytes| of_machine(sample, "memory.total_bytes").is_none_or(|all| *bytes < all));
        if let Some(cores) = cores {
            sample.insert("limit.cpu_cores".into(), Some(cores));
            let throttled = limits
                .throttled_us
                .and_then(|us| self.rates.per_second("limit.throttled", us, seconds, 1e-6));
            sample.insert("limit.throttled_seconds".into(), throttled);
        }
        if let Some(memory) = memory {
            sample.insert("limit.memory_bytes".into(), Some(memory));
            let used = limits.memory_used_bytes.map(|bytes| bytes as f64);
            sample.insert("limit.memory_used_bytes".into(), used);
        }
    }
}

/// Whether a block device is a disk of its own: neither a partition nor memory or a file in disguise.
fn is_whole_disk(name: &str) -> bool {
    let disguised = ["loop", "ram", "zram", "fd", "sr"].iter().any(|kind| name.starts_with(kind));
    // The kernel writes a slash in a name as an exclamation mark there.
    !disguised && Path::new("/sys/block").join(name.replace('/', "!")).exists()
}

/// Seconds of the monotonic clock.
pub(crate) fn monotonic() -> f64 {
    seconds(clock_gettime(ClockId::Monotonic))
}

/// CPU seconds of the current thread.
pub(crate) fn thread_cpu() -> f64 {
    seconds(clock_gettime(ClockId::ThreadCPUTime))
}

fn seconds(time: rustix::time::Timespec) -> f64 {
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_processors_memory_and_a_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut sampler = Sampler::new(vec![Folder { name: "data".into(), path: folder.path().into() }]);
        let first = sampler.sample();
        assert_eq!(first["process.cpu_cores"], None, "one value of a counter is no rate");
        let second = sampler.sample();
        for known in
            ["memory.total_bytes", "process.resident_bytes", "process.threads", "cpu.count", "load.1m"]
        {
            assert!(second[known].unwrap() > 0.0 || known == "load.1m", "{known}");
        }
        assert!(second["folder.data.free_bytes"] <= second["folder.data.total_bytes"]);
        assert!(second["monitor.cpu_seconds"].is_some());
        assert!(Sampler::machine().is_some());
        for (name, value) in second {
            assert!(value.is_none_or(|value| value.is_finite() && value >= 0.0), "{name}: {value:?}");
            assert!(!name.ends_with("_ratio") || value.is_none_or(|value| value <= 1.0), "{name}: {value:?}");
        }
    }

    #[test]
    fn what_the_kernel_does_not_provide_is_unknown_and_not_0() {
        let proc = tempfile::tempdir().unwrap();
        std::fs::write(proc.path().join("meminfo"), "MemTotal: 100 kB\nMemAvailable: 200 kB\n").unwrap();
        let mut sampler = Sampler::of(proc.path(), Cgroup::of_this_process(), Vec::new());
        sampler.sample();
        let sample = sampler.sample();
        for unknown in [
            "pressure.cpu.some_ratio",
            "pressure.memory.full_ratio",
            "cpu.busy_ratio",
            "swap.used_bytes",
            "memory.used_bytes",
            "process.cpu_cores",
        ] {
            assert_eq!(sample[unknown], None, "{unknown}");
        }
        assert_eq!(sample["monitor.refused_values"], Some(2.0), "twice more memory was free than there is");
    }
}
