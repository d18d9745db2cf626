//! Simulated hosts with months of metrics: fills a history, then serves the hosts until its standard input closes.
//!
//!     simulated-hosts DATABASE HOSTS DAYS
//!
//! Prints one line of JSON with the names and URLs of the hosts, and how long filling took. Each host is a real host of
//! host-kit with a machine of its own; only its samples are simulated. Nothing listens at the URL of every tenth host.

use anyhow::bail;
use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};
use host_kit::Host;
use protocol::samples::{HostSamples, SAMPLES_VERSION};
use protocol::{InstanceId, Time};
use serde::Deserialize;
use serde_json::json;
use signalbox_bench::history_filler::{Original, fill, machine_id};
use signalbox_bench::simulated_load::metrics;
use signalbox_bench::tick::Tick;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// Slots of each host.
const SLOTS: u32 = 4;
/// One host of so many is unreachable.
const UNREACHABLE: usize = 10;
/// Port of the discard service, where nothing listens.
const NOWHERE: &str = "http://127.0.0.1:9";
/// Largest number of samples of a response, and of samples that are still there.
const MAX_SAMPLES: u64 = 600;
const HOUR_SECONDS: u64 = 3_600;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [database, hosts, days] = args.as_slice() else {
        bail!("Usage: simulated-hosts DATABASE HOSTS DAYS")
    };
    let (hosts, days): (usize, i64) = (hosts.parse()?, days.parse()?);
    let names: Vec<String> = (1..=hosts).map(|n| format!("host-{n:03}")).collect();
    let database = Path::new(database);
    // The samples of the hosts begin where the history ends.
    let start = Start { at: Instant::now(), micros: Time::now().micros() };
    fill(database, &names, days, start.second() + 1, Original::WEEK)?;
    let seconds = start.at.elapsed().as_secs_f64();

    let mut served = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let url = match n % UNREACHABLE {
            0 => NOWHERE.to_owned(),
            _ => serve(n, name, start).await?,
        };
        served.push(json!({"name": name, "url": url}));
    }
    let bytes = std::fs::metadata(database)?.len();
    println!("{}", json!({"hosts": served, "fill_seconds": seconds, "bytes": bytes}));
    let mut input = tokio::io::stdin();
    while input.read(&mut [0; 64]).await? > 0 {}
    // Connections of the server may still be open.
    std::process::exit(0);
}

/// Serves a host with the load `n` on a free port; returns its URL.
async fn serve(n: usize, name: &str, start: Start) -> anyhow::Result<String> {
    let host =
        Host::builder(name, env!("CARGO_PKG_VERSION")).capacity(SLOTS).sampling(false).work(Tick).build()?;
    let sampler = Sampler { load: n, machine: machine_id(name), instance: host.instance(), start };
    let samples = Router::new().route("/host/v1/samples", get(samples)).with_state(Arc::new(sampler));
    let router = samples.fallback_service(host.router());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move {
        // Stops its work when it is dropped.
        let _host = host;
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
    });
    Ok(url)
}

/// Tick 0 of all hosts.
#[derive(Clone, Copy)]
struct Start {
    at: Instant,
    /// Same, in microseconds since 1970.
    micros: i64,
}

impl Start {
    /// Second of tick 0, since 1970.
    fn second(self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    /// Current position on the scale of ticks.
    fn now_tick(self) -> f64 {
        self.at.elapsed().as_secs_f64() + self.micros.rem_euclid(1_000_000) as f64 / 1e6
    }
}

/// Simulated samples of a host.
struct Sampler {
    load: usize,
    machine: String,
    instance: InstanceId,
    start: Start,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    after: u64,
    limit: Option<u64>,
}

async fn samples(State(sampler): State<Arc<Sampler>>, Query(wanted): Query<Wanted>) -> Json<HostSamples> {
    let now_tick = sampler.start.now_tick();
    let newest_tick = now_tick as u64;
    let first = wanted.after.max(newest_tick.saturating_sub(HOUR_SECONDS)) + 1;
    let limit = wanted.limit.unwrap_or(MAX_SAMPLES).min(MAX_SAMPLES);
    let ticks: Vec<u64> = (first..=newest_tick).take(limit as usize).collect();
    let mut by_metric: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for tick in &ticks {
        for (metric, value) in metrics(sampler.load, sampler.start.second().saturating_add_unsigned(*tick)) {
            by_metric.entry(metric.to_owned()).or_default().push(Some(value));
        }
    }
    Json(HostSamples {
        version: SAMPLES_VERSION,
        instance: sampler.instance,
        machine: Some(sampler.machine.clone()),
        now_tick,
        newest_tick,
        ticks,
        metrics: by_metric,
        operations: Vec::new(),
    })
}
