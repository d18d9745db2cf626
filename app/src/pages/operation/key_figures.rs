//! Key figures below the progress: of the result, or of curves and progress while there is none; beside them the next
//! steps after a result.

use super::result::next_steps;
use super::sweep::Sweep;
use crate::features::curves::info;
use crate::outcome::{Outcome, headline};
use components::headline::Headline;
use components::reactive::part;
use leptos::prelude::*;
use live::OpView;
use live::model::curves::Curves;
use protocol::KindSpec;

/// The strip; empty while there are no figures.
#[component]
pub fn KeyFigures(
    op: OpView,
    outcome: Memo<Option<Outcome>>,
    sweep: Option<Sweep>,
    curves: RwSignal<Curves>,
    spec: StoredValue<Option<KindSpec>>,
) -> impl IntoView {
    let figures = Memo::new(move |_| {
        if let Some(sweep) = sweep {
            return sweep.figures();
        }
        let of_result = outcome.with(|o| o.as_ref().map(headline::of_result));
        of_result.filter(|figures| !figures.is_empty()).unwrap_or_else(|| {
            let ended = op.state.get().ended();
            let title = |name: &str| info(name, spec).1.title;
            op.progress.with(|p| curves.with(|c| headline::of_progress(p.as_ref(), c, title, ended)))
        })
    });
    let steps = part(move || match sweep {
        Some(sweep) => sweep.next_steps(),
        None => outcome.with(|o| o.as_ref().and_then(next_steps)),
    });
    let any = Memo::new(move |_| !figures.read().is_empty());
    part(move || {
        any.get().then(|| {
            view! {
                <section class="card key-figures" aria-label="Key figures">
                    <Headline figures/>
                    {steps.clone()}
                </section>
            }
            .into_any()
        })
    })
}
