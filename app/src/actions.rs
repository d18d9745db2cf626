//! What a person can ask of operations (cancel, retry, resume, give up, delete) and of hosts (drain). Asks back where
//! that can't be undone, says in a toast what was asked and what went wrong.

use crate::api;
use crate::app::Data;
use crate::components::toasts::Toasts;
use crate::live::{Live, OpView};
use crate::select::Selection;
use crate::words;
use crate::words::asking::{Again, asked_many, deleted, deleted_many};
use futures::future::join_all;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::api::{CancelMany, DeleteMany, Deleted, Refused};
use protocol::{Filter, HostName, KindName, OperationId};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// Ids in one request; the server takes more, and every body has its limit.
const AT_ONCE: usize = 2_000;
/// Requests for one operation each that are on their way at the same time.
const BESIDE: usize = 8;

/// The feed has told of what was deleted within this.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// Something a person has to confirm.
#[derive(Clone, PartialEq, Debug)]
pub enum Question {
    Cancel(OperationId),
    Many(Arc<[OperationId]>),
    /// To cancel all that a filter finds.
    Matching(Filter),
    /// Another attempt of many: from their checkpoints, or from the start.
    Again(Arc<[OperationId]>, Again),
    Resume(OperationId),
    Abandon(OperationId),
    Delete(OperationId),
    /// Of these, what has ended.
    DeleteMany(Arc<[OperationId]>),
    /// All that a filter finds and that has ended.
    DeleteMatching(Filter),
    /// Whether a host should take no new work.
    Drain(HostName),
}

/// The page's own; from the context.
#[derive(Clone, Copy)]
pub struct Actions {
    toasts: Toasts,
    /// Asked for and not yet answered.
    pending: RwSignal<HashSet<OperationId>>,
    /// Hosts that were asked to be drained or undrained, not yet answered.
    draining: RwSignal<HashSet<HostName>>,
    /// Deletes that were asked for here and whose rows may not be gone yet.
    deleting: RwSignal<u32>,
    /// What a person has to confirm.
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

    /// What is deleted now was asked for on this page: its rows need not keep their places. Tracked.
    pub fn deletes(&self) -> bool {
        self.deleting.get() > 0
    }

    fn delete_begins(&self) {
        self.deleting.update(|n| *n += 1);
    }

    /// The feed tells of what is gone soon after the answer, if not before it.
    fn delete_answered(&self) {
        let deleting = self.deleting;
        set_timeout(move || deleting.update(|n| *n -= 1), GONE_WITHIN);
    }

    /// Something was asked of it that is not yet answered. Tracked.
    pub fn pending(&self, id: OperationId) -> bool {
        self.pending.with(|pending| pending.contains(&id))
    }

    /// Whether a host is asked for something that is not yet answered. Tracked.
    pub fn host_pending(&self, host: &HostName) -> bool {
        self.draining.with(|pending| pending.contains(host))
    }

    /// Lets a host take no new work, or take it again. Its card says when that is so, read out too.
    pub fn drain_now(&self, host: HostName, on: bool) {
        if !self.draining.try_update(|pending| pending.insert(host.clone())).unwrap_or_default() {
            return;
        }
        let (live, actions) = (Live::here(), *self);
        spawn_local(async move {
            match api::drain(&host, on).await {
                Ok(status) => {
                    live.adopt_drain(&status);
                    if status.draining {
                        let drained = host.clone();
                        let undo = move || actions.drain_now(drained.clone(), false);
                        actions.toasts.undoable(format!("{host} drained. It takes no new work."), undo);
                    } else {
                        actions.toasts.say(format!("{host} undrained. It takes new work again."));
                    }
                }
                Err(problem) => actions.toasts.warn(problem.detail),
            }
            actions.draining.update(|pending| {
                pending.remove(&host);
            });
        });
    }

    /// Whether a cancel asks back first, because it would lose work. Tracked.
    pub fn cancel_asks(&self, op: OpView) -> bool {
        let checkpoint = op.facts.with(|f| f.checkpoint.is_some());
        words::cancel_loses_work(op.state.get(), resumable(&op.fixed().kind), checkpoint)
    }

