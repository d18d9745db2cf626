//! Rehearsal of a rule with other values: how often it would have fired, when, and the configuration for it.

use super::moment::charts_at;
use app_state::Zones;
use app_state::clipboard::copy_and_say;
use app_state::toasts::Toasts;
use components::link::A;
use components::placeholders::Skeleton;
use components::reactive::{part, spoken, text};
use display::format;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::Problem;
use protocol::alerts::{AlertRule, Comparison, Rehearsal, Rehearse, RehearsedAlert};

/// Number of moments that are listed.
const MAX_LISTED: usize = 20;
/// Choices of the time: label and days.
const DAYS: [(&str, f64); 4] = [("1 d", 1.0), ("7 d", 7.0), ("30 d", 30.0), ("90 d", 90.0)];

/// The panel's state.
#[derive(Clone, Copy)]
pub struct Rehearsing {
    rule: StoredValue<AlertRule>,
    open: RwSignal<bool>,
    threshold: RwSignal<String>,
    for_seconds: RwSignal<String>,
    days: RwSignal<f64>,
    busy: RwSignal<bool>,
    /// Rehearsed rule with its result.
    answer: RwSignal<Option<Result<(AlertRule, Rehearsal), Problem>>>,
}

impl Rehearsing {
    pub fn new(rule: AlertRule) -> Self {
        Self {
            open: RwSignal::new(false),
            threshold: RwSignal::new(format!("{}", rule.threshold)),
            for_seconds: RwSignal::new(format!("{}", rule.for_seconds)),
            days: RwSignal::new(7.0),
            busy: RwSignal::new(false),
            answer: RwSignal::new(None),
            rule: StoredValue::new(rule),
        }
    }

    /// Whether the panel is shown. Tracked.
    pub fn is_open(self) -> bool {
        self.open.get()
    }

    /// Shows or hides the panel; rehearses the rule as it is at first.
    pub fn toggle(self) {
        let open = !self.open.get_untracked();
        self.open.set(open);
        if open && self.answer.with_untracked(Option::is_none) {
            self.run();
        }
    }

    /// The rule with the values of the fields.
    fn changed(self) -> Result<AlertRule, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let threshold =
            self.threshold.with_untracked(|text| number(text)).ok_or("Threshold: enter a number.")?;
        let for_seconds = self
            .for_seconds
            .with_untracked(|text| number(text).filter(|seconds| *seconds >= 0.0))
            .ok_or("For: enter a number of seconds, 0 or more.")?;
        let mut rule = self.rule.get_value();
        if rule.threshold.to_bits() != threshold.to_bits() {
            // The recovery belongs to the threshold.
            rule.recovery = None;
        }
        (rule.threshold, rule.for_seconds) = (threshold, for_seconds);
        Ok(rule)
    }

    fn run(self) {
        if self.busy.get_untracked() {
            return;
        }
        let rule = match self.changed() {
            Ok(rule) => rule,
            Err(why) => {
                self.answer.set(Some(Err(Problem::new(protocol::ProblemType::BadRequest, why))));
                return;
            }
        };
        self.busy.set(true);
        let rehearse = Rehearse { rule: rule.clone(), days: self.days.get_untracked() };
        spawn_local(async move {
            let answer = api::rehearse(&rehearse).await;
            // The page may be gone by now.
            self.busy.try_set(false);
            self.answer.try_set(Some(answer.map(|rehearsal| (rule, rehearsal))));
        });
    }

    /// The panel; nothing while it is closed. Tracked.
    pub fn view(self) -> Option<AnyView> {
        self.open.get().then(|| panel(self))
    }
}

fn panel(rehearsing: Rehearsing) -> AnyView {
    let Rehearsing { rule, threshold, for_seconds, days, busy, answer, .. } = rehearsing;
    let name = rule.with_value(|rule| rule.name.clone());
    let field = |id: String, label: &'static str, value: RwSignal<String>| {
        let of = id.clone();
        view! {
            <label class="field" for=of>
                <span>{label}</span>
                <input
                    id=id
                    type="text"
                    inputmode="decimal"
                    autocomplete="off"
                    prop:value=text(move || value.get())
                    on:input=move |event| value.set(event_target_value(&event))
                />
            </label>
        }
    };
    let choices = DAYS.map(|(label, value)| {
        view! { <option value=value.to_string() selected=days.get_untracked().to_bits() == value.to_bits()>{label}</option> }
    });
    let side = rule.with_value(|rule| match rule.comparison {
        Comparison::Above => "Above",
        Comparison::Below => "Below",
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        rehearsing.run();
    };
    let result = part(move || {
        if busy.get() {
            return Some(view! { <Skeleton lines=2/> }.into_any());
        }
        Some(match answer.get()? {
            Ok((rule, rehearsal)) => result(&rule, &rehearsal),
            Err(problem) => view! { <p class="note bad">{problem.detail}</p> }.into_any(),
        })
    });
    view! {
        <form class="rehearsal" on:submit=submit>
            {field(format!("{name}-threshold"), side, threshold)}
            {field(format!("{name}-for"), "For (seconds)", for_seconds)}
            <label class="field" for=format!("{name}-days")>
                <span>"In the last"</span>
                <select
                    id=format!("{name}-days")
                    on:change=move |event| {
                        if let Ok(value) = event_target_value(&event).parse() {
                            days.set(value);
                        }
                    }
                >
                    {choices}
                </select>
            </label>
            <button type="submit" class="button primary" aria-busy=spoken(move || busy.get())>
                "Rehearse"
            </button>
        </form>
        <div role="status">{result}</div>
    }
    .into_any()
}

