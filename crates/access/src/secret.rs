//! Secret of a token: `sbx_`, 20 random bytes, and a checksum of 4 bytes, in hexadecimal.
//!
//! The prefix lets secret scanners find tokens in files and logs. The checksum tells a mistyped token from a revoked
//! one without a look into the store.

use sha2::{Digest, Sha256};
use std::fmt;

/// Beginning of each token.
pub const PREFIX: &str = "sbx_";
/// Random bytes of a token: 160 bits, so that it can't be guessed and needs no slow hash.
pub const RANDOM_BYTES: usize = 20;
const CHECKSUM_BYTES: usize = 4;

/// Hash of a secret, as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SecretHash(pub [u8; 32]);

/// Well-formed secret of a token. Its `Debug` form does not reveal it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Secret of random bytes.
    pub fn new(random: [u8; RANDOM_BYTES]) -> Self {
        Self(format!("{PREFIX}{}{}", hex::encode(random), hex::encode(checksum(&random))))
    }

    /// Parses a secret; `None` if it is malformed or its checksum is wrong.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX.as_bytes())?;
        // One text per secret.
        if digits.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let mut bytes = [0; RANDOM_BYTES + CHECKSUM_BYTES];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        let (random, given) = bytes.split_at(RANDOM_BYTES);
        let text = String::from_utf8(text.to_vec()).ok()?;
        (checksum(random) == given).then_some(Self(text))
    }

    /// The secret itself, to be shown once.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Hash to store and to find it by.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(sbx_…)")
    }
}

fn checksum(random: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest = Sha256::digest(random);
    std::array::from_fn(|n| digest[n])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_secret_parses_back_from_its_text(random: [u8; RANDOM_BYTES]) {
            let secret = Secret::new(random);
            prop_assert_eq!(secret.as_str().len(), PREFIX.len() + 2 * (RANDOM_BYTES + CHECKSUM_BYTES));
            prop_assert_eq!(Secret::parse(secret.as_str().as_bytes()), Some(secret));
        }

        #[test]
        fn a_mistyped_secret_is_rejected(random: [u8; RANDOM_BYTES], at in 0usize..52, typed in "[ -~]") {
            let mut text = Secret::new(random).as_str().to_owned();
            prop_assume!(!text[at..].starts_with(&typed));
            text.replace_range(at..=at, &typed);
            prop_assert_eq!(Secret::parse(text.as_bytes()), None);
        }

        #[test]
        fn any_other_bytes_are_no_secret(bytes: Vec<u8>) {
            prop_assert_eq!(Secret::parse(&bytes), None);
        }
    }

    #[test]
    fn a_secret_is_unreadable_in_log_lines() {
        let secret = Secret::new([7; RANDOM_BYTES]);
        assert!(!format!("{secret:?}").contains("0707"));
        assert_ne!(secret.hash(), Secret::new([8; RANDOM_BYTES]).hash());
    }
}
