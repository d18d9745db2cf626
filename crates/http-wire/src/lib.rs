//! HTTP rules shared by the server and host-kit, so that a request means the same to both.
//!
//! Knows tokens, host names, problem documents as responses, waits of long polls, queries, server-sent events as they
//! are written, and IDs, spans and the access log of requests. Must not know routes, feeds, or who may do what.

#![warn(missing_docs)]

#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod host_names;
mod problem;
mod query;
mod request_id;
pub mod sse;
mod token;
mod trace;
mod wait;

pub use host_names::{Addresses, HostNames, host_of};
pub use problem::{ApiError, PROBLEM};
pub use query::bad_query;
pub use request_id::{RequestId, X_REQUEST_ID};
pub use token::{Token, bearer};
pub use trace::{AccessLog, about_attempt, about_operation, traced, traced_host};
pub use wait::{MAX_WAIT, Wait};
