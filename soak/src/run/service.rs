//! Process of a run: starts, kills, pauses and stops it, and writes each action to the event log.

use super::clock::Clock;
use crate::event_log::EventLog;
use crate::journal::Death;
use anyhow::{Context, bail};
use protocol::Time;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Time within which a process becomes ready.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Time within which a process stops when asked.
const STOP_TIMEOUT: Duration = Duration::from_secs(25);
/// Time between two checks of a ready file.
const CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// How to start a process, and how it reports that it is ready.
pub struct ProcessSpec {
    pub name: String,
    pub program: PathBuf,
    pub args: Vec<String>,
    /// File to which the process writes its URL.
    pub ready: PathBuf,
    /// File for its standard error, across restarts.
    pub log: PathBuf,
    /// Its own wall clock, if any.
    pub clock: Option<Clock>,
}

/// Process with its spec.
pub struct Service {
    spec: ProcessSpec,
    event_log: EventLog,
    child: Option<Child>,
}

impl Service {
    pub fn new(spec: ProcessSpec, event_log: EventLog) -> Self {
        Self { spec, event_log, child: None }
    }

    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Starts it and waits until it is ready; returns its URL. If it ends before that, for example because its disk is
    /// full, it is started again.
    ///
    /// # Errors
    /// If it can't be started, or does not become ready in time.
    pub async fn start(&mut self) -> anyhow::Result<String> {
        let begun = Instant::now();
        let name = self.spec.name.clone();
        loop {
            let _ = std::fs::remove_file(&self.spec.ready);
            self.child = Some(self.spawn()?);
            self.event_log.note("start", json!({"process": name, "pid": self.pid()}));
            loop {
                // A file that is not written yet is empty.
                let url = std::fs::read_to_string(&self.spec.ready).ok().filter(|url| url.ends_with('\n'));
                if let Some(url) = url {
                    return Ok(url.trim().to_owned());
                }
                if begun.elapsed() > START_TIMEOUT {
                    bail!(
                        "{name} did not become ready within {} s; see {}",
                        START_TIMEOUT.as_secs(),
                        self.spec.log.display()
                    );
                }
                if let Some(status) = self.ended()? {
                    self.event_log.note("ended before ready", json!({"process": name, "status": status}));
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    break;
                }
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        }
    }

    fn spawn(&self) -> anyhow::Result<Child> {
        let ProcessSpec { name, program, args, log, clock, .. } = &self.spec;
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let mut command = Command::new(program);
        command.args(args).env("SIGNALBOX_LOG", "info,hyper=warn").env("NO_COLOR", "1");
        command.envs(clock.iter().flat_map(Clock::environment));
        // Hosts end when this pipe closes, in case this process is killed.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::from(log)).kill_on_drop(true);
        command.spawn().with_context(|| format!("cannot start {name} ({})", program.display()))
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    fn ended(&mut self) -> anyhow::Result<Option<String>> {
        let Some(child) = &mut self.child else { return Ok(Some("not started".to_owned())) };
        Ok(child.try_wait()?.map(|status| status.to_string()))
    }

    /// Exit status if it ended by itself.
    ///
    /// # Errors
    /// If the system can't tell.
    pub fn died(&mut self) -> anyhow::Result<Option<String>> {
        let Some(pid) = self.pid() else { return Ok(None) };
        let status = self.ended()?;
        if status.is_some() {
            self.record_death(Death { pid, at: Time::now() });
        }
        Ok(status)
    }

    /// Kills it like `kill -9`; returns when it has ended.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        let at = Time::now();
        if let Some(child) = &mut self.child {
            child.start_kill()?;
            child.wait().await?;
        }
        self.record_death(Death { pid, at });
        self.child = None;
        Ok(())
    }

    /// Asks it to stop and waits for it; returns a description if it failed.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn stop(&mut self) -> anyhow::Result<Option<String>> {
        let Some(pid) = self.pid() else { return Ok(None) };
        self.signal(Signal::TERM)?;
        let Some(child) = &mut self.child else { return Ok(None) };
        let name = &self.spec.name;
        let failure = match tokio::time::timeout(STOP_TIMEOUT, child.wait()).await {
            Ok(status) => {
                let status = status?;
                (!status.success()).then(|| format!("{name} ended with {status} when asked to stop"))
            }
            Err(_) => {
                child.kill().await?;
                Some(format!("{name} did not stop within {} s when asked to", STOP_TIMEOUT.as_secs()))
            }
        };
        self.record_death(Death { pid, at: Time::now() });
        self.child = None;
        Ok(failure)
    }

    fn record_death(&self, death: Death) {
        if let Some(clock) = &self.spec.clock {
            clock.clean_up(death.pid);
        }
        self.event_log.death(death);
    }

    /// Pauses it until [`Service::resume`].
    ///
    /// # Errors
    /// If the system refuses.
    pub fn pause(&self) -> anyhow::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Continues a paused process.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Sends a signal to a child that is not reaped yet, so its PID can't be another process's.
    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = self.pid().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        match pid {
            Some(pid) => Ok(kill_process(pid, signal)?),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(folder: &std::path::Path, script: &str) -> Service {
        let ready = folder.join("ready");
        let script = format!("{script}; exec sleep 1000");
        let spec = ProcessSpec {
            name: "it".into(),
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.replace("READY", &ready.display().to_string())],
            ready,
            log: folder.join("log"),
            clock: None,
        };
        Service::new(spec, EventLog::open(&folder.join("events")).unwrap())
    }

    #[tokio::test]
    async fn a_process_that_ends_before_it_is_ready_is_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark").display().to_string();
        // The first run leaves a mark and ends; the second finds it.
        let script = format!("if [ ! -e {mark} ]; then touch {mark}; exit 1; fi; echo http://x > READY");
        let mut service = shell(folder.path(), &script);
        assert_eq!(service.start().await.unwrap(), "http://x");
        assert_eq!(service.died().unwrap(), None);
        service.kill().await.unwrap();
    }

    #[tokio::test]
    async fn a_kill_is_recorded_and_an_end_by_itself_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let mut service = shell(folder.path(), "echo http://x > READY");
        service.start().await.unwrap();
        let pid = service.pid().unwrap();
        service.pause().unwrap();
        service.kill().await.unwrap();
        assert_eq!(service.event_log.deaths().iter().map(|d| d.pid).collect::<Vec<_>>(), [pid]);
        service.start().await.unwrap();
        service.signal(Signal::ABORT).unwrap();
        service.child.as_mut().unwrap().wait().await.unwrap();
        assert!(service.ended().unwrap().is_some());
    }
}
