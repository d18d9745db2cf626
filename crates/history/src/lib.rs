//! History of metrics: one second for 2 days, one minute for 90 days, one hour for 2 years.
//!
//! Knows: how values become bytes, tiers, retention, its database. May not know: where samples come from, hosts, HTTP,
//! operations. Its database is not that of the operations: if it is full, corrupt or slow, they don't notice.
//!
//! - [`scale`]: values as integers, with a known error.
//! - [`block`]: the integers of a minute, an hour or a day as bytes.
//! - [`store`]: blocks in SQLite, and the roll-up from tier to tier.
//! - [`query`]: minimum, mean and maximum for each pixel of a chart.

pub mod block;
mod error;
pub mod query;
mod roll_up;
pub mod scale;
mod schema;
pub mod store;
mod stored_blocks;
mod tier;

pub use error::HistoryError;
pub use query::{Buckets, MAX_BUCKETS, Query, Series, Source};
pub use store::{Anchor, Batch, Store};
pub use tier::Tier;
