//! Confirmations for one operation.

use super::ways_out;
use crate::reactive::{part, text};
use app_state::Zones;
use app_state::actions::Actions;
use app_state::kinds::SWEEP;
use display::confirm;
use leptos::prelude::*;
use live::{OpView, OperationStore};
use protocol::OperationId;

/// Name of the operation: `training.run MSFT 1h`.
fn subject(op: OpView) -> String {
    let fixed = op.fixed();
    format!("{} {}", fixed.kind, fixed.title)
}

fn known(id: OperationId) -> Option<OpView> {
    OperationStore::here().operation(id).map(|cell| cell.view())
}

/// Content when the page no longer holds the operation.
fn deleted_note() -> AnyView {
    view! {
        <h2 id="confirm-title">"Operation not found"</h2>
        <p>"This operation is no longer available. It may have been deleted."</p>
        {ways_out("Close", ().into_any())}
    }
    .into_any()
}

fn button(class: &'static str, wording: &'static str, act: impl Fn() + Send + 'static) -> AnyView {
    view! {
        <button class=class on:click=move |_| act()>
            {wording}
        </button>
    }
    .into_any()
}

/// Confirms a cancel that loses work.
pub fn cancel(id: OperationId) -> AnyView {
    let Some(op) = known(id) else { return deleted_note() };
    let actions = Actions::here();
    view! {
        <h2 id="confirm-title">"Cancel this operation?"</h2>
        <p>
            <strong>{subject(op)}</strong>
            " has no checkpoint and can't be resumed. Its progress so far will be lost."
        </p>
        {ways_out("Keep running", button("button danger", "Cancel operation", move || actions.cancel_now(id)))}
    }
    .into_any()
}

/// Confirms a resume: what is kept, the checkpoint's age, what is repeated.
pub fn resume(id: OperationId) -> AnyView {
    let Some(op) = known(id) else { return deleted_note() };
    let (actions, clock) = (Actions::here(), OperationStore::here().clock());
    let zone = Zones::here();
    // The age is updated while the dialog is open.
    let wording = Memo::new(move |_| {
        let now = clock.get();
        let reached = op.progress.with(|p| display::how_far(p.as_ref()));
        op.facts.with(|f| {
            f.checkpoint
                .as_ref()
                .map(|c| confirm::resume(c, f.attempt, f.ended_at, &reached, now, zone.get()))
        })
    });
    let line =
        move |of: fn(confirm::Resume) -> String| text(move || wording.get().map(of).unwrap_or_default());
    let attempt = op.facts.with_untracked(|f| f.attempt + 1);
    view! {
        <h2 id="confirm-title">"Resume from the checkpoint?"</h2>
        <p>
            <strong>{subject(op)}</strong>
        </p>
        <dl class="asked">
            <dt>"Kept"</dt>
            <dd>{line(|r| r.content)}</dd>
            <dt>"Checkpoint"</dt>
            <dd class="num">{line(|r| r.from)}</dd>
            <dt>"Repeated"</dt>
            <dd>{line(|r| r.redone)}</dd>
        </dl>
        <p class="muted">{format!("Attempt {attempt} waits in the queue until a host is free.")}</p>
        {ways_out("Back", button("button primary", "Resume operation", move || actions.resume_now(id)))}
    }
    .into_any()
}

/// Confirms abandoning an operation whose host is unreachable or can't stop it.
pub fn abandon(id: OperationId) -> AnyView {
    let Some(op) = known(id) else { return deleted_note() };
    let (actions, clock) = (Actions::here(), OperationStore::here().clock());
    let host = op.facts.with_untracked(|f| f.host.as_ref().map_or("its host".to_owned(), |h| h.to_string()));
    let silent = part(move || {
        op.condition.with(|c| {
            c.as_ref().map(|c| {
                let wording = op.facts.with(|f| display::trouble(c, &f.attempt_facts(), clock.get()));
                view! { <p class="note warn">{wording}</p> }.into_any()
            })
        })
    });
    let stop = text({
        let host = host.clone();
        move || op.condition.with(|c| confirm::abandoned_work(c.as_ref().map(|c| c.kind), &host))
    });
    view! {
        <h2 id="confirm-title">"Abandon this operation?"</h2>
        <p>
            <strong>{subject(op)}</strong>
        </p>
        {silent}
        <ul class="asked-list">
            <li>{format!("The operation is marked as failed immediately. It may still be running on {host}.")}</li>
            <li>{stop}</li>
            <li>"Late reports and results are recorded, but change nothing."</li>
            <li>"You can then retry the operation, or resume it if it has a checkpoint."</li>
        </ul>
        {ways_out("Keep waiting", button("button danger", "Abandon operation", move || actions.abandon_now(id)))}
    }
    .into_any()
}

/// Confirms deleting an operation.
pub fn delete(id: OperationId) -> AnyView {
    let Some(op) = known(id) else { return deleted_note() };
    let actions = Actions::here();
    let starts_others = op.fixed().kind.as_str() == SWEEP;
    let lost = confirm::delete(op.facts.with_untracked(|f| f.has_result), starts_others);
    let lost = lost.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
    view! {
        <h2 id="confirm-title">"Delete this operation?"</h2>
        <p>
            <strong>{subject(op)}</strong>
        </p>
        <ul class="asked-list">{lost}</ul>
        {ways_out("Keep", button("button danger", "Delete operation", move || actions.delete_now(id)))}
    }
    .into_any()
}
