//! Requests to a running server, one after the other, each measured from the request to the parsed response.

use crate::Latencies;
use anyhow::Context;
use pool::Pool;
use serde_json::{Value, json};
use tokio::time::Instant;

/// Requests `samples` paths, numbered from 0, and describes the latencies.
///
/// # Errors
/// If a request fails, or `samples` is 0.
pub async fn measured(
    pool: &Pool,
    name: &str,
    samples: usize,
    path: impl Fn(usize) -> String,
) -> anyhow::Result<Value> {
    let mut millis = Vec::with_capacity(samples);
    for n in 0..samples {
        let path = path(n);
        let began = Instant::now();
        let _: Value = pool.get(&path).await?;
        millis.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    described(name, millis)
}

/// Name and latencies of requests, as JSON.
///
/// # Errors
/// Without any latency.
pub fn described(name: &str, millis: Vec<f64>) -> anyhow::Result<Value> {
    let latencies = Latencies::of(millis).context("SAMPLES must be at least 1")?;
    Ok(json!({"query": name, "latencies": latencies}))
}
