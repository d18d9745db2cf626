//! What limits an operation: the division of its time, and the sentence about it. Pure.
//!
//! Knows: how seconds of threads become parts of the wall time, which part is the largest, and what to do about it. May
//! not know: where figures come from, hosts, HTTP, clocks.

mod division;
mod sentence;

pub use division::{Interval, divide};
pub use sentence::{advice, largest, sentence};
