//! The trail of a cancel, step by step as it happens.

use crate::reactive::{part, word};
use crate::{format, words};
use leptos::prelude::*;
use protocol::receipt::Step;
use protocol::{Receipt, State};

/// `Cancelled  requested 10:43:17.204 · sent +2 ms · acknowledged +6 ms · stopped +31 ms · released +33 ms`
#[component]
pub fn ReceiptLine(receipt: Signal<Option<Receipt>>, state: Signal<State>) -> impl IntoView {
    let headline = move || {
        word(move || match state.get() {
            State::Cancelled => "Cancelled",
            State::Cancelling => "Cancelling",
            _ => "Cancel was asked for",
        })
    };
    part(move || {
        let receipt = receipt.get()?;
        let taken = words::trail(&receipt);
        let pending = !state.get().ended();
        let steps = Step::ALL.into_iter().filter_map(|step| {
            let found = taken.iter().find(|(name, ..)| *name == step.as_str());
            match found {
                Some((name, text, at)) => Some(
                    view! {
                        <li title=format!("{} {} UTC", format::day(*at), format::clock_millis(*at))>
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
        Some(
            view! {
                <div class="receipt" aria-live="polite">
                    <strong>{headline()}</strong>
                    <ol>{steps.collect_view()}</ol>
                </div>
            }
            .into_any(),
        )
    })
}
