//! Rules with their meaning and origin; each can be tested with other values, and those of users can be changed.

use super::active::severity_word;
use super::current::{CurrentAlerts, CurrentRules};
use super::dry_run::DryRunPanel;
use super::rule_form::RuleForm;
use alerts::{Rule, sentence};
use app_state::toasts::Toasts;
use components::menu::Menu;
use components::moment::Ago;
use components::permission::needs;
use components::reactive::{mark, part, text, word};
use display::audit::who;
use display::format;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::api;
use protocol::Problem;
use protocol::access::Permission;
use protocol::alerts::{AlertRule, AlertState, NewRule, RuleChange, RuleOrigin, RuleStatus};
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// ID of the list.
pub const RULES: &str = "rules";

/// What the rows act with.
#[derive(Clone, Copy)]
struct Actions {
    current: CurrentAlerts,
    rules: CurrentRules,
    form: RuleForm,
    toasts: Toasts,
}

#[component]
pub fn Rules(current: CurrentAlerts, rules: CurrentRules, form: RuleForm) -> impl IntoView {
    let actions = Actions { current, rules, form, toasts: expect_context::<Toasts>() };
    let each = move || rules.list().map(|list| list.rules.clone()).unwrap_or_default();
    view! {
        <section class="list" aria-labelledby="rules-title">
            <header class="list-head">
                <h2 id="rules-title">"Rules"</h2>
                <button {..needs(Permission::Silence)}
                    type="button"
                    class="button only-script"
                    id="new-rule"
                    on:click=move |_| form.create()
                >
                    "New rule…"
                </button>
            </header>
            <div class="rules" id=RULES>
                // A changed rule is a new row; the others keep what is open in them.
                <For
                    each=each
                    key=|status: &RuleStatus| (status.rule.name.clone(), status.revision, status.enabled)
                    children=move |status| row(status, actions)
                />
            </div>
        </section>
    }
    .into_any()
}

/// Element that gets the focus if it is lost in the list: the menu of a rule, or the button for a new one.
pub fn focus_of(rule: Option<&str>) -> Option<HtmlElement> {
    let of_rule = rule.and_then(|rule| document().get_element_by_id(&format!("rule-{rule}")));
    let summary = of_rule.and_then(|row| row.query_selector("summary").ok().flatten());
    summary.or_else(|| document().get_element_by_id("new-rule"))?.dyn_into().ok()
}

/// Where a rule is defined; empty for a built-in one.
fn origin(status: &RuleStatus) -> AnyView {
    let changed = status.changed.clone().map(|changed| {
        let by = who(&changed.by);
        view! { ", changed " <Ago at=changed.at/> " by " {by} }
    });
    let built_in = status.built_in.clone().and_then(|rule| Rule::new(rule).ok());
    let text = match status.origin {
        RuleOrigin::Default => return ().into_any(),
        RuleOrigin::Changed => format!("Built in, changed in {}", status.defined_in),
        RuleOrigin::Configuration => format!("Defined in {}", status.defined_in),
        RuleOrigin::Overridden => "Built in".to_owned(),
        RuleOrigin::Page => "Custom".to_owned(),
    };
    let before = built_in.map(|rule| {
        let text = format!("Built-in rule: {}", sentence::of_rule(&rule));
        view! { <span>{text}</span> }
    });
    view! { <p class="rule-origin muted"><span>{text} {changed}</span> {before}</p> }.into_any()
}

