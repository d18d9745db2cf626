//! Identity of a host's runs: which processes on this machine belong to which start of a command.
//!
//! Each process of a run has `SIGNALBOX_RUN=<home>/<host instance>/<operation>/<attempt>` in its environment. A host
//! stops only processes with its own instance. After a crash, the next host with the same home ends what is left.

use crate::command::RUN;
use crate::group::signal_one;
use crate::procs::{self, Proc};
use protocol::{InstanceId, OperationId};
use resources::usage::OperationCgroup;
use rustix::process::Signal;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;
use tokio::time::Instant;

/// Time that killed processes have to end.
const END_TIMEOUT: Duration = Duration::from_secs(5);
const END_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Host that starts commands.
#[derive(Clone, Debug)]
pub struct Owner {
    home: String,
    instance: InstanceId,
}

impl Default for Owner {
    /// Host without a home: no later host finds what it left.
    fn default() -> Self {
        Self { home: "none".to_owned(), instance: InstanceId::new() }
    }
}

impl Owner {
    /// Host whose home is a file that it holds a lock on, so that no other live host has the same home.
    pub fn of(lock: &Metadata) -> Self {
        // Unlike an ID inside the file, this is not copied along with the folder.
        Self { home: format!("{:x}-{:x}", lock.dev(), lock.ino()), ..Self::default() }
    }

    /// Value of the variable for one start of a command.
    pub(crate) fn run(&self, operation: OperationId, attempt: u32) -> String {
        format!("{}/{}/{operation}/{attempt}", self.home, self.instance)
    }

    /// Kills processes that an earlier host with this home left running, and waits until they have ended. Blocks. To be
    /// called before the first command starts. Returns the number of killed processes.
    ///
    /// # Errors
    /// IDs of processes that are still alive after 5 s.
    pub fn end_leftovers(&self) -> Result<usize, Vec<u32>> {
        OperationCgroup::remove_leftovers();
        let begun = Instant::now();
        let mut killed = std::collections::BTreeSet::new();
        loop {
            let left = self.leftovers();
            if left.is_empty() {
                return Ok(killed.len());
            }
            if begun.elapsed() > END_TIMEOUT {
                return Err(left.iter().map(|one| one.id).collect());
            }
            for one in &left {
                signal_one(one, Signal::KILL);
                killed.insert(one.id);
            }
            #[expect(clippy::disallowed_methods, reason = "called on a blocking thread")]
            std::thread::sleep(END_POLL_INTERVAL);
        }
    }

    fn leftovers(&self) -> Vec<Proc> {
        let Ok(all) = procs::all() else { return Vec::new() };
        let (home, own) =
            (format!("{RUN}={}/", self.home), format!("{RUN}={}/{}/", self.home, self.instance));
        let marked = procs::marked(&all, |variable| {
            variable.starts_with(home.as_bytes()) && !variable.starts_with(own.as_bytes())
        });
        // The session of a run is its own, so all groups of its processes are, too.
        let groups = all.iter().filter(|p| marked.contains(&p.id)).map(|p| p.group).collect();
        // A command can restart the host: then this process has the mark as well.
        let own_line = procs::own_line(&all);
        let mut left = procs::members(&all, &groups, &marked);
        left.retain(|p| !p.dead && !own_line.contains(&p.id));
        left
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::{Child, Command};

    fn sleeper(run: &str) -> Child {
        Command::new("sleep").arg("1000").process_group(0).env(RUN, run).spawn().unwrap()
    }

    #[test]
    fn the_next_host_of_a_folder_ends_only_what_the_previous_one_left() {
        let home = tempfile::NamedTempFile::new().unwrap();
        let of_home = || Owner::of(&home.as_file().metadata().unwrap());
        let (earlier, now, other) = (of_home(), of_home(), Owner::default());
        let id = OperationId::new();
        let [mut left, mut own, mut others] =
            [&earlier, &now, &other].map(|owner| sleeper(&owner.run(id, 1)));
        assert_eq!(now.end_leftovers(), Ok(1));
        assert_eq!(left.wait().unwrap().signal(), Some(9));
        assert_eq!(now.end_leftovers(), Ok(0));
        for alive in [&mut own, &mut others] {
            assert_eq!(alive.try_wait().unwrap(), None, "still running");
            alive.kill().unwrap();
            alive.wait().unwrap();
        }
    }
}
