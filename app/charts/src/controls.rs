//! Legend with visible curves, and the smoothing slider.

use super::data::Spec;
use components::reactive::{text, word};
use leptos::prelude::*;

/// Dash of a style. Three lines differ by colour only; from the fourth on they are dashed, too, and each repetition of
/// the eight colours gets other dashes. Must match `uplot_bridge.js`.
fn dash(style: usize) -> &'static str {
    const DASHES: [&str; 5] = ["6 3", "2 3", "8 3 2 3", "10 4", "4 2 1 2"];
    if style < 3 { "" } else { DASHES[(style % 8 + 2 + style / 8 * 2) % 5] }
}

/// Legend swatch of a curve, in its colour and dash.
pub fn swatch(style: usize) -> AnyView {
    let colour = format!("stroke:var(--series-{})", style % 8 + 1);
    view! {
        <svg class="swatch" viewBox="0 0 18 8" aria-hidden="true">
            <line x1="0" y1="4" x2="18" y2="4" style=colour stroke-dasharray=dash(style)></line>
        </svg>
    }
    .into_any()
}

/// Legend swatch of a baseline: filled, with its median.
pub fn band_swatch(style: usize) -> AnyView {
    let colour = format!("fill:var(--series-{0});stroke:var(--series-{0})", style % 8 + 1);
    view! {
        <svg class="swatch band-swatch" viewBox="0 0 18 8" aria-hidden="true" style=colour>
            <rect x="0" y="0" width="18" height="8"></rect>
            <line x1="0" y1="4" x2="18" y2="4" stroke-dasharray="4 3"></line>
        </svg>
    }
    .into_any()
}

/// Buttons that show or hide curves; absent for a single curve. Bit i of `hidden` hides column i.
#[component]
pub fn Legend(spec: Spec, hidden: RwSignal<u32>) -> impl IntoView {
    let names = spec.names.clone();
    if names.len() < 2 {
        return ().into_any();
    }
    let all = (1u32 << names.len().min(31)) - 1;
    let entries = names.into_iter().enumerate().take(31).map(|(i, name)| {
        let full = spec.full.get(i).cloned();
        let shows = move || hidden.get() & (1 << i) == 0;
        // At least one curve stays visible.
        let toggle = move |_| {
            hidden.update(|bits| {
                let then = *bits ^ (1 << i);
                *bits = if then == all { 0 } else { then };
            });
        };
        view! {
            <li>
                <button
                    type="button"
                    class="legend-entry"
                    title=full.clone()
                    aria-label=full
                    aria-pressed=word(move || if shows() { "true" } else { "false" })
                    on:click=toggle
                >
                    {swatch(spec.style(i))}
                    <span>{name}</span>
                </button>
            </li>
        }
    });
    view! { <ul class="legend only-script" aria-label="Curves shown">{entries.collect_view()}</ul> }
        .into_any()
}

/// Slider of the smoothing weight, from 0 to 0.99.
#[component]
pub fn Smoothing(
    /// Smoothed curves, for screen readers: `Smoothing of loss`.
    #[prop(into)]
    of: String,
    #[prop(into)] weight: Signal<f64>,
    /// Called with the chosen weight.
    on_change: Callback<f64>,
) -> impl IntoView {
    let value = move || match weight.get() {
        w if w > 0.0 => format!("{w:.2}"),
        _ => "Off".to_owned(),
    };
    view! {
        <label class="dial only-script">
            "Smoothing"
            <input
                type="range"
                min="0"
                max="0.99"
                step="0.01"
                aria-label=format!("Smoothing of {of}")
                aria-valuetext=text(value)
                prop:value=text(move || weight.get().to_string())
                on:input=move |event| {
                    let weight = json::float(&event_target_value(&event)).unwrap_or(0.0);
                    on_change.run(weight.clamp(0.0, 0.99));
                }
            />
            <span class="num dial-value">{text(value)}</span>
        </label>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::dash;
    use std::collections::BTreeSet;

    #[test]
    fn all_comparable_curves_are_distinguishable() {
        let styles: BTreeSet<_> = (0..24).map(|style| (style % 8, dash(style))).collect();
        assert_eq!(styles.len(), 24);
        // Without colours, the fourth to the eighth still differ.
        assert_eq!((2..8).map(dash).collect::<BTreeSet<_>>().len(), 6);
    }
}
