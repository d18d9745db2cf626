//! New operation: pick a kind, fill in its params, start it. The address fills the form, so it can be shared.

use crate::api;
use crate::app::Data;
use crate::components::faces::{Empty, Skeleton, Trouble, WithSnapshot};
use crate::components::form::FieldInput;
use crate::components::form::typed::Typed;
use crate::http::new_key;
use crate::live::Live;
use crate::query;
use crate::reactive::{maybe, part, text, yes};
use crate::words::hosts::{self, Start};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::{use_navigate, use_query_map};
use protocol::api::{KindList, KindOffer, StartOperation};
use protocol::{Form, Problem};
use serde_json::Value;
use wasm_bindgen::JsCast;

/// The page.
#[component]
pub fn NewPage() -> impl IntoView {
    let kinds = Data::here().kinds;
    view! {
        <Title text="New operation · Signalbox"/>
        <div class="page-head">
            <h1>"New operation"</h1>
        </div>
        <WithSnapshot lines=6>
            <Suspense fallback=|| view! { <Skeleton lines=6/> }>
                {part(move || Some(match kinds.get() {
                    None => view! { <Skeleton lines=6/> }.into_any(),
                    Some(Err(problem)) => {
                        let retry = move |()| {
                            kinds.refetch();
                        };
                        view! { <Trouble problem retry/> }.into_any()
                    }
                    Some(Ok(list)) if list.kinds.is_empty() => {
                        view! {
                            <Empty
                                title="There is nothing to start."
                                text="No host has been heard since the server started, so nobody has said what can be done. Look at the hosts: each says why it can't be reached."
                            >
                                <A href="/hosts" attr:class="button">
                                    "Go to hosts"
                                </A>
                            </Empty>
                        }
                            .into_any()
                    }
                    Some(Ok(list)) => view! { <Pick list/> }.into_any(),
                }))}
            </Suspense>
        </WithSnapshot>
    }
    .into_any()
}

/// The kinds to pick from, and the form of the picked one.
#[component]
fn Pick(list: KindList) -> impl IntoView {
    let query = use_query_map();
    let offers = StoredValue::new(list.kinds);
    let wanted = Memo::new(move |_| query.with(|q| q.get("kind")));
    // The one that is asked for; without a wish the first that can run now.
    let chosen = Memo::new(move |_| {
        offers.with_value(|offers| match wanted.get() {
            Some(wanted) => offers.iter().find(|o| o.spec.name.as_str() == wanted).cloned(),
            None => offers.iter().find(|o| o.available).or(offers.first()).cloned(),
        })
    });
    let several = offers.with_value(|offers| offers.len() > 1);
    let cards = offers.get_value().into_iter().map(|offer| {
        let name = offer.spec.name.clone();
        let here = {
            let name = name.clone();
            move || chosen.with(|c| c.as_ref().is_some_and(|c| c.spec.name == name)).then(|| "true".to_owned())
        };
        view! {
            <A href=query::url("/new", [("kind", name.as_str())]) attr:class="kind-card" attr:data-here=maybe(here)>
                <span class="kind-title">{offer.spec.title}</span>
                <span class="kind">{name.to_string()}</span>
            </A>
        }
    });
    let cards =
        several.then(|| view! { <nav class="kind-cards" aria-label="Kind">{cards.collect_view()}</nav> });
    let form = part(move || {
        Some(match chosen.get() {
            Some(offer) => view! { <KindForm offer/> }.into_any(),
            None => {
                let wanted = wanted.get().unwrap_or_default();
                view! {
                    <Empty
                        title=format!("No host does \u{201c}{wanted}\u{201d}.")
                        text="The name may be mistyped, or the host that does it has not been heard yet."
                    >
                        <A href="/new" attr:class="button">
                            "Show what can be started"
                        </A>
                    </Empty>
                }
                .into_any()
            }
        })
    });
    view! {
        {cards}
        {form}
    }
    .into_any()
}

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
fn KindForm(offer: KindOffer) -> impl IntoView {
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
    let typed = Typed::new(form, |name| query.with_untracked(|q| q.get(name)));
    let priority = RwSignal::new(0i8);
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
            let Some(params) = typed.params() else {
                focus_first_wrong(typed);
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
                        focus_first_wrong(typed);
                    }
                }
            });
        }
    };
    let fields =
        typed.fields().into_iter().map(|(field, text)| view! { <FieldInput form=typed field text/> });
    let said = part(move || {
        let others = typed.other_errors();
        trouble.get().map(|problem| {
            view! {
                <div class="note bad" role="alert">
                    <p>
                        <strong>{problem.title}</strong>
                    </p>
                    <p>{problem.detail}</p>
                    {others.into_iter().map(|text| view! { <p>{text}</p> }).collect_view()}
                </div>
            }
            .into_any()
        })
    });
    let words = start_words(&offer);
    view! {
        <form class="form" novalidate=true on:submit=submit>
            <p class="form-about">{offer.spec.description.clone()}</p>
            <NoHost offer/>
            <div class="fields">{fields.collect_view()}</div>
            <Priority priority/>
            {said}
            <div class="form-do">
                <button type="submit" class="button primary" disabled=yes(move || pending.get())>
                    {text(move || if pending.get() { "Starting…".to_owned() } else { words.clone() })}
                </button>
                <A href="/operations" attr:class="link">
                    "Back to operations"
                </A>
            </div>
        </form>
    }
    .into_any()
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
    view! {
        <details class="form-more">
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
                    value="0"
                    aria-label="Priority"
                    on:change=typed
                />
            </label>
        </details>
    }
    .into_any()
}

/// Says so when it would not start at once, and follows the hosts as they come, go, fill up and are drained.
#[component]
fn NoHost(offer: KindOffer) -> impl IntoView {
    let all = Live::here().hosts();
    let kind = offer.spec.name;
    let start = Memo::new(move |_| all.with(|all| hosts::start(all, &kind)));
    part(move || {
        let start = start.get();
        let said = hosts::before_start(&start)?;
        // To wait for a place is no trouble.
        let (class, look) = match start {
            Start::Busy => ("note", None),
            _ => ("note warn", Some(view! { " " <A href="/hosts">"See the hosts"</A> })),
        };
        Some(view! { <p class=class role="status">{said} {look}</p> }.into_any())
    })
}

/// Moves the focus to the first field that is wrong.
fn focus_first_wrong(form: Typed) {
    let wrong = form.errors.with_untracked(|errors| errors.first().map(|e| Typed::id_of(&e.field)));
    let field = wrong.and_then(|id| document().get_element_by_id(&id));
    if let Some(field) = field.and_then(|f| f.dyn_into::<web_sys::HtmlElement>().ok()) {
        // It fails only for what can't take the focus; the message is there all the same.
        let _ = field.focus();
    }
}
