//! History of metrics: one second for 2 days, one minute for 90 days, one hour for 2 years. Distributions: one minute
//! for 7 days, ten minutes for 90 days.
//!
//! Knows: how values become bytes, tiers, retention, its database. May not know: where samples come from, hosts, HTTP,
//! operations. Its database is not that of the operations: if it is full, corrupt or slow, they don't notice.
//!
//! - [`scale`]: values as integers, with a known error.
//! - [`block`]: the integers of a minute, an hour or a day as bytes.
//! - [`store`]: blocks in SQLite, and the roll-up from tier to tier.
//! - [`query`]: minimum, mean and maximum for each pixel of a chart.
//! - [`tally`]: counts by class with a distribution, which percentiles of any time are computed from.

pub mod block;
mod error;
pub mod query;
mod roll_up;
pub mod scale;
mod schema;
pub mod store;
mod stored_blocks;
pub mod tally;
mod tier;

pub use error::HistoryError;
pub use query::{Buckets, MAX_BUCKETS, Query, Series, Source, matches};
pub use store::{Anchor, Batch, Store};
pub use tally::{Tallied, Tallies, Tally};
pub use tier::Tier;
