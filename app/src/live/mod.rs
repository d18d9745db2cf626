//! Live state of the page: a snapshot, updated by the feed.
//!
//! The logic is pure and tested natively: [`feed`] checks for gaps, [`sequence_check`] decides what an event changes,
//! [`link`] keeps the connection, [`clock`] estimates server time and latency, [`follow`] and [`log_buffer`] hold
//! curves and log of an open operation, [`join`] merges responses with the feed, [`queue_position`] computes queue
//! positions, [`counts`] counts per state. For several tabs, [`leader_election`] elects the tab that connects, [`frame`]
//! defines their messages, [`follower`] handles them in the other tabs. [`store`] holds the result as signals, one per
//! part that changes independently. [`driver`], with [`tab_sync`] and [`tabs`], is the thin layer that talks to the
//! browser.

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
