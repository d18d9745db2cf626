//! Dialog that creates or changes a rule: its fields, the rule as a sentence, and its dry run.

mod fields;
mod quantity;

use super::current::CurrentRules;
use super::dry_run::Trial;
use alerts::metric_groups::{FLAG_THRESHOLD, is_flag, label_of};
use alerts::unit::{TIMES, Unit, units_of};
use alerts::{Metric, Rule, RuleError, Scope, sentence};
use app_state::toasts::Toasts;
pub use fields::RuleDialog;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::alerts::{AlertRule, Comparison, NewRule, RuleChange, RuleOrigin, RuleStatus, Severity};
use protocol::{HostName, KindName};
use quantity::Quantity;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// What the dialog changes.
#[derive(Clone, PartialEq, Debug)]
enum Target {
    New,
    Rule {
        name: String,
        revision: u64,
        enabled: bool,
        /// A built-in rule keeps its metric and its comparison.
        is_built_in: bool,
    },
}

/// Field with an error, and the error.
type Wrong = (&'static str, String);

/// The dialog's state.
#[derive(Clone, Copy)]
pub struct RuleForm {
    rules: CurrentRules,
    open: RwSignal<bool>,
    target: RwSignal<Option<Target>>,
    name: RwSignal<String>,
    metric: RwSignal<String>,
    /// Whether the metric is typed, and not chosen from the list.
    is_typed: RwSignal<bool>,
    comparison: RwSignal<Comparison>,
    threshold: Quantity,
    recovery: Quantity,
    hold: Quantity,
    recover_for: Quantity,
    no_data_for: Quantity,
    severity: RwSignal<Severity>,
    hosts: RwSignal<Vec<HostName>>,
    kinds: RwSignal<Vec<KindName>>,
    action: RwSignal<String>,
    wrong: RwSignal<Option<Wrong>>,
    busy: RwSignal<bool>,
    trial: Trial,
}

impl RuleForm {
    pub fn new(rules: CurrentRules) -> Self {
        Self {
            rules,
            open: RwSignal::new(false),
            target: RwSignal::new(None),
            name: RwSignal::new(String::new()),
            metric: RwSignal::new(String::new()),
            is_typed: RwSignal::new(false),
            comparison: RwSignal::new(Comparison::Above),
            threshold: Quantity::new(),
            recovery: Quantity::new(),
            hold: Quantity::new(),
            recover_for: Quantity::new(),
            no_data_for: Quantity::new(),
            severity: RwSignal::new(Severity::Warning),
            hosts: RwSignal::new(Vec::new()),
            kinds: RwSignal::new(Vec::new()),
            action: RwSignal::new(String::new()),
            wrong: RwSignal::new(None),
            busy: RwSignal::new(false),
            trial: Trial::new(),
        }
    }

    /// Opens the dialog for a new rule.
    pub fn create(self) {
        let rule = AlertRule::new("", "cpu.busy_ratio", Comparison::Above, 0.9);
        self.show(Target::New, &AlertRule { for_seconds: 300.0, ..rule });
    }

    /// Opens the dialog for a copy of a rule.
    pub fn duplicate(self, rule: &AlertRule) {
        let name = untrack(|| self.rules.list())
            .map(|list| copy_name(&rule.name, |name| list.rules.iter().any(|known| known.rule.name == name)));
        let name = name.unwrap_or_else(|| format!("{}-copy", rule.name));
        self.show(Target::New, &AlertRule { name, ..rule.clone() });
    }

    /// Opens the dialog for a change of a rule.
    pub fn edit(self, status: &RuleStatus) {
        let target = Target::Rule {
            name: status.rule.name.clone(),
            revision: status.revision,
            enabled: status.enabled,
            is_built_in: status.origin != RuleOrigin::Page,
        };
        self.show(target, &status.rule);
    }

    fn show(self, target: Target, rule: &AlertRule) {
        let units = units_of(&rule.metric);
        self.name.set(rule.name.clone());
        self.metric.set(rule.metric.clone());
        self.is_typed.set(label_of(&rule.metric).is_none());
        self.comparison.set(rule.comparison);
        self.threshold.show(units, Some(rule.threshold));
        self.recovery.show(units, rule.recovery);
        if rule.recovery.is_none() {
            self.recovery.follow(self.threshold);
        }
        self.hold.show(TIMES, Some(rule.for_seconds));
        self.recover_for.show(TIMES, Some(rule.recover_for_seconds));
        self.no_data_for.show(TIMES, Some(rule.no_data_for_seconds));
        self.severity.set(rule.severity);
        self.hosts.set(rule.hosts.clone());
        self.kinds.set(rule.kinds.clone());
        self.action.set(rule.action.clone());
        self.wrong.set(None);
        self.trial.clear();
        self.target.set(Some(target));
        self.open.set(true);
        self.try_out();
    }

    /// Units of the threshold. Tracked.
    fn units(self) -> &'static [Unit] {
        self.metric.with(|metric| units_of(metric))
    }

    /// What the alerts of the metric are about; `None` while the metric is unknown. Tracked.
    fn scope(self) -> Option<Scope> {
        self.metric.with(|metric| Metric::parse(metric).map(|metric| metric.scope()))
    }

    /// Chooses another metric.
    fn choose_metric(self, metric: String) {
        let units = units_of(&metric);
        if untrack(|| self.units()) != units {
            self.threshold.change_units(units);
            self.recovery.change_units(units);
        }
        self.metric.set(metric);
    }

    /// The rule of the fields, not checked as a whole. Tracked.
    fn entered(self) -> Result<AlertRule, Wrong> {
        let number = |field: &'static str, quantity: Quantity, units: &[Unit]| {
            quantity.value(units).map_err(|()| (field, "Enter a number.".to_owned()))
        };
        let time = |field: &'static str, quantity: Quantity| {
            number(field, quantity, TIMES)?.ok_or((field, "Enter a number, and select its unit.".to_owned()))
        };
        let metric = self.metric.get();
        let (threshold, recovery, comparison) = if is_flag(&metric) {
            (FLAG_THRESHOLD, None, Comparison::Above)
        } else {
            let threshold = number("threshold", self.threshold, self.units())?;
            let threshold = threshold.ok_or(("threshold", "Enter a threshold.".to_owned()))?;
            (threshold, number("recovery", self.recovery, self.units())?, self.comparison.get())
        };
        let scope = self.scope();
        let has = |scopes: [Scope; 2]| scope.is_some_and(|scope| scopes.contains(&scope));
        Ok(AlertRule {
            name: self.name.with(|name| name.trim().to_owned()),
            metric,
            comparison,
            threshold,
            recovery,
            for_seconds: time("for_seconds", self.hold)?,
            recover_for_seconds: time("recover_for_seconds", self.recover_for)?,
            no_data_for_seconds: time("no_data_for_seconds", self.no_data_for)?,
            severity: self.severity.get(),
            hosts: if has([Scope::Host, Scope::Operation]) { self.hosts.get() } else { Vec::new() },
            kinds: if has([Scope::Kind, Scope::Operation]) { self.kinds.get() } else { Vec::new() },
            action: self.action.with(|action| action.trim().to_owned()),
        })
    }

    /// The rule, checked as the server does. Tracked.
    fn checked(self) -> Result<Rule, Wrong> {
        check(self.entered()?)
    }

    /// As [`RuleForm::checked`], whatever its name. Tracked.
    fn unnamed(self) -> Result<Rule, Wrong> {
        check(AlertRule { name: "rule".to_owned(), ..self.entered()? })
    }

    /// The rule as a sentence; nothing while it is not complete. Tracked.
    fn sentence(self) -> String {
        self.unnamed().map(|rule| sentence::of_rule(&rule)).unwrap_or_default()
    }

    /// Tests the rule on the history, if it is complete and its metric has one.
    fn try_out(self) {
        match untrack(|| self.unnamed()) {
            Ok(rule) if matches!(rule.metric, Metric::History(_)) => self.trial.run(rule.spec().clone()),
            _ => self.trial.clear(),
        }
    }

    fn submit(self, toasts: Toasts) {
        let Some(target) = self.target.get_untracked().filter(|_| !self.busy.get_untracked()) else { return };
        let rule = match untrack(|| self.checked()) {
            Ok(rule) => rule.spec().clone(),
            Err(wrong) => return self.refuse(wrong),
        };
        self.busy.set(true);
        self.wrong.set(None);
        let name = rule.name.clone();
        spawn_local(async move {
            let answer = match target {
                Target::New => api::add_alert_rule(&NewRule { rule, enabled: true }).await,
                Target::Rule { revision, enabled, .. } => {
                    api::change_alert_rule(&RuleChange { rule, enabled, revision }).await
                }
            };
            // The page may be gone by now.
            if self.busy.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(_) => {
                    self.open.set(false);
                    toasts.say(format!("Rule saved: {name}"));
                }
                Err(problem) => {
                    let field = problem.fields.first().map_or("", |field| field_of(&field.field));
                    self.refuse((field, problem.detail));
                }
            }
            self.rules.ask();
        });
    }

    /// Shows an error, and moves the focus to its field.
    fn refuse(self, wrong: Wrong) {
        let field = document().get_element_by_id(&format!("edit-{}", wrong.0));
        self.wrong.set(Some(wrong));
        if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
            // Fails only for elements that can't take the focus.
            let _ = field.focus();
        }
    }
}

