//! Times in RFC 3339.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_protocol::fuzzing::time(bytes));
