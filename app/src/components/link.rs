//! The router's link, to an address of ours, also where the page is below a path of its host.

use crate::base;
use leptos::prelude::*;
use leptos_router::components::{A as RouterLink, ToHref};

/// A link inside the app. `href` begins at the page's own root; the router leaves such addresses as they are, so the
/// base path is added here.
#[component]
pub fn A<H>(href: H, children: Children) -> impl IntoView
where
    H: ToHref + Send + Sync + 'static,
{
    let address = move || base::url(&href.to_href()());
    view! { <RouterLink href=address>{children()}</RouterLink> }
}
