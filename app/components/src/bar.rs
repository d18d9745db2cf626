//! Progress bar: moves only on reports, and shows text where a bar would mislead.

use crate::reactive::{mark, maybe, part, text, word};
use leptos::prelude::*;
use live::{OpView, OperationStore};
use protocol::{ConditionKind, State};

/// Style of the fill: how much is done. The style sheet moves or paints the fill by it, and never changes its width:
/// that would trigger a layout of the page.
fn filled(done: f64) -> String {
    format!("--done:{:.2}%", done.clamp(0.0, 1.0) * 100.0)
}

/// Bar and text. An unreachable host hatches it and shows the age; without a total it counts what is done; while
/// cancelling it keeps its position and shows the latest step of the receipt.
#[component]
pub fn ProgressBar(
    op: OpView,
    /// Without the text of a condition, which stands elsewhere.
    #[prop(optional)]
    plain: bool,
) -> impl IntoView {
    let clock = OperationStore::here().clock();
    let fraction = Memo::new(move |_| op.progress.with(|p| p.as_ref().and_then(|p| p.fraction)));
    let silent = Memo::new(move |_| {
        op.condition.with(|c| c.as_ref().is_some_and(|c| c.kind == ConditionKind::Unreachable))
    });
    let far = text(move || match op.state.get() {
        State::Cancelling => {
            op.receipt.with(|r| r.as_ref().map(display::cancel_steps::last_step).unwrap_or_default())
        }
        State::Succeeded => op.progress.with(|p| {
            p.as_ref().filter(|p| p.done > 0).map(|p| display::items(p.done, &p.unit)).unwrap_or_default()
        }),
        _ => op.progress.with(|p| display::how_far(p.as_ref())),
    });
    let trouble = part(move || {
        let ended = op.state.get().ended();
        op.condition.with(|c| {
            c.as_ref().filter(|_| !ended && !plain).map(|c| {
                let wording = op.facts.with(|facts| display::trouble(c, &facts.attempt_facts(), clock.get()));
                let waits = display::waits(c.kind).then_some("");
                view! { <span class="bar-trouble" data-waits=waits title=c.message.clone()>{wording}</span> }
                    .into_any()
            })
        })
    });
    let fill = text(move || {
        let done = if op.state.get() == State::Succeeded { 1.0 } else { fraction.get().unwrap_or(0.0) };
        filled(done)
    });
    let percent = maybe(move || fraction.get().map(|f| format!("{:.0}", (f * 100.0).floor())));
    view! {
        <div class="progress" data-state=word(move || op.state.get().as_str()) data-silent=mark(move || silent.get())>
            <div
                class="bar"
                role="progressbar"
                aria-label="Progress"
                aria-valuemin="0"
                aria-valuemax="100"
                aria-valuenow=percent
                data-open=mark(move || fraction.get().is_none())
            >
                <div class="bar-fill" style=fill></div>
            </div>
            <span class="bar-word num">{far}</span>
            {trouble}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_never_fuller_than_full() {
        assert_eq!((filled(0.0), filled(-0.1)), ("--done:0.00%".to_owned(), "--done:0.00%".to_owned()));
        assert_eq!(filled(0.425), "--done:42.50%");
        assert_eq!((filled(1.0), filled(1.5)), (filled(2.0), "--done:100.00%".to_owned()));
    }
}
