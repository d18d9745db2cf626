//! Dry run of a rule with other values: how often it would have fired, when, and the configuration for it.

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
use protocol::alerts::{AlertRule, Comparison, DryRun, DryRunFiring, DryRunRequest};

/// Largest number of listed firings.
const MAX_LISTED: usize = 20;
/// Choices of the period: label and days.
const DAYS: [(&str, f64); 4] = [("1 d", 1.0), ("7 d", 7.0), ("30 d", 30.0), ("90 d", 90.0)];

/// Dry runs of a rule that is being changed, and the result of the newest one.
#[derive(Clone, Copy)]
pub struct Trial {
    days: RwSignal<f64>,
    busy: RwSignal<bool>,
    /// Rule that was changed while another dry run was in flight.
    next: StoredValue<Option<AlertRule>>,
    /// Tested rule with its result.
    answer: RwSignal<Option<Result<(AlertRule, DryRun), Problem>>>,
}

impl Trial {
    pub fn new() -> Self {
        Self {
            days: RwSignal::new(7.0),
            busy: RwSignal::new(false),
            next: StoredValue::new(None),
            answer: RwSignal::new(None),
        }
    }

    /// Whether a result is shown or requested.
    pub fn is_begun(self) -> bool {
        self.busy.get_untracked() || self.answer.with_untracked(Option::is_some)
    }

    /// Forgets the result.
    pub fn clear(self) {
        self.next.set_value(None);
        self.answer.set(None);
    }

    /// Shows why no rule can be tested.
    pub fn refuse(self, why: String) {
        self.next.set_value(None);
        self.answer.set(Some(Err(Problem::new(protocol::ProblemType::BadRequest, why))));
    }

    /// Tests a rule. If another test is in flight, this one follows.
    pub fn run(self, rule: AlertRule) {
        if self.busy.get_untracked() {
            self.next.set_value(Some(rule));
            return;
        }
        self.busy.set(true);
        let request = DryRunRequest { rule: rule.clone(), days: self.days.get_untracked() };
        spawn_local(async move {
            let answer = api::dry_run(&request).await;
            // The page may be gone by now.
            self.busy.try_set(false);
            self.answer.try_set(Some(answer.map(|dry_run| (rule, dry_run))));
            if let Some(next) = self.next.try_update_value(Option::take).flatten() {
                self.run(next);
            }
        });
    }

    /// Choice of the period. The caller runs the test again after a change.
    pub fn period(self, id: String) -> AnyView {
        let days = self.days;
        let choices = DAYS.map(|(label, value)| {
            view! { <option value=value.to_string() selected=days.get_untracked().to_bits() == value.to_bits()>{label}</option> }
        });
        let of = id.clone();
        view! {
            <label class="field" for=of>
                <span>"In the last"</span>
                <select
                    id=id
                    on:change=move |event| {
                        if let Ok(value) = event_target_value(&event).parse() {
                            days.set(value);
                        }
                    }
                >
                    {choices}
                </select>
            </label>
        }
        .into_any()
    }

    /// Result, rendered by the caller; the reason if there is none.
    pub fn result(self, show: impl Fn(&AlertRule, &DryRun) -> AnyView + Send + 'static) -> impl IntoView {
        part(move || {
            if self.busy.get() {
                return Some(view! { <Skeleton lines=2/> }.into_any());
            }
            Some(match self.answer.get()? {
                Ok((rule, dry_run)) => show(&rule, &dry_run),
                Err(problem) => view! { <p class="note bad">{problem.detail}</p> }.into_any(),
            })
        })
    }
}

/// State of the panel.
#[derive(Clone, Copy)]
pub struct DryRunPanel {
    rule: StoredValue<AlertRule>,
    open: RwSignal<bool>,
    threshold: RwSignal<String>,
    for_seconds: RwSignal<String>,
    trial: Trial,
}

impl DryRunPanel {
    pub fn new(rule: AlertRule) -> Self {
        Self {
            open: RwSignal::new(false),
            threshold: RwSignal::new(format!("{}", rule.threshold)),
            for_seconds: RwSignal::new(format!("{}", rule.for_seconds)),
            trial: Trial::new(),
            rule: StoredValue::new(rule),
        }
    }

    /// Whether the panel is shown. Tracked.
    pub fn is_open(self) -> bool {
        self.open.get()
    }

    /// Shows or hides the panel; the first time, tests the rule with its own values.
    pub fn toggle(self) {
        let open = !self.open.get_untracked();
        self.open.set(open);
        if open && !self.trial.is_begun() {
            self.run();
        }
    }

