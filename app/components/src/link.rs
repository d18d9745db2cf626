//! Link inside the app.

use crate::reactive::{maybe, text};
use leptos::prelude::*;
use leptos_router::components::ToHref;
use leptos_router::hooks::use_location;
use live::base;

/// Link inside the app. `href` starts at the app's root; the base path is added to it. The router follows every link of
/// the page that stays in the app; its own component would add the code of relative addresses.
#[component]
pub fn A<H>(href: H, children: Children) -> impl IntoView
where
    H: ToHref + Send + Sync + 'static,
{
    link(Box::new(move || base::url(&href.to_href()())), children())
}

/// Not generic, so that it is compiled once.
fn link(address: Box<dyn Fn() -> String + Send + Sync>, children: AnyView) -> impl IntoView {
    let address = StoredValue::new(address);
    let address = move || address.with_value(|address| address());
    let path = use_location().pathname;
    let here = move || path.with(|path| leads_here(&address(), path)).then(|| "page".to_owned());
    view! {
        <a href=text(address) aria-current=maybe(here)>
            {children}
        </a>
    }
}

/// Whether a link leads to this path or to one above it. The root is above none.
fn leads_here(href: &str, path: &str) -> bool {
    let mut steps = href.split('/');
    let mut same = path.split('/').zip(steps.by_ref()).enumerate();
    same.all(|(n, (path, href))| path == href || n > 1 && href.is_empty())
        && steps.next().is_none_or(str::is_empty)
}

#[cfg(test)]
mod tests {
    use super::leads_here;

    #[test]
    fn a_link_is_current_on_its_page_and_on_pages_below_it() {
        assert!(leads_here("/", "/") && leads_here("/operations", "/operations") && leads_here("/a", "/a/b"));
        assert!(leads_here("/a/", "/a/b") && leads_here("/a/", "/a"));
        assert!(!leads_here("/", "/operations") && !leads_here("/a/b", "/a") && !leads_here("/a", "/ab"));
        assert!(!leads_here("/operations?state=failed", "/operations"));
    }
}
