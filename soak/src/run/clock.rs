//! Separate wall clocks for the processes of a run, made with libfaketime, so that they can jump. If it is not
//! installed, the fault is skipped, and the summary says so.
//!
//! The monotonic clock, which drives timers, remains the machine's, as when somebody sets the time.

use anyhow::{Context, bail};
use protocol::Time;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tokio::time::Instant;

/// Folders of the library on Debian, Fedora and after a manual installation.
const LIBRARY_FOLDERS: [&str; 4] =
    ["/usr/lib/{}-linux-gnu/faketime", "/usr/lib64/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime"];
/// Variant for multithreaded programs.
const LIBRARY: &str = "libfaketimeMT.so.1";
/// Offset in seconds that the trial sets, and the allowed error.
const TRIAL_OFFSET_SECONDS: i64 = 5_000;
const TRIAL_TOLERANCE_SECONDS: f64 = 60.0;

/// Wall clock of a process, whose offset is in a file.
#[derive(Clone, Debug)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

/// Maker of clocks that can be set.
#[derive(Clone, Debug)]
pub struct ClockFactory {
    library: PathBuf,
}

impl ClockFactory {
    /// Finds the library, and tests it with a short run of `program` (this program).
    ///
    /// # Errors
    /// If clocks can't be set here, with the reason.
    pub fn find(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        let folders = LIBRARY_FOLDERS.map(|folder| folder.replace("{}", std::env::consts::ARCH));
        let library =
            folders.iter().map(|folder| Path::new(folder).join(LIBRARY)).find(|path| path.is_file());
        let library = library.with_context(|| {
            format!("{LIBRARY} is not installed (on Debian and Ubuntu: apt-get install faketime)")
        })?;
        let maker = Self { library };
        let clock = maker.clock(folder.join("trial.clock"))?;
        let trial = Command::new(program)
            .arg("try-clock")
            .arg(&clock.file)
            .envs(clock.environment())
            .stdin(Stdio::null())
            .output()?;
        let _ = std::fs::remove_file(&clock.file);
        if !trial.status.success() {
            let why = String::from_utf8_lossy(&trial.stderr);
            bail!("the test of {} failed: {}", maker.library.display(), why.trim());
        }
        Ok(maker)
    }

    /// Makes a clock that shows the machine's time until it is set.
    ///
    /// # Errors
    /// If its file can't be written.
    pub fn clock(&self, file: PathBuf) -> anyhow::Result<Clock> {
        let clock = Clock { library: self.library.clone(), file };
        clock.set(0)?;
        Ok(clock)
    }
}

impl Clock {
    /// Sets the clock ahead of the machine's by some seconds.
    ///
    /// # Errors
    /// If its file can't be written.
    pub fn set(&self, ahead: i64) -> anyhow::Result<()> {
        set(&self.file, ahead)
    }

    /// Environment variables of a process that uses it.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }

    /// Removes shared memory that the library leaves behind when a process is killed, because a later process may get
    /// the same PID.
    pub fn clean_up(&self, pid: u32) {
        for name in [format!("faketime_shm_{pid}"), format!("sem.faketime_sem_{pid}")] {
            let _ = std::fs::remove_file(Path::new("/dev/shm").join(name));
        }
    }
}

fn set(file: &Path, ahead: i64) -> anyhow::Result<()> {
    // Atomic, because a process may read it at any time.
    let partial = file.with_extension("partial");
    std::fs::write(&partial, format!("{ahead:+}\n"))?;
    Ok(std::fs::rename(&partial, file)?)
}

/// `soak try-clock`: sets its own wall clock, which must follow at once, while the monotonic clock must not.
///
/// # Errors
/// If they don't.
pub fn try_it(file: &Path) -> anyhow::Result<()> {
    for ahead in [TRIAL_OFFSET_SECONDS, -TRIAL_OFFSET_SECONDS, 0] {
        let (wall, steady) = (Time::now(), Instant::now());
        set(file, ahead)?;
        let (jumped, passed) = (Time::now().seconds_since(wall), steady.elapsed().as_secs_f64());
        set(file, 0)?;
        if (jumped - ahead as f64).abs() > TRIAL_TOLERANCE_SECONDS || passed > TRIAL_TOLERANCE_SECONDS {
            bail!(
                "set {ahead} s ahead, the wall clock moved by {jumped:.1} s and the monotonic clock by {passed:.1} s"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_set_in_one_step_and_says_how_far_it_is_ahead() {
        let folder = tempfile::tempdir().unwrap();
        let maker = ClockFactory { library: "/lib.so".into() };
        let clock = maker.clock(folder.path().join("it.clock")).unwrap();
        for (ahead, text) in [(0, "+0\n"), (3_600, "+3600\n"), (-7, "-7\n")] {
            clock.set(ahead).unwrap();
            assert_eq!(std::fs::read_to_string(folder.path().join("it.clock")).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_clock_that_does_not_follow_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        // This process runs without the library.
        assert!(try_it(&folder.path().join("it.clock")).is_err());
    }
}
