//! What a person can ask of operations (cancel, retry, resume, give up) and of hosts (drain). Asks back where that can't be undone,
//! says in a toast what was asked and what went wrong.

use crate::api;
use crate::app::Data;
use crate::components::toasts::Toasts;
use crate::live::{Live, OpView};
use crate::select::Selection;
use crate::words;
use crate::words::asking::cancelled_many;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::api::CancelMany;
use protocol::{HostName, KindName, OperationId};
use std::collections::HashSet;
use std::sync::Arc;

/// Ids in one request; the server takes more, and every body has its limit.
const AT_ONCE: usize = 2_000;

/// Something a person has to confirm.
#[derive(Clone, PartialEq, Debug)]
pub enum Question {
    Cancel(OperationId),
    Many(Arc<[OperationId]>),
    Resume(OperationId),
    Abandon(OperationId),
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
            question: RwSignal::new(None),
        }
    }

    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<Actions>()
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
                        actions.toasts.undoable(format!("{host} takes no new work."), undo);
                    } else {
                        actions.toasts.say(format!("{host} takes new work again."));
                    }
                }
                Err(problem) => actions.toasts.warn(problem.detail),
            }
            actions.draining.update(|pending| {
                pending.remove(&host);
            });
        });
    }

    /// Cancels; asks first where that loses work.
    pub fn cancel(&self, op: OpView) {
        let checkpoint = op.facts.with_untracked(|f| f.checkpoint.is_some());
        let resumes = resumable(&op.fixed().kind);
        if words::cancel_loses_work(op.state.get_untracked(), resumes, checkpoint) {
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
        self.ask(id, "retry", "Another attempt is queued");
    }

    /// Another attempt from the checkpoint.
    pub fn resume_now(&self, id: OperationId) {
        self.ask(id, "resume", "It goes on from its checkpoint");
    }

    /// Gives up an attempt whose host can't be heard.
    pub fn abandon_now(&self, id: OperationId) {
        self.ask(id, "abandon", "Given up");
    }

    /// Cancels many, and says what became of it.
    pub fn cancel_many_now(&self, ids: Arc<[OperationId]>, reason: String) {
        let (actions, selection) = (*self, Selection::here());
        actions.pending.update(|pending| pending.extend(ids.iter().copied()));
        spawn_local(async move {
            let (mut asked, mut refused) = (0, Vec::new());
            for some in ids.chunks(AT_ONCE) {
                let many = CancelMany { ids: Some(some.to_vec()), filter: None, reason: reason.clone() };
                match api::cancel_many(&many).await {
                    Ok(answer) => {
                        asked += answer.asked.len() as u32;
                        refused.extend(answer.refused);
                        selection.set_all(some, false);
                    }
                    // What was not asked stays selected.
                    Err(problem) => actions.toasts.warn(problem.detail),
                }
            }
            if asked > 0 || !refused.is_empty() {
                match cancelled_many(asked, &refused) {
                    (said, true) => actions.toasts.warn(said),
                    (said, false) => actions.toasts.say(said),
                }
            }
            actions.pending.update(|pending| {
                for id in ids.iter() {
                    pending.remove(id);
                }
            });
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
                    let title = operation.title.clone();
                    live.adopt(&operation, 0);
                    actions.toasts.say(format!("{said}: {title}"));
                }
                Err(problem) => actions.toasts.warn(problem.detail),
            }
            actions.pending.update(|pending| {
                pending.remove(&id);
            });
        });
    }
}

/// Whether a later attempt of this kind can go on where one ended, as far as the page knows. Not tracked.
pub fn resumable(kind: &KindName) -> bool {
    Data::here().kinds.with_untracked(|kinds| {
        let kinds = kinds.as_ref().and_then(|k| k.as_ref().ok());
        kinds.is_some_and(|k| k.kinds.iter().any(|o| o.spec.name == *kind && o.spec.resumable))
    })
}
