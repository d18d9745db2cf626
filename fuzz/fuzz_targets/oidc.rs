//! Discovery documents and claims of an OpenID Connect provider.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| signalbox_oidc::fuzzing::document(bytes));
