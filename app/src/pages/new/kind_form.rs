//! The form of one kind: filled in, checked as the server will, and sent.

use super::address::{self, PRIORITY, priority_of};
use super::fill::Fill;
use super::outlook::Outlook;
use super::wrong::{Wrong, focus_wrong};
use crate::api;
use crate::components::faces::Empty;
use crate::components::form::FieldInput;
use crate::components::form::typed::Typed;
use crate::http::new_key;
use crate::live::Live;
use crate::query;
use crate::reactive::{text, yes};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::A;
use leptos_router::hooks::{use_navigate, use_query_map};
use protocol::api::{KindOffer, StartOperation};
use protocol::{Form, Problem};
use serde_json::Value;
use wasm_bindgen::JsCast;

/// The button's words: `Start load` for `data.load`.
fn start_words(offer: &KindOffer) -> String {
    let verb = offer.spec.name.as_str().split_once('.').map_or("operation", |(area, verb)| {
        // `training.run` is started as a training.
        if verb == "run" { area } else { verb }
    });
    format!("Start {verb}")
}

/// The form of one kind.
#[component]
pub fn KindForm(offer: KindOffer) -> impl IntoView {
    let query = use_query_map();
    let form = match Form::from_schema(&offer.spec.params) {
        Ok(form) => form,
        Err(what) => {
            let title = format!("The params of {} can't be shown as a form.", offer.spec.name);
            return view! {
                <Empty title text=format!("Its host declares them in a way this page does not know: {what}. Start it by the API instead.")>
                    ()
                </Empty>
            }
            .into_any();
        }
    };
    let given = |name: &str| query.with_untracked(|q| q.get(name));
    let typed = Typed::new(form, &given);
    let priority = RwSignal::new(if typed.has(PRIORITY) { 0 } else { priority_of(given(PRIORITY)) });
    address::follow(offer.spec.name.clone(), typed, priority);
    let trouble = RwSignal::new(None::<Problem>);
    let pending = RwSignal::new(false);
    // Kept while the same params are sent again, so that a lost answer starts nothing twice.
    let key = StoredValue::new(None::<((Value, i8), String)>);
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
            let Some(params) = params.filter(|_| typed.errors.with_untracked(Vec::is_empty)) else {
                focus_wrong();
                return;
            };
            let asked = (params.clone(), priority.get_untracked());
            let key_of_params = match key.get_value() {
                Some((of, key)) if of == asked => key,
                _ => new_key(),
            };
            key.set_value(Some((asked.clone(), key_of_params.clone())));
            pending.set(true);
            let (live, navigate) = (live.clone(), navigate.clone());
            spawn_local(async move {
                let start = StartOperation { kind: kind.get_value(), params, priority: asked.1 };
                match api::start(&start, &key_of_params).await {
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
    view! {
        <div class="form">
            <p class="form-about">{offer.spec.description.clone()}</p>
            <Fill kind=offer.spec.name.clone() typed/>
            <form class="form" novalidate=true on:submit=submit>
                <Wrong typed trouble/>
                <div class="fields">{fields.collect_view()}</div>
                <Priority priority/>
                <Outlook offer priority/>
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

/// A date of which only a part is typed looks empty to the page; the browser knows better.
fn half_typed(typed: Typed) {
    let Ok(found) = document().query_selector("form input[type='date']:invalid") else { return };
    if let Some(input) = found.and_then(|e| e.dyn_into::<web_sys::HtmlInputElement>().ok()) {
        typed.complain(&input.name(), "Give day, month and year, or none of them.");
    }
}

/// Who goes first when hosts are full; seldom asked for, so it stands apart.
#[component]
fn Priority(priority: RwSignal<i8>) -> impl IntoView {
    let typed = move |event: web_sys::Event| {
        // What is out of range is drawn to its edge, and shown so; what is no number counts as none.
        let input = event_target::<web_sys::HtmlInputElement>(&event);
        let wanted = input.value().trim().parse::<f64>().unwrap_or(0.0).clamp(-100.0, 100.0).round() as i8;
        input.set_value(&wanted.to_string());
        priority.set(wanted);
    };
    let first = priority.get_untracked();
    view! {
        <details class="form-more" open=first != 0>
            <summary>"Priority"</summary>
            <label class="field">
                <span class="field-help">
                    "From −100 to 100: when hosts are full the higher goes first, and among equals who waits longer."
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
