//! Live state of the page: a snapshot, updated by the feed.
//!
//! The logic is pure and tested natively: [`feed`] checks for gaps, [`ledger`] decides what an event changes, [`link`]
//! keeps the connection, [`clock`] estimates server time and latency, [`follow`] and [`lines`] hold curves and log of
//! an open operation, [`join`] merges answers with the feed, [`line`] computes queue positions, [`counts`] counts per
//! state. For several tabs, [`role`] elects the tab that connects, [`frame`] defines their messages, [`relay`] handles
//! them in a listening tab. [`store`] holds the result as signals, one per part that changes independently. [`driver`],
//! with `together` and `tabs`, is the thin layer that talks to the browser.

pub mod clock;
pub mod counts;
pub mod driver;
pub mod feed;
pub mod follow;
pub mod follower;
pub mod frame;
pub mod join;
pub mod joined;
pub mod leader_election;
pub mod link;
pub mod log_buffer;
pub mod operation_signals;
pub mod queue_position;
pub mod sequence_check;
pub mod store;
mod tab_sync;
mod tabs;
pub mod wire;

pub use store::{Live, OpView};
