//! What a person can ask of an operation: cancel, retry, resume. Asks back where work would be lost, says
//! in a toast what was asked and what went wrong.

use crate::api;
use crate::app::Data;
use crate::components::toasts::Toasts;
use crate::live::{Live, OpView};
use crate::words;
use leptos::prelude::*;
use leptos::task::spawn_local;
use protocol::OperationId;
use std::collections::HashSet;

/// The page's own; from the context.
#[derive(Clone, Copy)]
pub struct Actions {
    toasts: Toasts,
    /// Asked for and not yet answered.
    pending: RwSignal<HashSet<OperationId>>,
    /// A cancel that a person has to confirm.
    pub to_confirm: RwSignal<Option<OperationId>>,
}

impl Actions {
    /// Called once, by the app.
    pub fn new(toasts: Toasts) -> Self {
        Self { toasts, pending: RwSignal::default(), to_confirm: RwSignal::new(None) }
    }

    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<Actions>()
    }

    /// Something was asked of it that is not yet answered. Tracked.
    pub fn pending(&self, id: OperationId) -> bool {
        self.pending.with(|pending| pending.contains(&id))
    }

    /// Cancels; asks first where that loses work.
    pub fn cancel(&self, op: OpView) {
        let kind = op.fixed().kind.clone();
        let resumes = Data::here().kinds.with_untracked(|kinds| {
            let kinds = kinds.as_ref().and_then(|k| k.as_ref().ok());
            kinds.is_some_and(|k| k.kinds.iter().any(|o| o.spec.name == kind && o.spec.resumable))
        });
        let checkpoint = op.facts.with_untracked(|f| f.checkpoint.is_some());
        if words::cancel_loses_work(op.state.get_untracked(), resumes, checkpoint) {
            self.to_confirm.set(Some(op.id));
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
    pub fn resume(&self, id: OperationId) {
        self.ask(id, "resume", "It goes on from its checkpoint");
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
