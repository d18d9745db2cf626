//! Reactive parts of a view, each kind of one type.
//!
//! A page has a hundred closures; were each of a type of its own, all that makes, hydrates and renews a part
//! of a page would be compiled once for each of them, into what every browser downloads.

use leptos::prelude::AnyView;
use leptos::tachys::reactive_graph::SharedReactiveFunction;
use std::sync::{Arc, Mutex};

/// Text that follows what it reads.
pub fn text(f: impl FnMut() -> String + Send + 'static) -> SharedReactiveFunction<String> {
    Arc::new(Mutex::new(f))
}

/// A fixed word that follows what it reads.
pub fn word(f: impl FnMut() -> &'static str + Send + 'static) -> SharedReactiveFunction<&'static str> {
    Arc::new(Mutex::new(f))
}

/// An attribute that is there, empty, or not.
pub fn mark(mut f: impl FnMut() -> bool + Send + 'static) -> SharedReactiveFunction<Option<&'static str>> {
    Arc::new(Mutex::new(move || f().then_some("")))
}

/// What is said to those who hear the page, as `aria-busy`: `true`, or nothing.
pub fn spoken(mut f: impl FnMut() -> bool + Send + 'static) -> SharedReactiveFunction<Option<&'static str>> {
    Arc::new(Mutex::new(move || f().then_some("true")))
}

/// An attribute that is there, with a value, or not.
pub fn maybe(f: impl FnMut() -> Option<String> + Send + 'static) -> SharedReactiveFunction<Option<String>> {
    Arc::new(Mutex::new(f))
}

/// Yes or no, for attributes like `disabled`.
pub fn yes(f: impl FnMut() -> bool + Send + 'static) -> SharedReactiveFunction<bool> {
    Arc::new(Mutex::new(f))
}

/// A part of the page that is made anew when what it reads changes; nothing for `None`.
pub fn part(f: impl FnMut() -> Option<AnyView> + Send + 'static) -> SharedReactiveFunction<Option<AnyView>> {
    Arc::new(Mutex::new(f))
}

/// A part of the page that is always there and made anew when what it reads changes.
pub fn whole(f: impl FnMut() -> AnyView + Send + 'static) -> SharedReactiveFunction<AnyView> {
    Arc::new(Mutex::new(f))
}
