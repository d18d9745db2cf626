//! Event log: numbered events in a ring of limited size, followed by cursors.
//!
//! Knows numbers without gaps, limits, positions that the ring no longer or not yet has, how readers wake, and the form
//! of an event in a stream. Must not know what an event means, who may read it, or how it is sent.
//!
//! The feed of the server and the feed of a host are both such a log. What a slow reader gets differs between them, and
//! is decided there.

#![warn(missing_docs)]

mod frame;
mod log;
mod ring;

pub use frame::Frame;
pub use log::{Cursor, EventLog};
pub use ring::{Missing, Record, Ring, RingLimits};
