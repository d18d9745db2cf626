//! Form of one kind: validated by the server's rules, then submitted.

use super::address;
use super::field_errors::{Wrong, focus_wrong};
use super::fill::Fill;
use super::options::{Beside, Priority, RULE, Rule};
use super::preview::{PreviewPanel, has_preview};
use super::start_estimate::StartEstimate;
use crate::api;
use crate::app::Data;
use crate::components::form::FieldInput;
use crate::components::form::typed::Typed;
use crate::components::link::A;
use crate::components::placeholders::Empty;
use crate::http::new_key;
use crate::live::Live;
use crate::query;
use crate::reactive::{text, yes};
use form::Form;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_navigate, use_query_map};
use protocol::Problem;
use protocol::api::{KindOffer, StartOperation, StartWithRule};
use wasm_bindgen::JsCast;

/// Label of the submit button: `Start load` for `data.load`.
fn start_words(offer: &KindOffer) -> String {
    let verb = offer.spec.name.as_str().split_once('.').map_or("operation", |(area, verb)| {
        // `training.run` gives `Start training`.
        if verb == "run" { area } else { verb }
    });
    format!("Start {verb}")
}

#[component]
pub fn KindForm(offer: KindOffer) -> impl IntoView {
    let query = use_query_map();
    let form = match Form::from_schema(&offer.spec.params) {
        Ok(form) => form,
        Err(what) => {
            let title = format!("The parameters of {} can't be shown as a form", offer.spec.name);
            return view! {
                <Empty title text=format!("Its host declares a schema that this page does not support: {what}. Start it through the API instead.")>
                    ()
                </Empty>
            }
            .into_any();
        }
    };
    let given = |name: &str| query.with_untracked(|q| q.get(name));
    let typed = Typed::new(form, &given);
    let series = offer.spec.series.clone();
    let beside = Beside::new(typed, series.first().map_or("", |s| &s.name), &given);
    address::follow(offer.spec.name.clone(), typed, beside);
    let newest = {
        let (kinds, name) = (Data::here().kinds, offer.spec.name.clone());
        move || {
            let spec = kinds.with(|kinds| {
                let kinds = &kinds.as_ref()?.as_ref().ok()?.kinds;
                kinds.iter().find(|offer| offer.spec.name == name).map(|offer| offer.spec.params.clone())
            })?;
            Form::from_schema(&spec).ok()
        }
    };
    Effect::new(move |_| {
        if let Some(newer) = newest() {
            typed.renew_suggestions(newer);
        }
    });
    let trouble = RwSignal::new(None::<Problem>);
    let pending = RwSignal::new(false);
    // Reused while the request is the same, so that a lost response starts nothing twice.
    let key = StoredValue::new(None::<(StartWithRule, String)>);
    let kind = StoredValue::new(offer.spec.name.clone());
    let live = Live::here();
    let navigate = use_navigate();

    let submit = {
        let live = live.clone();
        move |event: web_sys::SubmitEvent| {
            event.prevent_default();
            if pending.get_untracked() {
                return;
            }
            trouble.set(None);
            let params = typed.params();
            half_typed(typed);
            if let Some(wrong) = beside.wrong() {
                typed.complain(RULE, &wrong);
            }
            let Some(params) = params.filter(|_| typed.errors.with_untracked(Vec::is_empty)) else {
                focus_wrong();
                return;
            };
            let priority = beside.priority.get_untracked();
            let start = StartWithRule {
                start: StartOperation { kind: kind.get_value(), params, priority },
                rule: untrack(|| beside.rule()),
            };
            let key_of_start = match key.get_value() {
                Some((of, key)) if of == start => key,
                _ => new_key(),
            };
            key.set_value(Some((start.clone(), key_of_start.clone())));
            pending.set(true);
            let (live, navigate) = (live.clone(), navigate.clone());
            spawn_local(async move {
                match api::start(&start, &key_of_start).await {
                    Ok(operation) => {
                        live.adopt(&operation, 0);
                        navigate(&query::operation(operation.id), Default::default());
                    }
                    Err(problem) => {
                        typed.errors.set(problem.fields.clone());
                        trouble.set(Some(problem));
                        pending.set(false);
                        focus_wrong();
                    }
                }
            });
        }
    };
    let fields = typed
        .fields()
        .into_iter()
        .enumerate()
        .map(|(place, (field, text))| view! { <FieldInput form=typed place field text/> });
    let words = start_words(&offer);
    let preview =
        has_preview(&offer.spec).then(|| view! { <PreviewPanel kind=offer.spec.name.clone() typed/> });
    view! {
        <div class="form">
            <p class="form-about">{offer.spec.description.clone()}</p>
            <Fill kind=offer.spec.name.clone() typed/>
            <form class="form" novalidate=true on:submit=submit>
                <Wrong typed trouble/>
                <div class="fields">{fields.collect_view()}</div>
                {preview}
                <Rule beside series/>
                <Priority beside/>
                <StartEstimate offer priority=beside.priority/>
                <div class="form-do">
                    <button type="submit" class="button primary" disabled=yes(move || pending.get())>
                        {text(move || if pending.get() { "Starting…".to_owned() } else { words.clone() })}
                    </button>
                    <A href="/operations" attr:class="link">
                        "Back to operations"
                    </A>
                </div>
            </form>
        </div>
    }
    .into_any()
}

/// Reports partly typed dates: their value is empty, and only the browser knows that they are invalid.
fn half_typed(typed: Typed) {
    let Ok(found) = document().query_selector("form input[type='date']:invalid") else { return };
    if let Some(input) = found.and_then(|e| e.dyn_into::<web_sys::HtmlInputElement>().ok()) {
        typed.complain(&input.name(), "Enter day, month and year, or leave the date empty.");
    }
}
