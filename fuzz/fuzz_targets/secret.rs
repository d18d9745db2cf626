//! Tokens of programs and sessions.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| access::fuzzing::secret(bytes));
