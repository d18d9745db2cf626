//! What holds for any text in place of a token; `make fuzz` searches for one that breaks it.

use crate::{PREFIX, Secret};

/// A secret is exactly the text that it was parsed from.
pub fn secret(bytes: &[u8]) {
    if let Some(secret) = Secret::parse(bytes) {
        assert_eq!(secret.as_str().as_bytes(), bytes);
        assert!(
            secret.as_str().starts_with(PREFIX)
                && !format!("{secret:?}").contains(&secret.as_str()[PREFIX.len()..])
        );
    }
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("secret", secret);
}
