//! Measures how long it takes until a started operation runs, and until a cancelled one is released, one operation
//! after the other. Uses the times that the server records.
//!
//!     start-cancel URL OPERATIONS
//!
//! Prints one line of JSON with latencies in milliseconds.

use anyhow::{Context, bail};
use pool::{Pool, PoolConfig, Repeat};
use protocol::api::OperationDetail;
use protocol::{Operation, State, Time, paths};
use serde_json::{Value, json};
use signalbox_bench::Latencies;
use std::time::Duration;

/// Pause between two questions for the state.
const PAUSE: Duration = Duration::from_millis(2);

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, operations] = args.as_slice() else { bail!("Usage: start-cancel URL OPERATIONS") };
    let operations: usize = operations.parse()?;
    let pool = Pool::new(url, PoolConfig::default())?;
    let request = json!({"kind": "bench.tick", "params": {"every_ms": 60_000, "reports": 1_000_000}});
    let (mut started, mut released) = (Vec::new(), Vec::new());
    for _ in 0..operations {
        let (_, operation): (_, Operation) = pool.post(paths::OPERATIONS, &request, Repeat::Never).await?;
        let path = paths::operation(operation.id);
        reached(&pool, &path, State::Running).await?;
        pool.post::<_, Value>(&paths::action(operation.id, "cancel"), &json!({}), Repeat::Never).await?;
        let ended = reached(&pool, &path, State::Cancelled).await?;
        let receipt = ended.receipt.as_ref().context("a cancelled operation has no receipt")?;
        started.push(millis(ended.created_at, ended.started_at.context("it has never run")?));
        let confirmed = receipt.released.context("the receipt has no time of the release")?;
        released.push(millis(receipt.requested, confirmed));
    }
    println!("{}", json!({"started": Latencies::of(started), "released": Latencies::of(released)}));
    Ok(())
}

/// Waits until the operation has a state.
async fn reached(pool: &Pool, path: &str, state: State) -> anyhow::Result<Operation> {
    loop {
        let OperationDetail { operation, .. } = pool.get(path).await?;
        if operation.state == state {
            return Ok(operation);
        }
        if operation.state.ended() {
            bail!("operation {} is {} instead of {state}", operation.id, operation.state);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn millis(from: Time, to: Time) -> f64 {
    (to.micros() - from.micros()) as f64 / 1_000.0
}
