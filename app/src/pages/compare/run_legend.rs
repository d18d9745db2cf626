//! Legend of the whole page: letter, colour and name of each run. Pointing at a run dims all others; pressing it hides
//! its curves.

use super::entry::Entry;
use charts::{ChartGroup, swatch};
use components::reactive::word;
use leptos::prelude::*;

/// Buttons, one per run.
#[component]
pub fn RunLegend(entries: Vec<Entry>, group: ChartGroup) -> impl IntoView {
    let all = entries.iter().fold(0_u32, |bits, entry| bits | 1 << entry.place);
    let runs = entries.into_iter().map(|entry| {
        let place = entry.place;
        let shows = move || group.hidden.get() & (1 << place) == 0;
        // At least one run stays visible.
        let press = move |_| {
            group.hidden.update(|bits| {
                let then = *bits ^ (1 << place);
                *bits = if then == all { 0 } else { then };
            });
        };
        let light = move || group.highlighted.set(Some(place));
        view! {
            <li>
                <button
                    type="button"
                    class="legend-entry"
                    title=entry.label()
                    aria-pressed=word(move || if shows() { "true" } else { "false" })
                    on:click=press
                    on:mouseenter=move |_| light()
                    on:focus=move |_| light()
                    on:mouseleave=move |_| group.highlighted.set(None)
                    on:blur=move |_| group.highlighted.set(None)
                >
                    {swatch(place)}
                    <strong>{entry.letter()}</strong>
                    " "
                    <span class="legend-name">{entry.name.get_value()}</span>
                </button>
            </li>
        }
    });
    view! {
        <ul class="legend run-legend only-script" aria-label="Runs shown">
            {runs.collect_view()}
        </ul>
    }
    .into_any()
}
