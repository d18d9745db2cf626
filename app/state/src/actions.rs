//! Actions on operations (cancel, retry, resume, abandon, delete) and hosts (drain): confirmed where they can't be
//! undone, with results in toasts.

use crate::Selection;
use crate::data::resumable;
use crate::toasts::Toasts;
use display::confirm::{Again, deleted, deleted_many, requested_many};
use futures::future::join_all;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use live::{OpView, OperationStore};
use protocol::api::{CancelMany, DeleteMany, Deleted, Refused};
use protocol::{Filter, HostName, OperationId};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Ids per request, below the server's limits.
const AT_ONCE: usize = 2_000;
/// Concurrent requests for single operations.
const MAX_CONCURRENT: usize = 8;

/// Time within which the feed reports a delete.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// An action to confirm.
#[derive(Clone, PartialEq, Debug)]
pub enum Question {
    Cancel(OperationId),
    Many(Arc<[OperationId]>),
    /// Cancel all that match a filter.
    Matching(Filter),
    /// Retry or resume many.
    Again(Arc<[OperationId]>, Again),
    Resume(OperationId),
    Abandon(OperationId),
    Delete(OperationId),
    /// Delete the ended ones of these.
    DeleteMany(Arc<[OperationId]>),
    /// Delete all ended ones that match a filter.
    DeleteMatching(Filter),
    /// Drain a host.
    Drain(HostName),
}

/// The page's own; from the context.
#[derive(Clone, Copy)]
pub struct Actions {
    toasts: Toasts,
    /// Operations with a request in flight.
    pending: RwSignal<HashSet<OperationId>>,
    /// Hosts with a drain or undrain request in flight.
    draining: RwSignal<HashSet<HostName>>,
    /// Deletes requested here whose rows may still be shown.
    deleting: RwSignal<u32>,
    /// The action to confirm.
    pub question: RwSignal<Option<Question>>,
}