fn row(status: RuleStatus, actions: Actions) -> AnyView {
    let name = status.rule.name.clone();
    let current = actions.current;
    let fired = Memo::new({
        let name = name.clone();
        move |_| {
            let Some(list) = current.list() else { return String::new() };
            let fired = list.alerts.iter().filter(|alert| alert.rule == name && alert.fired_at.is_some());
            let (unknown, firing): (Vec<_>, Vec<_>) =
                fired.partition(|alert| alert.state == AlertState::Unknown);
            format::alert_counts(firing.len() as u64, unknown.len() as u64)
        }
    });
    let off = (!status.enabled).then(|| view! { <span class="rule-off muted">"Off"</span> });
    let panel = status.has_history.then(|| DryRunPanel::new(status.rule.clone()));
    let button = panel.map(|panel| {
        let label = format!("Test {name} against history");
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
    let (severity, id) = (status.rule.severity, format!("rule-{name}"));
    view! {
        <article class="rule" id=id data-firing=mark(move || fired.with(|fired| !fired.is_empty()))>
            <div class="rule-row">
                <h3>{name}</h3>
                <span class="alert-mark" data-severity=severity.as_str()>{severity_word(severity)}</span>
                {off}
                <span class="num rule-firing">{text(move || fired.get())}</span>
                <span class="rule-do">{button} {edit_button(&status, actions)} {menu(&status, actions)}</span>
            </div>
            <p>{status.sentence.clone()}</p>
            {origin(&status)}
            {panel}
        </article>
    }
    .into_any()
}

/// Not for rules of the file: their origin says where they are changed.
fn edit_button(status: &RuleStatus, actions: Actions) -> Option<AnyView> {
    if status.origin.is_configured() {
        return None;
    }
    let label = format!("Edit {}", status.rule.name);
    let status = StoredValue::new(status.clone());
    let edit = move |_| status.with_value(|status| actions.form.edit(status));
    Some(
        view! {
            <button {..needs(Permission::Silence)}
                type="button"
                class="button only-script"
                aria-label=label
                on:click=edit
            >
                "Edit…"
            </button>
        }
        .into_any(),
    )
}

fn menu(status: &RuleStatus, actions: Actions) -> AnyView {
    let label = format!("More actions for {}", status.rule.name);
    let stored = StoredValue::new(status.clone());
    let item = move |label: &'static str, act: Callback<RuleStatus>| {
        view! {
            <button {..needs(Permission::Silence)} type="button" on:click=move |_| act.run(stored.get_value())>
                {label}
            </button>
        }
        .into_any()
    };
    let duplicate = Callback::new(move |status: RuleStatus| actions.form.duplicate(&status.rule));
    let items = if status.origin.is_configured() {
        Vec::new()
    } else {
        let switch = if status.enabled { "Switch off" } else { "Switch on" };
        let remove = match status.origin {
            RuleOrigin::Page => Some("Delete"),
            RuleOrigin::Overridden => Some("Reset to built-in"),
            _ => None,
        };
        let switch = item(switch, Callback::new(move |status| actions.switch(status)));
        let remove = remove.map(|label| item(label, Callback::new(move |status| actions.remove(status))));
        std::iter::once(switch).chain(remove).collect()
    };
    view! {
        <Menu label>
            {item("Duplicate…", duplicate)}
            {items}
        </Menu>
    }
    .into_any()
}

impl Actions {
    /// Switches a rule off or on.
    fn switch(self, status: RuleStatus) {
        let RuleStatus { rule, enabled, revision, .. } = status;
        let done = format!("Rule {}: {}", if enabled { "switched off" } else { "switched on" }, rule.name);
        spawn_local(async move {
            let change = RuleChange { rule, enabled: !enabled, revision };
            match api::change_alert_rule(&change).await {
                Ok(_) => self.toasts.say(done),
                Err(problem) => self.toasts.warn(problem.detail),
            }
            self.rules.ask();
        });
    }

    /// Deletes a rule, or resets a built-in one; both can be undone.
    fn remove(self, status: RuleStatus) {
        spawn_local(async move {
            match api::remove_alert_rule(&status.rule.name, status.revision).await {
                Ok(()) => {
                    let done = if status.built_in.is_some() { "reset" } else { "deleted" };
                    let text = format!("Rule {done}: {}", status.rule.name);
                    self.toasts.undoable(text, move || restore(status.clone(), self));
                }
                Err(problem) => self.toasts.warn(problem.detail),
            }
            self.rules.ask();
        });
    }
}

/// Undoes a deletion or a reset, unless somebody has changed the rule since.
fn restore(status: RuleStatus, actions: Actions) {
    spawn_local(async move {
        let name = status.rule.name.clone();
        match again(status.rule, status.enabled, status.built_in.is_some()).await {
            Ok(_) => actions.toasts.say(format!("Rule restored: {name}")),
            Err(problem) => actions.toasts.warn(problem.detail),
        }
        actions.rules.ask();
    });
}

async fn again(rule: AlertRule, enabled: bool, is_built_in: bool) -> Result<RuleStatus, Problem> {
    if is_built_in {
        api::change_alert_rule(&RuleChange { rule, enabled, revision: 0 }).await
    } else {
        api::add_alert_rule(&NewRule { rule, enabled }).await
    }
}
