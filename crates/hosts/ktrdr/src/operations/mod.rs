//! Training host and workers of April 2026: operations, with metrics behind a cursor, cancelled with DELETE.
//!
//! On the training host, DELETE changes only the record. What really runs is in its session list, which workers don't
//! have. It is queried if the record of a training says cancelled or shows no activity.

pub(crate) mod read;
mod sessions;
mod steps;

use crate::poll::{PollResult, Position, RecordAccuracy, RunState};
use crate::remote_service::{RemoteService, ResumeResponse};
use crate::shape::Node;
use crate::timing::{Timing, seconds};
use crate::wire::{CallError, ServiceClient, escaped};
use async_trait::async_trait;
use serde_json::{Value, json};
use sessions::Session;
use std::sync::atomic::{AtomicBool, Ordering};

/// Purpose of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerPurpose {
    Training,
    Backtests,
}

/// Client of the service, for one purpose.
#[derive(Debug)]
pub(crate) struct Operations {
    wire: ServiceClient,
    purpose: WorkerPurpose,
    timing: Timing,
    /// Whether the service has no session list.
    no_sessions: AtomicBool,
}

impl Operations {
    pub fn new(wire: ServiceClient, purpose: WorkerPurpose, timing: Timing) -> Self {
        Self { wire, purpose, timing, no_sessions: AtomicBool::new(false) }
    }

    async fn begin(&self, path: &str, body: &Value) -> Result<ResumeResponse, CallError> {
        let answer = self.wire.post(path, body, seconds(self.timing.start)).await?;
        let call = format!("POST {path}");
        let node = Node::answer(&call, &answer);
        let last = node.get("resumed_from_epoch").and_then(|epoch| epoch.count().ok());
        Ok(ResumeResponse {
            id: node.need("operation_id")?.text()?.to_owned(),
            first_epoch: last.map_or(0, |epoch| epoch + 1),
        })
    }

    /// State of a run in the session list; `None` if the service has no such list.
    async fn session(&self, id: &str) -> Result<Option<Session>, CallError> {
        if self.purpose != WorkerPurpose::Training || self.no_sessions.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match self.wire.get("/training/sessions", seconds(self.timing.poll)).await {
            Ok(answer) => sessions::find(&answer, id).map(Some),
            Err(error) if matches!(error.status(), Some(404 | 405)) => {
                self.no_sessions.store(true, Ordering::Relaxed);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Record of a run, with new metrics.
    async fn record(&self, id: &str, from: Position) -> Result<PollResult, CallError> {
        let path = format!("/api/v1/operations/{}", escaped(id));
        let operation = self.wire.get(&path, seconds(self.timing.poll)).await?;
        let mut poll = read::poll(&operation, self.purpose, from.moved)?;
        if self.purpose == WorkerPurpose::Training {
            self.add_metrics(&mut poll, id, from).await;
            if poll.state == RunState::Completed
                && let Some(summary) = &poll.summary
            {
                // The last epochs are only in the result, and all of them if nobody polled meanwhile.
                let first = poll.first_epoch.unwrap_or(from.first_epoch);
                let history = read::history(summary, first);
                read::add(&mut poll.epochs, history);
            }
        }
        Ok(poll)
    }

    /// Adds the metrics after the cursor: the record repeats its whole history each time, a second old, and none of it
    /// at the end.
    async fn add_metrics(&self, poll: &mut PollResult, id: &str, from: Position) {
        let path = format!("/api/v1/operations/{}/metrics?cursor={}", escaped(id), from.cursor);
        match self.wire.get(&path, seconds(self.timing.poll)).await {
            Ok(answer) => {
                let metrics = read::metrics(&answer);
                poll.unread.extend(metrics.unread);
                if from.cursor == 0 {
                    poll.first_epoch = metrics.epochs.first().map(|epoch| epoch.number);
                }
                // The index restarts if another client resumed the run.
                poll.cursor = metrics.cursor.map(|next| if next < from.cursor { 0 } else { next });
                read::add(&mut poll.epochs, metrics.epochs);
            }
            // They can be gone after the end, which is not a failure of the run.
            Err(gone) => tracing::debug!(%gone, "no metrics after the cursor"),
        }
    }
}

#[async_trait]
impl RemoteService for Operations {
    fn protocol(&self) -> &'static str {
        crate::service::Protocol::Worker.as_str()
    }

    fn base(&self) -> &str {
        self.wire.base()
    }

    fn unit(&self) -> &'static str {
        match self.purpose {
            WorkerPurpose::Training => "epochs",
            WorkerPurpose::Backtests => "bars",
        }
    }

    async fn start(&self, id: &str, order: &Value) -> Result<String, CallError> {
        let mut body = order.clone();
        if let Some(body) = body.as_object_mut() {
            body.insert("task_id".to_owned(), json!(id));
        }
        let path = match self.purpose {
            WorkerPurpose::Training => "/training/start",
            WorkerPurpose::Backtests => "/backtests/start",
        };
        self.begin(path, &body).await.map(|begun| begun.id)
    }

    async fn poll(&self, id: &str, from: Position) -> Result<PollResult, CallError> {
        let mut poll = self.record(id, from).await?;
        let doubtful = matches!(poll.state, RunState::Stopped(_)) || poll.accuracy == RecordAccuracy::Bare;
        // If a training completed without being polled, the training host's record has no epochs.
        let unseen = poll.state == RunState::Completed && poll.epochs.is_empty() && from.next_epoch == 0;
        if unseen {
            if let Ok(Some(Session::Completed(epochs))) = self.session(id).await {
                poll.steps.done = epochs;
            }
            return Ok(poll);
        }
        if !doubtful {
            return Ok(poll);
        }
        match (self.session(id).await?, &poll.state) {
            (Some(Session::Running(steps)), RunState::Running) => {
                (poll.accuracy, poll.steps) = (RecordAccuracy::Agrees, steps)
            }
            (Some(Session::Running(steps)), _) => {
                (poll.state, poll.accuracy, poll.steps) = (RunState::Running, RecordAccuracy::RunsOn, steps);
            }
            (Some(Session::Completed(epochs)), _) => {
                // It completed after the record was read, or despite the record.
                let newer = self.record(id, from).await?;
                poll = if newer.state == RunState::Completed { newer } else { poll };
                (poll.state, poll.accuracy) = (RunState::Completed, RecordAccuracy::Agrees);
                poll.steps.done = epochs;
            }
            (Some(Session::NotRunning), RunState::Running) => poll.accuracy = RecordAccuracy::Gone,
            (Some(Session::NotRunning) | None, _) => {}
        }
        Ok(poll)
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

    async fn resume_run(&self, id: &str) -> Option<Result<ResumeResponse, CallError>> {
        let path = match self.purpose {
            WorkerPurpose::Training => "/training/resume",
            WorkerPurpose::Backtests => "/backtests/resume",
        };
        Some(self.begin(path, &json!({"operation_id": id})).await)
    }

    async fn result(&self, id: &str, seen: &PollResult) -> Result<Value, CallError> {
        match (&seen.summary, self.purpose) {
            (Some(summary), _) => Ok(summary.clone()),
            (None, WorkerPurpose::Training) => {
                let path = format!("/training/result/{}", escaped(id));
                self.wire.get(&path, seconds(self.timing.poll)).await
            }
            (None, WorkerPurpose::Backtests) => Ok(json!({})),
        }
    }
}
