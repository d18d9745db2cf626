//! JSON documents of hosts and of the server, read by the server and by the browser.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_protocol::fuzzing::document(bytes));
