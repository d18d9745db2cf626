//! Wall clocks of their own for the processes of a storm, so that they can jump: by libfaketime, which stands
//! between a process and the system's clock. Where it is not installed the fault is skipped, and the summary says so.
//!
//! Only the wall clock is another. The steady clock, by which timers run, stays the machine's, as it does when
//! somebody sets the machine's time.

use anyhow::{Context, bail};
use protocol::Time;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Where it is looked for: the folders of Debian, Fedora and a hand-made install.
const FOLDERS: [&str; 4] =
    ["/usr/lib/{}-linux-gnu/faketime", "/usr/lib64/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime"];
/// The one for programs with threads.
const LIBRARY: &str = "libfaketimeMT.so.1";
/// By so many seconds a clock is set off to see whether the library does what it should; so near it must come.
const TRIAL: i64 = 5_000;
const NEAR: f64 = 60.0;

/// A process' wall clock: as far from the machine's as its file says.
#[derive(Clone, Debug)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

/// How to get clocks that can be set.
#[derive(Clone, Debug)]
pub struct Clockmaker {
    library: PathBuf,
}

impl Clockmaker {
    /// Finds the library, and tries it on a short life of `program` (this one).
    ///
    /// # Errors
    /// Why clocks can't be set here.
    pub fn find(program: &Path, folder: &Path) -> anyhow::Result<Self> {
        let folders = FOLDERS.map(|folder| folder.replace("{}", std::env::consts::ARCH));
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
            bail!("a trial of {} went wrong: {}", maker.library.display(), why.trim());
        }
        Ok(maker)
    }

    /// A clock that shows the machine's time until it is set.
    ///
    /// # Errors
    /// When its file can't be written.
    pub fn clock(&self, file: PathBuf) -> anyhow::Result<Clock> {
        let clock = Clock { library: self.library.clone(), file };
        clock.set(0)?;
        Ok(clock)
    }
}

impl Clock {
    /// From now on it is so many seconds ahead of the machine's.
    ///
    /// # Errors
    /// When its file can't be written.
    pub fn set(&self, ahead: i64) -> anyhow::Result<()> {
        set(&self.file, ahead)
    }

    /// What a process has to be started with to live by it.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("LD_PRELOAD", self.library.clone().into()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone().into()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
            ("NO_FAKE_STAT", "1".into()),
        ]
    }

    /// Takes away what the library leaves behind of a process that was killed: another process may get its number,
    /// and would trip over it.
    pub fn bury(&self, pid: u32) {
        for name in [format!("faketime_shm_{pid}"), format!("sem.faketime_sem_{pid}")] {
            let _ = std::fs::remove_file(Path::new("/dev/shm").join(name));
        }
    }
}

fn set(file: &Path, ahead: i64) -> anyhow::Result<()> {
    // In one step: a process may look at any moment.
    let partial = file.with_extension("partial");
    std::fs::write(&partial, format!("{ahead:+}\n"))?;
    Ok(std::fs::rename(&partial, file)?)
}

/// `soak try-clock`: sets its own wall clock, which must follow at once, and the steady one must not.
///
/// # Errors
/// When they don't.
pub fn try_it(file: &Path) -> anyhow::Result<()> {
    for ahead in [TRIAL, -TRIAL, 0] {
        let (wall, steady) = (Time::now(), Instant::now());
        set(file, ahead)?;
        let (jumped, passed) = (Time::now().seconds_since(wall), steady.elapsed().as_secs_f64());
        set(file, 0)?;
        if (jumped - ahead as f64).abs() > NEAR || passed > NEAR {
            bail!(
                "set {ahead} s ahead, the wall clock went by {jumped:.1} s and the steady one by {passed:.1} s"
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
        let maker = Clockmaker { library: "/lib.so".into() };
        let clock = maker.clock(folder.path().join("it.clock")).unwrap();
        for (ahead, text) in [(0, "+0\n"), (3_600, "+3600\n"), (-7, "-7\n")] {
            clock.set(ahead).unwrap();
            assert_eq!(std::fs::read_to_string(folder.path().join("it.clock")).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_clock_that_does_not_follow_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        // Nothing stands between this process and the system's clock.
        assert!(try_it(&folder.path().join("it.clock")).is_err());
    }
}
