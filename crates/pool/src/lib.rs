//! A pooled HTTP client to one service.
//!
//! Knows: connections and how many there may be, what is safe to repeat and how long to wait before it is,
//! how an answer is bounded, and how server-sent events are read and resumed.
//! May not know: operations, hosts, or what any path means.
//!
//! A [`Pool`] keeps at most [`PoolConfig::max_connections`] requests under way; the others wait their turn, in
//! order. Streams of events ([`Pool::stream`]) live as long as they live, so each has a connection of its own
//! outside of that number.

mod backoff;
mod body;
mod client;
mod config;
mod counters;
mod error;
mod pipe;
mod retry;
pub mod sse;
mod stream;

pub use backoff::Backoff;
pub use client::{Pool, Repeat};
pub use config::PoolConfig;
pub use counters::Counters;
pub use error::{PoolError, Unreached, broke_unanswered};
pub use pipe::{PipeError, PipeLimits};
pub use sse::Sse;
pub use stream::SseStream;
