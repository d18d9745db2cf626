//! What stands at an address where nothing is.

use crate::components::faces::Empty;
use crate::components::link::A;
use leptos::prelude::*;
use leptos_meta::Title;

/// Says on the server that the answer is a 404.
pub fn answer_404() {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(::http::StatusCode::NOT_FOUND);
    }
}

/// There is no such page or operation.
#[component]
pub fn NotFound(
    /// What was looked for: `page`, `operation`.
    what: &'static str,
) -> impl IntoView {
    answer_404();
    view! {
        <Title text="Not here"/>
        <h1>"Not here"</h1>
        <Empty
            title=format!("There is no such {what}.")
            text="The address may be mistyped, or what stood here was removed."
        >
            <A href="/operations" attr:class="button">
                "Go to operations"
            </A>
        </Empty>
    }
    .into_any()
}
