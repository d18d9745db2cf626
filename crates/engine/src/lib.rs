//! Operations: state machine, coordinator, connections to hosts, feed.
//!
//! Knows what an operation may do next, which host runs it, and what is published. Must not know how anything looks,
//! HTTP routes of the server, or how the store works.
//!
//! One task, the [`coordinator`], owns all operations that have not ended. Everything that happens (a user request, a
//! report of a host, the result of a host request) is a command. The coordinator asks [`lifecycle::step`] what follows,
//! numbers the events and passes the changes to the store's writer. Only durable changes are published ([`feed`],
//! [`view`]). Requests that can't be fulfilled end with an [`EngineError`], which the server words for users.

mod activity;
mod baseline;
mod baseline_cache;
mod checkpoint_transfer;
mod clock;
mod clock_jump;
mod command;
mod config;
mod coordinator;
mod downsample;
mod engine;
mod error;
pub mod feed;
mod forecast;
mod host_connection;
mod host_registry;
mod host_request;
mod housekeeping;
mod kind_registry;
pub mod lifecycle;
mod pace;
mod queue;
mod scoped_feed;
mod secret_params;
mod store_reader;
mod suspend;
mod tally;
mod view;

pub use config::{EngineConfig, HostConfig, Rules, SetParams};
pub use engine::{CancelledOperations, Engine, LogQuery, Scoped, Started, Which};
pub use error::{Denied, EngineError, HostData, OpenError};
pub use feed::{Cursor, Feed, Frame, Read, RingLimits};
pub use kind_registry::KindRegistry;
pub use lifecycle::RetryPolicy;
pub use pace::StallRule;
pub use secrets::{KeyFileError, SecretKeys, new_key};
pub use tally::Tally;