impl Actions {
    /// Called once, by the app.
    pub fn new(toasts: Toasts) -> Self {
        Self {
            toasts,
            pending: RwSignal::default(),
            draining: RwSignal::default(),
            deleting: RwSignal::new(0),
            question: RwSignal::new(None),
        }
    }

    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<Actions>()
    }

    /// Whether this page is deleting operations: then their rows disappear at once, even while the list is frozen.
    /// Tracked.
    pub fn deletes(&self) -> bool {
        self.deleting.get() > 0
    }

    fn delete_begins(&self) {
        self.deleting.update(|n| *n += 1);
    }

    /// The feed reports the delete soon after the answer, if not before.
    fn delete_answered(&self) {
        let deleting = self.deleting;
        set_timeout(move || deleting.update(|n| *n -= 1), GONE_WITHIN);
    }

    /// Whether a request for an operation is in flight. Tracked.
    pub fn pending(&self, id: OperationId) -> bool {
        self.pending.with(|pending| pending.contains(&id))
    }

    /// Whether a request for a host is in flight. Tracked.
    pub fn host_pending(&self, host: &HostName) -> bool {
        self.draining.with(|pending| pending.contains(host))
    }

    /// Drains or undrains a host. Its card announces the change.
    pub fn drain_now(&self, host: HostName, on: bool) {
        if !self.draining.try_update(|pending| pending.insert(host.clone())).unwrap_or_default() {
            return;
        }
        let (live, actions) = (OperationStore::here(), *self);
        spawn_local(async move {
            match api::drain(&host, on).await {
                Ok(status) => {
                    live.adopt_drain(&status);
                    if status.draining {
                        let drained = host.clone();
                        let undo = move || actions.drain_now(drained.clone(), false);
                        actions
                            .toasts
                            .undoable(format!("{host} drained. It accepts no new operations."), undo);
                    } else {
                        actions.toasts.say(format!("{host} undrained. It accepts new operations again."));
                    }
                }
                Err(problem) => actions.toasts.warn(problem.detail),
            }
            actions.draining.update(|pending| {
                pending.remove(&host);
            });
        });
    }

    /// Whether a cancel must be confirmed because it loses work. Tracked.
    pub fn cancel_asks(&self, op: OpView) -> bool {
        let checkpoint = op.facts.with(|f| f.checkpoint.is_some());
        display::cancel_loses_work(op.state.get(), resumable(&op.fixed().kind), checkpoint)
    }

    /// Cancels, after a confirmation where that loses work.
    pub fn cancel(&self, op: OpView) {
        if untrack(|| self.cancel_asks(op)) {
            self.question.set(Some(Question::Cancel(op.id)));
        } else {
            self.cancel_now(op.id);
        }
    }

    /// Cancels without confirmation.
    pub fn cancel_now(&self, id: OperationId) {
        self.ask(id, "cancel", "Cancel requested");
    }

    /// Retries from the start.
    pub fn retry(&self, id: OperationId) {
        self.ask(id, "retry", "Retry queued");
    }

    /// Resumes from the checkpoint.
    pub fn resume_now(&self, id: OperationId) {
        self.ask(id, "resume", "Resume queued");
    }

    /// Abandons an operation on an unreachable host.
    pub fn abandon_now(&self, id: OperationId) {
        self.ask(id, "abandon", "Abandoned");
    }

    /// Deletes an ended operation. Its page then shows that it was deleted.
    pub fn delete_now(&self, id: OperationId) {
        if !self.pending.try_update(|pending| pending.insert(id)).unwrap_or_default() {
            return;
        }
        let (live, actions, selection) = (OperationStore::here(), *self, Selection::here());
        let title = live.operation(id).map(|cell| cell.fixed().title.clone()).unwrap_or_default();
        actions.delete_begins();
        spawn_local(async move {
            match api::delete(id).await {
                Ok(response) => {
                    live.remove_deleted(id);
                    selection.set_all(&[id], false);
                    actions.toasts.say(deleted(&title, response.deleted));
                }
                Err(problem) => actions.toasts.warn(problem.detail),
            }
            actions.delete_answered();
            actions.pending.update(|pending| {
                pending.remove(&id);
            });
        });
    }

    /// Deletes ended operations with their child operations. Rows disappear as the feed reports it.
    pub fn delete_many_now(&self, requests: Vec<DeleteMany>) {
        let (actions, selection) = (*self, Selection::here());
        actions.delete_begins();
        spawn_local(async move {
            let mut all = Deleted::default();
            for request in requests {
                match api::delete_many(&request).await {
                    Ok(response) => {
                        all += response;
                        selection.set_all(request.ids.as_deref().unwrap_or_default(), false);
                    }
                    // Failed ones stay selected.
                    Err(problem) => actions.toasts.warn(problem.detail),
                }
            }
            actions.delete_answered();
            match deleted_many(all) {
                None => {}
                Some((wording, true)) => actions.toasts.warn(wording),
                Some((wording, false)) => actions.toasts.say(wording),
            }
        });
    }

    /// Cancels many and reports the result; with a filter all that match at that time.
    pub fn cancel_many_now(&self, ids: Arc<[OperationId]>, filter: Option<Filter>, reason: String) {
        let (actions, selection) = (*self, Selection::here());
        actions.pending.update(|pending| pending.extend(ids.iter().copied()));
        let portions = portions(&ids, filter.as_ref());
        spawn_local(async move {
            let (mut asked, mut refused, mut not_stored) = (0, Vec::new(), false);
            for (ids, filter) in portions {
                let request = CancelMany { ids, filter, reason: reason.clone() };
                match api::cancel_many(&request).await {
                    Ok(answer) => {
                        asked += answer.requested.len() as u32;
                        not_stored |= answer.not_stored;
                        selection.set_all(&answer.requested, false);
                        refused.extend(answer.refused);
                        selection.set_all(request.ids.as_deref().unwrap_or_default(), false);
                    }
                    // Failed ones stay selected.
                    Err(problem) => actions.toasts.warn(problem.detail),
                }
            }
            actions.tell("Cancel requested for", asked, &refused);
            if not_stored {
                actions.toasts.warn(
                    "The cancel requests were sent to the hosts, but are not stored yet: the server's disk is \
                     full. Free disk space on the server.",
                );
            }
            actions.answered(&ids);
        });
    }

    /// Retries or resumes those of many that allow it, and reports the result.
    pub fn again_many_now(&self, ids: &[OperationId], again: Again) {
        let (live, actions, selection) = (OperationStore::here(), *self, Selection::here());
        let fits = |id: &&OperationId| {
            let standing = live.operation(**id).map(|cell| cell.standing());
            standing.is_some_and(|(state, checkpoint)| match (again, display::next(state, checkpoint)) {
                (Again::Retry, next) => next.retry,
                (Again::Resume, next) => next.resume,
            })
        };
        let ids: Vec<OperationId> = ids.iter().filter(fits).copied().collect();
        let (what, wording) = match again {
            Again::Retry => ("retry", "Retry queued for"),
            Again::Resume => ("resume", "Resume queued for"),
        };
        actions.pending.update(|pending| pending.extend(ids.iter().copied()));
        spawn_local(async move {
            let (mut asked, mut refused) = (0, Vec::new());
            for some in ids.chunks(MAX_CONCURRENT) {
                let answers = join_all(some.iter().map(|id| api::ask(*id, what))).await;
                for (id, answer) in some.iter().zip(answers) {
                    match answer {
                        Ok(operation) => {
                            live.adopt(&operation, 0);
                            selection.set_all(&[*id], false);
                            asked += 1;
                        }
                        // Refused ones stay selected.
                        Err(problem) => refused.push(Refused { id: *id, why: problem.detail }),
                    }
                }
            }
            actions.tell(wording, asked, &refused);
            actions.answered(&ids);
        });
    }

    /// Reports the result of a bulk action.
    fn tell(&self, what: &str, asked: u32, refused: &[Refused]) {
        if asked > 0 || !refused.is_empty() {
            match requested_many(what, asked, refused) {
                (wording, true) => self.toasts.warn(wording),
                (wording, false) => self.toasts.say(wording),
            }
        }
    }

    fn answered(&self, ids: &[OperationId]) {
        self.pending.update(|pending| {
            for id in ids {
                pending.remove(id);
            }
        });
    }

    fn ask(&self, id: OperationId, what: &'static str, wording: &'static str) {
        if self.pending.with_untracked(|pending| pending.contains(&id)) {
            return;
        }
        let (live, actions) = (OperationStore::here(), *self);
        actions.pending.update(|pending| {
            pending.insert(id);
        });
        spawn_local(async move {
            match api::ask(id, what).await {
                Ok(operation) => {
                    live.adopt(&operation, 0);
                    if operation.receipt.is_some_and(|receipt| receipt.not_stored) {
                        actions.toasts.warn(format!(
                            "The cancel request for {} was sent to the host, but is not stored yet: the server \
                             can't write its database. Check the disk of the server.",
                            operation.title
                        ));
                    } else {
                        // The feed may be ahead of the answer.
                        let state = live.operation(id).map_or(operation.state, |cell| cell.standing().0);
                        actions.toasts.say(match what {
                            "cancel" => display::cancel_note(state, &operation.title),
                            _ => format!("{wording}: {}", operation.title),
                        });
                    }
                }
                Err(problem) => actions.toasts.warn(problem.detail),
            }
            actions.pending.update(|pending| {
                pending.remove(&id);
            });
        });
    }
}

/// A filter as query string, as the API takes it.
fn words_of(filter: &Filter) -> String {
    let words = filter.words();
    live::query::url("", words.iter().map(|(n, v)| (n.as_str(), v.as_str())))
}

/// Requests to delete these, or all that match a filter.
pub fn to_delete(ids: &[OperationId], filter: Option<&Filter>) -> Vec<DeleteMany> {
    let portions = portions(ids, filter).into_iter();
    portions.map(|(ids, filter)| DeleteMany { ids, filter, ..DeleteMany::default() }).collect()
}

/// Parts of a bulk request: ids in portions, or the filter.
fn portions(ids: &[OperationId], filter: Option<&Filter>) -> Vec<(Option<Vec<OperationId>>, Option<String>)> {
    match filter {
        Some(filter) => vec![(None, Some(words_of(filter)))],
        None => ids.chunks(AT_ONCE).map(|some| (Some(some.to_vec()), None)).collect(),
    }
}
