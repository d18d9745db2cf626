//! Progress of an operation, below its title: phases, bar, what it does and the time left; after a cancel its receipt.

use super::condition::InLine;
use super::phases::PhaseTrack;
use components::bar::ProgressBar;
use components::reactive::{part, text};
use components::receipt::ReceiptLine;
use leptos::prelude::*;
use live::{OpView, OperationStore};
use protocol::{KindSpec, State};

/// Count, rate and activity: `172 of 400 epochs · 9.4 epochs/s`.
fn wording(op: OpView) -> String {
    let ended = op.state.get().ended();
    op.progress.with(|p| {
        let Some(p) = p else { return String::new() };
        let doing = if ended { String::new() } else { display::doing(p) };
        let all = [display::done_of_total(p), doing];
        all.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · ")
    })
}

/// The section. It stays after a failure or a cancel, and tells how far the operation came.
#[component]
pub fn ProgressLine(op: OpView, spec: StoredValue<Option<KindSpec>>) -> impl IntoView {
    let live = OperationStore::here();
    let (clock, newest) = (live.clock(), live.newest());
    let shown = Memo::new(move |_| {
        let state = op.state.get();
        let far = op.progress.with(|p| p.as_ref().is_some_and(|p| p.done > 0 || p.fraction.is_some()));
        let cancel = op.receipt.with(Option::is_some);
        (!state.ended() || state != State::Succeeded && far || cancel, state.ended(), far)
    });
    let left = part(move || {
        op.expected_end(clock.get(), newest.get(), display::forecast::left_with_band)
            .map(|wording| view! { <span class="num left">{wording}</span> }.into_any())
    });
    part(move || {
        let (shown, ended, far) = shown.get();
        shown.then(|| {
            view! {
                <section class="card running" aria-label="Progress" data-ended=ended.then_some("")>
                    {(!ended).then(|| view! { <PhaseTrack op spec/> })}
                    {(!ended || far).then(|| view! {
                        <ProgressBar op/>
                        <p class="muted doing dotted">
                            <span class="num">{text(move || wording(op))}</span>
                            <InLine op/>
                            {left.clone()}
                        </p>
                    })}
                    <ReceiptLine op/>
                </section>
            }
            .into_any()
        })
    })
}
