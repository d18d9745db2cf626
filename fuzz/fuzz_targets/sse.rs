//! Streams of server-sent events.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_pool::fuzzing::stream(bytes));
