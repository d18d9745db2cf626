//! The headers `Authorization` and `Host`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_http_wire::fuzzing::headers(bytes));
