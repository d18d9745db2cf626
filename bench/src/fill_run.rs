//! Fills a database with one long run: an operation with a long curve and a long log.
//!
//!     fill-run DATABASE POINTS LINES
//!
//! Prints one line of JSON with the ID of the operation.

use anyhow::bail;
use protocol::{LogLevel, LogLine, OperationId, Point, Points, Time};
use signalbox_bench::filler::Filler;
use std::path::Path;
use store::{Change, Sqlite, Store};
use tokio::time::Instant;

/// Points or lines per change, as a host delivers them at most every 100 ms.
const DELIVERED: u64 = 100;
/// Changes per batch of the writer.
const BATCH: usize = 64;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [database, points, lines] = args.as_slice() else { bail!("Usage: fill-run DATABASE POINTS LINES") };
    let (points, lines): (u64, u64) = (points.parse()?, lines.parse()?);
    let store = Sqlite::open(Path::new(database))?;
    let id = OperationId::new();
    let mut batch = Vec::new();
    Filler::new()?.operation(0, id, Time::now(), &mut batch)?;
    store.apply(&batch)?;
    let points_seconds = stored(&store, points, |from, to| {
        let y = |x: u64| ((x * 7_919) % 10_007) as f64;
        let points = (from..to).map(|x| Point(x as f64, y(x))).collect();
        Change::Points { id, attempt: 1, series: vec![Points { name: "loss".into(), points }] }
    })?;
    let lines_seconds = stored(&store, lines, |from, to| {
        let line = |n| LogLine { n: n + 1, at: Time::now(), level: LogLevel::Info, text: text(n) };
        Change::Log { id, attempt: 1, lines: (from..to).map(line).collect() }
    })?;
    let answer = serde_json::json!({
        "id": id,
        "points_per_second": points as f64 / points_seconds,
        "lines_per_second": lines as f64 / lines_seconds,
    });
    println!("{answer}");
    Ok(())
}

/// Line of 60 to 70 characters; its number is in it.
fn text(n: u64) -> String {
    format!("epoch {n:08}: loss 0.4127, accuracy 0.8713, 1,204 samples per second")
}

/// Stores `total` items in changes of [`DELIVERED`]; returns the seconds.
fn stored(store: &Sqlite, total: u64, change: impl Fn(u64, u64) -> Change) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut batch = Vec::with_capacity(BATCH);
    for from in (0..total).step_by(DELIVERED as usize) {
        batch.push(change(from, (from + DELIVERED).min(total)));
        if batch.len() == BATCH {
            store.apply(&batch)?;
            batch.clear();
        }
    }
    store.apply(&batch)?;
    Ok(began.elapsed().as_secs_f64())
}
