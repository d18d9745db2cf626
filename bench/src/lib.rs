//! What the benchmarks share.

pub mod filler;
mod latencies;

pub use latencies::Latencies;
