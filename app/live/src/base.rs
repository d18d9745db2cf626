//! Base path of the page, such as `/signalbox` behind a proxy; empty at the root of a host.
//!
//! Paths within the app don't include it: the router's links and `navigate` add it. Whatever the browser resolves
//! itself (plain links, requests, images) must go through [`url`].

use leptos::prelude::*;
use std::sync::OnceLock;

/// Of this server, or in the browser of the server that the page came from.
static BASE: OnceLock<String> = OnceLock::new();

/// Attribute of the document that passes it to the browser.
pub const ATTRIBUTE: &str = "data-base";

/// Sets the base path. Called once by the server, before it renders. `path` is empty, or starts with a slash and does
/// not end with one.
#[cfg(feature = "ssr")]
pub fn configure(path: &str) {
    // A second call has no effect: a process serves one configuration.
    let _ = BASE.set(path.to_owned());
}

/// The base path, without a trailing slash.
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

/// Path of the app with the base path added.
pub fn url(address: &str) -> String {
    format!("{}{address}", path())
}

/// External URL of the app: `https://box.example.org/signalbox`.
pub fn origin() -> String {
    format!("{}{}", window().location().origin().unwrap_or_default(), path())
}

/// Path of the browser's location without the base path.
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

/// Name of a storage key, lock or channel, made unique per base path: other servers may share the origin.
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
    fn a_browser_path_is_returned_without_the_base() {
        assert_eq!(below("/signalbox", "/signalbox/operations/1"), "/operations/1");
        assert_eq!(below("/signalbox", "/signalbox/"), "/");
        assert_eq!(below("/signalbox", "/signalbox"), "/");
        assert_eq!(below("", "/operations"), "/operations");
        assert_eq!(below("", "/"), "/");
        // Another page of the same host, and one outside of the base path.
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
