//! Rules: each as a sentence, with its origin, and its test against the history.

use super::active::severity_word;
use super::current::CurrentAlerts;
use super::dry_run::DryRunPanel;
use components::reactive::{mark, part, text, word};
use display::format;
use leptos::prelude::*;
use protocol::alerts::{RuleList, RuleOrigin, RuleStatus};

#[component]
pub fn Rules(list: RuleList, current: CurrentAlerts) -> impl IntoView {
    let rows = list.rules.into_iter().map(|status| rule(status, current)).collect_view();
    view! {
        <section class="list" aria-labelledby="rules-title">
            <h2 id="rules-title">"Rules"</h2>
            <p class="muted">
                "Rules are in the server\'s configuration. Test other values here, then copy them into the configuration."
            </p>
            <div class="rules">{rows}</div>
        </section>
    }
    .into_any()
}

/// Where a rule comes from; empty for a built-in one.
fn origin_word(origin: RuleOrigin) -> &'static str {
    match origin {
        RuleOrigin::Default => "",
        RuleOrigin::Changed => "Modified",
        RuleOrigin::Configuration => "Custom",
    }
}

fn rule(status: RuleStatus, current: CurrentAlerts) -> AnyView {
    let RuleStatus { rule, sentence, enabled, origin, has_history, .. } = status;
    let name = rule.name.clone();
    let firing = Memo::new(move |_| {
        let list = current.list();
        list.map_or(0, |list| list.alerts.iter().filter(|a| a.rule == name && a.fired_at.is_some()).count())
    });
    let firing_word = text(move || match firing.get() {
        0 => String::new(),
        count => format!("{} firing", format::count(count as u64)),
    });
    let off = (!enabled).then(|| view! { <span class="muted">"Off"</span> });
    let origin = origin_word(origin);
    let origin = (!origin.is_empty()).then(|| view! { <span class="muted">{origin}</span> });
    let panel = has_history.then(|| DryRunPanel::new(rule.clone()));
    let button = panel.map(|panel| {
        let label = format!("Test {} against history", rule.name);
        view! {
            <button
                type="button"
                class="button only-script"
                aria-label=label
                aria-expanded=text(move || panel.is_open().to_string())
                on:click=move |_| panel.toggle()
            >
                {word(move || if panel.is_open() { "Close" } else { "Test…" })}
            </button>
        }
    });
    let panel = part(move || panel?.view());
    view! {
        <article class="rule" id=format!("rule-{}", rule.name) data-firing=mark(move || firing.get() > 0)>
            <div class="rule-row">
                <h3>{rule.name.clone()}</h3>
                <span class="alert-mark" data-severity=rule.severity.as_str()>{severity_word(rule.severity)}</span>
                {origin}
                {off}
                <span class="num rule-firing">{firing_word}</span>
                {button}
            </div>
            <p>{sentence}</p>
            {panel}
        </article>
    }
    .into_any()
}
