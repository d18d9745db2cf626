//! JSON Schemas of kinds that hosts declare, and parameters.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_form::fuzzing::schema(bytes));
