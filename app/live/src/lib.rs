//! Live data of the page: a snapshot, updated by the feed, and requests beside it.
//!
//! Knows: how responses and events become current data, one connection for all tabs, and the API. Must not know: views,
//! pages, wording. On the server its data comes from a [`backend::Backend`].
//!
//! The logic is pure and tested natively. [`driver`] is the thin layer that talks to the browser. Modules depend on
//! those below them only: [`driver`]; [`status`]; [`tabs`]; [`connection`], [`model`]; [`identity`]; [`api`]; [`http`],
//! [`query`]; [`base`].

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
pub mod base;
pub mod connection;
pub mod driver;
#[cfg(test)]
mod fixtures;
pub mod http;
pub mod identity;
pub mod model;
mod positioned;
pub mod query;
mod resource;
pub mod status;
pub mod tabs;

pub use identity::Identity;
pub use model::operation_signals::{Facts, Fixed, OpView, OperationSignals};
pub use model::store::OperationStore;
pub use positioned::Positioned;
pub use resource::{Loaded, load};
pub use status::ConnectionStatus;
