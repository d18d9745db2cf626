//! The path below which the page is served, such as `/signalbox` behind a proxy; empty at the root of a host.
//!
//! Addresses inside the app begin at the page's own root: the router's links and `navigate` add the path by themselves.
//! Everything that the browser resolves without the router (plain links, requests, pictures) goes through [`url`].

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use std::sync::OnceLock;

/// Of this server, or of the server that this page came from.
static BASE: OnceLock<String> = OnceLock::new();

/// The attribute of the document in which the server says it to the browser.
pub const ATTRIBUTE: &str = "data-base";

/// Called once by the server, before it renders anything. `path` begins with a slash and does not end with one, or is
/// empty.
#[cfg(feature = "ssr")]
pub fn configure(path: &str) {
    // A second call changes nothing: one process serves one configuration.
    let _ = BASE.set(path.to_owned());
}

/// The path, without a slash at its end.
pub fn path() -> &'static str {
    BASE.get_or_init(of_document)
}

#[cfg(target_arch = "wasm32")]
fn of_document() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute(ATTRIBUTE)).unwrap_or_default()
}

#[cfg(not(target_arch = "wasm32"))]
fn of_document() -> String {
    String::new()
}

/// An address of ours as the browser has to ask for it.
pub fn url(address: &str) -> String {
    format!("{}{address}", path())
}

/// Where the page is, as the browser reaches it: `https://box.example.org/signalbox`.
pub fn origin() -> String {
    format!("{}{}", window().location().origin().unwrap_or_default(), path())
}

/// A path of the browser's address bar as the app knows it.
pub fn local(path_of_browser: &str) -> &str {
    below(path(), path_of_browser)
}

fn below<'a>(base: &str, path: &'a str) -> &'a str {
    match path.strip_prefix(base) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

/// Where the page stands, as the app knows it. Tracked.
pub fn use_path() -> Memo<String> {
    let pathname = use_location().pathname;
    Memo::new(move |_| local(&pathname.read()).to_owned())
}

/// Under which name this server's pages keep something in the browser, or agree with each other: other servers may be
/// below other paths of the same host, and share the browser's storage, locks and channels with this one.
pub fn scoped(name: &str) -> String {
    scoped_by(path(), name)
}

fn scoped_by(base: &str, name: &str) -> String {
    if base.is_empty() { name.to_owned() } else { format!("{name}@{base}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_the_browser_is_told_without_the_base() {
        assert_eq!(below("/signalbox", "/signalbox/operations/1"), "/operations/1");
        assert_eq!(below("/signalbox", "/signalbox/"), "/");
        assert_eq!(below("/signalbox", "/signalbox"), "/");
        assert_eq!(below("", "/operations"), "/operations");
        assert_eq!(below("", "/"), "/");
        // Another page of the same host, and one that is not below the base at all.
        assert_eq!(below("/signalbox", "/signalboxes/x"), "/signalboxes/x");
        assert_eq!(below("/signalbox", "/operations"), "/operations");
    }

    #[test]
    fn servers_below_different_paths_of_one_host_keep_apart_in_the_browser() {
        assert_eq!(scoped_by("", "signalbox.views"), "signalbox.views");
        assert_ne!(scoped_by("/a", "signalbox.views"), scoped_by("/b", "signalbox.views"));
    }

    #[test]
    fn without_a_base_nothing_is_added() {
        assert_eq!(url("/api/v1/kinds"), "/api/v1/kinds");
    }
}
