//! Runs a fault schedule: each fault and action at its time. When it returns, all faults are removed.

use super::cluster::Cluster;
use super::workload::Workload;
use crate::check::{Promise, Violation};
use crate::plan::{ClockOwner, ConnectionFault, Fault, Planned, Schedule};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

/// Injects the faults and starts the actions; returns the actions that still wait for a response.
///
/// # Errors
/// If the system refuses something unexpectedly.
pub async fn inject_faults(
    cluster: &Arc<Cluster>,
    workload: &Workload,
    schedule: &Schedule,
) -> anyhow::Result<JoinSet<()>> {
    let begin = Instant::now();
    let mut actions = JoinSet::new();
    let mut faults = JoinSet::new();
    for (n, Planned { at_ms, what }) in schedule.actions.iter().cloned().enumerate() {
        let (workload, mark) = (workload.clone(), format!("{}-{}-{n}", schedule.seed, schedule.number));
        actions.spawn(async move {
            sleep_until(begin + Duration::from_millis(at_ms)).await;
            workload.perform(&what, mark).await;
        });
    }
    for Planned { at_ms, what } in schedule.faults.iter().cloned() {
        let cluster = cluster.clone();
        faults.spawn(async move {
            sleep_until(begin + Duration::from_millis(at_ms)).await;
            cluster.inject(what).await
        });
    }
    sleep_until(begin + Duration::from_millis(schedule.duration_ms)).await;
    while let Some(done) = faults.join_next().await {
        if let Err(error) = done? {
            cluster.found(Violation::general(Promise::ProcessesLive, format!("{error:#}")));
        }
    }
    cluster.proxies.iter().for_each(|proxy| proxy.set(None));
    cluster.restart_ended_processes().await?;
    Ok(actions)
}

impl Cluster {
    /// Injects one fault and removes it again. Faults of one process wait for each other, in order.
    async fn inject(&self, fault: Fault) -> anyhow::Result<()> {
        let pause = |ms: u64| sleep(Duration::from_millis(ms));
        let what = serde_json::to_value(&fault)?;
        match fault {
            Fault::KillServer { down_ms } => {
                let mut server = self.server.lock().await;
                self.event_log.fault("kill -9 of the server", what);
                let record = self.begin_server_fault(true);
                self.url.send_replace(None);
                server.kill().await?;
                pause(down_ms).await;
                self.start_server(&mut server).await?;
                self.end_faults(&record);
            }
            Fault::RestartServer { down_ms } => {
                let mut server = self.server.lock().await;
                self.event_log.fault("graceful restart of the server", what);
                let record = self.begin_server_fault(true);
                if let Some(failure) = server.stop().await? {
                    self.found(Violation::general(Promise::ProcessesLive, failure));
                }
                self.url.send_replace(None);
                pause(down_ms).await;
                self.start_server(&mut server).await?;
                self.end_faults(&record);
            }
            Fault::PauseServer { ms } => {
                let server = self.server.lock().await;
                self.event_log.fault("pause of the server", what);
                let record = self.begin_server_fault(false);
                server.pause()?;
                pause(ms).await;
                server.resume()?;
                self.end_faults(&record);
            }
            Fault::KillHost { host, down_ms } => {
                let mut service = self.hosts[host].lock().await;
                self.event_log.fault("kill -9 of a host", what);
                let record = self.begin_fault(host, true);
                service.kill().await?;
                self.disconnect_host(host);
                pause(down_ms).await;
                self.start_host(host, &mut service).await?;
                self.end_fault(record);
            }
            Fault::RestartHost { host, down_ms } => {
                let mut service = self.hosts[host].lock().await;
                self.event_log.fault("graceful restart of a host", what);
                let record = self.begin_fault(host, true);
                if let Some(failure) = service.stop().await? {
                    self.found(Violation::general(Promise::ProcessesLive, failure));
                }
                self.disconnect_host(host);
                pause(down_ms).await;
                self.start_host(host, &mut service).await?;
                self.end_fault(record);
            }
            Fault::PauseHost { host, ms } => {
                let service = self.hosts[host].lock().await;
                self.event_log.fault("pause of a host", what);
                let record = self.begin_fault(host, false);
                service.pause()?;
                pause(ms).await;
                service.resume()?;
                self.end_fault(record);
            }
            Fault::Connection { host, how, ms } => {
                self.event_log.fault(name(how), what);
                // A delayed start does not explain any failure.
                let held = matches!(how, ConnectionFault::DelayedStarts { .. });
                let record = (!held).then(|| self.begin_fault(host, false));
                self.proxies[host].set(Some(how));
                pause(ms).await;
                self.proxies[host].set(None);
                record.into_iter().for_each(|record| self.end_fault(record));
                self.event_log.note("good connection", json!({"host": host}));
            }
            Fault::Cut { host } => {
                self.event_log.fault("cut connections", what);
                self.proxies[host].cut();
            }
            Fault::Replay { host, requests } => {
                let responses = self.proxies[host].replay(requests).await;
                self.event_log.fault("repeated requests", json!({"plan": what, "responses": responses}));
            }
            Fault::FullDisk { ms } => {
                let Some(disk) = &self.disk else { return Ok(()) };
                let disk = disk.lock().await;
                self.event_log.fault("full disk", what);
                let record = self.begin_server_fault(false);
                disk.fill().await?;
                pause(ms).await;
                disk.free();
                self.end_faults(&record);
                self.event_log.note("disk has space", json!({}));
            }
            Fault::ClockJump { owner, ahead, ms } => {
                let Ok(clocks) = &self.clocks else { return Ok(()) };
                let (clock, name) = match owner {
                    ClockOwner::Server => (&clocks.server, "clock jump of the server"),
                    ClockOwner::Host(host) => (&clocks.hosts[host], "clock jump of a host"),
                };
                let clock = clock.lock().await;
                self.event_log.fault(name, what);
                clock.set(ahead)?;
                pause(ms).await;
                self.event_log.fault(name, json!({"owner": owner, "set": "correct"}));
                clock.set(0)?;
            }
        }
        Ok(())
    }
}

fn name(how: ConnectionFault) -> &'static str {
    match how {
        ConnectionFault::Slow { .. } => "slow connection",
        ConnectionFault::Silent { up: true, down: true } => "silent connection",
        ConnectionFault::Silent { up: true, .. } => "silent to the host",
        ConnectionFault::Silent { .. } => "silent from the host",
        ConnectionFault::Refused => "refused connections",
        ConnectionFault::Truncated { .. } => "truncated responses",
        ConnectionFault::DelayedStarts { .. } => "delayed starts",
    }
}
