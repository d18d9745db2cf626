//! First steps of a new installation. Most visits do not see them, so their code is loaded when they are shown.

use super::demo::Demonstration;
use app_state::Data;
use app_state::kinds::DEMO;
use components::lazy_section::LazySection;
use components::link::A;
use components::reactive::part;
use leptos::prelude::*;
use leptos::wasm_split::{SplitLoaderError, wasm_split};
use live::query;

/// The code of the first steps.
pub const SECTION: LazySection =
    LazySection { name: "overview_first_steps", load: || Box::pin(load_steps()) };

/// The available kinds, each a link to its form.
pub fn first_steps() -> AnyView {
    SECTION.view(Signal::stored(true), steps)
}

#[wasm_split(overview_first_steps, wasm_split_path = leptos::wasm_split, preload(load_steps), fallible)]
fn steps() -> Result<AnyView, SplitLoaderError> {
    Ok(view! { <FirstSteps/> }.into_any())
}

/// First steps of a new installation: the available kinds, each a link to its form.
#[component]
fn FirstSteps() -> impl IntoView {
    let kinds = Data::here().kinds;
    view! {
        <section class="face first-steps">
            <p class="face-title">"No operations yet"</p>
            <p class="muted">
                "This page shows running, queued and failed operations on all hosts."
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
                            <p class="muted">"Or start your own operation:"</p>
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
