//! Form of one kind: validated by the server's rules, then submitted.

use super::address::{Mirror, follow};
use super::arrival::Arrival;
use super::field_errors::{Wrong, point_out};
use super::fill::Fill;
use super::options::{Priority, RULE, Rule, StartOptions};
use super::past::Past;
use super::preview::{PreviewPanel, has_preview};
use super::range_chart::RangeChart;
use super::start_button::StartButton;
use super::start_estimate::StartEstimate;
use super::submit::Submission;
use super::summary::{Copies, Summary};
use app_state::kinds::SWEPT;
use app_state::{Data, address};
use components::form::Fields;
use components::form::typed::Typed;
use components::placeholders::Empty;
use form::Form;
use leptos::prelude::*;
use leptos_router::hooks::{use_navigate, use_query_map};
use protocol::KindName;
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

/// Takes newly stored symbols and models as suggestions while the form is open.
pub fn renew_suggestions(kind: KindName, typed: Typed) {
    let kinds = Data::here().kinds;
    let newest = move || {
        let spec = kinds.with(|kinds| {
            let kinds = &kinds.as_ref()?.as_ref().ok()?.kinds;
            kinds.iter().find(|offer| offer.spec.name == kind).map(|offer| offer.spec.params.clone())
        })?;
        Form::from_schema(&spec).ok()
    };
    Effect::new(move |_| {
        if let Some(newer) = newest() {
            typed.renew_suggestions(newer);
        }
    });
}

#[component]
pub fn KindForm(offer: KindOffer) -> impl IntoView {
    let query = use_query_map();
    let form = match Form::from_schema(&offer.spec.params) {
        Ok(form) => form,
        Err(what) => {
            let title = format!("The parameters of {} can't be shown as a form", offer.spec.name);
            return view! {
                <Empty title text=format!("The host declares a parameter schema that this page does not support: {what}. Start the operation through the API instead.")>
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
    follow(offer.spec.name.clone(), Mirror::of(typed, options));
    renew_suggestions(offer.spec.name.clone(), typed);
    Arrival::here().focus_first_field();
    let submission = Submission::new();
    let Submission { trouble, announced, .. } = submission;
    let kind = StoredValue::new(offer.spec.name.clone());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !submission.begin() {
            return;
        }
        let params = typed.params();
        half_typed(typed);
        if let Some(wrong) = options.wrong() {
            typed.complain(RULE, &wrong);
        }
        let Some(params) = params.filter(|_| typed.errors.with_untracked(Vec::is_empty)) else {
            point_out(&[typed], None, announced);
            return;
        };
        let priority = options.priority.get_untracked();
        let start = StartWithRule {
            start: StartOperation { kind: kind.get_value(), params, priority },
            rule: untrack(|| options.rule()),
        };
        submission.send(start, move |problem| {
            typed.errors.set(problem.fields.clone());
            point_out(&[typed], Some(&problem), announced);
            trouble.set(Some(problem));
        });
    };
    let past = Past::of(offer.spec.name.clone());
    let words = start_words(&offer);
    let preview = has_preview(&offer.spec)
        .then(|| view! { <PreviewPanel kind=offer.spec.name.clone() typed announced/> });
    let swept = SWEPT.iter().any(|(kind, _)| *kind == offer.spec.name.as_str());
    let sweep = swept.then(|| view! { <SweepThis kind=offer.spec.name.to_string() typed/> });
    let copied = Callback::new(move |()| {
        let params = typed.params();
        if params.is_none() {
            point_out(&[typed], None, announced);
        }
        params.map(|params| typed.hidden(params))
    });
    view! {
        <form class="new-form" novalidate=true on:submit=submit>
            <div class="new-card new-fields">
                <p class="form-about">{offer.spec.description.clone()}</p>
                <Fill kind=offer.spec.name.clone() typed past/>
                <Fields typed/>
                <RangeChart typed/>
                <div class="form-mores">
                    <Rule typed options series/>
                    <Priority options/>
                </div>
                {preview}
            </div>
            <div class="new-side">
                <section class="new-card new-summary" aria-label="Summary">
                    <Summary spec=offer.spec.clone() typed past/>
                    <StartEstimate offer=offer.clone() typed priority=options.priority/>
                    <Copies kind=offer.spec.name.to_string() params=copied priority=options.priority/>
                    {sweep}
                </section>
                <div class="form-do">
                    <Wrong forms=vec![typed] trouble announced/>
                    <StartButton words pending=submission.pending/>
                </div>
            </div>
        </form>
    }
    .into_any()
}

/// Button that turns the form into that of a sweep.
#[component]
fn SweepThis(kind: String, typed: Typed) -> impl IntoView {
    let navigate = use_navigate();
    let go = move |_| {
        let fixed = typed.pairs_of(&untrack(|| typed.texts()));
        navigate(&address::sweep_of(&kind, fixed), Default::default());
    };
    view! {
        <button type="button" class="button only-script" on:click=go>
            "Sweep this…"
        </button>
    }
    .into_any()
}

/// Reports partly typed dates: their value is empty, and only the browser knows that they are invalid.
pub fn half_typed(typed: Typed) {
    let Ok(found) = document().query_selector("form input[type='date']:invalid") else { return };
    if let Some(input) = found.and_then(|e| e.dyn_into::<web_sys::HtmlInputElement>().ok()) {
        typed.complain(&input.name(), "Enter day, month and year, or leave the date empty.");
    }
}
