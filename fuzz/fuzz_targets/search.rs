//! Searches in logs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_log_search::fuzzing::search(bytes));
