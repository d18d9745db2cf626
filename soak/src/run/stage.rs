//! What a run plays on: the server, the hosts, the lines between them, the disk.

use super::clock::{Clock, Clockmaker};
use super::disk::Disk;
use super::service::{Recipe, Service};
use crate::check::reasons::{SERVER, SWEEPS, Trouble};
use crate::check::{Promise, Violation};
use crate::diary::Diary;
use crate::journal::{self, Moments};
use crate::line::Line;
use crate::plan::HOSTS;
use anyhow::Context;
use protocol::host::{HostOperation, HostOperations};
use protocol::{HostName, Time};
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{Mutex, watch};

/// Short times, so that what takes minutes in earnest happens within a storm.
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

pub struct Stage {
    pub folder: PathBuf,
    pub diary: Diary,
    /// Whoever holds one does something to that process; others wait in order.
    pub server: Mutex<Service>,
    pub hosts: Vec<Mutex<Service>>,
    pub lines: Vec<Line>,
    /// Where the server is; `None` while it is down.
    pub url: watch::Sender<Option<String>>,
    host_urls: Vec<watch::Sender<Option<String>>>,
    pub disk: Option<Mutex<Disk>>,
    /// Why there is no disk to fill.
    pub no_disk: Option<String>,
    /// The wall clocks of the server and of the hosts, and why they have none of their own.
    pub clocks: Result<Clocks, String>,
    client: reqwest::Client,
    found: parking_lot::Mutex<Vec<Violation>>,
    troubles: parking_lot::Mutex<Vec<Trouble>>,
}

/// Whoever holds one has set it; others wait in order.
pub struct Clocks {
    pub server: Mutex<Clock>,
    pub hosts: Vec<Mutex<Clock>>,
}

impl Stage {
    /// Makes the folder's contents and starts everything.
    ///
    /// # Errors
    /// When anything does not come up.
    pub async fn set(folder: &Path, server: &Path, may_mount: bool, lying: bool) -> anyhow::Result<Self> {
        let diary = Diary::open(&folder.join("diary.jsonl"))?;
        for name in ["data", "site/pkg", "counts"] {
            std::fs::create_dir_all(folder.join(name))?;
        }
        let mounted = if may_mount {
            Disk::mount(&folder.join("data")).map_err(|error| format!("no disk can be mounted ({error:#})"))
        } else {
            Err("it was not allowed to mount a disk of its own (--own-mounts)".to_owned())
        };
        let (disk, no_disk) =
            mounted.map_or_else(|why| (None, Some(why)), |disk| (Some(Mutex::new(disk)), None));
        let mut lines = Vec::new();
        for _ in 0..HOSTS {
            lines.push(Line::open().await?);
        }
        let config = folder.join("signalbox.toml");
        std::fs::write(&config, configuration(&lines))?;
        let program = std::env::current_exe().context("where this program is can't be found out")?;
        let moments = Moments::by_this_clock();
        let mut recipes = vec![server_recipe(folder, server, &config)];
        recipes.extend((0..HOSTS).map(|n| host_recipe(folder, &program, n, moments, lying)));
        let clocks = give_clocks(&mut recipes, &program, folder);
        let mut services = recipes.into_iter().map(|recipe| Mutex::new(Service::new(recipe, diary.clone())));
        let server = services.next().context("the first recipe is the server's")?;
        let hosts = services.collect();
        let stage = Self {
            folder: folder.to_owned(),
            diary,
            server,
            hosts,
            lines,
            url: watch::channel(None).0,
            host_urls: (0..HOSTS).map(|_| watch::channel(None).0).collect(),
            disk,
            no_disk,
            clocks,
            client: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?,
            found: parking_lot::Mutex::default(),
            troubles: parking_lot::Mutex::default(),
        };
        for n in 0..HOSTS {
            stage.start_host(n, &mut *stage.hosts[n].lock().await).await?;
        }
        stage.start_server(&mut *stage.server.lock().await).await?;
        Ok(stage)
    }

