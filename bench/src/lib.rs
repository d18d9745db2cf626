//! What the benchmarks share.

pub mod filler;
pub mod history_filler;
mod latencies;
pub mod requests;
pub mod simulated_load;
pub mod tick;

pub use latencies::Latencies;
