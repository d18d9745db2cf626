//! Operations: the state machine, the desk that keeps them, the links to hosts, the feed.
//!
//! Knows: what an operation may do next, which host runs it, and who is told.
//! May not know: how anything looks, HTTP routes of the server, how the store keeps things.
//!
//! One task, the [`desk`], owns every operation that has not ended. Whatever happens (a person's wish, a word
//! from a host, the answer of an errand) is a command to it; it asks [`lifecycle::step`] what follows, numbers
//! the events, hands the changes to the store's writer, and only what is durable is told ([`feed`], [`view`]).

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
