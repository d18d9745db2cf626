//! HTTP rules shared by the server and host-kit, so that a request means the same to both.
//!
//! Knows tokens, host names, problem documents as responses, waits of long polls, queries, and server-sent events as
//! they are written. Must not know routes, operations, feeds, or who may do what.

mod host_names;
mod problem;
mod query;
pub mod sse;
mod token;
mod wait;

pub use host_names::{Addresses, HostNames, host_of};
pub use problem::{ApiError, PROBLEM};
pub use query::bad_query;
pub use token::{Token, bearer};
pub use wait::{MAX_WAIT, Wait};
