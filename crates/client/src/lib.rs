//! Typed client of the server's API, for the command line and tools.
//!
//! Knows: paths, requests and responses of `protocol`, problem documents as errors, and how the events of an operation
//! are followed to its end over a bad connection. Must not know: text for a terminal, the engine, the store.
//!
//! [`Client`] has one method per request. [`Follower`] follows one operation. [`LogCursor`] reads each log line once.

mod client;
mod error;
mod follow;
mod log_cursor;

pub use client::{Client, ClientConfig, EventPage, OperationQuery};
pub use error::ClientError;
pub use follow::{Events, Follower, Update};
pub use log_cursor::LogCursor;
