//! Runs a storm: each fault and action at its time. All faults are removed when it returns.

use super::cluster::Cluster;
use super::workload::Workload;
use crate::check::{Promise, Violation};
use crate::plan::{BadLine, Fault, Planned, Storm, Whose};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Injects the faults and starts the actions; returns the actions that still wait for a response.
///
/// # Errors
/// If the system refuses something unexpectedly.
pub async fn play(cluster: &Arc<Cluster>, workload: &Workload, storm: &Storm) -> anyhow::Result<JoinSet<()>> {
    let begin = Instant::now();
    let mut acts = JoinSet::new();
    let mut faults = JoinSet::new();
    for (n, Planned { at_ms, what }) in storm.acts.iter().cloned().enumerate() {
        let (workload, mark) = (workload.clone(), format!("{}-{}-{n}", storm.seed, storm.number));
        acts.spawn(async move {
            sleep_until(begin + Duration::from_millis(at_ms)).await;
            workload.act(&what, mark).await;
        });
    }
    for Planned { at_ms, what } in storm.faults.iter().cloned() {
        let cluster = cluster.clone();
        faults.spawn(async move {
            sleep_until(begin + Duration::from_millis(at_ms)).await;
            cluster.inflict(what).await
        });
    }
    sleep_until(begin + Duration::from_millis(storm.burst_ms)).await;
    while let Some(done) = faults.join_next().await {
        if let Err(error) = done? {
            cluster.found(Violation::general(Promise::ProcessesLive, format!("{error:#}")));
        }
    }
    cluster.lines.iter().for_each(|line| line.set(None));
    cluster.look_after_processes().await?;
    Ok(acts)
}

impl Cluster {
    /// Injects one fault and removes it again. Faults of one process wait for each other, in order.
    async fn inflict(&self, fault: Fault) -> anyhow::Result<()> {
        let pause = |ms: u64| sleep(Duration::from_millis(ms));
        let what = serde_json::to_value(&fault)?;
        match fault {
            Fault::KillServer { down_ms } => {
                let mut server = self.server.lock().await;
                self.event_log.fault("kill -9 of the server", what);
                let trouble = self.server_trouble(true);
                self.url.send_replace(None);
                server.kill().await?;
                pause(down_ms).await;
                self.start_server(&mut server).await?;
                self.troubles_over(&trouble);
            }
            Fault::RestartServer { down_ms } => {
                let mut server = self.server.lock().await;
                self.event_log.fault("graceful restart of the server", what);
                let trouble = self.server_trouble(true);
                if let Some(lie) = server.stop().await? {
                    self.found(Violation::general(Promise::ProcessesLive, lie));
                }
                self.url.send_replace(None);
                pause(down_ms).await;
                self.start_server(&mut server).await?;
                self.troubles_over(&trouble);
            }
            Fault::PauseServer { ms } => {
                let server = self.server.lock().await;
                self.event_log.fault("pause of the server", what);
                let trouble = self.server_trouble(false);
                server.pause()?;
                pause(ms).await;
                server.go_on()?;
                self.troubles_over(&trouble);
            }
            Fault::KillHost { host, down_ms } => {
                let mut service = self.hosts[host].lock().await;
                self.event_log.fault("kill -9 of a host", what);
                let trouble = self.trouble(host, true);
                service.kill().await?;
                self.host_goes(host);
                pause(down_ms).await;
                self.start_host(host, &mut service).await?;
                self.trouble_over(trouble);
            }
            Fault::RestartHost { host, down_ms } => {
                let mut service = self.hosts[host].lock().await;
                self.event_log.fault("graceful restart of a host", what);
                let trouble = self.trouble(host, true);
                if let Some(lie) = service.stop().await? {
                    self.found(Violation::general(Promise::ProcessesLive, lie));
                }
                self.host_goes(host);
                pause(down_ms).await;
                self.start_host(host, &mut service).await?;
                self.trouble_over(trouble);
            }
            Fault::PauseHost { host, ms } => {
                let service = self.hosts[host].lock().await;
                self.event_log.fault("pause of a host", what);
                let trouble = self.trouble(host, false);
                service.pause()?;
                pause(ms).await;
                service.go_on()?;
                self.trouble_over(trouble);
            }
            Fault::BadLine { host, how, ms } => {
                self.event_log.fault(name_of(how), what);
                // A delayed start does not explain any failure.
                let held = matches!(how, BadLine::HeldStarts { .. });
                let trouble = (!held).then(|| self.trouble(host, false));
                self.lines[host].set(Some(how));
                pause(ms).await;
                self.lines[host].set(None);
                trouble.into_iter().for_each(|trouble| self.trouble_over(trouble));
                self.event_log.note("good connection", json!({"host": host}));
            }
            Fault::Cut { host } => {
                self.event_log.fault("cut connections", what);
                self.lines[host].cut();
            }
            Fault::Replay { host, requests } => {
                let told = self.lines[host].replay(requests).await;
                self.event_log.fault("repeated requests", json!({"plan": what, "told": told}));
            }
            Fault::FullDisk { ms } => {
                let Some(disk) = &self.disk else { return Ok(()) };
                let disk = disk.lock().await;
                self.event_log.fault("full disk", what);
                let trouble = self.server_trouble(false);
                disk.fill().await?;
                pause(ms).await;
                disk.free();
                self.troubles_over(&trouble);
                self.event_log.note("disk has space", json!({}));
            }
            Fault::ClockJump { whose, ahead, ms } => {
                let Ok(clocks) = &self.clocks else { return Ok(()) };
                let (clock, name) = match whose {
                    Whose::Server => (&clocks.server, "clock jump of the server"),
                    Whose::Host(host) => (&clocks.hosts[host], "clock jump of a host"),
                };
                let clock = clock.lock().await;
                self.event_log.fault(name, what);
                clock.set(ahead)?;
                pause(ms).await;
                self.event_log.fault(name, json!({"whose": whose, "set": "correct"}));
                clock.set(0)?;
            }
        }
        Ok(())
    }
}

fn name_of(how: BadLine) -> &'static str {
    match how {
        BadLine::Slow { .. } => "slow connection",
        BadLine::Silent { up: true, down: true } => "silent connection",
        BadLine::Silent { up: true, .. } => "silent to the host",
        BadLine::Silent { .. } => "silent from the host",
        BadLine::Refusing => "refused connections",
        BadLine::Short { .. } => "truncated responses",
        BadLine::HeldStarts { .. } => "delayed starts",
    }
}
