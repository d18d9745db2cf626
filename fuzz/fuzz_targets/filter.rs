//! Filters of the list of operations, in a query string.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_protocol::fuzzing::filter(bytes));
