//! Overview page: what needs attention, what runs, what just ended, and the last 24 hours compared with the days
//! before.

mod activity;
mod attention;
mod demo;
mod first_steps;
mod hosts;
mod hours;
mod kinds;
mod now;

use activity::{Answer, CurrentActivity, Lately};
use attention::Attention;
use components::hint::Hint;
use components::icon::Icon;
use components::lazy_section::LazySection;
use components::link::A;
use components::placeholders::WithSnapshot;
use components::reactive::whole;
use first_steps::first_steps;
use hosts::HostRows;
use kinds::ByKind;
use leptos::prelude::*;
use leptos_meta::Title;
use live::OperationStore;
use live::api;
use now::{Ended, Running, Waiting};

/// Sections whose code is loaded when they are shown.
pub const SECTIONS: [LazySection; 1] = [first_steps::SECTION];

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
        <Hint page="overview" text="Running operations, failures, and operations that ended in the last 24 hours. Each entry links to its operation."/>
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
                return view! { {first_steps()} <HostRows/> }.into_any();
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
