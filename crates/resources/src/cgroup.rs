//! Limits of the control group of this process: a container is measured against its own limits.

use crate::parse::number;
use crate::proc_file::ProcFile;
use std::path::{Path, PathBuf};

/// Folder where cgroups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";

/// Files of the cgroup of this process that are there.
pub(crate) struct Cgroup {
    cpu: CpuLimit,
    memory_limit: Vec<ProcFile>,
    memory_used: ProcFile,
    memory_stat: ProcFile,
    cpu_stat: ProcFile,
}

enum CpuLimit {
    /// `cpu.max` of the group and of those above it.
    V2(Vec<ProcFile>),
    /// `cpu.cfs_quota_us` and `cpu.cfs_period_us`.
    V1(ProcFile, ProcFile),
}

/// Figures of a cgroup; what is unlimited is `None`.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Limits {
    pub cores: Option<f64>,
    pub memory_bytes: Option<u64>,
    /// Without file contents that the kernel frees first when memory runs short.
    pub memory_used_bytes: Option<u64>,
    /// Time for which the group waited for its quota, in microseconds since its start.
    pub throttled_us: Option<u64>,
}

impl Cgroup {
    /// Cgroup of this process.
    pub fn of_this_process() -> Self {
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::new(Path::new(MOUNT), &groups)
    }

    /// `groups` is the text of `/proc/self/cgroup`.
    fn new(mount: &Path, groups: &str) -> Self {
        let v1 = |controller: &str| {
            let path = v1_path(groups, controller)?;
            let folder = mount.join(controller);
            // A container sees its own group at the mount, under a path that exists only outside.
            let own = folder.join(path.trim_start_matches('/'));
            Some(if own.is_dir() { own } else { folder }).filter(|folder| folder.is_dir())
        };
        if let Some(folder) = v1("cpu") {
            let memory = v1("memory").unwrap_or_else(|| mount.join("memory"));
            return Self {
                cpu: CpuLimit::V1(
                    ProcFile::new(folder.join("cpu.cfs_quota_us")),
                    ProcFile::new(folder.join("cpu.cfs_period_us")),
                ),
                memory_limit: vec![ProcFile::new(memory.join("memory.limit_in_bytes"))],
                memory_used: ProcFile::new(memory.join("memory.usage_in_bytes")),
                memory_stat: ProcFile::new(memory.join("memory.stat")),
                cpu_stat: ProcFile::new(folder.join("cpu.stat")),
            };
        }
        let path = groups.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or("/");
        let folder = mount.join(path.trim_start_matches('/'));
        let folder = if folder.is_dir() { folder } else { mount.to_owned() };
        let above: Vec<PathBuf> =
            folder.ancestors().take_while(|above| above.starts_with(mount)).map(Path::to_owned).collect();
        let each = |name: &str| above.iter().map(|folder| ProcFile::new(folder.join(name))).collect();
        Self {
            cpu: CpuLimit::V2(each("cpu.max")),
            memory_limit: each("memory.max"),
            memory_used: ProcFile::new(folder.join("memory.current")),
            memory_stat: ProcFile::new(folder.join("memory.stat")),
            cpu_stat: ProcFile::new(folder.join("cpu.stat")),
        }
    }

    /// Current figures. The smallest limit of the group and those above it counts.
    pub fn read(&mut self) -> Limits {
        let cores = match &mut self.cpu {
            CpuLimit::V2(files) => {
                files.iter_mut().filter_map(|file| cpu_max(file.read()?)).min_by(f64::total_cmp)
            }
            CpuLimit::V1(quota, period) => cpu_quota(quota.read(), period.read()),
        };
        let memory_bytes = self.memory_limit.iter_mut().filter_map(|file| file.read().and_then(number)).min();
        let inactive = self.memory_stat.read().and_then(inactive_file).unwrap_or(0);
        let used = self.memory_used.read().and_then(number);
        Limits {
            cores,
            memory_bytes,
            memory_used_bytes: used.map(|used| used.saturating_sub(inactive)),
            throttled_us: self.cpu_stat.read().and_then(throttled),
        }
    }
}

