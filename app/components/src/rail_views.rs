//! Views of the operations list in the sidebar.

use crate::reactive::{mark, part, spoken};
use app_state::Failures;
use app_state::views::{BUILT_IN, FAILED, SavedViews, address, query_at};
use display::format;
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use live::base;

/// Built-in views, then saved ones. Sidebars without space for names don't show them.
#[component]
pub fn RailViews() -> impl IntoView {
    let saved = SavedViews::here();
    let (path, search) = (app_state::address::use_path(), use_location().search);
    let here =
        Memo::new(move |_| (path.read().as_str() == "/operations").then(|| search.with(|s| query_at(s))));
    let entry = move |name: String, query: String| {
        let count = (query == FAILED).then(|| view! { <UnseenCount/> }.into_any());
        let (href, hint) = (base::url(&address(&query)), name.clone());
        let current = Memo::new(move |_| here.with(|here| here.as_ref() == Some(&query)));
        view! {
            <li>
                // Not the router's link: it would be current whatever the query is.
                <a
                    href=href
                    class="rail-entry rail-view"
                    title=hint
                    data-here=mark(move || current.get())
                    aria-current=spoken(move || current.get())
                >
                    <span>{name}</span>
                    {count}
                </a>
            </li>
        }
        .into_any()
    };
    // The sidebar's own entry shows all.
    let built_in = BUILT_IN.into_iter().filter(|(_, query)| !query.is_empty());
    let built_in: Vec<_> = built_in.map(|(name, query)| entry(name.to_owned(), query.to_owned())).collect();
    let own = part(move || {
        let own: Vec<_> = saved.all().into_iter().map(|view| entry(view.name, view.query)).collect();
        Some(own.into_any())
    });
    view! {
        <nav class="rail-views" aria-label="Views">
            <p class="rail-title" aria-hidden="true">"Views"</p>
            <ul>{built_in} {own}</ul>
        </nav>
    }
    .into_any()
}

/// Number of failures that the user has not seen; absent without any.
#[component]
fn UnseenCount() -> impl IntoView {
    let failures = Failures::here();
    let count = Memo::new(move |_| failures.count());
    part(move || {
        let wording = format::count(Some(count.get()).filter(|count| *count > 0)? as u64);
        Some(
            view! { <span class="rail-count num" data-bad="">{wording}<span class="unseen">" not seen"</span></span> }
                .into_any(),
        )
    })
}
