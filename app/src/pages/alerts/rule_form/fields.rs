//! Fields of the dialog.

use super::{RuleForm, Target};
use crate::pages::alerts::active::severity_word;
use crate::pages::alerts::dry_run::outcome;
use alerts::metric_groups::{GROUPS, is_flag};
use alerts::unit::TIMES;
use alerts::{Metric, Scope};
use app_state::toasts::Toasts;
use components::dialog;
use components::reactive::{mark, part, spoken, text, yes};
use leptos::html::Dialog;
use leptos::prelude::*;
use live::OperationStore;
use protocol::alerts::{Comparison, Severity};
use protocol::api::HostStatus;
use protocol::{HostName, KindName};
use std::collections::BTreeSet;

/// Choice of the list of metrics that opens the text field.
const OTHER: &str = "other";
const METRIC_HELP: &str = "A metric from docs/monitoring.md, such as disk.sda.busy_ratio.";

/// The dialog.
#[component]
pub fn RuleDialog(form: RuleForm) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    let open = form.open;
    dialog::follow(dialog, move || open.get());
    // A closed dialog keeps its content, so that nothing disappears during its animation.
    let content = part(move || Some(fields(form, form.target.get()?)));
    view! {
        <dialog
            node_ref=dialog
            class="dialog rule-dialog"
            aria-labelledby="edit-title"
            on:close=dialog::on_close(dialog, open)
        >
            {content}
        </dialog>
    }
    .into_any()
}

fn fields(form: RuleForm, target: Target) -> AnyView {
    let toasts = expect_context::<Toasts>();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        form.submit(toasts);
    };
    let (title, is_new, is_built_in) = match &target {
        Target::New => ("New rule".to_owned(), true, false),
        Target::Rule { name, is_built_in, .. } => (format!("Edit {name}"), false, *is_built_in),
    };
    let about = is_built_in.then(|| {
        view! { <p class="muted">"The metric of a built-in rule can't be changed. To restore the built-in values, reset the rule."</p> }
    });
    let error = text(move || {
        form.wrong.with(|wrong| wrong.as_ref().map(|wrong| wrong.1.clone()).unwrap_or_default())
    });
    view! {
        // Each committed value is tested at once.
        <form class="rule-edit" on:submit=submit on:change=move |_| form.try_out()>
            <h2 id="edit-title">{title}</h2>
            {about}
            {is_new.then(|| name_field(form))}
            {metric_field(form, is_built_in)}
            {condition(form, is_built_in)}
            <div class="rule-edit-row">
                {form.hold.view("edit-for_seconds", "For at least", times(), is_wrong(form, "for_seconds"))}
                {severity(form)}
            </div>
            {scope(form)}
            {more(form)}
            <p class="rule-sentence" aria-live="polite">{text(move || form.sentence())}</p>
            {dry_run(form)}
            <p id="edit-error" class="field-error" role="alert">{error}</p>
            <div class="dialog-do">
                <button type="button" class="button" on:click=move |_| form.open.set(false)>"Cancel"</button>
                <button type="submit" class="button primary" aria-busy=spoken(move || form.busy.get())>"Save rule"</button>
            </div>
        </form>
    }
    .into_any()
}

fn times() -> Signal<&'static [alerts::unit::Unit]> {
    Signal::stored(TIMES)
}

