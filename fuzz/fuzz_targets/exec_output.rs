//! Output of a command: lines, JSON reports, tqdm bars, other progress displays.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_exec_host::fuzzing::output(bytes));
