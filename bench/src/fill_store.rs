//! Fills a database with ended operations through the store, and measures the write rate. Each operation is written
//! state by state: queued, starting, running, three progress reports, result, end.
//!
//!     fill-store DATABASE OPERATIONS
//!
//! Prints one line of JSON.

use anyhow::bail;
use protocol::host::ResultDoc;
use protocol::operation::AttemptOrigin;
use protocol::{
    Attempt, Event, EventBody, HostName, KindName, Operation, OperationId, Progress, State, Time,
};
use std::path::Path;
use store::{Change, EventRecord, Sqlite, Store};
use tokio::time::Instant;

/// Operations per batch, about as many as a busy writer collects.
const BATCH_OPERATIONS: usize = 64;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [database, operations] = args.as_slice() else { bail!("Usage: fill-store DATABASE OPERATIONS") };
    let operations: usize = operations.parse()?;
    let store = Sqlite::open(Path::new(database))?;
    let kind = KindName::new("bench.tick")?;
    let host = HostName::new("ticking")?;
    let (mut seq, mut batch) = (0, Vec::new());
    let began = Instant::now();
    for n in 0..operations {
        write_operation(n, &kind, &host, &mut seq, &mut batch)?;
        if n % BATCH_OPERATIONS == BATCH_OPERATIONS - 1 || n + 1 == operations {
            store.apply(&batch)?;
            batch.clear();
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let answer = serde_json::json!({
        "operations": operations,
        "events": seq,
        "seconds": seconds,
        "events_per_second": seq as f64 / seconds,
        "operations_per_second": operations as f64 / seconds,
    });
    println!("{answer}");
    Ok(())
}

fn write_operation(
    n: usize,
    kind: &KindName,
    host: &HostName,
    seq: &mut u64,
    batch: &mut Vec<Change>,
) -> anyhow::Result<()> {
    let now = Time::now();
    let id = OperationId::new();
    let params = serde_json::json!({"reports": 3, "every_ms": n % 1_000});
    let mut operation = Operation::queued(id, kind.clone(), format!("3 reports, {n}"), params, now);
    let end = [State::Succeeded, State::Succeeded, State::Failed, State::Cancelled][n % 4];
    for state in [State::Queued, State::Starting, State::Running, end] {
        operation.state = state;
        match state {
            State::Starting => operation.host = Some(host.clone()),
            State::Running => operation.started_at = Some(now),
            state if state.ended() => operation.ended_at = Some(now),
            _ => {}
        }
        *seq += 1;
        operation.seq = *seq;
        event(*seq, now, EventBody::Operation { operation: Box::new(operation.clone()) }, batch)?;
        let attempt = Attempt {
            number: 1,
            origin: AttemptOrigin::Start,
            state,
            host: operation.host.clone(),
            instance: None,
            created_at: now,
            started_at: operation.started_at,
            ended_at: operation.ended_at,
            failure: None,
            receipt: None,
            resumed_from: None,
            usage: None,
        };
        batch.push(Change::Operation { operation: Box::new(operation.clone()), attempt: Box::new(attempt) });
        if state == State::Running {
            for done in 1..=3 {
                *seq += 1;
                let progress =
                    Progress { done, total: Some(3), unit: "reports".into(), ..Progress::start(now) };
                batch.push(Change::Progress { id, heard_at: now, progress: progress.clone() });
                event(*seq, now, EventBody::Progress { id, attempt: 1, progress, forecast: None }, batch)?;
            }
        }
    }
    let document = serde_json::json!({"reports": 3});
    let result = ResultDoc { document, ..ResultDoc::default() };
    batch.push(Change::Result { id, attempt: 1, result: Box::new(result) });
    Ok(())
}

fn event(seq: u64, at: Time, body: EventBody, batch: &mut Vec<Change>) -> anyhow::Result<()> {
    let event = Event { seq, at, body };
    let progress = matches!(event.body, EventBody::Progress { .. });
    let json = serde_json::to_string(&event)?.into();
    batch.push(Change::Event(EventRecord { seq, operation: event.operation(), progress, json }));
    Ok(())
}
