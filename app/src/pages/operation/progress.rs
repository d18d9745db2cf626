//! Progress of an operation, below its title: phases, bar, what it does and the time left; after a cancel its receipt.

use super::condition::InLine;
use super::phases::PhaseTrack;
use components::bar::ProgressBar;
use components::reactive::{part, text};
use components::receipt::ReceiptLine;
use leptos::prelude::*;
use live::{OpView, OperationStore};
use protocol::{KindSpec, Progress, State};

/// Count, rate and activity: `172 of 400 epochs · 9.4 epochs/s`. Without a fraction, the bar above has the count.
fn wording(progress: &Progress, state: State) -> String {
    let doing = if state.ended() { String::new() } else { display::doing(progress) };
    let counted = progress.fraction.is_some() || state == State::Cancelling;
    let count = if counted { display::done_of_total(progress) } else { String::new() };
    [count, doing].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join(" · ")
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
                            <span class="num">{text(move || {
                                let state = op.state.get();
                                op.progress.with(|p| p.as_ref().map(|p| wording(p, state)).unwrap_or_default())
                            })}</span>
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

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;

    #[test]
    fn a_count_is_shown_once_by_the_bar_or_below_it() {
        let mut progress = Progress::start(Time::from_micros(0));
        (progress.done, progress.unit, progress.rate) = (22, "iterations".to_owned(), Some(4.0));
        let of = |progress: &Progress, state| wording(progress, state);
        assert_eq!(display::how_far(Some(&progress)), "22 iterations so far");
        assert_eq!(of(&progress, State::Running), "4 iterations/s");
        // The bar has the last step of the cancel, or a percentage.
        assert_eq!(of(&progress, State::Cancelling), "22 iterations · 4 iterations/s");
        (progress.fraction, progress.total) = (Some(0.5), Some(44));
        assert_eq!(of(&progress, State::Running), "22 of 44 iterations · 4 iterations/s");
    }
}
