//! Data of the page, as signals: [`store`] has all loaded operations, with [`operation_signals`] for each.
//! [`event_effect`] decides what an event changes, [`join`] and [`joined`] merge responses with the feed, [`curves`]
//! and [`log_buffer`] are the data of an open operation, [`counts`] counts per state, [`queue_position`] computes
//! positions, [`pacing`] decides when reported values are shown, [`recent`] keeps small curves for lists.

pub mod counts;
pub mod curves;
pub mod event_effect;
pub mod join;
pub mod joined;
pub mod log_buffer;
pub mod operation_signals;
pub mod pacing;
pub mod queue_position;
pub mod recent;
pub mod store;
