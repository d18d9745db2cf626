//! Technical indicators over bars: plain functions over slices of numbers.
//!
//! Knows: arithmetic. May not know: bars as types, files, hosts.
