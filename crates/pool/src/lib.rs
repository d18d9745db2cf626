//! Pooled HTTP client of one service.
//!
//! Knows connections and their number, which requests are safe to repeat and when, limits of responses, and how
//! server-sent events are read and resumed. Must not know operations, hosts, or the meaning of any path.
//!
//! A [`Pool`] sends at most [`PoolConfig::max_connections`] requests in parallel; others wait their turn, in order.
//! Streams of events ([`Pool::stream`]) are long-lived, so each has its own connection that does not count.

mod body;
mod client;
mod config;
mod counters;
mod download;
mod error;
mod forward;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod http_client;
mod request_metrics;
mod retry;
pub mod sse;
mod stream;

pub use backoff::Backoff;
pub use client::{Pool, Repeat};
pub use config::PoolConfig;
pub use counters::Counters;
pub use download::Download;
pub use error::{PoolError, Unreached, broke_unanswered};
pub use forward::{ForwardError, ForwardLimits};
pub use https_client::{Proxies, Tls, TlsFileError, TlsFiles, TlsProblem};
pub use request_metrics::{OTHER_ROUTES, Outcome, Requests, RouteMetrics};
pub use sse::Sse;
pub use stream::SseStream;
