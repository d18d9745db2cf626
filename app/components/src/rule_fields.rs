//! Fields of an auto-cancel rule: series, side of the baseline, number of points.

use crate::reactive::{part, text};
use leptos::prelude::*;
use protocol::band::{IN_A_ROW, SetRule, Side};

/// `Cancel when [train loss] is [above] the baseline for [10] points in a row`, with controls in brackets. `choices`
/// are titles and names of series; the first applies while `rule` names none of them.
#[component]
pub fn RuleFields(
    rule: RwSignal<SetRule>,
    #[prop(into)] choices: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    let options = part(move || {
        let choices = choices.get();
        let chosen = rule.with(|rule| rule.series.clone());
        let options = choices.into_iter().map(|(title, name)| {
            let selected = name == chosen;
            view! { <option value=name selected=selected>{title}</option> }
        });
        Some(options.collect_view().into_any())
    });
    let sides = part(move || {
        let chosen = rule.with(|rule| rule.side);
        let sides = Side::ALL.map(|side| {
            view! { <option value=side.as_str() selected=side == chosen>{side.as_str()}</option> }
        });
        Some(sides.collect_view().into_any())
    });
    let choose_side = move |event| {
        let chosen = event_target_value(&event);
        let side = Side::ALL.into_iter().find(|side| side.as_str() == chosen).unwrap_or(Side::Above);
        rule.update(|rule| rule.side = side);
    };
    let (least, most) = IN_A_ROW;
    // Invalid text counts as 0, which no rule allows, and stays in the field.
    let points = |typed: &str| typed.trim().parse().unwrap_or(0);
    let typed = RwSignal::new(untrack(|| rule.with(|rule| rule.points.to_string())));
    Effect::new(move |_| {
        let now = rule.with(|rule| rule.points);
        if typed.with_untracked(|typed| points(typed) != now) {
            typed.set(now.to_string());
        }
    });
    let count = move |event| {
        typed.set(event_target_value(&event));
        rule.update(|rule| rule.points = typed.with_untracked(|typed| points(typed)));
    };
    view! {
        <span>"Cancel when"</span>
        <select
            aria-label="Curve"
            on:change=move |event| rule.update(|rule| rule.series = event_target_value(&event))
        >
            {options}
        </select>
        <span>"is"</span>
        <select aria-label="Side of the baseline" on:change=choose_side>
            {sides}
        </select>
        <span>"the baseline for"</span>
        <input
            type="number"
            class="num"
            aria-label="Points in a row"
            min=least
            max=most
            step="1"
            value=typed.get_untracked()
            prop:value=text(move || typed.get())
            on:input=count
        />
        <span>"points in a row"</span>
    }
    .into_any()
}

/// Help text about the baseline.
pub const ABOUT: &str = "The baseline is the P10 to P90 range of successful past runs with the same title, or of the same kind if too few runs have this title. The baseline is fixed when you set the rule. Signalbox cancels the operation when the chosen number of consecutive points is on the chosen side of the baseline. The receipt of the cancel states the reason.";
