//! Sandbox of a command: the files, the network and the system calls that it can use. See docs/exec.md.
//!
//! Code between fork and exec needs unsafe code. So the host starts a launcher instead of the command: its own program
//! once more. The launcher restricts itself, and then becomes the command. Landlock, seccomp filters and
//! `no_new_privs` can't be removed, and all descendants inherit them.
//!
//! The launcher gets its request over a socket on standard input, so that arguments and environment of the command are
//! not those of the launcher. The socket closes when the command begins, or carries the reason why it can't.

#[cfg(target_os = "linux")]
mod capabilities;
#[cfg(target_os = "linux")]
mod files;
mod launch;
#[cfg(target_os = "linux")]
mod launched;
mod message;
#[cfg(target_os = "linux")]
mod network;
#[cfg(target_os = "linux")]
mod system_calls;

pub use launch::Launcher;
pub(crate) use launch::{Launch, command};
pub(crate) use message::{Failure, Part};

use crate::config::{Network, SandboxConfig};
use message::Rules;
use protocol::KindName;
use resources::usage::{CgroupLimits, OperationCgroup};
use std::path::{Path, PathBuf};

/// Sandbox of a declared command.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    folder: PathBuf,
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    network: Network,
    unix_sockets: bool,
    pub limits: CgroupLimits,
}

impl Sandbox {
    /// Relative paths are below the working folder.
    ///
    /// # Errors
    /// The invalid key, and what would be valid.
    pub fn new(config: SandboxConfig, folder: &Path) -> Result<Self, (&'static str, String)> {
        const MB: u64 = 1024 * 1024;
        if !cfg!(target_os = "linux") {
            return Err(("sandbox", "sandboxes are supported on Linux only. Remove this key.".to_owned()));
        }
        let paths = |key: &'static str, given: Vec<String>| match given
            .iter()
            .find(|path| path.is_empty() || path.contains('\0'))
        {
            Some(path) => Err((key, format!("'{}' is not a path.", path.escape_default()))),
            None => Ok(given.iter().map(|path| plain(&folder.join(path))).collect::<Vec<_>>()),
        };
        let memory_bytes = match config.memory_max_mb {
            Some(mb) if mb == 0 || mb > u64::MAX / MB => {
                return Err((
                    "sandbox.memory_max_mb",
                    format!("invalid value {mb}: must be at least 1 MiB."),
                ));
            }
            mb => mb.map(|mb| mb * MB),
        };
        let (folder, read, write) =
            (plain(folder), paths("sandbox.read", config.read)?, paths("sandbox.write", config.write)?);
        let readable = read.iter().map(|path| ("sandbox.read", path));
        for (key, path) in
            readable.chain([&folder].into_iter().chain(&write).map(|path| ("sandbox.write", path)))
        {
            if let Some(outer) = write.iter().find(|outer| path != *outer && path.starts_with(outer)) {
                return Err((
                    key,
                    format!(
                        "{} is below {}, which the command may write to. A run could replace it with a link to another \
                         folder, which the next run could then use. Remove the inner path, or write to another folder.",
                        path.display(),
                        outer.display()
                    ),
                ));
            }
        }
        if config.pids_max == Some(0) {
            return Err(("sandbox.pids_max", "invalid value 0: must be at least 1.".to_owned()));
        }
        Ok(Self {
            folder,
            read,
            write,
            network: config.network,
            unix_sockets: config.unix_sockets,
            limits: CgroupLimits { memory_bytes, processes: config.pids_max },
        })
    }

