//! Typed client of the server's API, for the command line and tools.
//!
//! Knows: paths, requests and responses of `protocol`, problem documents as errors, and how the events of an operation
//! are followed to its end over a bad connection. Must not know: text for a terminal, the engine, the store.
//!
//! [`Client`] has one method per request. [`Follower`] follows one operation. [`LogCursor`] reads each log line once.
//! A [`transport::Transport`] sends requests over connections that another process keeps.

mod access;
mod alerts;
mod client;
mod error;
mod follow;
mod log_cursor;
mod query;
mod requests;
pub mod transport;

pub use client::{Client, ClientConfig, EventPage, new_key};
pub use error::ClientError;
pub use follow::{Events, Follower, Update};
pub use log_cursor::LogCursor;
pub use pool::{Download, PoolError, Proxies, SseStream, Tls, TlsFileError, TlsFiles, TlsProblem};
pub use query::OperationQuery;
pub use requests::LogFilter;