    /// Cancels; asks first where that loses work.
    pub fn cancel(&self, op: OpView) {
        if untrack(|| self.cancel_asks(op)) {
            self.question.set(Some(Question::Cancel(op.id)));
        } else {
            self.cancel_now(op.id);
        }
    }

    /// Cancels without asking.
    pub fn cancel_now(&self, id: OperationId) {
        self.ask(id, "cancel", "Cancel requested");
    }

    /// Another attempt from the start.
    pub fn retry(&self, id: OperationId) {
        self.ask(id, "retry", "Retry queued");
    }

    /// Another attempt from the checkpoint.
    pub fn resume_now(&self, id: OperationId) {
        self.ask(id, "resume", "Resume queued");
    }

    /// Gives up an attempt whose host can't be heard.
    pub fn abandon_now(&self, id: OperationId) {
        self.ask(id, "abandon", "Abandoned");
    }

    /// Deletes one that has ended. Its page then says that it is gone.
    pub fn delete_now(&self, id: OperationId) {
        if !self.pending.try_update(|pending| pending.insert(id)).unwrap_or_default() {
            return;
        }
        let (live, actions, selection) = (Live::here(), *self, Selection::here());
        let title = live.operation(id).map(|cell| cell.fixed().title.clone()).unwrap_or_default();
        actions.delete_begins();
        spawn_local(async move {
            match api::delete(id).await {
                Ok(told) => {
                    live.forget(id);
                    selection.set_all(&[id], false);
                    actions.toasts.say(deleted(&title, told.deleted));
                }
                Err(problem) => actions.toasts.warn(problem.detail),
            }
            actions.delete_answered();
            actions.pending.update(|pending| {
                pending.remove(&id);
            });
        });
    }

    /// Deletes those of many that have ended, each with what it started. Rows go as the feed tells of them.
    pub fn delete_many_now(&self, wishes: Vec<DeleteMany>) {
        let (actions, selection) = (*self, Selection::here());
        actions.delete_begins();
        spawn_local(async move {
            let mut all = Deleted::default();
            for wish in wishes {
                match api::delete_many(&wish).await {
                    Ok(told) => {
                        all += told;
                        selection.set_all(wish.ids.as_deref().unwrap_or_default(), false);
                    }
                    // What was not asked stays selected.
                    Err(problem) => actions.toasts.warn(problem.detail),
                }
            }
            actions.delete_answered();
            match deleted_many(all) {
                None => {}
                Some((said, true)) => actions.toasts.warn(said),
                Some((said, false)) => actions.toasts.say(said),
            }
        });
    }

    /// Cancels many, and says what became of it; with a filter all that it finds then, whatever was found before.
    pub fn cancel_many_now(&self, ids: Arc<[OperationId]>, filter: Option<Filter>, reason: String) {
        let (actions, selection) = (*self, Selection::here());
        actions.pending.update(|pending| pending.extend(ids.iter().copied()));
        let portions = portions(&ids, filter.as_ref());
        spawn_local(async move {
            let (mut asked, mut refused, mut not_stored) = (0, Vec::new(), false);
            for (ids, filter) in portions {
                let wish = CancelMany { ids, filter, reason: reason.clone() };
                match api::cancel_many(&wish).await {
                    Ok(answer) => {
                        asked += answer.asked.len() as u32;
                        not_stored |= answer.not_stored;
                        selection.set_all(&answer.asked, false);
                        refused.extend(answer.refused);
                        selection.set_all(wish.ids.as_deref().unwrap_or_default(), false);
                    }
                    // What was not asked stays selected.
                    Err(problem) => actions.toasts.warn(problem.detail),
                }
            }
            actions.tell("Cancel requested for", asked, &refused);
            if not_stored {
                actions.toasts.warn(
                    "Cancels were sent to their hosts but are not stored yet: the server's disk is full.",
                );
            }
            actions.answered(&ids);
        });
    }

