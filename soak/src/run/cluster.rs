//! Environment of a run: server, hosts, the connections between them, disk and clocks.

use super::clock::{Clock, ClockFactory};
use super::disk::Disk;
use super::service::{ProcessSpec, Service};
use crate::check::reasons::{InjectedFault, SERVER, SWEEPS};
use crate::check::{Promise, Violation};
use crate::event_log::EventLog;
use crate::fault_proxy::FaultProxy;
use crate::journal::{self, DriverClock};
use crate::plan::HOSTS;
use anyhow::Context;
use protocol::host::{HostOperation, HostOperations};
use protocol::{HostName, Time};
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{Mutex, watch};

/// Configuration with short times, so that what takes minutes in production happens within seconds.
const RULES: &str = r#"
[rules]
silence = 1.5
lost_after = 6
scan_every = 2
cancel_deadline = 2

[limits]
"soak.count" = 11

[retry."soak.count"]
attempts = 3
pause = 0.4
longest_pause = 2
"#;

pub struct Cluster {
    pub folder: PathBuf,
    pub event_log: EventLog,
    /// Locked while a fault affects the process; other faults wait in order.
    pub server: Mutex<Service>,
    pub hosts: Vec<Mutex<Service>>,
    pub proxies: Vec<FaultProxy>,
    /// URL of the server; `None` while it is down.
    pub url: watch::Sender<Option<String>>,
    host_urls: Vec<watch::Sender<Option<String>>>,
    pub disk: Option<Mutex<Disk>>,
    /// Reason why there is no disk to fill.
    pub no_disk: Option<String>,
    /// Wall clocks of server and hosts, or the reason why they have none of their own.
    pub clocks: Result<Clocks, String>,
    client: reqwest::Client,
    found: parking_lot::Mutex<Vec<Violation>>,
    injected_faults: parking_lot::Mutex<Vec<InjectedFault>>,
}

/// Clocks, locked while a jump lasts; other jumps wait in order.
pub struct Clocks {
    pub server: Mutex<Clock>,
    pub hosts: Vec<Mutex<Clock>>,
}

