//! Overview page: what needs attention, what runs, what just ended, and the last 24 hours compared with the days before.

mod activity;
mod attention;
mod demo;
mod hosts;
mod hours;
mod kinds;
mod now;

use activity::{Answer, CurrentActivity, Lately};
use app_state::Data;
use app_state::kinds::DEMO;
use attention::Attention;
use components::hint::Hint;
use components::icon::Icon;
use components::link::A;
use components::placeholders::WithSnapshot;
use components::reactive::{part, whole};
use demo::Demonstration;
use hosts::HostRows;
use kinds::ByKind;
use leptos::prelude::*;
use leptos_meta::Title;
use live::OperationStore;
use live::api;
use live::query;
use now::{Ended, Running, Waiting};

#[component]
pub fn OverviewPage() -> impl IntoView {
    // Joins the feed before the first request.
    let current = CurrentActivity::new(&OperationStore::here());
    // Created here: the view below may be built several times before it is shown.
    let first = live::load(|| (), |()| api::activity());
    view! {
        <Title text="Overview · Signalbox"/>
        <div class="page-head">
            <h1>"Overview"</h1>
            <A href="/new" attr:class="button primary">
                <Icon name="plus"/>
                "New operation"
            </A>
        </div>
        <Hint page="overview" text="What runs now, what failed, and what ended in the last 24 hours. Each entry leads to its operation."/>
        <WithSnapshot lines=10>
            <Parts first current/>
        </WithSnapshot>
    }
    .into_any()
}

#[component]
fn Parts(first: live::Loaded<Answer>, current: CurrentActivity) -> impl IntoView {
    let live = OperationStore::here();
    let untouched = Memo::new(move |_| live.count_all() == 0);
    view! {
        {whole(move || {
            if untouched.get() {
                return view! { <FirstSteps/> <HostRows/> }.into_any();
            }
            view! {
                <Lately first current/>
                <Attention/>
                <Running/>
                <Waiting/>
                <Ended/>
                <div class="overview-foot">
                    <HostRows/>
                    <ByKind first current/>
                </div>
            }
            .into_any()
        })}
    }
    .into_any()
}

/// First steps of a new installation: the available kinds, each a link to its form.
#[component]
fn FirstSteps() -> impl IntoView {
    let kinds = Data::here().kinds;
    view! {
        <section class="face first-steps">
            <p class="face-title">"No operations yet"</p>
            <p class="muted">
                "Here you see what is running, queued and failed across your hosts."
            </p>
            <Suspense>
                {part(move || {
                    let Some(Ok(list)) = kinds.get() else { return None };
                    let (demo, others): (Vec<_>, Vec<_>) = list
                        .kinds
                        .into_iter()
                        .filter(|offer| offer.available)
                        .partition(|offer| offer.spec.name.as_str() == DEMO);
                    let demo = demo.into_iter().next().map(|offer| {
                        view! {
                            <Demonstration kind=offer.spec.name/>
                            <p class="muted">"Or start with your own:"</p>
                        }
                    });
                    let cards = others.into_iter().map(|offer| {
                        view! {
                            <A
                                href=query::url("/new", [("kind", offer.spec.name.as_str())])
                                attr:class="kind-card"
                            >
                                <span class="kind-title">{offer.spec.title}</span>
                                <span class="kind">{offer.spec.name.to_string()}</span>
                                <span class="muted">{offer.spec.description}</span>
                            </A>
                        }
                    });
                    Some(
                        view! {
                            {demo}
                            <nav class="first-kinds" aria-label="Start an operation">{cards.collect_view()}</nav>
                        }
                        .into_any(),
                    )
                })}
            </Suspense>
        </section>
    }
    .into_any()
}
