//! Condition of an operation, such as queued, stalled or host unreachable, with the action that resolves it.

use app_state::actions::{Actions, Question};
use components::permission::needs;
use components::reactive::{part, text, yes};
use leptos::prelude::*;
use live::{OpView, OperationStore};
use protocol::access::Permission;
use protocol::{ConditionKind, State};

/// Box with the condition; empty without one.
#[component]
pub fn ConditionBox(op: OpView) -> impl IntoView {
    let (actions, live) = (Actions::here(), OperationStore::here());
    let clock = live.clock();
    // Rebuilt when the condition changes, not every second.
    let matter = Memo::new(move |_| {
        let open = !op.state.get().ended();
        op.condition.with(|c| c.as_ref().filter(|_| open).map(|c| (c.kind, c.message.clone())))
    });
    let may_abandon =
        Memo::new(move |_| op.condition.with(|c| display::may_abandon(op.state.get(), c.as_ref())));
    let headline = text(move || {
        op.condition.with(|c| {
            c.as_ref()
                .map(|c| op.facts.with(|f| capital(display::trouble(c, &f.attempt_facts(), clock.get()))))
                .unwrap_or_default()
        })
    });
    let reasons = part({
        let hosts = live.hosts();
        move || {
            let no_host = matter.with(|m| m.as_ref().is_some_and(|(kind, _)| *kind == ConditionKind::NoHost));
            let reasons = if no_host {
                hosts.with(|hosts| display::hosts::not_ready(hosts, &op.fixed().kind))
            } else {
                vec![]
            };
            let lines = reasons.into_iter().map(|reason| view! { <p>{reason}</p> });
            Some(lines.collect_view().into_any())
        }
    });
    // An unconfirmed cancel can be resent.
    let may_repeat = Memo::new(move |_| {
        let of_cancel = |kind| matches!(kind, ConditionKind::Unstoppable | ConditionKind::CancelUndelivered);
        op.state.get() == State::Cancelling
            && op.condition.with(|c| c.as_ref().is_some_and(|c| of_cancel(c.kind)))
    });
    let give_up = part(move || {
        let repeat = may_repeat.get().then(|| {
            view! {
                <button {..needs(Permission::Control)}
                    type="button"
                    class="button"
                    disabled=yes(move || actions.pending(op.id))
                    on:click=move |_| actions.cancel_now(op.id)
                >
                    "Resend cancel"
                </button>
            }
        });
        may_abandon.get().then(|| {
            view! {
                <p class="note-do only-script">
                    {repeat}
                    <button {..needs(Permission::Control)}
                        type="button"
                        class="button danger"
                        disabled=yes(move || actions.pending(op.id))
                        on:click=move |_| actions.question.set(Some(Question::Abandon(op.id)))
                    >
                        "Abandon…"
                    </button>
                </p>
            }
            .into_any()
        })
    });
    part(move || {
        let (kind, message) = matter.get()?;
        let class = if display::waits(kind) { "note" } else { "note warn" };
        Some(
            view! {
                <div class=class role="status">
                    <p aria-live="off">
                        <strong class="num">{headline.clone()}</strong>
                    </p>
                    {(!message.is_empty()).then(|| view! { <p>{message}</p> })}
                    {reasons.clone()}
                    {give_up.clone()}
                </div>
            }
            .into_any(),
        )
    })
}

/// Queue position of a queued operation.
#[component]
pub fn InLine(op: OpView) -> impl IntoView {
    let live = OperationStore::here();
    let place = Memo::new(move |_| {
        // Only queued operations track queue positions.
        (op.state.get() == State::Queued).then(|| live.places().remove(&op.id)).flatten()
    });
    part(move || {
        let place = place.get()?;
        let priority = op.facts.with(|f| f.priority);
        let priority = (priority != 0).then(|| format!(", priority {priority}"));
        let wording = display::place(place, &op.fixed().kind);
        Some(view! { <span>{wording} {priority}</span> }.into_any())
    })
}

/// Text with a capital first letter.
fn capital(text: String) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
