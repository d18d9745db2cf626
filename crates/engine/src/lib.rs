//! Operations: state machine, desk, links to hosts, feed.
//!
//! Knows what an operation may do next, which host runs it, and what is published. Must not know how anything looks,
//! HTTP routes of the server, or how the store works.
//!
//! One task, the [`desk`], owns all operations that have not ended. Everything that happens (a user request, a report
//! of a host, the result of an errand) is a command. The desk asks [`lifecycle::step`] what follows, numbers the events
//! and passes the changes to the store's writer. Only durable changes are published ([`feed`], [`view`]).

mod activity;
mod awake;
mod carry;
mod catalogue;
mod clock;
mod config;
mod desk;
mod downsample;
mod earlier;
mod engine;
mod envelope;
mod errand;
pub mod feed;
mod forecast;
mod housekeeping;
mod jumps;
pub mod lifecycle;
mod link;
mod pace;
mod queue;
mod roster;
mod view;

pub use catalogue::Catalogue;
pub use config::{EngineConfig, HostConfig, Rules};
pub use engine::{Engine, EngineError, LogQuery, Started, Which};
pub use feed::{Cursor, Feed, Frame, Read, RingLimits};
pub use lifecycle::RetryPolicy;
pub use pace::StallRule;