    /// Sentence for the description of the kind.
    pub fn about(&self) -> &'static str {
        match self.network {
            Network::None => "Runs in a sandbox without network.",
            Network::Loopback => "Runs in a sandbox with a network of its own.",
            Network::Host => "Runs in a sandbox with network.",
        }
    }

    /// Checks that the named files and folders are accessible.
    ///
    /// # Errors
    /// Which one is not, and what to do.
    pub fn check_paths(&self, kind: &KindName) -> Result<(), String> {
        let named = self.read.iter().map(|path| ("read", path));
        for (key, path) in named.chain(self.write.iter().map(|path| ("write", path))) {
            if let Err(e) = std::fs::metadata(path) {
                return Err(format!(
                    "The sandbox of {kind} names {}, which is not accessible: {e}. Create it, or correct \
                     'sandbox.{key}' in the table of this kind.",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    /// Checks that this system can restrict a command in this way.
    ///
    /// # Errors
    /// The key that is not possible, why, and what to do.
    pub fn check_system(&self, launcher: &Launcher) -> Result<(), (&'static str, String)> {
        if let Some(failure) = launcher.check(self.network, self.unix_sockets) {
            let key = if failure.part == Part::Network { "sandbox.network" } else { "sandbox" };
            return Err((key, failure.at_start()));
        }
        if self.limits == CgroupLimits::default() {
            return Ok(());
        }
        let key = match self.limits.memory_bytes {
            Some(_) => "sandbox.memory_max_mb",
            None => "sandbox.pids_max",
        };
        OperationCgroup::create_limited("check", self.limits).map(drop).map_err(|why| (key, no_cgroup(&why)))
    }

    /// What the command can use, for a failure that the sandbox may have caused.
    pub fn advice(&self, kind: &KindName) -> String {
        let list = |paths: &[PathBuf]| {
            paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
        };
        let read = [std::slice::from_ref(&self.folder), &self.read].concat();
        let write = if self.write.is_empty() {
            "can't write any files".to_owned()
        } else {
            format!("can write below {}", list(&self.write))
        };
        let network = match self.network {
            Network::None => "has no network",
            Network::Loopback => "has a network of its own, only with 127.0.0.1 and ::1",
            Network::Host => "has network",
        };
        let sockets = match (self.network, self.unix_sockets) {
            (_, true) => "",
            (Network::None, false) => " and no Unix sockets",
            (_, false) => ", but no Unix sockets",
        };
        format!(
            "{kind} runs in a sandbox, which may be the cause. The command can read the folders of the system and \
             {}, {write}, and {network}{sockets}. To allow more, change 'sandbox' in the table of this kind.",
            list(&read)
        )
    }

    fn rules(&self) -> Rules {
        let paths = |paths: &[PathBuf]| paths.iter().map(|path| path.clone().into_os_string()).collect();
        Rules {
            read: paths(&[std::slice::from_ref(&self.folder), &self.read].concat()),
            write: paths(&self.write),
            network: self.network,
            unix_sockets: self.unix_sockets,
        }
    }
}

/// Path without `.` in it, for messages.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Why a command with limits has no cgroup, and what to do.
pub(crate) fn no_cgroup(why: &str) -> String {
    format!(
        "The limits memory_max_mb and pids_max need a cgroup v2 that this host may divide: {why}. With systemd, add \
         Delegate=yes and DelegateSubgroup=signalbox to the unit, or remove the limits from 'sandbox'."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sandbox(table: &str) -> Result<Sandbox, (&'static str, String)> {
        Sandbox::new(toml::from_str(table).unwrap(), Path::new("/srv/job"))
    }

    #[test]
    fn relative_paths_are_below_the_working_folder_which_can_be_read() {
        let rules = sandbox("read = [\"/data\", \"in\"]\nwrite = [\"out\"]").unwrap().rules();
        assert_eq!(rules.read, ["/srv/job", "/data", "/srv/job/in"]);
        assert_eq!(rules.write, ["/srv/job/out"]);
        assert_eq!(
            (rules.network, rules.unix_sockets),
            (Network::None, false),
            "the default is the strictest"
        );
    }

    #[test]
    fn invalid_values_are_named_with_their_key() {
        let cases = [
            ("read = [\"\"]", "sandbox.read"),
            ("write = [\"a\\u0000b\"]", "sandbox.write"),
            ("memory_max_mb = 0", "sandbox.memory_max_mb"),
            ("pids_max = 0", "sandbox.pids_max"),
            // A run could replace the inner folder with a link.
            ("read = [\"in\"]\nwrite = [\".\"]", "sandbox.read"),
            ("write = [\"out\", \"out/sub\"]", "sandbox.write"),
            ("write = [\"/srv\"]", "sandbox.write"),
        ];
        for (table, key) in cases {
            assert_eq!(sandbox(table).unwrap_err().0, key, "{table}");
        }
    }

    #[test]
    fn the_advice_names_folders_network_and_table() {
        let kind = KindName::new("exec.t").unwrap();
        let advice = sandbox("read = [\"/data\"]\nwrite = [\"out\"]").unwrap().advice(&kind);
        for words in [
            "exec.t runs in a sandbox",
            "/srv/job, /data",
            "below /srv/job/out",
            "no network",
            "no Unix sockets",
        ] {
            assert!(advice.contains(words), "{advice}");
        }
        let advice = sandbox("network = \"host\"\nunix_sockets = true").unwrap().advice(&kind);
        assert!(advice.contains("can't write any files, and has network. To allow"), "{advice}");
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error_with_its_key() {
        let kind = KindName::new("exec.t").unwrap();
        let root = tempfile::tempdir().unwrap();
        let config = || toml::from_str("write = [\"out\"]").unwrap();
        let sandbox = Sandbox::new(config(), root.path()).unwrap();
        let error = sandbox.check_paths(&kind).unwrap_err();
        assert!(error.contains("sandbox.write") && error.contains("/out"), "{error}");
        std::fs::create_dir(root.path().join("out")).unwrap();
        assert_eq!(sandbox.check_paths(&kind), Ok(()));
    }
}
