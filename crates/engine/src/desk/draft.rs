//! A draft: what the commands of one turn change, numbered, to be made durable as one and told afterwards.

use crate::feed::Frame;
use crate::lifecycle::Record;
use crate::view::ViewChange;
use parking_lot::Mutex;
use protocol::api::HostStatus;
use protocol::{
    AuditEntry, Event, EventBody, Forecast, Operation, OperationId, Points, Progress, State, Time,
};
use std::future::Future;
use std::sync::Arc;
use store::{Change, EventRecord, Trouble};
use tokio::sync::{oneshot, watch};

/// What is told once the changes that go with it are durable.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) frames: Vec<Frame>,
    pub(crate) views: Vec<ViewChange>,
    pub(crate) after: Vec<Box<dyn FnOnce() + Send>>,
}

pub(crate) struct Draft {
    seq: u64,
    changes: Vec<Change>,
    told: Told,
    runtime: tokio::runtime::Handle,
    /// Why nothing can be stored just now.
    trouble: watch::Receiver<Trouble>,
}

impl Draft {
    pub(super) fn new(head: u64, runtime: tokio::runtime::Handle, trouble: watch::Receiver<Trouble>) -> Self {
        Self { seq: head, changes: Vec::new(), told: Told::default(), runtime, trouble }
    }

    /// Everything since the last time; `None` when nothing happened.
    pub(super) fn take(&mut self) -> Option<(Vec<Change>, Told)> {
        if self.changes.is_empty() && self.told.after.is_empty() {
            return None;
        }
        Some((std::mem::take(&mut self.changes), std::mem::take(&mut self.told)))
    }

    pub(super) fn change(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Somebody did something.
    pub(super) fn audit(&mut self, entry: AuditEntry) {
        self.changes.push(Change::Audit(Box::new(entry)));
    }

    /// Runs once everything before it is durable.
    pub(super) fn later(&mut self, errand: impl Future<Output = ()> + Send + 'static) {
        let runtime = self.runtime.clone();
        self.told.after.push(Box::new(move || {
            runtime.spawn(errand);
        }));
    }

    /// Runs once everything before it is durable, or as soon as nothing can be stored: what stops work does not wait for
    /// room on a disk.
    pub(super) fn later_or_in_trouble(&mut self, errand: impl Future<Output = ()> + Send + 'static) {
        let runtime = self.runtime.clone();
        self.stored_or_in_trouble(move |_| {
            runtime.spawn(errand);
        });
    }

    /// Calls it once: with `true` when everything before it is durable, with `false` when nothing can be stored before
    /// that.
    pub(super) fn stored_or_in_trouble(&mut self, act: impl FnOnce(bool) + Send + 'static) {
        let act = Arc::new(Mutex::new(Some(act)));
        let in_trouble = act.clone();
        let (stored, is_stored) = oneshot::channel::<()>();
        let mut trouble = self.trouble.clone();
        self.runtime.spawn(async move {
            let in_trouble = tokio::select! {
                biased;
                _ = is_stored => None,
                known = trouble.wait_for(Option::is_some) => known.is_ok().then_some(in_trouble),
            };
            if let Some(act) = in_trouble.and_then(|act| act.lock().take()) {
                act(false);
            }
        });
        self.told.after.push(Box::new(move || {
            drop(stored);
            let act = act.lock().take();
            if let Some(act) = act {
                act(true);
            }
        }));
    }

    /// Answers once everything before it is durable.
    pub(super) fn reply<T: Send + 'static>(&mut self, reply: oneshot::Sender<T>, answer: T) {
        self.told.after.push(Box::new(move || {
            // Who asked may be gone; the answer is in the feed all the same.
            let _ = reply.send(answer);
        }));
    }

    /// The next event.
    pub(super) fn event(&mut self, body: EventBody, now: Time) {
        self.seq += 1;
        let event = Event { seq: self.seq, at: now, body };
        let json = match serde_json::to_string(&event) {
            Ok(json) => json,
            Err(error) => {
                // Numbers stay without gaps: a record that can't be written says so itself.
                tracing::error!(seq = self.seq, %error, "an event can't be written as JSON");
                format!(r#"{{"seq":{},"at":"{now}","type":"unwritable"}}"#, self.seq)
            }
        };
        let progress = matches!(event.body, EventBody::Progress { .. });
        let record = EventRecord { seq: self.seq, operation: event.operation(), progress, json: json.into() };
        self.told.frames.push(Frame::new(&record));
        self.changes.push(Change::Event(record));
    }

    /// An operation as it now stands.
    pub(super) fn operation(&mut self, record: &mut Record, before: Option<State>, now: Time) {
        record.operation.seq = self.seq + 1;
        let operation = Box::new(record.operation.clone());
        self.event(EventBody::Operation { operation: operation.clone() }, now);
        let attempt = Box::new(record.current().clone());
        self.changes.push(Change::Operation { operation: operation.clone(), attempt });
        self.told.views.push(ViewChange::Operation { operation, before });
    }

    /// The newest progress of an operation.
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
        self.told.views.push(ViewChange::Progress { id, heard_at, progress, forecast });
    }

    /// New points of curves, and how many in a row are out of the band, where a rule has judged them.
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
            self.told.views.push(ViewChange::Outside { id, outside });
        }
    }

    /// Operations that are no more.
    pub(super) fn forget(&mut self, ended: Vec<(OperationId, State)>, now: Time) {
        if !ended.is_empty() {
            for (id, state) in &ended {
                self.event(EventBody::Forgotten { id: *id, state: *state }, now);
            }
            self.changes.push(Change::Forget { ids: ended.iter().map(|(id, _)| *id).collect() });
            self.told.views.push(ViewChange::Forgotten(ended));
        }
    }

    /// A host as it now stands.
    pub(super) fn host(&mut self, status: HostStatus, now: Time) {
        let status = Box::new(status);
        self.event(EventBody::Host { host: status.clone() }, now);
        self.told.views.push(ViewChange::Host(status));
    }
}
