//! Options beside the parameters: priority and auto-cancel rule. Both are in the URL.

use components::form::typed::Typed;
use components::reactive::{text, yes};
use components::rule_fields::{ABOUT, RuleFields};
use leptos::prelude::*;
use protocol::SeriesInfo;
use protocol::band::{SetRule, Side};

/// Query parameters, unless the kind has parameters of these names. An error of the rule has its name, too.
const PRIORITY: &str = "priority";
pub const RULE: &str = "rule";

/// Priority and rule of the form.
#[derive(Clone, Copy)]
pub struct StartOptions {
    pub priority: RwSignal<i8>,
    /// The configured rule, enabled or not.
    rule: RwSignal<SetRule>,
    ruled: RwSignal<bool>,
    /// Whether priority and rule may be in the URL.
    named: (bool, bool),
}

impl StartOptions {
    /// Options from the URL. `first` is the series of the rule until another is chosen.
    pub fn new(typed: Typed, first: &str, given: &dyn Fn(&str) -> Option<String>) -> Self {
        let rule = SetRule { series: first.to_owned(), side: Side::Above, points: 10 };
        let options = Self {
            priority: RwSignal::new(0),
            rule: RwSignal::new(rule),
            ruled: RwSignal::new(false),
            named: (!typed.has(PRIORITY), !typed.has(RULE) && !first.is_empty()),
        };
        options.fill(given);
        options
    }

    /// Sets the options from a URL; missing ones are reset.
    pub fn fill(self, given: &dyn Fn(&str) -> Option<String>) {
        let (priority, wanted) = self.read(given);
        self.priority.set(priority);
        self.ruled.set(wanted.is_some());
        if let Some(wanted) = wanted {
            self.rule.set(wanted);
        }
    }

    fn read(self, given: &dyn Fn(&str) -> Option<String>) -> (i8, Option<SetRule>) {
        let (priority, rule) = self.named;
        let priority = if priority { priority_of(given(PRIORITY)) } else { 0 };
        (priority, given(RULE).filter(|_| rule).and_then(|words| rule_of(&words)))
    }

    /// The rule, if enabled. Tracked.
    pub fn rule(self) -> Option<SetRule> {
        self.ruled.get().then(|| self.rule.get())
    }

    /// Validation error of the rule, if enabled. Not tracked.
    pub fn wrong(self) -> Option<String> {
        let wrong = untrack(|| self.rule())?.check();
        wrong.into_iter().next().map(|wrong| wrong.message)
    }

    /// Query parameters for the URL; an invalid rule is left out. Tracked.
    pub fn words(self) -> Vec<(String, String)> {
        let priority = if self.named.0 { self.priority.get() } else { 0 };
        words(priority, self.rule().filter(|rule| rule.check().is_empty()))
    }

    /// Query parameters of a URL, as far as they are valid.
    pub fn words_of(self, given: &dyn Fn(&str) -> Option<String>) -> Vec<(String, String)> {
        let (priority, rule) = self.read(given);
        words(priority, rule)
    }
}

fn words(priority: i8, rule: Option<SetRule>) -> Vec<(String, String)> {
    let priority = (priority != 0).then(|| (PRIORITY.to_owned(), priority.to_string()));
    let rule = rule.map(|rule| (RULE.to_owned(), words_of(&rule)));
    priority.into_iter().chain(rule).collect()
}

/// Parses a priority; 0 when invalid.
fn priority_of(text: Option<String>) -> i8 {
    text.and_then(|text| text.parse().ok()).filter(|n| (-100..=100).contains(n)).unwrap_or(0)
}

/// Formats a rule: `train_loss above 10`.
fn words_of(rule: &SetRule) -> String {
    format!("{} {} {}", rule.series, rule.side.as_str(), rule.points)
}

