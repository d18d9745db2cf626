//! Reactive closures, each category of one type.
//!
//! A page has a hundred closures. If each had its own type, the code to build, hydrate and rebuild views would be
//! compiled once per closure, and every browser would download it.

use leptos::prelude::AnyView;
use leptos::tachys::reactive_graph::SharedReactiveFunction;
use std::sync::{Arc, Mutex};

/// Reactive text.
pub fn text(f: impl FnMut() -> String + Send + 'static) -> SharedReactiveFunction<String> {
    Arc::new(Mutex::new(f))
}

/// Reactive static text.
pub fn word(f: impl FnMut() -> &'static str + Send + 'static) -> SharedReactiveFunction<&'static str> {
    Arc::new(Mutex::new(f))
}

/// Boolean attribute: present and empty, or absent.
pub fn mark(mut f: impl FnMut() -> bool + Send + 'static) -> SharedReactiveFunction<Option<&'static str>> {
    Arc::new(Mutex::new(move || f().then_some("")))
}

/// ARIA attribute like `aria-busy`: `true`, or absent.
pub fn spoken(mut f: impl FnMut() -> bool + Send + 'static) -> SharedReactiveFunction<Option<&'static str>> {
    Arc::new(Mutex::new(move || f().then_some("true")))
}

/// Attribute with a value, or absent.
pub fn maybe(f: impl FnMut() -> Option<String> + Send + 'static) -> SharedReactiveFunction<Option<String>> {
    Arc::new(Mutex::new(f))
}

/// Boolean property like `disabled`.
pub fn yes(f: impl FnMut() -> bool + Send + 'static) -> SharedReactiveFunction<bool> {
    Arc::new(Mutex::new(f))
}

/// View that is rebuilt on change; nothing for `None`.
pub fn part(f: impl FnMut() -> Option<AnyView> + Send + 'static) -> SharedReactiveFunction<Option<AnyView>> {
    Arc::new(Mutex::new(f))
}

/// View that always exists and is rebuilt on change.
pub fn whole(f: impl FnMut() -> AnyView + Send + 'static) -> SharedReactiveFunction<AnyView> {
    Arc::new(Mutex::new(f))
}