fn check(rule: AlertRule) -> Result<Rule, Wrong> {
    Rule::new(rule).map_err(|error| (error.key(), words_of(&error)))
}

/// Fields that the server names, as those of the form.
fn field_of(key: &str) -> &'static str {
    const FIELDS: [&str; 8] = [
        "name",
        "metric",
        "threshold",
        "recovery",
        "for_seconds",
        "recover_for_seconds",
        "no_data_for_seconds",
        "action",
    ];
    FIELDS.into_iter().find(|field| *field == key).unwrap_or_default()
}

/// An error for the form, which shows units and no keys.
fn words_of(error: &RuleError) -> String {
    match error {
        RuleError::Name(_) => {
            "Name: use 1 to 60 lower-case letters, digits and '-', such as disk-full.".to_owned()
        }
        RuleError::Metric { .. } => {
            "Metric: no metric has this name. docs/monitoring.md lists the metrics of a host.".to_owned()
        }
        RuleError::RecoveryAbove { .. } => {
            "Recovery threshold: enter at most the threshold value, because the rule fires above this value."
                .to_owned()
        }
        RuleError::RecoveryBelow { .. } => {
            "Recovery threshold: enter at least the threshold value, because the rule fires below this value."
                .to_owned()
        }
        RuleError::Number { key: "threshold", .. } => "Threshold: the number is out of range.".to_owned(),
        RuleError::Number { key: "recovery", .. } => {
            "Recovery threshold: the number is out of range.".to_owned()
        }
        RuleError::Number { .. } => "Time: enter a value from 0 s to 168 h.".to_owned(),
        RuleError::Scope { .. } | RuleError::Action { .. } | RuleError::TooMany { .. } => format!("{error}."),
    }
}

/// Free name for a copy: `busy-copy`, then `busy-copy-2`.
fn copy_name(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let first = format!("{name}-copy");
    let others = (2..).map(|number| format!("{name}-copy-{number}"));
    let mut names = std::iter::once(first.clone()).chain(others.take(1_000));
    names.find(|name| !is_taken(name)).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_gets_a_free_name() {
        let taken = ["busy", "busy-copy", "busy-copy-2"];
        assert_eq!(copy_name("busy", |name| taken.contains(&name)), "busy-copy-3");
        assert_eq!(copy_name("idle", |name| taken.contains(&name)), "idle-copy");
    }

    #[test]
    fn each_key_of_an_error_is_a_field_or_none() {
        assert_eq!(field_of("for_seconds"), "for_seconds");
        assert_eq!(field_of("hosts"), "");
    }
}
