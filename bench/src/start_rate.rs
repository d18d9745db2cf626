//! Measures how many operations per second a server starts, for clients that each send one request after the other. An
//! operation counts once it runs, and is stored durably then.
//!
//!     start-rate URL OPERATIONS CLIENTS [EVERY_MS]
//!
//! The operations report every EVERY_MS milliseconds; by default, once a minute. Prints one line of JSON; latencies are
//! those of the requests, in milliseconds.

use anyhow::{Context, bail};
use pool::{Pool, PoolConfig, Repeat, SseStream};
use protocol::{Event, EventBody, State, paths};
use serde_json::{Value, json};
use signalbox_bench::Latencies;
use std::collections::HashSet;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Timeout for connecting and for silence.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (url, operations, clients, every_ms) = match args.as_slice() {
        [url, operations, clients] => (url, operations, clients, "60000"),
        [url, operations, clients, every_ms] => (url, operations, clients, every_ms.as_str()),
        _ => bail!("Usage: start-rate URL OPERATIONS CLIENTS [EVERY_MS]"),
    };
    let every_ms: u64 = every_ms.parse()?;
    let (operations, clients): (usize, usize) = (operations.parse()?, clients.parse()?);
    let config = PoolConfig { max_connections: clients, ..PoolConfig::default() };
    let pool = Pool::new(url, config)?;
    let stream = pool.stream(paths::EVENTS, None, SILENCE_TIMEOUT, SILENCE_TIMEOUT).await?;
    let running = tokio::spawn(all_running(stream, operations));
    let began = Instant::now();
    let mut requests = JoinSet::new();
    for client in 0..clients {
        // Each client its share; the first ones take the remainder.
        let share = operations / clients + usize::from(client < operations % clients);
        requests.spawn(start(pool.clone(), share, every_ms));
    }
    let mut millis = Vec::with_capacity(operations);
    while let Some(done) = requests.join_next().await {
        millis.extend(done??);
    }
    let accepted = began.elapsed().as_secs_f64();
    running.await??;
    let all_run = began.elapsed().as_secs_f64();
    let latencies = Latencies::of(millis).context("OPERATIONS must be at least 1")?;
    let answer = json!({
        "operations": operations,
        "clients": clients,
        "accepted_per_second": operations as f64 / accepted,
        "running_per_second": operations as f64 / all_run,
        "latencies": latencies,
    });
    println!("{answer}");
    Ok(())
}

/// Starts operations one after the other; returns the latencies.
async fn start(pool: Pool, operations: usize, every_ms: u64) -> anyhow::Result<Vec<f64>> {
    let request = json!({"kind": "bench.tick", "params": {"every_ms": every_ms, "reports": 1_000_000}});
    let mut millis = Vec::with_capacity(operations);
    for _ in 0..operations {
        let began = Instant::now();
        pool.post::<_, Value>(paths::OPERATIONS, &request, Repeat::Never).await?;
        millis.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(millis)
}

/// Waits until this many operations run.
async fn all_running(mut stream: SseStream, operations: usize) -> anyhow::Result<()> {
    let mut running = HashSet::new();
    while running.len() < operations {
        let message = stream.next().await.context("the feed ended")??;
        if !matches!(message.event.as_str(), "message" | "") {
            continue;
        }
        let event: Event = serde_json::from_str(&message.data)?;
        if let EventBody::Operation { operation } = event.body
            && operation.state == State::Running
        {
            running.insert(operation.id);
        }
    }
    Ok(())
}