/// Whether the error is about a field. Tracked.
fn is_wrong(form: RuleForm, field: &'static str) -> impl Fn() -> bool + Send + 'static {
    move || form.wrong.with(|wrong| wrong.as_ref().is_some_and(|wrong| wrong.0 == field))
}

fn text_field(
    form: RuleForm,
    field: &'static str,
    label: &'static str,
    value: RwSignal<String>,
    type_in: impl Fn(String) + 'static,
) -> AnyView {
    let id = format!("edit-{field}");
    let of = id.clone();
    view! {
        <label class="field" for=of>
            <span>{label}</span>
            <input
                id=id
                type="text"
                autocomplete="off"
                spellcheck="false"
                aria-describedby="edit-error"
                aria-invalid=spoken(is_wrong(form, field))
                prop:value=text(move || value.get())
                on:input=move |event| type_in(event_target_value(&event))
            />
        </label>
    }
    .into_any()
}

fn name_field(form: RuleForm) -> AnyView {
    text_field(form, "name", "Name", form.name, move |name| form.name.set(name))
}

/// Metrics in groups; with another one, its name is typed.
fn metric_field(form: RuleForm, is_fixed: bool) -> AnyView {
    let is_chosen = move |name: &str| {
        !form.is_typed.get_untracked() && form.metric.with_untracked(|metric| metric == name)
    };
    let groups = GROUPS.iter().map(|group| {
        let choices = group.metrics.iter().map(|(name, label)| {
            view! { <option value=*name selected=is_chosen(name)>{*label}</option> }
        });
        view! { <optgroup label=group.label>{choices.collect_view()}</optgroup> }
    });
    let choose = move |event| {
        let chosen = event_target_value(&event);
        let is_typed = chosen == OTHER;
        form.is_typed.set(is_typed);
        if !is_typed {
            form.choose_metric(chosen);
        }
    };
    let typed = part(move || {
        form.is_typed.get().then(|| {
            view! {
                {text_field(form, "metric", "Name of the metric", form.metric, move |name| form.choose_metric(name.trim().to_owned()))}
                <p class="field-help">{METRIC_HELP}</p>
            }
            .into_any()
        })
    });
    view! {
        <label class="field" for="edit-metric-list">
            <span>"Metric"</span>
            <select
                id="edit-metric-list"
                disabled=is_fixed
                prop:value=text(move || if form.is_typed.get() { OTHER.to_owned() } else { form.metric.get() })
                on:change=choose
            >
                {groups.collect_view()}
                <option value=OTHER selected=form.is_typed.get_untracked()>"Other metric of a host…"</option>
            </select>
        </label>
        {typed}
    }
    .into_any()
}

/// Comparison, threshold and recovery threshold; nothing for a metric that is 1 or 0.
fn condition(form: RuleForm, is_fixed: bool) -> AnyView {
    let is_flag = Memo::new(move |_| form.metric.with(|metric| is_flag(metric)));
    let units = Signal::derive(move || form.units());
    part(move || {
        if is_flag.get() {
            return None;
        }
        let chosen = form.comparison.get_untracked();
        let choices = [Comparison::Above, Comparison::Below].map(|comparison| {
            let label = match comparison {
                Comparison::Above => "Above",
                Comparison::Below => "Below",
            };
            view! { <option value=comparison.as_str() selected=comparison == chosen>{label}</option> }
        });
        let choose = move |event| {
            let is_below = event_target_value(&event) == Comparison::Below.as_str();
            form.comparison.set(if is_below { Comparison::Below } else { Comparison::Above });
        };
        Some(
            view! {
                <div class="rule-edit-row">
                    <label class="field" for="edit-comparison">
                        <span>"Fires"</span>
                        <select
                            id="edit-comparison"
                            disabled=is_fixed
                            prop:value=text(move || form.comparison.get().as_str().to_owned())
                            on:change=choose
                        >
                            {choices}
                        </select>
                    </label>
                    {form.threshold.view("edit-threshold", "Threshold", units, is_wrong(form, "threshold"))}
                    {form.recovery.view("edit-recovery", "Recovery threshold (optional)", units, is_wrong(form, "recovery"))}
                </div>
            }
            .into_any(),
        )
    })
    .into_any()
}

fn severity(form: RuleForm) -> AnyView {
    let choices = [Severity::Info, Severity::Warning, Severity::Critical].map(|severity| {
        view! {
            <label class="segment">
                <input
                    type="radio"
                    name="edit-severity"
                    prop:checked=yes(move || form.severity.get() == severity)
                    on:change=move |_| form.severity.set(severity)
                />
                <span>{severity_word(severity)}</span>
            </label>
        }
    });
    view! {
        <fieldset class="field">
            <legend>"Severity"</legend>
            <div class="segments">{choices}</div>
        </fieldset>
    }
    .into_any()
}

/// Hosts and kinds that the rule applies to, as far as its metric is about them.
fn scope(form: RuleForm) -> AnyView {
    let scope = Memo::new(move |_| form.scope());
    part(move || {
        let all = OperationStore::here().hosts();
        let (has_hosts, has_kinds) = match scope.get()? {
            Scope::Host => (true, false),
            Scope::Kind => (false, true),
            Scope::Operation => (true, true),
            Scope::Server => return None,
        };
        let hosts = has_hosts.then(|| {
            let known = all.with_untracked(|all| all.iter().map(|host| host.name.clone()).collect());
            choices("Hosts", "All hosts", known, form.hosts, HostName::as_str)
        });
        let kinds = has_kinds.then(|| {
            let kinds = |hosts: &Vec<HostStatus>| hosts.iter().flat_map(|host| host.kinds.clone()).collect();
            choices("Kinds", "All kinds", all.with_untracked(kinds), form.kinds, KindName::as_str)
        });
        Some(view! { {hosts} {kinds} }.into_any())
    })
    .into_any()
}

/// Check boxes of names; none is checked if the rule applies to all. Names of the rule that are unknown here are
/// listed, too.
fn choices<T>(
    label: &'static str,
    all: &'static str,
    mut known: BTreeSet<T>,
    chosen: RwSignal<Vec<T>>,
    name: fn(&T) -> &str,
) -> AnyView
where
    T: Ord + Clone + Send + Sync + 'static,
{
    chosen.with_untracked(|chosen| known.extend(chosen.iter().cloned()));
    let boxes = known.into_iter().map(|of| {
        let shown = name(&of).to_owned();
        let (of, checked) = (StoredValue::new(of), chosen);
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    prop:checked=yes(move || of.with_value(|of| checked.with(|checked| checked.contains(of))))
                    on:change=move |event| {
                        let is_on = event_target_checked(&event);
                        let of = of.get_value();
                        checked.update(|checked| {
                            checked.retain(|other| *other != of);
                            if is_on {
                                checked.push(of);
                                checked.sort();
                            }
                        });
                    }
                />
                <span>{shown}</span>
            </label>
        }
    });
    let count = text(move || match chosen.with(Vec::len) {
        0 => all.to_owned(),
        count => format!("{count} selected"),
    });
    view! {
        <fieldset class="field">
            <legend>{label} " " <span class="muted">{count}</span></legend>
            <div class="rule-names">{boxes.collect_view()}</div>
        </fieldset>
    }
    .into_any()
}