/// Path of the group of a v1 controller: `4:cpu,cpuacct:/docker/abc`.
fn v1_path<'a>(groups: &'a str, controller: &str) -> Option<&'a str> {
    groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        controllers.split(',').any(|c| c == controller).then_some(path)
    })
}

/// `cpu.max`: quota and period in microseconds, or `max`.
fn cpu_max(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    cpu_quota(Some(quota), Some(period))
}

/// A negative quota is none.
fn cpu_quota(quota: Option<&str>, period: Option<&str>) -> Option<f64> {
    let (quota, period) = (number(quota?)?, number(period?)?);
    (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

/// Inactive file contents of the group and those below it: `inactive_file` of v2, or `total_inactive_file` of v1, where
/// `inactive_file` is only that of the group itself and comes first.
fn inactive_file(text: &str) -> Option<u64> {
    let value =
        |name: &str| text.lines().find_map(|line| number(line.strip_prefix(name)?.strip_prefix(' ')?));
    value("total_inactive_file").or_else(|| value("inactive_file"))
}

/// `throttled_usec` of v2, or `throttled_time` of v1, which is in nanoseconds.
fn throttled(text: &str) -> Option<u64> {
    text.lines().find_map(|line| match line.split_once(' ')? {
        ("throttled_usec", micros) => number(micros),
        ("throttled_time", nanos) => number(nanos).map(|nanos| nanos / 1000),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, files: &[(&str, &str)]) {
        std::fs::create_dir_all(folder).unwrap();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }

    #[test]
    fn the_smallest_limit_of_a_group_and_those_above_it_counts() {
        let mount = tempfile::tempdir().unwrap();
        write(&mount.path().join("a"), &[("cpu.max", "150000 100000\n"), ("memory.max", "1000000\n")]);
        let own = [
            ("cpu.max", "max 100000\n"),
            ("memory.max", "max\n"),
            ("memory.current", "123\n"),
            ("memory.stat", "anon 90\ninactive_file 23\nactive_file 10\n"),
            ("cpu.stat", "usage_usec 9\nthrottled_usec 7\n"),
        ];
        write(&mount.path().join("a/b"), &own);
        let limits = Cgroup::new(mount.path(), "0::/a/b\n").read();
        assert_eq!((limits.cores, limits.memory_bytes), (Some(1.5), Some(1_000_000)));
        assert_eq!((limits.memory_used_bytes, limits.throttled_us), (Some(100), Some(7)));
    }

    #[test]
    fn version_1_has_quota_and_limit_of_the_container_at_the_mount() {
        let mount = tempfile::tempdir().unwrap();
        let cpu = [
            ("cpu.cfs_quota_us", "50000\n"),
            ("cpu.cfs_period_us", "100000\n"),
            ("cpu.stat", "throttled_time 9000\n"),
        ];
        write(&mount.path().join("cpu"), &cpu);
        write(
            &mount.path().join("memory"),
            &[
                ("memory.limit_in_bytes", "4096\n"),
                ("memory.usage_in_bytes", "99\n"),
                ("memory.stat", "inactive_file 1\ntotal_inactive_file 9\n"),
            ],
        );
        let groups = "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n";
        let limits = Cgroup::new(mount.path(), groups).read();
        let expected = Limits {
            cores: Some(0.5),
            memory_bytes: Some(4096),
            memory_used_bytes: Some(90),
            throttled_us: Some(9),
        };
        assert_eq!(limits, expected);
        write(&mount.path().join("cpu"), &[("cpu.cfs_quota_us", "-1\n")]);
        assert_eq!(Cgroup::new(mount.path(), groups).read().cores, None, "no quota is no limit");
    }

    #[test]
    fn without_permission_or_cgroups_nothing_is_limited() {
        let mount = tempfile::tempdir().unwrap();
        assert_eq!(Cgroup::new(mount.path(), "").read(), Limits::default());
    }
}
