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
        <Title text="Not found · Signalbox"/>
        <h1>"Not found"</h1>
        <Empty
            title=format!("No such {what}")
            text=format!("Check the URL: it may be mistyped, or the {what} no longer exists.")
        >
            <A href="/operations" attr:class="button">
                "Go to operations"
            </A>
        </Empty>
    }
    .into_any()
}