impl Cluster {
    /// Creates the folder's content and starts all processes.
    ///
    /// # Errors
    /// If a process does not become ready.
    pub async fn set(folder: &Path, server: &Path, may_mount: bool, lying: bool) -> anyhow::Result<Self> {
        let event_log = EventLog::open(&folder.join("events.jsonl"))?;
        for name in ["data", "site/pkg", "counts"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        std::fs::write(folder.join("site/hash.txt"), "")?;
        let mounted = if may_mount {
            Disk::mount(&folder.join("data")).map_err(|error| format!("cannot mount a disk: {error:#}"))
        } else {
            Err("not allowed to mount a disk; see --own-mounts".to_owned())
        };
        let (disk, no_disk) =
            mounted.map_or_else(|why| (None, Some(why)), |disk| (Some(Mutex::new(disk)), None));
        let mut proxies = Vec::new();
        for _ in 0..HOSTS {
            proxies.push(FaultProxy::open().await?);
        }
        let config = folder.join("signalbox.toml");
        std::fs::write(&config, configuration(&proxies))?;
        let program = std::env::current_exe().context("cannot find the path of this program")?;
        let driver_clock = DriverClock::of_this_process();
        let mut specs = vec![server_spec(folder, server, &config)];
        specs.extend((0..HOSTS).map(|n| host_spec(folder, &program, n, driver_clock, lying)));
        let clocks = give_clocks(&mut specs, &program, folder);
        let mut services = specs.into_iter().map(|spec| Mutex::new(Service::new(spec, event_log.clone())));
        let server = services.next().context("the first process is the server")?;
        let hosts = services.collect();
        let cluster = Self {
            folder: folder.to_owned(),
            event_log,
            server,
            hosts,
            proxies,
            url: watch::channel(None).0,
            host_urls: (0..HOSTS).map(|_| watch::channel(None).0).collect(),
            disk,
            no_disk,
            clocks,
            client: https_client::builder(&https_client::Tls::default())
                .timeout(Duration::from_secs(5))
                .build()?,
            found: parking_lot::Mutex::default(),
            injected_faults: parking_lot::Mutex::default(),
        };
        for n in 0..HOSTS {
            cluster.start_host(n, &mut *cluster.hosts[n].lock().await).await?;
        }
        cluster.start_server(&mut *cluster.server.lock().await).await?;
        Ok(cluster)
    }

    /// Starts the server and publishes its URL.
    ///
    /// # Errors
    /// If it does not become ready.
    pub async fn start_server(&self, service: &mut Service) -> anyhow::Result<()> {
        let url = service.start().await?;
        self.url.send_replace(Some(url));
        Ok(())
    }

    /// Starts a host and connects its proxy to it.
    ///
    /// # Errors
    /// If it does not become ready.
    pub async fn start_host(&self, n: usize, service: &mut Service) -> anyhow::Result<()> {
        let url = service.start().await?;
        let address: SocketAddr = url.trim_start_matches("http://").parse()?;
        self.proxies[n].set_target(Some(address));
        self.host_urls[n].send_replace(Some(url));
        Ok(())
    }

    /// Disconnects the proxy of a host that goes down.
    pub fn disconnect_host(&self, n: usize) {
        self.proxies[n].set_target(None);
        self.host_urls[n].send_replace(None);
    }

    /// Records the start of a host's fault; pass the result to [`Cluster::end_fault`].
    pub fn begin_fault(&self, host: usize, restart: bool) -> usize {
        let mut injected_faults = self.injected_faults.lock();
        injected_faults.push(InjectedFault { host: host_name(host), from: Time::now(), to: None, restart });
        injected_faults.len() - 1
    }

    /// Records the start of a fault in which the server is down or can't store, so that it may miss reports of hosts. A
    /// restart is also one of the host inside the server. Pass the result to [`Cluster::end_faults`].
    pub fn begin_server_fault(&self, restart: bool) -> Vec<usize> {
        let mut injected_faults = self.injected_faults.lock();
        let first = injected_faults.len();
        for name in [SERVER, SWEEPS] {
            let host = HostName::new(name).expect("lower-case letters");
            injected_faults.push(InjectedFault { host, from: Time::now(), to: None, restart });
        }
        (first..injected_faults.len()).collect()
    }

    pub fn end_faults(&self, injected_faults: &[usize]) {
        injected_faults.iter().for_each(|index| self.end_fault(*index));
    }

    pub fn end_fault(&self, index: usize) {
        self.injected_faults.lock()[index].to = Some(Time::now());
    }

    /// All faults so far.
    pub fn injected_faults(&self) -> Vec<InjectedFault> {
        self.injected_faults.lock().clone()
    }

    pub fn found(&self, violation: Violation) {
        self.found.lock().push(violation);
    }

    /// Takes the violations found while faults were injected.
    pub fn take_found(&self) -> Vec<Violation> {
        std::mem::take(&mut self.found.lock())
    }

    /// Records processes that ended by themselves, and starts them again.
    ///
    /// # Errors
    /// If it does not become ready.
    pub async fn restart_ended_processes(&self) -> anyhow::Result<()> {
        let mut server = self.server.lock().await;
        if let Some(status) = server.died()? {
            let what = format!("the server ended by itself with {status}; see server.log");
            self.found(Violation::general(Promise::ProcessesLive, what));
            self.start_server(&mut server).await?;
        }
        drop(server);
        for (n, host) in self.hosts.iter().enumerate() {
            let mut host = host.lock().await;
            if let Some(status) = host.died()? {
                let what = format!("{} ended by itself with {status}; see its log", host.name());
                self.found(Violation::general(Promise::ProcessesLive, what));
                self.disconnect_host(n);
                self.start_host(n, &mut host).await?;
            }
        }
        Ok(())
    }

    /// Attempts that all hosts have, asked directly, not through the proxies.
    ///
    /// # Errors
    /// If a host does not answer.
    pub async fn host_attempts(&self) -> anyhow::Result<Vec<(HostName, HostOperation)>> {
        let mut host_attempts = Vec::new();
        for (n, url) in self.host_urls.iter().enumerate() {
            let url = url.borrow().clone().context("a host is down")?;
            let answer = self.client.get(format!("{url}/host/v1/operations")).send().await?;
            let list: HostOperations = answer.error_for_status()?.json().await?;
            let name = host_name(n);
            host_attempts.extend(list.operations.into_iter().map(|operation| (name.clone(), operation)));
        }
        Ok(host_attempts)
    }

    /// Sends a GET request to the server.
    ///
    /// # Errors
    /// If it does not answer, or with something else.
    pub async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let mut tries = 0;
        loop {
            match self.ask_once(path).await {
                // After a full disk, the server may still be writing.
                Err(_) if tries < 5 => tries += 1,
                answer => return answer,
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn ask_once<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let url = self.url.borrow().clone().context("the server is down")?;
        let answer = self.client.get(format!("{url}{path}")).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// All runs so far, from the hosts' journals.
    ///
    /// # Errors
    /// If a journal can't be read.
    pub fn runs(&self) -> anyhow::Result<Vec<journal::Run>> {
        let deaths = self.event_log.deaths();
        let mut runs = Vec::new();
        for n in 0..HOSTS {
            let entries = journal::read(&journal_of(&self.folder, n))?;
            runs.extend(journal::runs(host_name(n).as_str(), &entries, &deaths));
        }
        Ok(runs)
    }

    /// Stops all processes in order.
    ///
    /// # Errors
    /// If the system refuses.
    pub async fn close(&self) -> anyhow::Result<()> {
        for service in std::iter::once(&self.server).chain(&self.hosts) {
            if let Some(failure) = service.lock().await.stop().await? {
                self.found(Violation::general(Promise::ProcessesLive, failure));
            }
        }
        Ok(())
    }
}

/// Gives each process its own clock; the server is the first.
fn give_clocks(specs: &mut [ProcessSpec], program: &Path, folder: &Path) -> Result<Clocks, String> {
    let make = || -> anyhow::Result<Vec<Clock>> {
        let maker = ClockFactory::find(program, folder)?;
        specs.iter().map(|spec| maker.clock(spec.ready.with_extension("clock"))).collect()
    };
    let clocks = make().map_err(|error| format!("{error:#}"))?;
    for (spec, clock) in specs.iter_mut().zip(&clocks) {
        spec.clock = Some(clock.clone());
    }
    let mut clocks = clocks.into_iter().map(Mutex::new);
    let server = clocks.next().ok_or("no server to give a clock to")?;
    Ok(Clocks { server, hosts: clocks.collect() })
}

/// Name of a host in the configuration.
pub fn host_name(n: usize) -> HostName {
    HostName::new(format!("soak-{}", n + 1)).expect("lower-case letters, a dash and digits")
}

fn journal_of(folder: &Path, n: usize) -> PathBuf {
    folder.join(format!("{}.journal.jsonl", host_name(n)))
}

fn configuration(proxies: &[FaultProxy]) -> String {
    let mut text = RULES.to_owned();
    for (n, proxy) in proxies.iter().enumerate() {
        let (name, address) = (host_name(n), proxy.address);
        writeln!(
            text,
            "\n[[host]]\nname = \"{name}\"\nurl = \"http://{address}\"\nconnect_timeout_seconds = 2"
        )
        .expect("writing to a string never fails");
    }
    text
}

fn strings(args: &[&str]) -> Vec<String> {
    args.iter().map(|word| (*word).to_owned()).collect()
}

fn server_spec(folder: &Path, program: &Path, config: &Path) -> ProcessSpec {
    let ready = folder.join("server.ready");
    let path = |path: &Path| path.display().to_string();
    let mut args = strings(&["serve", "--listen", "127.0.0.1:0", "--config", &path(config)]);
    args.extend(strings(&["--data", &path(&folder.join("data")), "--site", &path(&folder.join("site"))]));
    args.extend(strings(&["--ready-file", &path(&ready)]));
    let log = folder.join("server.log");
    ProcessSpec { name: "the server".to_owned(), program: program.to_owned(), args, ready, log, clock: None }
}

fn host_spec(folder: &Path, program: &Path, n: usize, driver_clock: DriverClock, lying: bool) -> ProcessSpec {
    let name = host_name(n).to_string();
    let ready = folder.join(format!("{name}.ready"));
    let path = |path: &Path| path.display().to_string();
    let mut args = strings(&["host", "--journal", &path(&journal_of(folder, n))]);
    args.extend(strings(&["--data", &path(&folder.join("counts")), "--ready-file", &path(&ready)]));
    args.extend(strings(&["--zero", &driver_clock.zero().to_string()]));
    if lying {
        args.push("--lying".to_owned());
    }
    let log = folder.join(format!("{name}.log"));
    ProcessSpec { log, name, program: program.to_owned(), args, ready, clock: None }
}
