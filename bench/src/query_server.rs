//! Measures requests to a running server, from the request to the parsed response, one after the other on one
//! connection: pages of the list, searches, the snapshot.
//!
//!     query-server URL SAMPLES STORED
//!
//! STORED is the number of operations with which `fill-store` filled the database. Prints one line of JSON.

use anyhow::bail;
use pool::{Pool, PoolConfig};
use protocol::api::OperationPage;
use protocol::paths;
use serde_json::{Value, json};
use signalbox_bench::requests::{described, measured};
use tokio::time::Instant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, samples, stored] = args.as_slice() else { bail!("Usage: query-server URL SAMPLES STORED") };
    let (samples, stored): (usize, usize) = (samples.parse()?, stored.parse()?);
    let pool = Pool::new(url, PoolConfig::default())?;
    let nth = |n: usize| (n * 7_919) % stored.max(1);
    let list = format!("{}?limit=50", paths::OPERATIONS);
    let answer = json!([
        pages(&pool, "page of 50, newest first, consecutive pages", samples, &list).await?,
        pages(&pool, "page of 50 failed operations", samples, &format!("{list}&state=failed")).await?,
        measured(&pool, "page of 50, a rare text", samples, |n| format!("{list}&q={:05}", nth(n))).await?,
        measured(&pool, "page of 50, a rare and a common text", samples, |n| {
            format!("{list}&q=bench+{:05}", nth(n))
        })
        .await?,
        measured(&pool, "page of 50, one of 1,000 values of a parameter", samples, |n| {
            format!("{list}&param.every_ms={}", n % 1_000)
        })
        .await?,
        measured(&pool, "snapshot", samples, |_| paths::SNAPSHOT.to_owned()).await?,
    ]);
    println!("{answer}");
    Ok(())
}

/// Pages in their order, from the first one again after the last one.
async fn pages(pool: &Pool, name: &str, samples: usize, list: &str) -> anyhow::Result<Value> {
    let mut millis = Vec::with_capacity(samples);
    let mut after = None;
    while millis.len() < samples {
        let path = match &after {
            Some(after) => format!("{list}&after={after}"),
            None => list.to_owned(),
        };
        let began = Instant::now();
        let page: OperationPage = pool.get(&path).await?;
        millis.push(began.elapsed().as_secs_f64() * 1_000.0);
        after = page.next;
    }
    described(name, millis)
}
