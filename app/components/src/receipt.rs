//! Receipt of a cancel: one line, and its steps.

use crate::reactive::{mark, part, word};
use app_state::Zones;
use display::cancel_steps::{branch, steps, summary};
use leptos::prelude::*;
use live::{OpView, OperationStore};
use protocol::receipt::Step;

/// `Cancelled: stopped and released in 22 ms, confirmed by gpu-1`. Its steps are beside it while the cancel is on its
/// way; then a pointer, the focus or *Steps* shows them, and screen readers always have them. Below it stands what
/// delays it or how it ended otherwise.
#[component]
pub fn ReceiptLine(op: OpView) -> impl IntoView {
    let (receipt, state) = (op.receipt, op.state);
    let (clock, zone) = (OperationStore::here().clock(), Zones::here());
    let unfolded = RwSignal::new(false);
    let aside = Memo::new(move |_| {
        let state = state.get();
        // The times of an ended operation don't change any more.
        let now = if state.ended() { clock.get_untracked() } else { clock.get() };
        let failed = op.facts.with(|f| f.failure.as_ref().map(|f| f.reason));
        let condition = op.condition.get();
        receipt.with(|r| r.as_ref().and_then(|r| branch(r, state, condition.as_ref(), failed, now)))
    });
    part(move || {
        let receipt = receipt.get()?;
        let zone = zone.get();
        let taken = steps(&receipt, zone);
        let state = state.get();
        let pending = !state.ended();
        let host = op.facts.with_untracked(|f| f.host.as_ref().map(ToString::to_string));
        let headline = summary(&receipt, state, host.as_deref());
        let steps = Step::ALL.into_iter().filter_map(|step| {
            let found = taken.iter().find(|(name, ..)| *name == step.as_str());
            match found {
                Some((name, text, at)) => Some(
                    view! {
                        <li title=format!("{} {}", zone.day(*at), zone.clock_millis(*at))>
                            <span>{*name}</span>
                            " "
                            <span class="num">{text.clone()}</span>
                        </li>
                    }
                    .into_any(),
                ),
                None if pending => Some(view! { <li class="to-come">{step.as_str()}</li> }.into_any()),
                None => None,
            }
        });
        let reason = (!receipt.reason.is_empty())
            .then(|| view! { <p class="receipt-why muted">{format!("“{}”", receipt.reason)}</p> }.into_any());
        let unfold = (!pending).then(|| {
            view! {
                <button
                    type="button"
                    class="link only-script"
                    aria-expanded=word(move || if unfolded.get() { "true" } else { "false" })
                    on:click=move |_| unfolded.update(|open| *open = !*open)
                >
                    "Steps"
                </button>
            }
        });
        Some(
            view! {
                <div
                    class="receipt"
                    aria-live="polite"
                    data-folded=mark(move || !pending && !unfolded.get())
                >
                    <strong class="num">{headline}</strong>
                    {unfold}
                    <ol class="receipt-steps">{steps.collect_view()}</ol>
                    {reason}
                    {part(move || {
                        aside.get().map(|wording| view! { <p class="receipt-aside" aria-live="off">{wording}</p> }.into_any())
                    })}
                </div>
            }
            .into_any(),
        )
    })
}
