//! The live state of the page: a snapshot, kept true by the feed.
//!
//! What decides is pure and tested natively: [`feed`] (is anything missing?), [`ledger`] (what does an event
//! change?), [`link`] (how to stay connected?), [`clock`] (what time is it at the server, how late is the
//! news?), [`follow`] (curves and log of the operation that is open), [`line`] (who waits behind whom?). [`store`] holds the outcome as signals,
//! one for each thing that changes on its own, so that an event touches only what it is about.
//! [`driver`] is the thin part that talks to the browser.

pub mod cell;
pub mod clock;
pub mod driver;
pub mod feed;
pub mod follow;
pub mod ledger;
pub mod line;
pub mod link;
pub mod store;
pub mod wire;

pub use store::{Live, OpView};
