//! Changes that store an operation as a busy server does: state by state, queued, starting, running, three progress
//! reports, result, end.

use protocol::host::ResultDoc;
use protocol::operation::AttemptOrigin;
use protocol::{
    Attempt, Event, EventBody, HostName, KindName, Operation, OperationId, Progress, State, Time,
};
use store::{Change, EventRecord};

/// Numbers the events of the operations that it writes.
pub struct Filler {
    kind: KindName,
    host: HostName,
    /// Number of the last event.
    pub seq: u64,
}

impl Filler {
    /// Filler of an empty database.
    ///
    /// # Errors
    /// If the names of kind and host are not valid, which is a mistake here.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { kind: KindName::new("bench.tick")?, host: HostName::new("ticking")?, seq: 0 })
    }

    /// Adds all changes of operation number `n`. Its title has the number, and so has a parameter, modulo 1,000.
    ///
    /// # Errors
    /// If an event can't be written as JSON.
    pub fn operation(
        &mut self,
        n: usize,
        id: OperationId,
        now: Time,
        batch: &mut Vec<Change>,
    ) -> anyhow::Result<()> {
        let params = serde_json::json!({"reports": 3, "every_ms": n % 1_000});
        let mut operation =
            Operation::queued(id, self.kind.clone(), format!("3 reports, {n:05}"), params, now);
        let end = [State::Succeeded, State::Succeeded, State::Failed, State::Cancelled][n % 4];
        for state in [State::Queued, State::Starting, State::Running, end] {
            operation.state = state;
            match state {
                State::Starting => operation.host = Some(self.host.clone()),
                State::Running => operation.started_at = Some(now),
                state if state.ended() => operation.ended_at = Some(now),
                _ => {}
            }
            operation.seq = self.seq + 1;
            self.event(now, EventBody::Operation { operation: Box::new(operation.clone()) }, batch)?;
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
            batch.push(Change::Operation {
                operation: Box::new(operation.clone()),
                attempt: Box::new(attempt),
            });
            if state == State::Running {
                for done in 1..=3 {
                    let progress =
                        Progress { done, total: Some(3), unit: "reports".into(), ..Progress::start(now) };
                    batch.push(Change::Progress { id, heard_at: now, progress: progress.clone() });
                    self.event(now, EventBody::Progress { id, attempt: 1, progress, forecast: None }, batch)?;
                }
            }
        }
        let document = serde_json::json!({"reports": 3});
        let result = ResultDoc { document, ..ResultDoc::default() };
        batch.push(Change::Result { id, attempt: 1, result: Box::new(result) });
        Ok(())
    }

    fn event(&mut self, at: Time, body: EventBody, batch: &mut Vec<Change>) -> anyhow::Result<()> {
        self.seq += 1;
        let event = Event { seq: self.seq, at, body };
        let progress = matches!(event.body, EventBody::Progress { .. });
        let json = serde_json::to_string(&event)?.into();
        batch.push(Change::Event(EventRecord {
            seq: self.seq,
            operation: event.operation(),
            progress,
            json,
        }));
        Ok(())
    }
}