/// Parses a rule; `None` when invalid.
fn rule_of(words: &str) -> Option<SetRule> {
    let (rest, points) = words.rsplit_once(' ')?;
    let (series, side) = rest.rsplit_once(' ')?;
    let side = Side::ALL.into_iter().find(|known| known.as_str() == side)?;
    let rule = SetRule { series: series.to_owned(), side, points: points.parse().ok()? };
    rule.check().is_empty().then_some(rule)
}

/// Priority field, collapsed because it is rarely needed.
#[component]
pub fn Priority(options: StartOptions) -> impl IntoView {
    let priority = options.priority;
    let typed = move |event: web_sys::Event| {
        // Out-of-range values are clamped, and anything but a number becomes 0.
        let input = event_target::<web_sys::HtmlInputElement>(&event);
        let wanted = json::float(input.value().trim()).unwrap_or(0.0).clamp(-100.0, 100.0).round() as i8;
        input.set_value(&wanted.to_string());
        priority.set(wanted);
    };
    let first = priority.get_untracked();
    view! {
        <details class="form-more" open=first != 0>
            <summary>"Priority"</summary>
            <label class="field">
                <span class="field-help">
                    "From −100 to 100. When hosts are full, operations with a higher priority start first, and operations with equal priority in queue order."
                </span>
                <input
                    type="number"
                    name="priority"
                    min="-100"
                    max="100"
                    step="1"
                    value=first.to_string()
                    prop:value=text(move || priority.get().to_string())
                    aria-label="Priority"
                    on:change=typed
                />
            </label>
        </details>
    }
    .into_any()
}

/// Auto-cancel rule that applies from the first point on. Hidden for kinds without series.
#[component]
pub fn Rule(typed: Typed, options: StartOptions, series: Vec<SeriesInfo>) -> impl IntoView {
    if !options.named.1 {
        return ().into_any();
    }
    let StartOptions { rule, ruled, .. } = options;
    let choices: Vec<(String, String)> = series.into_iter().map(|info| (info.title, info.name)).collect();
    let choices = StoredValue::new(choices);
    let error = Memo::new(move |_| typed.error_of(RULE));
    // A changed rule is checked at the next start.
    Effect::new(move |before: Option<()>| {
        rule.track();
        ruled.track();
        if before.is_some() {
            typed.forgive(RULE);
        }
    });
    let id = Typed::id_of(RULE);
    let error_id = format!("{id}-error");
    view! {
        <details class="form-more" open=ruled.get_untracked()>
            <summary>"Auto-cancel rule"</summary>
            <label class="check">
                <input
                    type="checkbox"
                    checked=ruled.get_untracked()
                    prop:checked=yes(move || ruled.get())
                    on:change=move |event| ruled.set(event_target_checked(&event))
                />
                "Set an auto-cancel rule"
            </label>
            <fieldset
                class="rule-form"
                id=id
                tabindex="-1"
                aria-label="Auto-cancel rule"
                aria-describedby=error_id.clone()
                disabled=yes(move || !ruled.get())
            >
                <RuleFields rule choices=Signal::derive(move || choices.get_value())/>
            </fieldset>
            <p class="field-error" id=error_id>
                {text(move || error.get().unwrap_or_default())}
            </p>
            <p class="field-help">{ABOUT}</p>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impossible_priority_is_ignored() {
        let of = |text: &str| priority_of(Some(text.to_owned()));
        assert_eq!((of("-7"), of("100"), priority_of(None)), (-7, 100, 0));
        assert_eq!([of("101"), of("x"), of("")], [0; 3]);
    }

    #[test]
    fn a_rule_round_trips_through_its_fields_and_invalid_ones_are_none() {
        let rule = SetRule { series: "train loss".into(), side: Side::Outside, points: 25 };
        assert_eq!(words_of(&rule), "train loss outside 25");
        assert_eq!(rule_of(&words_of(&rule)), Some(rule));
        for wrong in
            ["", "train_loss", "train_loss over 10", "train_loss above 2", "train_loss above x", "above 10"]
        {
            assert_eq!(rule_of(wrong), None, "{wrong:?}");
        }
    }
}
