//! Form of a sweep: the form of the swept kind, in which fields vary. The address has the parameters of the API.

mod options;
mod state;
mod summary;

use super::address;
use super::arrival::Arrival;
use super::field_errors::{Wrong, point_out};
use super::kind_form::KindForm;
use super::options::{Priority, RULE, Rule, StartOptions};
use super::past::Past;
use super::range_chart::RangeChart;
use super::start_button::StartButton;
use super::start_estimate::StartEstimate;
use super::submit::Submission;
use super::summary::Copies;
use app_state::kinds::{SWEEP, SWEPT};
use components::form::typed::Typed;
use components::form::{Fields, VARY, VariedFields};
use components::lazy_section::LazySection;
use components::link::A;
use components::moment::Ago;
use components::reactive::{mark, part, spoken};
use form::Form;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use leptos_router::hooks::use_query_map;
use live::{base, query};
use protocol::api::{KindOffer, StartOperation, StartWithRule};
use protocol::{Problem, ProblemType};
use state::{Sweep, given_of, place_errors};
use summary::SweepSummary;

/// Form of a sweep, whose code is loaded when it is shown.
pub const SECTION: LazySection = LazySection { name: "new_sweep", load: || Box::pin(load_sweep()) };

/// Form of a sweep of `swept`, or that of any other kind if its schema can't be a form.
pub fn sweep_section(offer: KindOffer, swept: KindOffer) -> AnyView {
    SECTION.view(Signal::stored(true), move || sweep_view(offer.clone(), swept.clone()))
}

#[wasm_split(new_sweep, wasm_split_path = leptos::wasm_split, preload(load_sweep), fallible)]
fn sweep_view(offer: KindOffer, swept: KindOffer) -> Result<AnyView, SplitLoaderError> {
    Ok(sweep_form(&offer, &swept).unwrap_or_else(|| view! { <KindForm offer/> }.into_any()))
}

/// Form of a sweep of `swept`; nothing if its schema can't be a form.
fn sweep_form(offer: &KindOffer, swept: &KindOffer) -> Option<AnyView> {
    let query = use_query_map();
    let given = |name: &str| query.with_untracked(|q| q.get(name));
    let form = Form::from_schema(&swept.spec.params).ok()?;
    let name = swept.spec.name.clone();
    let options = options::form(&offer.spec.params, name.as_str(), given("rank_by").as_deref()).ok()?;
    let typed = Typed::new(form, &|name| given_of(&given, name));
    let options = Typed::new(options, &given);
    let sweep = Sweep::new(name, typed, options, &given);
    Some(view! { <SweepForm offer=offer.clone() swept=swept.clone() sweep/> }.into_any())
}

#[component]
fn SweepForm(offer: KindOffer, swept: KindOffer, sweep: Sweep) -> impl IntoView {
    let query = use_query_map();
    let given = |name: &str| query.with_untracked(|q| q.get(name));
    let Sweep { typed, options, varied, .. } = sweep;
    let varied = VariedFields { fields: varied, views: VARY };
    let series = offer.spec.series.clone();
    let start = StartOptions::new(options, series.first().map_or("", |s| &s.name), &given);
    address::follow(offer.spec.name.clone(), sweep.mirror(start));
    super::kind_form::renew_suggestions(swept.spec.name.clone(), typed);
    Arrival::here().focus_first_field();
    let submission = Submission::new();
    let Submission { trouble, announced, .. } = submission;
    let kind = StoredValue::new(offer.spec.name.clone());
    let forms = [typed, options];
    // Valid parameters, or what is wrong, at the fields and in words.
    let checked = move || {
        let params = sweep.params();
        super::kind_form::half_typed(typed);
        if let Some(wrong) = start.wrong() {
            options.complain(RULE, &wrong);
        }
        let valid = forms.iter().all(|form| form.errors.with_untracked(Vec::is_empty));
        let plan = untrack(|| sweep.plan());
        if let (Some(params), Ok(_), true) = (params, &plan, valid) {
            return Some(params);
        }
        // A field with an error says it itself.
        let problem = plan.err().filter(|_| valid).map(|why| Problem::new(ProblemType::BadParams, why));
        point_out(&forms, problem.as_ref(), announced);
        trouble.set(problem);
        None
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if !submission.begin() {
            return;
        }
        let Some(params) = checked() else { return };
        let priority = start.priority.get_untracked();
        let request = StartWithRule {
            start: StartOperation { kind: kind.get_value(), params, priority },
            rule: untrack(|| start.rule()),
        };
        submission.send(request, move |mut problem| {
            place_errors(&mut problem);
            let (of_options, of_runs) =
                problem.fields.iter().cloned().partition(|error| options.has(&error.field));
            options.errors.set(of_options);
            typed.errors.set(of_runs);
            point_out(&forms, Some(&problem), announced);
            trouble.set(Some(problem));
        });
    };
    let here = swept.spec.name.to_string();
    let runs = SWEPT.map(|(run, title)| {
        let href = base::url(&query::url("/new", [("kind", SWEEP), ("run", run)]));
        let current = run == here;
        view! {
            <a
                href=href
                class="kind-tab"
                data-here=mark(move || current)
                aria-current=spoken(move || current)
            >
                {title}
            </a>
        }
        .into_any()
    });
    let past = Past::of(swept.spec.name.clone());
    let last_sweep = Past::of(offer.spec.name.clone()).last;
    let last = part(move || {
        let (at, params) = last_sweep.get()?;
        let href = app_state::address::start_again(SWEEP, &params);
        Some(
            view! {
                <div class="fill">
                    <A href attr:class="button">
                        "Use last parameters " <span class="muted"><Ago at/></span>
                    </A>
                </div>
            }
            .into_any(),
        )
    });
    view! {
        <form class="new-form" novalidate=true on:submit=submit>
            <div class="new-card new-fields">
                <p class="form-about">{offer.spec.description.clone()}</p>
                <nav class="sweep-runs" aria-label="Runs of the sweep">
                    {runs.into_iter().collect_view()}
                </nav>
                {last}
                <p class="form-about">"To try several values of a field, press Vary beside it."</p>
                <Fields typed varied/>
                <RangeChart typed/>
                <h2 class="form-part">"Sweep"</h2>
                <Fields typed=options/>
                <div class="form-mores">
                    <Rule typed=options options=start series/>
                    <Priority options=start/>
                </div>
            </div>
            <div class="new-side">
                <section class="new-card new-summary" aria-label="Summary">
                    <SweepSummary spec=swept.spec.clone() sweep past/>
                    <StartEstimate offer typed=options priority=start.priority/>
                    <Copies
                        kind=SWEEP.to_owned()
                        params=Callback::new(move |()| {
                            trouble.set(None);
                            checked()
                        })
                        priority=start.priority
                    />
                </section>
                <div class="form-do">
                    <Wrong forms=forms.to_vec() trouble announced/>
                    <StartButton words="Start sweep".to_owned() pending=submission.pending/>
                </div>
            </div>
        </form>
    }
    .into_any()
}
