//! The training host and the workers of April 2026: operations, whose curves are read behind a cursor, and which
//! are cancelled by a DELETE.
//!
//! Of the training host that DELETE changes the record alone. What really runs is in its list of sessions, which the
//! workers don't have: it is asked wherever the record of a training says that it was cancelled, or shows nothing of it.

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

/// What a worker is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Area {
    Training,
    Backtests,
}

/// The service, for one area.
#[derive(Debug)]
pub(crate) struct Operations {
    wire: Wire,
    area: Area,
    timing: Timing,
    /// It answered that it has no list of sessions.
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

    /// What the list of sessions says of a run; `None` where the service has no such list.
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

    /// The record of a run, with the figures that are new.
    async fn record(&self, id: &str, from: Position) -> Result<Look, CallError> {
        let path = format!("/api/v1/operations/{}", escaped(id));
        let operation = self.wire.get(&path, seconds(self.timing.look)).await?;
        let mut look = read::look(&operation, self.area, from.moved)?;
        if self.area == Area::Training {
            self.add_metrics(&mut look, id, from).await;
            if look.stand == Stand::Completed
                && let Some(summary) = &look.summary
            {
                // The last epochs are in the result alone, and all of them when nobody looked meanwhile.
                let first = look.first_epoch.unwrap_or(from.first_epoch);
                let history = read::history(summary, first);
                read::add(&mut look.epochs, history);
            }
        }
        Ok(look)
    }

    /// Adds what is behind the cursor: the record repeats its whole history each time, a second old, and none of it at
    /// the end.
    async fn add_metrics(&self, look: &mut Look, id: &str, from: Position) {
        let path = format!("/api/v1/operations/{}/metrics?cursor={}", escaped(id), from.cursor);
        match self.wire.get(&path, seconds(self.timing.look)).await {
            Ok(answer) => {
                let metrics = read::metrics(&answer);
                look.unread.extend(metrics.unread);
                if from.cursor == 0 {
                    look.first_epoch = metrics.epochs.first().map(|epoch| epoch.number);
                }
                // It counts anew when the service resumed the run for somebody else.
                look.cursor = metrics.cursor.map(|next| if next < from.cursor { 0 } else { next });
                read::add(&mut look.epochs, metrics.epochs);
            }
            // After the end they may be gone, which is no fault of the run.
            Err(gone) => tracing::debug!(%gone, "no metrics after the cursor"),
        }
    }
}

#[async_trait]
impl Foreign for Operations {
    fn protocol(&self) -> &'static str {
        crate::Protocol::Worker.as_str()
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
        // Of a training that completed while nobody looked the training host's record has no epoch.
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
                // It completed since the record was read, or in spite of what the record says.
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