    /// Starts the server and says where it is.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_server(&self, service: &mut Service) -> anyhow::Result<()> {
        let url = service.start().await?;
        self.url.send_replace(Some(url));
        Ok(())
    }

    /// Starts a host and leads its line to it.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn start_host(&self, n: usize, service: &mut Service) -> anyhow::Result<()> {
        let url = service.start().await?;
        let address: SocketAddr = url.trim_start_matches("http://").parse()?;
        self.lines[n].leads_to(Some(address));
        self.host_urls[n].send_replace(Some(url));
        Ok(())
    }

    /// A host goes down: its line leads nowhere.
    pub fn host_goes(&self, n: usize) {
        self.lines[n].leads_to(None);
        self.host_urls[n].send_replace(None);
    }

    /// From now on a host has trouble; give the answer to [`Stage::trouble_over`].
    pub fn trouble(&self, host: usize, restart: bool) -> usize {
        let mut troubles = self.troubles.lock();
        troubles.push(Trouble { host: host_name(host), from: Time::now(), to: None, restart });
        troubles.len() - 1
    }

    /// From now on the server is away or can't store anything, so that it may miss what hosts say; a restart is one of
    /// the hosts within it, too. Give the answer to [`Stage::troubles_over`].
    pub fn server_trouble(&self, restart: bool) -> Vec<usize> {
        let mut troubles = self.troubles.lock();
        let first = troubles.len();
        for name in [SERVER, SWEEPS] {
            let host = HostName::new(name).expect("lower-case letters");
            troubles.push(Trouble { host, from: Time::now(), to: None, restart });
        }
        (first..troubles.len()).collect()
    }

    pub fn troubles_over(&self, troubles: &[usize]) {
        troubles.iter().for_each(|trouble| self.trouble_over(*trouble));
    }

    pub fn trouble_over(&self, trouble: usize) {
        self.troubles.lock()[trouble].to = Some(Time::now());
    }

    /// All that was done to hosts so far.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.troubles.lock().clone()
    }

    pub fn found(&self, violation: Violation) {
        self.found.lock().push(violation);
    }

    /// Takes out what was found while faults were played.
    pub fn take_found(&self) -> Vec<Violation> {
        std::mem::take(&mut self.found.lock())
    }

    /// Looks whether a process ended by itself, and starts it again if so.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn look_after_processes(&self) -> anyhow::Result<()> {
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
                self.host_goes(n);
                self.start_host(n, &mut host).await?;
            }
        }
        Ok(())
    }

    /// What all hosts hold, asked without the lines.
    ///
    /// # Errors
    /// When a host does not answer.
    pub async fn held(&self) -> anyhow::Result<Vec<(HostName, HostOperation)>> {
        let mut held = Vec::new();
        for (n, url) in self.host_urls.iter().enumerate() {
            let url = url.borrow().clone().context("a host is down")?;
            let answer = self.client.get(format!("{url}/host/v1/operations")).send().await?;
            let list: HostOperations = answer.error_for_status()?.json().await?;
            let name = host_name(n);
            held.extend(list.operations.into_iter().map(|operation| (name.clone(), operation)));
        }
        Ok(held)
    }

    /// Asks the server.
    ///
    /// # Errors
    /// When it does not answer, or not with what was asked for.
    pub async fn ask<T: serde::de::DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let mut tries = 0;
        loop {
            match self.ask_once(path).await {
                // It may have to write what a full disk held up before it has time for us.
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

    /// All runs so far, by the journals of the hosts.
    ///
    /// # Errors
    /// When a journal can't be read.
    pub fn runs(&self) -> anyhow::Result<Vec<journal::Run>> {
        let deaths = self.diary.deaths();
        let mut runs = Vec::new();
        for n in 0..HOSTS {
            let lines = journal::read(&journal_of(&self.folder, n))?;
            runs.extend(journal::runs(host_name(n).as_str(), &lines, &deaths));
        }
        Ok(runs)
    }

    /// Ends everything in order.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn close(&self) -> anyhow::Result<()> {
        for service in std::iter::once(&self.server).chain(&self.hosts) {
            if let Some(lie) = service.lock().await.stop().await? {
                self.found(Violation::general(Promise::ProcessesLive, lie));
            }
        }
        Ok(())
    }
}

/// Gives each recipe, the server's first, a clock of its own.
fn give_clocks(recipes: &mut [Recipe], program: &Path, folder: &Path) -> Result<Clocks, String> {
    let make = || -> anyhow::Result<Vec<Clock>> {
        let maker = Clockmaker::find(program, folder)?;
        recipes.iter().map(|recipe| maker.clock(recipe.ready.with_extension("clock"))).collect()
    };
    let clocks = make().map_err(|error| format!("{error:#}"))?;
    for (recipe, clock) in recipes.iter_mut().zip(&clocks) {
        recipe.clock = Some(clock.clone());
    }
    let mut clocks = clocks.into_iter().map(Mutex::new);
    let server = clocks.next().ok_or("there is no server to give a clock to")?;
    Ok(Clocks { server, hosts: clocks.collect() })
}

/// What the configuration calls a host.
pub fn host_name(n: usize) -> HostName {
    HostName::new(format!("soak-{}", n + 1)).expect("lower-case letters, a dash and digits")
}

fn journal_of(folder: &Path, n: usize) -> PathBuf {
    folder.join(format!("{}.journal.jsonl", host_name(n)))
}

fn configuration(lines: &[Line]) -> String {
    let mut text = RULES.to_owned();
    for (n, line) in lines.iter().enumerate() {
        let (name, address) = (host_name(n), line.address);
        writeln!(
            text,
            "\n[[host]]\nname = \"{name}\"\nurl = \"http://{address}\"\nconnect_timeout_seconds = 2"
        )
        .expect("a text takes all that is written to it");
    }
    text
}

fn words(args: &[&str]) -> Vec<String> {
    args.iter().map(|word| (*word).to_owned()).collect()
}

fn server_recipe(folder: &Path, program: &Path, config: &Path) -> Recipe {
    let ready = folder.join("server.ready");
    let path = |path: &Path| path.display().to_string();
    let mut args = words(&["serve", "--listen", "127.0.0.1:0", "--config", &path(config)]);
    args.extend(words(&["--data", &path(&folder.join("data")), "--site", &path(&folder.join("site"))]));
    args.extend(words(&["--ready-file", &path(&ready)]));
    let log = folder.join("server.log");
    Recipe { name: "the server".to_owned(), program: program.to_owned(), args, ready, log, clock: None }
}

fn host_recipe(folder: &Path, program: &Path, n: usize, moments: Moments, lying: bool) -> Recipe {
    let name = host_name(n).to_string();
    let ready = folder.join(format!("{name}.ready"));
    let path = |path: &Path| path.display().to_string();
    let mut args = words(&["host", "--journal", &path(&journal_of(folder, n))]);
    args.extend(words(&["--data", &path(&folder.join("counts")), "--ready-file", &path(&ready)]));
    args.extend(words(&["--zero", &moments.zero().to_string()]));
    if lying {
        args.push("--lying".to_owned());
    }
    let log = folder.join(format!("{name}.log"));
    Recipe { log, name, program: program.to_owned(), args, ready, clock: None }
}
