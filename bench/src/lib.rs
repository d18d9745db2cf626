//! What the benchmarks share.

pub mod filler;
pub mod history_filler;
pub mod simulated_load;
pub mod tick;
