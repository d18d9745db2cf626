//! Form of one kind: validated by the server's rules, then submitted.

use super::address;
use super::arrival::Arrival;
use super::field_errors::{Wrong, point_out};
use super::fill::Fill;
use super::options::{Priority, RULE, Rule, StartOptions};
use super::past::Past;
use super::preview::{PreviewPanel, has_preview};
use super::start_estimate::StartEstimate;
use super::summary::{Copies, Summary};
use app_state::Data;
use components::form::Fields;
use components::form::typed::Typed;
use components::placeholders::Empty;
use components::reactive::{text, yes};
use form::Form;
use leptos::ev::keydown;
use leptos::html::Button;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::{use_navigate, use_query_map};
use live::OperationStore;
use live::api;
use live::http::new_key;
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
    let options = StartOptions::new(typed, series.first().map_or("", |s| &s.name), &given);
    address::follow(offer.spec.name.clone(), typed, options);
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
    let announced = RwSignal::new(String::new());
    let pending = RwSignal::new(false);
    // Reused while the request is the same, so that a lost response starts nothing twice.
    let key = StoredValue::new(None::<(StartWithRule, String)>);
    let kind = StoredValue::new(offer.spec.name.clone());
    let live = OperationStore::here();
    let navigate = use_navigate();

    let submit = {
        let live = live.clone();
        move |event: web_sys::SubmitEvent| {
            event.prevent_default();
            if pending.get_untracked() {
                return;
            }
            trouble.set(None);
            announced.set(String::new());
            let params = typed.params();
            half_typed(typed);
            if let Some(wrong) = options.wrong() {
                typed.complain(RULE, &wrong);
            }
            let Some(params) = params.filter(|_| typed.errors.with_untracked(Vec::is_empty)) else {
                point_out(typed, None, announced);
                return;
            };
            let priority = options.priority.get_untracked();
            let start = StartWithRule {
                start: StartOperation { kind: kind.get_value(), params, priority },
                rule: untrack(|| options.rule()),
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
                        navigate(&app_state::address::operation(operation.id), Default::default());
                    }
                    Err(problem) => {
                        typed.errors.set(problem.fields.clone());
                        pending.set(false);
                        point_out(typed, Some(&problem), announced);
                        trouble.set(Some(problem));
                    }
                }
            });
        }
    };
    let start = NodeRef::<Button>::new();
    start_by_key(start);
    Arrival::here().focus_first_field();
    let past = Past::of(offer.spec.name.clone());
    let words = start_words(&offer);
    let preview = has_preview(&offer.spec)
        .then(|| view! { <PreviewPanel kind=offer.spec.name.clone() typed announced/> });
    view! {
        <form class="new-form" novalidate=true on:submit=submit>
            <div class="new-card new-fields">
                <p class="form-about">{offer.spec.description.clone()}</p>
                <Fill kind=offer.spec.name.clone() typed past/>
                <Fields typed/>
                <div class="form-mores">
                    <Rule typed options series/>
                    <Priority options/>
                </div>
                {preview}
            </div>
            <div class="new-side">
                <section class="new-card new-summary" aria-label="Summary">
                    <Summary spec=offer.spec.clone() typed past/>
                    <StartEstimate offer=offer.clone() priority=options.priority/>
                    <Copies kind=offer.spec.name.to_string() typed priority=options.priority announced/>
                </section>
                <div class="form-do">
                    <Wrong typed trouble announced/>
                    <button
                        node_ref=start
                        type="submit"
                        class="button primary"
                        aria-keyshortcuts="Control+Enter"
                        disabled=yes(move || pending.get())
                    >
                        {text(move || if pending.get() { "Starting…".to_owned() } else { words.clone() })}
                        <kbd aria-hidden="true">"Ctrl ⏎"</kbd>
                    </button>
                </div>
            </div>
        </form>
    }
    .into_any()
}

/// Starts by Ctrl Enter (⌘ Enter), wherever the focus is.
fn start_by_key(button: NodeRef<Button>) {
    Effect::new(move |_| {
        let handle = window_event_listener(keydown, move |event| {
            let meant = event.key() == "Enter" && (event.ctrl_key() || event.meta_key());
            let dialog = document().query_selector("dialog[open]").is_ok_and(|dialog| dialog.is_some());
            if meant
                && !dialog
                && !event.default_prevented()
                && let Some(button) = button.get_untracked()
            {
                event.prevent_default();
                button.click();
            }
        });
        on_cleanup(move || handle.remove());
    });
}

/// Reports partly typed dates: their value is empty, and only the browser knows that they are invalid.
fn half_typed(typed: Typed) {
    let Ok(found) = document().query_selector("form input[type='date']:invalid") else { return };
    if let Some(input) = found.and_then(|e| e.dyn_into::<web_sys::HtmlInputElement>().ok()) {
        typed.complain(&input.name(), "Enter day, month and year, or leave the date empty.");
    }
}