    /// Another attempt of those of many that there can be one of, and what became of it.
    pub fn again_many_now(&self, ids: &[OperationId], again: Again) {
        let (live, actions, selection) = (Live::here(), *self, Selection::here());
        let fits = |id: &&OperationId| {
            let standing = live.operation(**id).map(|cell| cell.standing());
            standing.is_some_and(|(state, checkpoint)| match (again, words::next(state, checkpoint)) {
                (Again::Retry, next) => next.retry,
                (Again::Resume, next) => next.resume,
            })
        };
        let ids: Vec<OperationId> = ids.iter().filter(fits).copied().collect();
        let (what, said) = match again {
            Again::Retry => ("retry", "Retry queued for"),
            Again::Resume => ("resume", "Resume queued for"),
        };
        actions.pending.update(|pending| pending.extend(ids.iter().copied()));
        spawn_local(async move {
            let (mut asked, mut refused) = (0, Vec::new());
            for some in ids.chunks(BESIDE) {
                let answers = join_all(some.iter().map(|id| api::ask(*id, what))).await;
                for (id, answer) in some.iter().zip(answers) {
                    match answer {
                        Ok(operation) => {
                            live.adopt(&operation, 0);
                            selection.set_all(&[*id], false);
                            asked += 1;
                        }
                        // What was refused stays selected.
                        Err(problem) => refused.push(Refused { id: *id, why: problem.detail }),
                    }
                }
            }
            actions.tell(said, asked, &refused);
            actions.answered(&ids);
        });
    }

    /// What became of a wish for many.
    fn tell(&self, what: &str, asked: u32, refused: &[Refused]) {
        if asked > 0 || !refused.is_empty() {
            match asked_many(what, asked, refused) {
                (said, true) => self.toasts.warn(said),
                (said, false) => self.toasts.say(said),
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

    fn ask(&self, id: OperationId, what: &'static str, said: &'static str) {
        if self.pending.with_untracked(|pending| pending.contains(&id)) {
            return;
        }
        let (live, actions) = (Live::here(), *self);
        actions.pending.update(|pending| {
            pending.insert(id);
        });
        spawn_local(async move {
            match api::ask(id, what).await {
                Ok(operation) => {
                    live.adopt(&operation, 0);
                    if operation.receipt.is_some_and(|receipt| receipt.not_stored) {
                        actions.toasts.warn(format!(
                            "Cancel sent to its host but not stored yet: the server's disk is full. {}",
                            operation.title
                        ));
                    } else {
                        // The feed may have told more by now than the answer does.
                        let state = live.operation(id).map_or(operation.state, |cell| cell.standing().0);
                        actions.toasts.say(match what {
                            "cancel" => words::cancel_note(state, &operation.title),
                            _ => format!("{said}: {}", operation.title),
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

/// A filter as the words of an address, which is how the API takes it.
fn words_of(filter: &Filter) -> String {
    let words = filter.words();
    crate::query::url("", words.iter().map(|(n, v)| (n.as_str(), v.as_str())))
}

/// The wishes to delete these, or all that a filter finds.
pub fn to_delete(ids: &[OperationId], filter: Option<&Filter>) -> Vec<DeleteMany> {
    let portions = portions(ids, filter).into_iter();
    portions.map(|(ids, filter)| DeleteMany { ids, filter, ..DeleteMany::default() }).collect()
}

/// What a request each names of these, or of all that a filter finds: ids or a filter.
fn portions(ids: &[OperationId], filter: Option<&Filter>) -> Vec<(Option<Vec<OperationId>>, Option<String>)> {
    match filter {
        Some(filter) => vec![(None, Some(words_of(filter)))],
        None => ids.chunks(AT_ONCE).map(|some| (Some(some.to_vec()), None)).collect(),
    }
}

/// Whether a later attempt of this kind can go on where one ended, as far as the page knows. Not tracked.
pub fn resumable(kind: &KindName) -> bool {
    Data::here().kinds.with_untracked(|kinds| {
        let kinds = kinds.as_ref().and_then(|k| k.as_ref().ok());
        kinds.is_some_and(|k| k.kinds.iter().any(|o| o.spec.name == *kind && o.spec.resumable))
    })
}
