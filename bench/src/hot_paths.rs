//! Hot paths of the server and of the page, to count allocations and instructions: counts are the same in each run,
//! times are not. `scripts/counts.sh` compares them with the committed ones.
//!
//! ```text
//! hot-paths                  prints the paths with their allocations, as JSON
//! hot-paths PATH REPEATS     runs one path, for callgrind, which counts within the function `counted`
//! ```

use anyhow::{Context, bail};
use engine::lifecycle::{Message, Record, step};
use engine::{Cursor, Feed, Frame, RingLimits};
use histogram::Histogram;
use live::OperationStore;
use protocol::api::{Snapshot, StateCount};
use protocol::filter::Filter;
use protocol::host::{HostEventBody, Outcome};
use protocol::{
    Event, EventBody, HostName, InstanceId, KindName, Operation, OperationId, Progress, State, Time,
};
use serde_json::{Value, json};
use signalbox_bench::filler::Filler;
use std::hint::black_box;
use std::sync::Arc;
use store::{EventRecord, Sqlite, Store};

/// Repeats before counting, so that buffers have their size.
const WARM_UP: u64 = 32;
/// Repeats over which allocations are averaged.
const REPEATS: u64 = 256;
/// Readers of the feed.
const READERS: usize = 16;
/// Operations of the page.
const OPERATIONS: u64 = 100;
/// Operations of the database: three slices of the search index.
const STORED: usize = 768;
/// Values that one repeat records.
const VALUES: u64 = 100;

/// One repeat of a path; gets its number.
type Repeat = Box<dyn FnMut(u64) -> anyhow::Result<()>>;

/// A path, what one repeat does, and the function that prepares it.
struct Path {
    name: &'static str,
    repeat: &'static str,
    prepare: fn() -> anyhow::Result<Repeat>,
}

static PATHS: [Path; 8] = [
    Path { name: "feed", repeat: "encodes an event, publishes it, 16 readers read it", prepare: feed },
    Path { name: "live-progress", repeat: "the page applies a progress event", prepare: live_progress },
    Path { name: "live-operation", repeat: "the page applies a changed state", prepare: live_operation },
    Path { name: "lifecycle", repeat: "an operation from its start to its end", prepare: lifecycle },
    Path { name: "page", repeat: "page of 50 stored operations", prepare: || pages(&[]) },
    Path { name: "search", repeat: "search for a rare word", prepare: || pages(&[("q", "00377")]) },
    Path { name: "write", repeat: "stores an operation in 4 states, with 7 events", prepare: write },
    Path { name: "histogram", repeat: "records 100 values", prepare: histogram_record },
];

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [] => allocations(),
        [name, repeats] => {
            let path = PATHS.iter().find(|path| path.name == name).context("there is no such path")?;
            let mut repeat = (path.prepare)()?;
            (0..WARM_UP).try_for_each(&mut repeat)?;
            counted(&mut repeat, repeats.parse()?)
        }
        _ => bail!("Usage: hot-paths [PATH REPEATS]"),
    }
}

/// Callgrind counts from the entry of this function to its end, so it must keep its name and have no copy.
#[inline(never)]
fn counted(repeat: &mut Repeat, times: u64) -> anyhow::Result<()> {
    (WARM_UP..WARM_UP + times).try_for_each(repeat)
}

fn allocations() -> anyhow::Result<()> {
    let mut paths = Vec::new();
    for path in &PATHS {
        let mut repeat = (path.prepare)()?;
        (0..WARM_UP).try_for_each(&mut repeat)?;
        let mut done = Ok(());
        let counts = allocation_counter::measure(|| done = counted(&mut repeat, REPEATS));
        done?;
        let each = |n: u64| n as f64 / REPEATS as f64;
        paths.push(json!({
            "path": path.name,
            "repeat": path.repeat,
            "allocations": each(counts.count_total),
            "bytes": each(counts.bytes_total),
        }));
    }
    println!("{}", Value::Array(paths));
    Ok(())
}

/// Always the same: counts must not depend on the clock.
fn now() -> Time {
    Time::from_micros(1_790_000_000_000_000)
}

fn id(n: u64) -> anyhow::Result<OperationId> {
    Ok(format!("0199c2d4-7f3a-7c11-9e1b-{n:012x}").parse()?)
}

fn operation(n: u64, state: State) -> anyhow::Result<Operation> {
    let params = json!({"symbol": "MSFT", "timeframe": "1h", "rows": 10_000});
    let queued =
        Operation::queued(id(n)?, KindName::new("data.load")?, "MSFT 1h · full".into(), params, now());
    Ok(Operation { state, ..queued })
}

fn progress(done: u64) -> Progress {
    Progress { done, total: Some(10_000), unit: "rows".into(), ..Progress::start(now()) }
}

fn progress_event(seq: u64, operation: u64) -> anyhow::Result<Event> {
    let body =
        EventBody::Progress { id: id(operation)?, attempt: 1, progress: progress(seq), forecast: None };
    Ok(Event { seq, at: now(), body })
}

