//! Placeholders of lists and pages: loading, empty, error.

use crate::reactive::part;
use app_state::Data;
use leptos::prelude::*;
use live::OperationStore;
use protocol::Problem;

/// Grey lines in place of loading content.
#[component]
pub fn Skeleton(
    /// Number of lines.
    lines: usize,
) -> impl IntoView {
    view! {
        <div class="skeleton" aria-busy="true" aria-label="Loading">
            {(0..lines).map(|_| view! { <div class="skeleton-line"></div> }).collect_view()}
        </div>
    }
    .into_any()
}

/// Empty state: what would be here, and how to fill it.
#[component]
pub fn Empty(
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    /// A button or link.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="face">
            <p class="face-title">{title}</p>
            <p class="muted">{text}</p>
            <div class="face-do">{children()}</div>
        </div>
    }
    .into_any()
}

/// Error state with a retry button.
#[component]
pub fn Trouble(problem: Problem, #[prop(into)] retry: Callback<()>) -> impl IntoView {
    view! {
        <div class="face" role="alert">
            <p class="face-title">{problem.title}</p>
            <p class="muted">{problem.detail}</p>
            <div class="face-do">
                <button type="button" class="button" on:click=move |_| retry.run(())>
                    "Try again"
                </button>
            </div>
        </div>
    }
    .into_any()
}

/// Shows its children once the page has a snapshot; a skeleton while loading, an error when that fails.
#[component]
pub fn WithSnapshot(
    /// Lines of the skeleton.
    #[prop(default = 8)]
    lines: usize,
    /// Shows no error, because another part of the page does.
    #[prop(optional)]
    silent: bool,
    children: ChildrenFn,
) -> impl IntoView {
    let data = Data::here();
    let live = OperationStore::here();
    let seeded = live.seeded();
    let children = StoredValue::new(children);
    let loading = move || if silent { ().into_any() } else { view! { <Skeleton lines/> }.into_any() };
    view! {
        <Suspense fallback=loading>
            {part(move || {
                let answer = data.snapshot.get();
                if let Some(Ok(snapshot)) = &answer {
                    live.seed_once(snapshot);
                }
                Some(match answer {
                    _ if seeded.get() => children.with_value(|children| children()),
                    Some(Err(problem)) if !silent => {
                        let retry = move |()| {
                            data.snapshot.refetch();
                        };
                        view! { <Trouble problem retry/> }.into_any()
                    }
                    _ => loading(),
                })
            })}
        </Suspense>
    }
    .into_any()
}