/// Sentence, moments on a time axis and as links, and the configuration.
fn result(rule: &AlertRule, rehearsal: &Rehearsal) -> AnyView {
    let zone = Zones::here();
    let toasts = expect_context::<Toasts>();
    let marks = rehearsal.moments.iter().map(|moment| mark(moment, rehearsal)).collect_view();
    let listed = rehearsal.moments.iter().rev().take(MAX_LISTED).map(|moment| {
        let (fired, host) = (moment.fired_at, moment.host.to_string());
        let to = charts_at(&moment.host, fired, moment.resolved_at.unwrap_or(fired));
        let lasted = match moment.resolved_at {
            Some(at) => format!("for {}", format::span(at.seconds_since(fired))),
            None => "until now".to_owned(),
        };
        view! {
            <li>
                <A href=to>{text(move || zone.get().moment(fired))}</A>
                <span class="muted">{host} ", " {lasted}</span>
            </li>
        }
    });
    let more = rehearsal.count as usize;
    let more = (more > MAX_LISTED).then(|| {
        view! { <p class="muted">"Showing the newest " {MAX_LISTED} "."</p> }
    });
    let without = (!rehearsal.without_values.is_empty()).then(|| {
        let names: Vec<String> = rehearsal.without_values.iter().map(ToString::to_string).collect();
        view! { <p class="muted">"No values from: " {names.join(", ")}</p> }
    });
    let config = configuration(rule);
    let copied = config.clone();
    let copy = move |_| {
        copy_and_say(toasts, copied.clone(), "Configuration");
    };
    view! {
        <p><strong>{rehearsal.sentence.clone()}</strong></p>
        <svg class="rehearsed" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
            <rect class="rehearsed-axis" x="0" y="5" width="1000" height="2"></rect>
            {marks}
        </svg>
        <ul class="rehearsed-moments">{listed.collect_view()}</ul>
        {more}
        {without}
        <div class="rehearsed-config">
            <pre><code>{config}</code></pre>
            <button type="button" class="button" on:click=copy>"Copy"</button>
        </div>
    }
    .into_any()
}

/// Mark of a moment on the time axis.
fn mark(moment: &RehearsedAlert, rehearsal: &Rehearsal) -> AnyView {
    let all = rehearsal.to.seconds_since(rehearsal.from).max(1.0);
    let from = moment.fired_at.seconds_since(rehearsal.from) / all * 1_000.0;
    let to = moment.resolved_at.unwrap_or(rehearsal.to).seconds_since(rehearsal.from) / all * 1_000.0;
    let width = (to - from).max(3.0);
    view! {
        <rect class="rehearsed-mark" x=format!("{from:.1}") y="0" width=format!("{width:.1}") height="12"></rect>
    }
    .into_any()
}

/// The rule's values as a part of the server's configuration.
fn configuration(rule: &AlertRule) -> String {
    let mut lines = vec![
        "[[alerts.rule]]".to_owned(),
        format!("name = \"{}\"", rule.name),
        format!("metric = \"{}\"", rule.metric),
    ];
    if rule.comparison == Comparison::Below {
        lines.push("comparison = \"below\"".to_owned());
    }
    lines.push(format!("threshold = {}", rule.threshold));
    if let Some(recovery) = rule.recovery {
        lines.push(format!("recovery = {recovery}"));
    }
    lines.push(format!("for = {}", rule.for_seconds));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_the_rehearsed_values() {
        let mut rule = AlertRule::new("busy", "cpu.busy_ratio", Comparison::Below, 0.25);
        rule.for_seconds = 600.0;
        let expected = "[[alerts.rule]]\nname = \"busy\"\nmetric = \"cpu.busy_ratio\"\ncomparison = \"below\"\n\
                        threshold = 0.25\nfor = 600";
        assert_eq!(configuration(&rule), expected);
    }
}
