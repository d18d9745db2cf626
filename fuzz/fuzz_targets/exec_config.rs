//! Tables of commands in the configuration.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_exec_host::fuzzing::config(bytes));
