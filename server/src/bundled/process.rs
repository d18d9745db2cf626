//! Process of bundled hosts: whether it runs, and how it is ended.

use super::hosts_folder;
use crate::host_lock::HostLock;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Interval of checks whether a process has ended.
const EXIT_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// A stopped process handles signals only after SIGCONT.
const TO_STOP: &[Signal] = &[Signal::TERM, Signal::CONT];

/// The process with this PID, if it still is a host with this data folder, and not a later process with the same PID.
pub(super) fn running(pid: u32, data: &Path) -> Option<Pid> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    let locks = HostLock::holder(&hosts_folder(data)).is_some_and(|holder| holder.pid == Some(pid));
    (locks || is_host_without_lock(pid, data)).then_some(pid)
}

/// Whether a process has the command line of such a host. Hosts of earlier versions hold no lock.
fn is_host_without_lock(pid: Pid, data: &Path) -> bool {
    let process = Path::new("/proc").join(pid.as_raw_pid().to_string());
    let (Ok(line), Ok(from)) =
        (std::fs::read(process.join("cmdline")), std::fs::read_link(process.join("cwd")))
    else {
        return false;
    };
    let Ok(folder) = hosts_folder(data).canonicalize() else { return false };
    // They may have been started with another path of the folder, or from another working folder.
    let is_folder = |argument: &[u8]| {
        from.join(OsStr::from_bytes(argument)).canonicalize().is_ok_and(|given| given == folder)
    };
    let mut arguments = line.split(|byte| *byte == 0).skip(1);
    arguments.next() == Some(b"host".as_slice()) && arguments.any(is_folder)
}

/// Asks a child that was not reaped to stop.
pub(super) fn ask_to_stop(child: u32) {
    let Some(pid) = i32::try_from(child).ok().and_then(Pid::from_raw) else { return };
    for signal in TO_STOP {
        // It may have just ended.
        let _ = kill_process(pid, *signal);
    }
}

/// Asks a process to stop, and waits until it has ended; kills it after `grace`. Returns whether it has ended.
pub(super) async fn end(pid: u32, data: &Path, grace: Duration) -> bool {
    if signal(pid, data, TO_STOP, grace).await {
        return true;
    }
    tracing::warn!(pid, "the bundled hosts did not stop within {} s; killing them", grace.as_secs());
    signal(pid, data, &[Signal::KILL], grace).await
}

async fn signal(pid: u32, data: &Path, signals: &[Signal], within: Duration) -> bool {
    let until = Instant::now() + within;
    let send = |pid| signals.iter().try_for_each(|signal| kill_process(pid, *signal));
    match running(pid, data).map(send) {
        None => return true,
        Some(Err(error)) => {
            // It may have just ended.
            tracing::warn!(pid, %error, "can't signal the bundled hosts");
            return running(pid, data).is_none();
        }
        Some(Ok(())) => {}
    }
    while running(pid, data).is_some() {
        if Instant::now() >= until {
            return false;
        }
        sleep(EXIT_POLL_INTERVAL).await;
    }
    true
}
