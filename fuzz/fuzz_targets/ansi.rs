//! Text with ANSI colours, such as log lines of a command.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_ansi::fuzzing::text(bytes));
