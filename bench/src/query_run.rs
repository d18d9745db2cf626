//! Measures requests for one long run, as its page sends them: detail, curve, zoomed curve, end and middle of the log,
//! search in the log.
//!
//!     query-run URL SAMPLES ID POINTS LINES
//!
//! The operation is one that `fill-run` stored. Prints one line of JSON.

use anyhow::bail;
use pool::{Pool, PoolConfig};
use protocol::{OperationId, paths};
use serde_json::json;
use signalbox_bench::requests::measured;

/// Points that the page requests for one chart.
const CHART_POINTS: u32 = 2_000;
/// Lines that the page requests at once.
const PAGE_LINES: u64 = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, samples, id, points, lines] = args.as_slice() else {
        bail!("Usage: query-run URL SAMPLES ID POINTS LINES")
    };
    let (samples, points, lines): (usize, u64, u64) = (samples.parse()?, points.parse()?, lines.parse()?);
    let id: OperationId = id.parse()?;
    let pool = Pool::new(url, PoolConfig::default())?;
    let nth = |n: usize, of: u64| (n as u64 * 7_919) % of.max(1);
    let series = paths::series(id, CHART_POINTS);
    let mut answer = vec![measured(&pool, "operation", samples, |_| paths::operation(id)).await?];
    if points > 0 {
        answer.push(measured(&pool, "whole curve", samples, |_| series.clone()).await?);
        let zoom = |n| {
            let from = nth(n, points);
            format!("{series}&from={from}&to={}", from + points / 100)
        };
        answer.push(measured(&pool, "curve, zoomed to 1 %", samples, zoom).await?);
    }
    if lines > 0 {
        answer.push(
            measured(&pool, "end of the log", samples, |_| paths::logs(id, 1, None, PAGE_LINES)).await?,
        );
        let middle = |n| paths::logs(id, 1, Some(nth(n, lines) + 1), PAGE_LINES);
        answer.push(measured(&pool, "middle of the log", samples, middle).await?);
        // One request searches at most 100,000 lines.
        let search = |n| format!("{}?q={:08}", paths::log_search(id), nth(n, lines));
        answer.push(measured(&pool, "search in the log, one request", samples, search).await?);
    }
    println!("{}", json!(answer));
    Ok(())
}
