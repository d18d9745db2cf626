//! What the benchmarks share.

pub mod filler;
