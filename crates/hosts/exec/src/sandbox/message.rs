//! What host and launcher say to each other.

use crate::config::Network;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;

/// Request of the host: restrict yourself, then become the program.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Request {
    pub rules: Rules,
    /// Absent if the host only checks whether the restrictions are possible.
    pub program: Option<Program>,
}

/// Restrictions, in addition to those that always apply.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Rules {
    /// Absolute paths.
    pub read: Vec<OsString>,
    pub write: Vec<OsString>,
    pub network: Network,
    pub unix_sockets: bool,
}

/// Program to become. Its working folder is that of the launcher.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Program {
    pub path: OsString,
    /// Arguments after the path.
    pub args: Vec<OsString>,
    /// All of its environment.
    pub env: Vec<(OsString, OsString)>,
    /// Limit in bytes.
    pub address_space: Option<u64>,
}

/// Reply of the launcher. There is none if it has become the program.
#[derive(Serialize, Deserialize, Debug)]
pub(super) enum Reply {
    /// All restrictions were applied, and there is no program.
    Possible,
    Failed(Failure),
}

/// Why a program was not started in its sandbox.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    pub part: Part,
    /// Sentence without its end.
    pub message: String,
}

/// What failed.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Part {
    /// The launcher itself.
    Launcher,
    /// Landlock: files and signals.
    Files,
    /// Namespaces of `network = "loopback"`.
    Network,
    Capabilities,
    /// Seccomp filter.
    SystemCalls,
    /// The restrictions were applied, but the program can't be started.
    Program,
}

impl Failure {
    pub fn new(part: Part, message: impl ToString) -> Self {
        Self { part, message: message.to_string() }
    }

    /// Which part this system lacks, and what to do.
    pub fn at_start(&self) -> String {
        let (part, advice) = match self.part {
            Part::Files => (
                "access to files and signals can't be limited",
                "Landlock of Linux 6.12 or later is necessary. Update Linux, or add landlock to 'lsm=' on its command line",
            ),
            Part::Network => (
                "the command can't get a network of its own",
                "This needs user namespaces, which this system does not permit. Permit them (sysctl user.max_user_namespaces, \
                 kernel.apparmor_restrict_unprivileged_userns), or set network to \"none\" or \"host\"",
            ),
            Part::SystemCalls => (
                "system calls can't be limited",
                "A Linux with seccomp filters is necessary, on x86_64, aarch64 or riscv64",
            ),
            Part::Capabilities => {
                ("the capabilities of the command can't be removed", "Check the log of the system")
            }
            Part::Launcher | Part::Program => {
                ("its launcher does not work", "Check that the host may start its own program")
            }
        };
        format!(
            "{part}: {}. {advice}, or remove 'sandbox' to run the command without a sandbox.",
            self.message
        )
    }

    /// What failed when an operation started.
    pub fn at_run(&self) -> String {
        let part = match self.part {
            Part::Files => "The sandbox can't limit the access to files",
            Part::Network => "The sandbox can't create a network",
            Part::Capabilities => "The sandbox can't remove capabilities",
            Part::SystemCalls => "The sandbox can't limit system calls",
            Part::Launcher => "The launcher of the sandbox failed",
            Part::Program => "The program can't be started",
        };
        format!("{part}: {}.", self.message)
    }
}
