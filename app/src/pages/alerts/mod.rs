//! Alerts page: firing alerts, silences, rules with their tests, resolved alerts, and notifications.

mod active;
mod current;
mod dry_run;
mod moment;
mod past;
mod rule_form;
mod rules;
mod silence_form;
mod silences;

use active::Active;
use components::focus;
use components::hint::Hint;
use components::placeholders::{Skeleton, Trouble, WithSnapshot};
use components::reactive::part;
use current::{AlertsAnswer, CurrentAlerts, CurrentRules, RulesAnswer};
use leptos::prelude::*;
use leptos_meta::Title;
use live::api;
use past::{Notifications, Resolved};
use rule_form::{RuleDialog, RuleForm};
use rules::{RULES, Rules, focus_of};
use silence_form::{SilenceDialog, Silencing};
use silences::Silences;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

#[component]
pub fn AlertsPage() -> impl IntoView {
    // Created here: the view below may be built several times before it is shown.
    let first = live::load(|| (), |()| api::alerts());
    let rules = live::load(|| (), |()| api::alert_rules());
    view! {
        <Title text="Alerts · Signalbox"/>
        <div class="page-head">
            <h1>"Alerts"</h1>
        </div>
        <Hint page="alerts" text="The server evaluates the rules below at regular intervals. A silence mutes the notifications of the alerts that match it; the alerts stay listed."/>
        <WithSnapshot lines=6>
            <Parts first rules/>
        </WithSnapshot>
    }
    .into_any()
}

#[component]
fn Parts(first: live::Loaded<AlertsAnswer>, rules: live::Loaded<RulesAnswer>) -> impl IntoView {
    let current = CurrentAlerts::new(first);
    let silencing = Silencing::new(current);
    let known = CurrentRules::new(rules, current, Callback::new(|()| keep_focus()));
    let form = RuleForm::new(known);
    let lists = move || {
        view! {
            <Active current silencing/>
            <Silences current silencing/>
        }
    };
    view! {
        {current.trouble()}
        <Suspense fallback=|| view! { <Skeleton lines=6/> }>
            {part(move || {
                match first.get()? {
                    Err(problem) if !current.is_known() => {
                        Some(view! { <Trouble problem retry=current.ask()/> }.into_any())
                    }
                    _ => Some(lists().into_any()),
                }
            })}
            {part(move || {
                Some(match rules.get()? {
                    Ok(_) => view! { <Rules current rules=known form/> }.into_any(),
                    Err(problem) => {
                        let retry = move |()| rules.refetch();
                        view! { <Trouble problem retry/> }.into_any()
                    }
                })
            })}
            <Resolved current/>
            <Notifications current/>
        </Suspense>
        <SilenceDialog silencing rules/>
        <RuleDialog form/>
    }
    .into_any()
}

/// Keeps the keyboard focus in the list of rules when the row that has it is replaced or removed.
fn keep_focus() {
    let list = document().get_element_by_id(RULES).and_then(|list| list.dyn_into::<HtmlElement>().ok());
    let at = document().active_element().and_then(|at| at.closest(".rule").ok().flatten());
    let rule = at.map(|row| row.id().trim_start_matches("rule-").to_owned());
    focus::hand_over(list.as_ref(), move || focus_of(rule.as_deref()));
}
