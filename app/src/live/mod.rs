//! The live state of the page: a snapshot, kept true by the feed.
//!
//! What decides is pure and tested natively: [`feed`] (is anything missing?), [`ledger`] (what does an event
//! change?), [`link`] (how to stay connected?), [`clock`] (what time is it at the server, how late is the
//! news?), [`follow`] and [`lines`] (curves and log of the operation that is open), [`join`] (an answer and the feed), [`line`] (who waits behind
//! whom?), [`counts`] (how many are in each state?). So is what tabs of one browser have to agree on: [`role`]
//! (which of them connects?), [`frame`] (what do they say to each other?), [`relay`] (what does one that
//! listens make of it?). [`store`] holds the outcome as signals, one for each thing that changes on its own, so
//! that an event touches only what it is about. [`driver`], with `together` and `tabs`, is the thin part that
//! talks to the browser.

pub mod cell;
pub mod clock;
pub mod counts;
pub mod driver;
pub mod feed;
pub mod follow;
pub mod frame;
pub mod join;
pub mod joined;
pub mod ledger;
pub mod line;
pub mod lines;
pub mod link;
pub mod relay;
pub mod role;
pub mod store;
mod tabs;
mod together;
pub mod wire;

pub use store::{Live, OpView};
