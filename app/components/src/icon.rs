//! Icons, drawn on a grid of 16 in the colour of the text.

use leptos::prelude::*;

/// An icon by name. Decorative only: a label must be beside it or in an attribute.
#[component]
pub fn Icon(
    /// `overview`, `list`, `rows`, `plus`, `compare`, `hosts`, `cross`, `again`, `resume`, `copy`, `auto`, `light`,
    /// `dark`, `fold`, `keys`, `search`, `more`, `bell`, `play`, `expand`; kinds: `load`, `train`, `backtest`, `sweep`,
    /// `terminal`, `operation`.
    name: &'static str,
) -> impl IntoView {
    let path = match name {
        "overview" => r#"<path d="M2 14V9h3v5M6.5 14V2h3v12M11 14V6h3v8M1 14h14"/>"#,
        "list" => r#"<path d="M2 4h12M2 8h12M2 12h8"/>"#,
        "rows" => r#"<path d="M2 3h12M2 6.3h12M2 9.7h12M2 13h12"/>"#,
        "plus" => r#"<path d="M8 3v10M3 8h10"/>"#,
        "play" => r#"<path d="M5 3l7.5 5L5 13z"/>"#,
        "compare" => r#"<path d="M2 12c3 0 3-7 6-7s3 4 6 4M2 9c4 0 5-5.5 12-5.5" />"#,
        "hosts" => r#"<path d="M2.5 3.5h11v4h-11zM2.5 8.5h11v4h-11zM5 5.5h.01M5 10.5h.01"/>"#,
        "cross" => r#"<path d="M4 4l8 8M12 4l-8 8"/>"#,
        "again" => r#"<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v2.8h-2.8"/>"#,
        "resume" => r#"<path d="M3 3v10M6.5 3.5v9l6.5-4.5z"/>"#,
        "copy" => r#"<path d="M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3"/>"#,
        "auto" => {
            r#"<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5v11a5.5 5.5 0 0 0 0-11z" fill="currentColor"/>"#
        }
        "light" => {
            r#"<circle cx="8" cy="8" r="3"/><path d="M8 1.5v1.5M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M3.4 12.6l1-1M11.6 4.4l1-1"/>"#
        }
        "dark" => r#"<path d="M12.8 9.8A5.5 5.5 0 0 1 6.2 3.2a5.5 5.5 0 1 0 6.6 6.6z"/>"#,
        "fold" => r#"<path d="M10 4L6 8l4 4"/>"#,
        "keys" => r#"<path d="M6 6a2 2 0 1 1 2.8 1.8c-.5.3-.8.7-.8 1.2v.3M8 11.8h.01"/>"#,
        "search" => r#"<circle cx="7" cy="7" r="4.25"/><path d="M10.2 10.2L14 14"/>"#,
        "more" => r#"<path d="M3 8h.01M8 8h.01M13 8h.01" stroke-width="2.5"/>"#,
        "expand" => r#"<path d="M9.5 2.5h4v4M13.5 2.5L9 7M6.5 13.5h-4v-4M2.5 13.5L7 9"/>"#,
        "bell" => r#"<path d="M3.5 11.5h9l-1-1.6V7a3.5 3.5 0 0 0-7 0v2.9zM6.8 13.5h2.4"/>"#,
        "load" => r#"<path d="M8 2v7.5M4.8 6.5L8 9.7l3.2-3.2M2.5 11v2.5h11V11"/>"#,
        "train" => {
            r#"<circle cx="3.5" cy="5" r="1.5"/><circle cx="3.5" cy="11" r="1.5"/><circle cx="12.5" cy="8" r="1.5"/><path d="M5 5.5l6 2M5 10.5l6-2"/>"#
        }
        "backtest" => r#"<path d="M4 2.5v11M2.5 5h3v5h-3zM12 2.5v11M10.5 6.5h3v4h-3zM8 4v8"/>"#,
        "sweep" => {
            r#"<path d="M2.5 2.5h4v4h-4zM9.5 2.5h4v4h-4zM2.5 9.5h4v4h-4z"/><path d="M9.5 9.5h4v4h-4z" fill="currentColor"/>"#
        }
        "terminal" => r#"<path d="M2 3h12v10H2zM4.5 6l2 2-2 2M8.5 10.5h3"/>"#,
        "operation" => r#"<path d="M8 2l5.5 3v6L8 14l-5.5-3V5z"/>"#,
        _ => "",
    };
    view! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" inner_html=path></svg> }.into_any()
}
