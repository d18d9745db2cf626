//! New operation: pick a kind, fill in its params, start it. The address fills the form and follows it, so it can be
//! shared.

mod address;
mod beside;
mod fill;
mod kind_form;
mod outlook;
mod preset_bar;
mod presets;
mod wrong;

use crate::app::Data;
use crate::components::faces::{Empty, Skeleton, Trouble, WithSnapshot};
use crate::query;
use crate::reactive::{maybe, part};
use kind_form::KindForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::A;
use leptos_router::hooks::use_query_map;
use protocol::api::KindList;

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
