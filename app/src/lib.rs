//! The dashboard: pages and the document around them, rendered on the server, hydrated in the browser.
//!
//! Knows: what pages show. State, components, charts and live data are crates below. Must not know: storage, hosts, how
//! the server is assembled.

#![recursion_limit = "256"]

mod app;
mod features;
#[cfg(test)]
mod fixtures;
mod outcome;
mod pages;
#[cfg(feature = "ssr")]
mod shell;

pub use app::App;
pub use pages::lazy::preload;
#[cfg(feature = "ssr")]
pub use shell::shell;
