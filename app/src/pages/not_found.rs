//! Page for unknown URLs and operations.

use components::link::A;
use components::placeholders::Empty;
use leptos::prelude::*;
use leptos_meta::Title;

/// Sets the status 404 on the server.
pub fn answer_404() {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(::http::StatusCode::NOT_FOUND);
    }
}

#[component]
pub fn NotFound(
    /// `page` or `operation`.
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
