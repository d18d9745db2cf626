//! The host's side of the launcher.

use super::Sandbox;
use super::message::{Failure, Part, Program, Reply, Request, Rules};
use crate::config::Network;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Argument of a program that starts as a launcher.
pub(super) const ARGUMENT: &str = "exec-sandbox";
/// Maximum duration of the check at the start of the host.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);

/// Program that restricts itself, and then becomes a sandboxed command.
#[derive(Clone, Debug)]
pub struct Launcher(PathBuf);

impl Default for Launcher {
    /// This program. Its `main` must begin with [`Launcher::entered`].
    fn default() -> Self {
        // Also if the file was replaced since this process began.
        Self("/proc/self/exe".into())
    }
}

impl Launcher {
    /// Another program whose `main` begins with [`Launcher::entered`].
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self(program.into())
    }

    /// Does the work of a launcher if this process was started as one, and returns its exit code if it has failed.
    /// To be called first in `main`, while the process has one thread.
    pub fn entered() -> Option<ExitCode> {
        if std::env::args_os().nth(1).as_deref() != Some(OsStr::new(ARGUMENT)) {
            return None;
        }
        #[cfg(target_os = "linux")]
        return Some(super::launched::run());
        #[cfg(not(target_os = "linux"))]
        return Some(ExitCode::FAILURE);
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.0);
        // No environment: it could change which libraries the launcher loads, before it is restricted.
        command.arg0("signalbox").arg(ARGUMENT).env_clear();
        command
    }

    /// Applies the restrictions to a process that then ends. Returns what is not possible.
    pub(super) fn check(&self, network: Network, unix_sockets: bool) -> Option<Failure> {
        let rules = Rules { read: Vec::new(), write: Vec::new(), network, unix_sockets };
        let reply = (|| {
            let (mut channel, theirs) = UnixStream::pair()?;
            let request = serde_json::to_vec(&Request { rules, program: None })?;
            let mut process = self
                .command()
                .stdin(OwnedFd::from(theirs))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()?;
            channel.set_read_timeout(Some(CHECK_TIMEOUT))?;
            let mut reply = Vec::new();
            let read = channel
                .write_all(&request)
                .and_then(|()| channel.shutdown(Shutdown::Write))
                .and_then(|()| channel.read_to_end(&mut reply));
            // It has ended, or does not end.
            let _ = process.kill();
            process.wait()?;
            match read {
                // It ended without reading its request.
                Err(e) if matches!(e.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                    Ok(Vec::new())
                }
                read => read.map(|_| reply),
            }
        })();
        match reply.map(|reply| parsed(&reply)) {
            Ok(Ok(Reply::Possible)) => None,
            Ok(Ok(Reply::Failed(failure)) | Err(failure)) => Some(failure),
            Err(e) => Some(Failure::new(Part::Launcher, e)),
        }
    }
}

fn parsed(reply: &[u8]) -> Result<Reply, Failure> {
    match serde_json::from_slice(reply) {
        Ok(reply) => Ok(reply),
        Err(_) if reply.is_empty() => Err(Failure::new(Part::Launcher, "it ended without a reply")),
        Err(e) => Err(Failure::new(Part::Launcher, format!("its reply is invalid: {e}"))),
    }
}

/// Launcher that waits for its request, so that limits can be set before the command begins. If this is dropped, the
/// launcher ends.
#[derive(Debug)]
pub(crate) struct Launch {
    channel: UnixStream,
    request: Vec<u8>,
}

/// Command of a launcher that becomes the given command, with its arguments, environment and working folder, and a
/// limit of its address space in bytes. `mark` is the variable by which the host finds the process.
///
/// # Errors
/// If there are too many open files.
pub(crate) fn command(
    sandbox: &Sandbox,
    launcher: &Launcher,
    command: &Command,
    address_space: Option<u64>,
    mark: (&str, &str),
) -> io::Result<(tokio::process::Command, Launch)> {
    let env = command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let program = Program {
        path: command.get_program().to_owned(),
        args: command.get_args().map(OsStr::to_owned).collect(),
        env: env.collect(),
        address_space,
    };
    let request = serde_json::to_vec(&Request { rules: sandbox.rules(), program: Some(program) })?;
    let (channel, theirs) = UnixStream::pair()?;
    let mut started = launcher.command();
    started.env(mark.0, mark.1).stdin(OwnedFd::from(theirs));
    if let Some(folder) = command.get_current_dir() {
        started.current_dir(folder);
    }
    Ok((started.into(), Launch { channel, request }))
}

impl Launch {
    /// Sends the request, and waits until the command has begun or the launcher has failed.
    pub async fn finish(self) -> Option<Failure> {
        let exchange = async {
            self.channel.set_nonblocking(true)?;
            let mut channel = tokio::net::UnixStream::from_std(self.channel)?;
            channel.write_all(&self.request).await?;
            channel.shutdown().await?;
            let mut reply = Vec::new();
            channel.read_to_end(&mut reply).await?;
            io::Result::Ok(reply)
        };
        match exchange.await {
            // The socket closed when the launcher became the command.
            Ok(reply) if reply.is_empty() => None,
            Ok(reply) => match parsed(&reply) {
                Ok(Reply::Possible) => None,
                Ok(Reply::Failed(failure)) | Err(failure) => Some(failure),
            },
            Err(e) => Some(Failure::new(Part::Launcher, e)),
        }
    }
}
