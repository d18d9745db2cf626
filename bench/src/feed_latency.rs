//! Measures the latency from a host's progress call to a reader of the server's feed. Each report of the ticking host
//! contains the time of its call.
//!
//!     feed-latency URL SECONDS
//!
//! Prints one line of JSON with latencies in milliseconds.

use anyhow::{Context, bail};
use pool::{Pool, PoolConfig};
use protocol::{Event, EventBody, Time, paths};
use signalbox_bench::Latencies;
use std::time::Duration;
use tokio::time::Instant;

/// Timeout for connecting and for silence; a benchmark is never silent for that long.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, seconds] = args.as_slice() else { bail!("Usage: feed-latency URL SECONDS") };
    let seconds: f64 = seconds.parse()?;
    let pool = Pool::new(url, PoolConfig::default())?;
    let mut stream = pool.stream(paths::EVENTS, None, SILENCE_TIMEOUT, SILENCE_TIMEOUT).await?;
    let mut millis: Vec<f64> = Vec::new();
    let mut skipped: u64 = 0;
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    while Instant::now() < end {
        let message = stream.next().await.context("the feed ended")??;
        match message.event.as_str() {
            "message" | "" => {}
            "skipped" => {
                let gap: protocol::event::Skipped = serde_json::from_str(&message.data)?;
                skipped += gap.to - gap.from + 1;
                continue;
            }
            _ => continue,
        }
        let now = Time::now();
        let event: Event = serde_json::from_str(&message.data)?;
        if let EventBody::Progress { progress, .. } = event.body
            && let Some(called) = progress.message.strip_prefix("called@").and_then(|c| c.parse::<i64>().ok())
        {
            millis.push((now.micros() - called) as f64 / 1_000.0);
        }
    }
    let per_second = millis.len() as f64 / seconds;
    let Some(Latencies { samples, p50, p99, max }) = Latencies::of(millis) else {
        bail!("no progress within {seconds} s");
    };
    let answer = serde_json::json!({
        "samples": samples, "per_second": per_second, "p50": p50, "p99": p99, "max": max, "skipped": skipped,
    });
    println!("{answer}");
    Ok(())
}