/// Fields that few rules need.
fn more(form: RuleForm) -> AnyView {
    view! {
        <details class="rule-more">
            <summary>"More options"</summary>
            <div class="rule-edit-row">
                {form.recover_for.view("edit-recover_for_seconds", "Recovered for at least", times(), is_wrong(form, "recover_for_seconds"))}
                {form.no_data_for.view("edit-no_data_for_seconds", "Unknown after no data for", times(), is_wrong(form, "no_data_for_seconds"))}
            </div>
            {text_field(form, "action", "What to do", form.action, move |action| form.action.set(action))}
        </details>
    }
    .into_any()
}

/// When the rule would have fired.
fn dry_run(form: RuleForm) -> AnyView {
    let without = Memo::new(move |_| {
        form.metric
            .with(|metric| Metric::parse(metric).is_some_and(|metric| !matches!(metric, Metric::History(_))))
    });
    let note = part(move || {
        without.get().then(|| {
            view! { <p class="muted">"This metric has no history, so the rule can\'t be tested in advance."</p> }.into_any()
        })
    });
    let result = form.trial.result(|_, dry_run| outcome(dry_run));
    view! {
        <section class="rule-trial" aria-labelledby="edit-trial">
            <h3 id="edit-trial">"Test against history"</h3>
            {note}
            <div class="rule-trial-run" hidden=mark(move || without.get())>
                {form.trial.period("edit-days".to_owned())}
                <div role="status">{result}</div>
            </div>
        </section>
    }
    .into_any()
}
