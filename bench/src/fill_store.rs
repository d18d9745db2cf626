//! Fills a database with ended operations through the store, and measures the write rate.
//!
//!     fill-store DATABASE OPERATIONS
//!
//! Prints one line of JSON.

use anyhow::bail;
use protocol::{OperationId, Time};
use signalbox_bench::filler::Filler;
use std::path::Path;
use store::{Sqlite, Store};
use tokio::time::Instant;

/// Operations per batch, about as many as a busy writer collects.
const BATCH_OPERATIONS: usize = 64;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [database, operations] = args.as_slice() else { bail!("Usage: fill-store DATABASE OPERATIONS") };
    let operations: usize = operations.parse()?;
    let store = Sqlite::open(Path::new(database))?;
    let (mut filler, mut batch) = (Filler::new()?, Vec::new());
    let began = Instant::now();
    for n in 0..operations {
        filler.operation(n, OperationId::new(), Time::now(), &mut batch)?;
        if n % BATCH_OPERATIONS == BATCH_OPERATIONS - 1 || n + 1 == operations {
            store.apply(&batch)?;
            batch.clear();
            // As the writer does after each batch.
            store.index_some()?;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let answer = serde_json::json!({
        "operations": operations,
        "events": filler.seq,
        "seconds": seconds,
        "events_per_second": filler.seq as f64 / seconds,
        "operations_per_second": operations as f64 / seconds,
    });
    println!("{answer}");
    Ok(())
}
