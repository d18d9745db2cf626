//! Files and responses with market data: compression, encoding, layout and rows.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_data_host::fuzzing::csv(bytes));