    /// The rule with the values of the fields.
    fn changed(self) -> Result<AlertRule, String> {
        let number = |text: &str| json::float(text.trim()).filter(|number| number.is_finite());
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
        match self.changed() {
            Ok(rule) => self.trial.run(rule),
            Err(why) => self.trial.refuse(why),
        }
    }

    /// The panel; nothing while it is closed. Tracked.
    pub fn view(self) -> Option<AnyView> {
        self.open.get().then(|| panel_view(self))
    }
}

fn panel_view(panel: DryRunPanel) -> AnyView {
    let DryRunPanel { rule, threshold, for_seconds, trial, .. } = panel;
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
    let side = rule.with_value(|rule| match rule.comparison {
        Comparison::Above => "Above",
        Comparison::Below => "Below",
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        panel.run();
    };
    let result =
        trial.result(|rule, dry_run| view! { {outcome(dry_run)} {configuration_view(rule)} }.into_any());
    view! {
        <form class="dry-run" on:submit=submit>
            {field(format!("{name}-threshold"), side, threshold)}
            {field(format!("{name}-for"), "For (seconds)", for_seconds)}
            {trial.period(format!("{name}-days"))}
            <button type="submit" class="button primary" aria-busy=spoken(move || trial.busy.get())>
                "Run test"
            </button>
        </form>
        <div role="status">{result}</div>
    }
    .into_any()
}

/// Sentence, and firings on a time axis and as links.
pub fn outcome(dry_run: &DryRun) -> AnyView {
    let zone = Zones::here();
    let marks = dry_run.firings.iter().map(|firing| mark(firing, dry_run)).collect_view();
    let listed = dry_run.firings.iter().rev().take(MAX_LISTED).map(|firing| {
        let (fired, host) = (firing.fired_at, firing.host.to_string());
        let to = charts_at(&firing.host, fired, firing.resolved_at.unwrap_or(fired));
        let lasted = match firing.resolved_at {
            Some(at) => format!("for {}", format::span(at.seconds_since(fired))),
            None => "until now".to_owned(),
        };
        view! {
            <li>
                <A href=to>{text(move || zone.get().moment(fired))}</A>
                " "
                <span class="muted">{host} ", " {lasted}</span>
            </li>
        }
    });
    let more = dry_run.count as usize;
    let more = (more > MAX_LISTED).then(|| {
        view! { <p class="muted">"Showing the newest " {MAX_LISTED} "."</p> }
    });
    let without = (!dry_run.without_values.is_empty()).then(|| {
        let names: Vec<String> = dry_run.without_values.iter().map(ToString::to_string).collect();
        view! { <p class="muted">"No data from: " {names.join(", ")}</p> }
    });
    view! {
        <p><strong>{dry_run.sentence.clone()}</strong></p>
        <svg class="dry-run-axis" viewBox="0 0 1000 12" preserveAspectRatio="none" aria-hidden="true">
            <rect class="dry-run-line" x="0" y="5" width="1000" height="2"></rect>
            {marks}
        </svg>
        <ul class="dry-run-firings">{listed.collect_view()}</ul>
        {more}
        {without}
    }
    .into_any()
}

/// The configuration for the tested values, and its copy button.
fn configuration_view(rule: &AlertRule) -> AnyView {
    let toasts = expect_context::<Toasts>();
    let config = configuration(rule);
    let copied = config.clone();
    let copy = move |_| {
        copy_and_say(toasts, copied.clone(), "Configuration");
    };
    view! {
        <div class="dry-run-config">
            <pre><code>{config}</code></pre>
            <button type="button" class="button" on:click=copy>"Copy"</button>
        </div>
    }
    .into_any()
}

/// Mark of a firing on the time axis.
fn mark(firing: &DryRunFiring, dry_run: &DryRun) -> AnyView {
    let all = dry_run.to.seconds_since(dry_run.from).max(1.0);
    let from = firing.fired_at.seconds_since(dry_run.from) / all * 1_000.0;
    let to = firing.resolved_at.unwrap_or(dry_run.to).seconds_since(dry_run.from) / all * 1_000.0;
    let width = (to - from).max(3.0);
    view! {
        <rect class="dry-run-mark" x=format!("{from:.1}") y="0" width=format!("{width:.1}") height="12"></rect>
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
    fn the_configuration_has_the_tested_values() {
        let mut rule = AlertRule::new("busy", "cpu.busy_ratio", Comparison::Below, 0.25);
        rule.for_seconds = 600.0;
        let expected = "[[alerts.rule]]\nname = \"busy\"\nmetric = \"cpu.busy_ratio\"\ncomparison = \"below\"\n\
                        threshold = 0.25\nfor = 600";
        assert_eq!(configuration(&rule), expected);
    }
}
