//! Training host and workers of April 2026: operations, with metrics behind a cursor, cancelled with DELETE.
//!
//! On the training host, DELETE changes only the record. What really runs is in its session list, which workers don't
//! have. It is queried if the record of a training says cancelled or shows no activity.

pub(crate) mod read;
mod sessions;
mod steps;

use crate::foreign::{Foreign, GoneOn};
use crate::look::{Look, Position, Pulse, Stand};
use crate::shape::Node;
use crate::timing::{Timing, seconds};
use crate::wire::{CallError, Wire, escaped};
use async_trait::async_trait;
use serde_json::{Value, json};
use sessions::Session;
use std::sync::atomic::{AtomicBool, Ordering};

/// Purpose of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Training,
    Backtests,
}

/// Client of the service, for one purpose.
#[derive(Debug)]
pub(crate) struct Operations {
    wire: Wire,
    area: Area,
    timing: Timing,
    /// Whether the service has no session list.
    no_sessions: AtomicBool,
}

impl Operations {
    pub fn new(wire: Wire, area: Area, timing: Timing) -> Self {
        Self { wire, area, timing, no_sessions: AtomicBool::new(false) }
    }

    async fn begin(&self, path: &str, body: &Value) -> Result<GoneOn, CallError> {
        let answer = self.wire.post(path, body, seconds(self.timing.start)).await?;
        let call = format!("POST {path}");
        let node = Node::answer(&call, &answer);
        let last = node.get("resumed_from_epoch").and_then(|epoch| epoch.count().ok());
        Ok(GoneOn {
            id: node.need("operation_id")?.text()?.to_owned(),
            first_epoch: last.map_or(0, |epoch| epoch + 1),
        })
    }

    /// State of a run in the session list; `None` if the service has no such list.
    async fn session(&self, id: &str) -> Result<Option<Session>, CallError> {
        if self.area != Area::Training || self.no_sessions.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match self.wire.get("/training/sessions", seconds(self.timing.look)).await {
            Ok(answer) => sessions::find(&answer, id).map(Some),
            Err(error) if matches!(error.status(), Some(404 | 405)) => {
                self.no_sessions.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Record of a run, with new metrics.
    async fn record(&self, id: &str, from: Position) -> Result<Look, CallError> {
        let path = format!("/api/v1/operations/{}", escaped(id));
        let operation = self.wire.get(&path, seconds(self.timing.look)).await?;
        let mut look = read::look(&operation, self.area, from.moved)?;
        if self.area == Area::Training {
            self.add_metrics(&mut look, id, from).await;
            if look.stand == Stand::Completed
                && let Some(summary) = &look.summary
            {
                // The last epochs are only in the result, and all of them if nobody polled meanwhile.
                let first = look.first_epoch.unwrap_or(from.first_epoch);
                let history = read::history(summary, first);
                read::add(&mut look.epochs, history);
            }
        }
        Ok(look)
    }

    /// Adds the metrics after the cursor: the record repeats its whole history each time, a second old, and none of it
    /// at the end.
    async fn add_metrics(&self, look: &mut Look, id: &str, from: Position) {
        let path = format!("/api/v1/operations/{}/metrics?cursor={}", escaped(id), from.cursor);
        match self.wire.get(&path, seconds(self.timing.look)).await {
            Ok(answer) => {
                let metrics = read::metrics(&answer);
                look.unread.extend(metrics.unread);
                if from.cursor == 0 {
                    look.first_epoch = metrics.epochs.first().map(|epoch| epoch.number);
                }
                // The index restarts if another client resumed the run.
                look.cursor = metrics.cursor.map(|next| if next < from.cursor { 0 } else { next });
                read::add(&mut look.epochs, metrics.epochs);
            }
            // They can be gone after the end, which is not a failure of the run.
            Err(gone) => tracing::debug!(%gone, "no metrics after the cursor"),
        }
    }
}

#[async_trait]
impl Foreign for Operations {
    fn protocol(&self) -> &'static str {
        crate::service::Protocol::Worker.as_str()
    }

    fn base(&self) -> &str {
        self.wire.base()
    }

    fn unit(&self) -> &'static str {
        match self.area {
            Area::Training => "epochs",
            Area::Backtests => "bars",
        }
    }

    async fn start(&self, id: &str, order: &Value) -> Result<String, CallError> {
        let mut body = order.clone();
        if let Some(body) = body.as_object_mut() {
            body.insert("task_id".to_owned(), json!(id));
        }
        let path = match self.area {
            Area::Training => "/training/start",
            Area::Backtests => "/backtests/start",
        };
        self.begin(path, &body).await.map(|begun| begun.id)
    }

    async fn look(&self, id: &str, from: Position) -> Result<Look, CallError> {
        let mut look = self.record(id, from).await?;
        let doubtful = matches!(look.stand, Stand::Stopped(_)) || look.pulse == Pulse::Bare;
        // If a training completed without being polled, the training host's record has no epochs.
        let unseen = look.stand == Stand::Completed && look.epochs.is_empty() && from.next_epoch == 0;
        if unseen {
            if let Ok(Some(Session::Completed(epochs))) = self.session(id).await {
                look.steps.done = epochs;
            }
            return Ok(look);
        }
        if !doubtful {
            return Ok(look);
        }
        match (self.session(id).await?, &look.stand) {
            (Some(Session::Running(steps)), Stand::Running) => {
                (look.pulse, look.steps) = (Pulse::Agrees, steps)
            }
            (Some(Session::Running(steps)), _) => {
                (look.stand, look.pulse, look.steps) = (Stand::Running, Pulse::RunsOn, steps);
            }
            (Some(Session::Completed(epochs)), _) => {
                // It completed after the record was read, or despite the record.
                let newer = self.record(id, from).await?;
                look = if newer.stand == Stand::Completed { newer } else { look };
                (look.stand, look.pulse) = (Stand::Completed, Pulse::Agrees);
                look.steps.done = epochs;
            }
            (Some(Session::NotRunning), Stand::Running) => look.pulse = Pulse::Gone,
            (Some(Session::NotRunning) | None, _) => {}
        }
        Ok(look)
    }

    async fn stop(&self, id: &str, reason: &str) -> Result<(), CallError> {
        let path = format!("/api/v1/operations/{}/cancel?reason={}", escaped(id), escaped(reason));
        let answer = self.wire.delete(&path, seconds(self.timing.stop)).await?;
        match answer.get("success") {
            Some(_) => {
                crate::shape::succeeded(&Node::answer("DELETE /api/v1/operations/{id}/cancel", &answer))
            }
            None => Ok(()),
        }
    }

    async fn go_on(&self, id: &str) -> Option<Result<GoneOn, CallError>> {
        let path = match self.area {
            Area::Training => "/training/resume",
            Area::Backtests => "/backtests/resume",
        };
        Some(self.begin(path, &json!({"operation_id": id})).await)
    }

    async fn result(&self, id: &str, seen: &Look) -> Result<Value, CallError> {
        match (&seen.summary, self.area) {
            (Some(summary), _) => Ok(summary.clone()),
            (None, Area::Training) => {
                let path = format!("/training/result/{}", escaped(id));
                self.wire.get(&path, seconds(self.timing.look)).await
            }
            (None, Area::Backtests) => Ok(json!({})),
        }
    }
}
