//! The router's link with the base path added.

use leptos::prelude::*;
use leptos_router::components::{A as RouterLink, ToHref};
use live::base;

/// Link inside the app. `href` starts at the app's root; the router does not add the base path to it.
#[component]
pub fn A<H>(href: H, children: Children) -> impl IntoView
where
    H: ToHref + Send + Sync + 'static,
{
    let address = move || base::url(&href.to_href()());
    view! { <RouterLink href=address>{children()}</RouterLink> }
}
