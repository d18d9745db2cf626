//! Draft: changes of one round of commands, numbered, made durable together and published afterwards.

use crate::feed::Frame;
use crate::lifecycle::Record;
use crate::view::ViewChange;
use parking_lot::Mutex;
use protocol::alerts::AlertSummary;
use protocol::api::HostStatus;
use protocol::{
    AuditEntry, Event, EventBody, Forecast, Operation, OperationId, Points, Progress, State, Time,
};
use std::future::Future;
use std::sync::Arc;
use store::{Change, EndedOperation, EventRecord, StoreFault};
use tokio::sync::{oneshot, watch};

/// What to publish once the changes are durable.
#[derive(Default)]
pub(crate) struct Published {
    pub(crate) frames: Vec<Frame>,
    pub(crate) views: Vec<ViewChange>,
    pub(crate) after: Vec<Box<dyn FnOnce() + Send>>,
}

pub(crate) struct Transaction {
    seq: u64,
    changes: Vec<Change>,
    published: Published,
    runtime: tokio::runtime::Handle,
    /// Reason why nothing can be stored now.
    store_fault: watch::Receiver<StoreFault>,
}

impl Transaction {
    pub(super) fn new(
        head: u64,
        runtime: tokio::runtime::Handle,
        store_fault: watch::Receiver<StoreFault>,
    ) -> Self {
        Self { seq: head, changes: Vec::new(), published: Published::default(), runtime, store_fault }
    }

    /// Takes everything since the last call; `None` if nothing happened.
    pub(super) fn take(&mut self) -> Option<(Vec<Change>, Published)> {
        if self.changes.is_empty() && self.published.after.is_empty() {
            return None;
        }
        Some((std::mem::take(&mut self.changes), std::mem::take(&mut self.published)))
    }

    pub(super) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Adds an audit entry.
    pub(super) fn audit(&mut self, entry: AuditEntry) {
        self.changes.push(Change::Audit(Box::new(entry)));
    }

    /// Runs a host request once everything before it is durable.
    pub(super) fn later(&mut self, host_request: impl Future<Output = ()> + Send + 'static) {
        let runtime = self.runtime.clone();
        self.published.after.push(Box::new(move || {
            runtime.spawn(host_request);
        }));
    }

    /// Runs a host request once everything before it is durable, or at once if nothing can be stored: stopping work
    /// must not wait for disk space.
    pub(super) fn when_stored_or_unwritable(
        &mut self,
        host_request: impl Future<Output = ()> + Send + 'static,
    ) {
        let runtime = self.runtime.clone();
        self.when_stored_or_blocked(move |_| {
            runtime.spawn(host_request);
        });
    }

    /// Calls `act` once: with `true` when everything before it is durable, or with `false` if nothing can be stored
    /// before that.
    pub(super) fn when_stored_or_blocked(&mut self, act: impl FnOnce(bool) + Send + 'static) {
        let act = Arc::new(Mutex::new(Some(act)));
        let fault = act.clone();
        let (stored, is_stored) = oneshot::channel::<()>();
        let mut store_fault = self.store_fault.clone();
        self.runtime.spawn(async move {
            let fault = tokio::select! {
                biased;
                _ = is_stored => None,
                known = store_fault.wait_for(Option::is_some) => known.is_ok().then_some(fault),
            };
            if let Some(act) = fault.and_then(|act| act.lock().take()) {
                act(false);
            }
        });
        self.published.after.push(Box::new(move || {
            drop(stored);
            let act = act.lock().take();
            if let Some(act) = act {
                act(true);
            }
        }));
    }

    /// Sends a response once everything before it is durable.
    pub(super) fn reply<T: Send + 'static>(&mut self, reply: oneshot::Sender<T>, answer: T) {
        self.published.after.push(Box::new(move || {
            // The client may be gone; the change is in the feed anyway.
            let _ = reply.send(answer);
        }));
    }

    /// Adds the next event.
    pub(super) fn event(&mut self, body: EventBody, now: Time) {
        self.seq += 1;
        let event = Event { seq: self.seq, at: now, body };
        let json = match serde_json::to_string(&event) {
            Ok(json) => json,
            Err(error) => {
                // Numbers stay without gaps; an unserializable event is replaced by one that says so.
                tracing::error!(seq = self.seq, %error, "an event can't be written as JSON; publishing a placeholder instead");
                format!(r#"{{"seq":{},"at":"{now}","type":"unwritable"}}"#, self.seq)
            }
        };
        let progress = matches!(event.body, EventBody::Progress { .. });
        let record = EventRecord { seq: self.seq, operation: event.operation(), progress, json: json.into() };
        self.published.frames.push(Frame::new(&record));
        self.changes.push(Change::Event(record));
    }

    /// Adds the current state of an operation.
    pub(super) fn operation(&mut self, record: &mut Record, before: Option<State>, now: Time) {
        record.operation.seq = self.seq + 1;
        let operation = Box::new(record.operation.clone());
        self.event(EventBody::Operation { operation: operation.clone() }, now);
        let attempt = Box::new(record.current().clone());
        self.changes.push(Change::Operation { operation: operation.clone(), attempt });
        self.published.views.push(ViewChange::Operation { operation, before });
    }

    /// Adds the latest progress of an operation.
    pub(super) fn progress(
        &mut self,
        operation: &mut Operation,
        progress: Progress,
        forecast: Option<Forecast>,
        now: Time,
    ) {
        operation.seq = self.seq + 1;
        let (id, attempt, heard_at) = (operation.id, operation.attempt, operation.heard_at);
        self.event(EventBody::Progress { id, attempt, progress: progress.clone(), forecast }, now);
        let change = Change::Progress { id, heard_at: heard_at.unwrap_or(now), progress: progress.clone() };
        self.changes.push(change);
        let progress = Box::new(progress);
        self.published.views.push(ViewChange::Progress { id, heard_at, progress, forecast });
    }

    /// Adds new points of series, and the number of consecutive points outside of the baseline if a rule judged them.
    pub(super) fn points(
        &mut self,
        id: OperationId,
        attempt: u32,
        series: Vec<Points>,
        outside: Option<u32>,
        now: Time,
    ) {
        self.event(EventBody::Points { id, attempt, series, outside }, now);
        if let Some(outside) = outside {
            self.published.views.push(ViewChange::Outside { id, outside });
        }
    }

    /// Adds the deletion of operations.
    pub(super) fn delete(&mut self, ended: Vec<EndedOperation>, now: Time) {
        if !ended.is_empty() {
            for EndedOperation { id, kind, state } in &ended {
                self.event(EventBody::Deleted { id: *id, state: *state }, now);
                if let Some(frame) = self.published.frames.last_mut() {
                    frame.deleted = Some(kind.clone());
                }
            }
            self.changes.push(Change::Forget { ids: ended.iter().map(|one| one.id).collect() });
            self.published.views.push(ViewChange::Forgotten(ended));
        }
    }

    /// Adds the summary of the server's alerts.
    pub(super) fn alerts(&mut self, alerts: AlertSummary, now: Time) {
        self.event(EventBody::Alerts { alerts }, now);
        self.published.views.push(ViewChange::Alerts(alerts));
    }

    /// Adds the current state of a host.
    pub(super) fn host(&mut self, status: HostStatus, now: Time) {
        let status = Box::new(status);
        self.event(EventBody::Host { host: status.clone() }, now);
        self.published.views.push(ViewChange::Host(status));
    }
}