fn feed() -> anyhow::Result<Repeat> {
    let feed = Arc::new(Feed::new(0, RingLimits::default()));
    let mut readers: Vec<Cursor> = (0..READERS).map(|_| Cursor::new(feed.clone(), 0, None)).collect();
    Ok(Box::new(move |n| {
        let event = progress_event(n + 1, n % OPERATIONS)?;
        let json = serde_json::to_string(&event)?.into();
        let record = EventRecord { seq: event.seq, operation: event.operation(), progress: true, json };
        feed.publish(vec![Frame::new(&record)], || {});
        for reader in &mut readers {
            black_box(reader.read());
        }
        Ok(())
    }))
}

/// A page with running operations.
fn open_page() -> anyhow::Result<OperationStore> {
    let live = OperationStore::default();
    let operations: Vec<Operation> =
        (0..OPERATIONS).map(|n| operation(n, State::Running)).collect::<anyhow::Result<_>>()?;
    live.seed(&Snapshot {
        seq: 0,
        now: now(),
        server: "0199c2d4-7f3a-7c11-9e1b-000000000001".parse()?,
        version: "0.1.0".into(),
        operations,
        counts: vec![StateCount { state: State::Running, count: OPERATIONS }],
        ended_from: None,
        hosts: Vec::new(),
        alerts: protocol::alerts::AlertSummary::default(),
    });
    Ok(live)
}

/// Clock of the browser at a repeat: a report every 10 ms.
fn clock(n: u64) -> f64 {
    1_790_000_000_000.0 + n as f64 * 10.0
}

fn live_progress() -> anyhow::Result<Repeat> {
    let live = open_page()?;
    Ok(Box::new(move |n| {
        live.apply(&progress_event(n + 1, n % OPERATIONS)?, clock(n));
        live.show_reports(clock(n), clock(n));
        Ok(())
    }))
}

fn live_operation() -> anyhow::Result<Repeat> {
    let live = open_page()?;
    Ok(Box::new(move |n| {
        // Each operation alternates between two states.
        let state = if (n / OPERATIONS).is_multiple_of(2) { State::Cancelling } else { State::Running };
        let changed = Operation { seq: n + 1, ..operation(n % OPERATIONS, state)? };
        let body = EventBody::Operation { operation: Box::new(changed) };
        live.apply(&Event { seq: n + 1, at: now(), body }, clock(n));
        Ok(())
    }))
}

fn lifecycle() -> anyhow::Result<Repeat> {
    let instance: InstanceId = "0199c2d4-7f3a-7c11-9e1b-000000000002".parse()?;
    let host = HostName::new("data-1")?;
    let kind = KindName::new("data.load")?;
    Ok(Box::new(move |n| {
        let params = json!({"symbol": "MSFT"});
        let mut record = Record::new(id(n)?, kind.clone(), "MSFT 1h · full".into(), params, now());
        let reported = |body| Message::Host { attempt: 1, at: now(), body };
        let ended =
            HostEventBody::Ended { outcome: Outcome::Succeeded, failure: None, result: None, usage: None };
        for message in [
            Message::Chosen { host: host.clone(), instance },
            reported(HostEventBody::Running),
            reported(HostEventBody::Progress { progress: progress(1) }),
            reported(HostEventBody::Progress { progress: progress(2) }),
            reported(ended),
        ] {
            black_box(step(&mut record, message, now())?);
        }
        if record.operation.state != State::Succeeded {
            bail!("the operation is {}", record.operation.state);
        }
        Ok(())
    }))
}

/// A database with operations, and its folder, which is deleted with it.
fn database(operations: usize) -> anyhow::Result<(tempfile::TempDir, Sqlite, Filler)> {
    let folder = tempfile::tempdir()?;
    let store = Sqlite::open(&folder.path().join("signalbox.db"))?;
    let (mut filler, mut batch) = (Filler::new()?, Vec::new());
    for n in 0..operations {
        filler.operation(n, id(n as u64)?, now(), &mut batch)?;
    }
    store.apply(&batch)?;
    while store.index_some()? {}
    Ok((folder, store, filler))
}

fn pages(words: &'static [(&'static str, &'static str)]) -> anyhow::Result<Repeat> {
    let (folder, store, _) = database(STORED)?;
    let filter = Filter::parse(words.iter().copied())?;
    Ok(Box::new(move |_| {
        // The folder lives as long as this closure.
        let _ = &folder;
        if store.page(black_box(&filter))?.operations.is_empty() {
            bail!("the page is empty");
        }
        Ok(())
    }))
}

fn write() -> anyhow::Result<Repeat> {
    let (folder, store, mut filler) = database(0)?;
    let mut batch = Vec::new();
    Ok(Box::new(move |n| {
        let _ = &folder;
        batch.clear();
        filler.operation(n as usize, id(n)?, now(), &mut batch)?;
        store.apply(&batch)?;
        store.index_some()?;
        Ok(())
    }))
}

fn histogram_record() -> anyhow::Result<Repeat> {
    let mut latencies = Histogram::default();
    Ok(Box::new(move |n| {
        for value in 0..VALUES {
            latencies.record(((n * VALUES + value) % 1_000 + 1) as f64 / 1_000.0)?;
        }
        black_box(&latencies);
        Ok(())
    }))
}
