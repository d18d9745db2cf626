//! Receipt of a cancel, step by step as it happens.

use crate::live::{Live, OpView};
use crate::reactive::{part, word};
use crate::zone::Zones;
use display::cancel_steps::{branch, steps};
use leptos::prelude::*;
use protocol::State;
use protocol::receipt::Step;

/// `Cancelled  requested 10:43:17.204 · sent +2 ms · acknowledged +6 ms · stopped +31 ms · released +33 ms`, and below
/// it what delays it or how it ended otherwise.
#[component]
pub fn ReceiptLine(op: OpView) -> impl IntoView {
    let (receipt, state) = (op.receipt, op.state);
    let (clock, zone) = (Live::here().clock(), Zones::here());
    let aside = Memo::new(move |_| {
        let state = state.get();
        // The times of an ended operation don't change any more.
        let now = if state.ended() { clock.get_untracked() } else { clock.get() };
        let failed = op.facts.with(|f| f.failure.as_ref().map(|f| f.reason));
        let condition = op.condition.get();
        receipt.with(|r| r.as_ref().and_then(|r| branch(r, state, condition.as_ref(), failed, now)))
    });
    let headline = move || {
        word(move || match state.get() {
            State::Cancelled => "Cancelled",
            State::Cancelling => "Cancelling",
            _ => "Cancel requested",
        })
    };
    part(move || {
        let receipt = receipt.get()?;
        let zone = zone.get();
        let taken = steps(&receipt, zone);
        let pending = !state.get().ended();
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
        Some(
            view! {
                <div class="receipt" aria-live="polite">
                    <strong>{headline()}</strong>
                    <ol>{steps.collect_view()}</ol>
                    {reason}
                    {part(move || {
                        aside.get().map(|said| view! { <p class="receipt-aside" aria-live="off">{said}</p> }.into_any())
                    })}
                </div>
            }
            .into_any(),
        )
    })
}
