//! The dashboard: pages, components and live state, rendered on the server, hydrated in the browser.
//!
//! Knows: what pages show, and how they stay up to date. Gets its data from a [`backend::Backend`] on the server and
//! from the API in the browser. Must not know: storage, hosts, how the server is assembled.

#![recursion_limit = "256"]

mod actions;
pub mod api;
mod app;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod base;
mod components;
pub mod filter;
mod http;
mod kinds;
pub mod live;
mod notifications;
mod open;
mod outcome;
mod pages;
pub mod query;
mod reactive;
mod retry_timer;
mod select;
#[cfg(feature = "ssr")]
mod shell;
pub mod zone;

/// For the command line, until it uses the crate `display` itself.
pub use ::display::format;

/// For the command line, until it uses the crate `display` itself.
pub mod display {
    pub use ::display::{doing, done_of_total, how_far};

    pub mod trail {
        pub use ::display::cancel_steps::steps as trail;
    }
}

pub use app::App;
#[cfg(feature = "ssr")]
pub use backend::Backend;
pub use pages::lazy::preload;
#[cfg(feature = "ssr")]
pub use shell::shell;
