//! Secret parameters at rest: the key file, encryption of values, and fingerprints of requests that contain them.
//!
//! Each line of a key file is a key. The first one encrypts; the others only decrypt what they encrypted earlier, so
//! that a key can be replaced. Values are encrypted with ChaCha20-Poly1305 and a random nonce, and are bound to their
//! [`Place`]: a value that was copied to another operation or parameter does not decrypt.
//!
//! Knows keys and bytes. Must not know operations, where values are stored, or what a parameter is.

mod key;
mod key_file;

pub use key::{KeyId, Place, Sealed, UnsealError};
pub use key_file::{KeyFileError, new_key};

use key::Key;
use key_file::parse;
use std::fmt;
use std::path::Path;

/// Keys of a key file.
pub struct SecretKeys {
    current: Key,
    older: Vec<Key>,
}

impl SecretKeys {
    /// Reads a key file.
    ///
    /// # Errors
    /// If it can't be read, has no key, or has a line that is no key. The error never quotes a line.
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        Self::parse(&std::fs::read_to_string(path)?)
    }

    /// Reads the text of a key file.
    ///
    /// # Errors
    /// As [`SecretKeys::open`].
    pub fn parse(text: &str) -> Result<Self, KeyFileError> {
        let mut keys = parse(text)?.into_iter();
        let current = keys.next().ok_or(KeyFileError::Empty)?;
        Ok(Self { current, older: keys.collect() })
    }

    /// Key that encrypts.
    pub fn current(&self) -> &KeyId {
        self.current.id()
    }

    /// All keys, the current one first.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.all().map(Key::id)
    }

    /// Encrypts a value.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn seal(&self, place: Place<'_>, value: &str) -> Result<Sealed, ring::error::Unspecified> {
        self.current.seal(place, value)
    }

    /// Decrypts a value.
    ///
    /// # Errors
    /// If its key is missing, or if the value was changed or belongs to another place.
    pub fn unseal(&self, place: Place<'_>, sealed: &Sealed) -> Result<String, UnsealError> {
        let key = self.named(&sealed.key).ok_or_else(|| UnsealError::KeyMissing(sealed.key.clone()))?;
        key.unseal(place, &sealed.bytes)
    }

    /// Fingerprint of a value in a context: equal for equal values in the same context, and of no use without the key.
    /// `None` if the key is missing.
    pub fn fingerprint(&self, key: &KeyId, context: &str, value: &str) -> Option<String> {
        Some(self.named(key)?.fingerprint(context, value))
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }

    fn named(&self, id: &KeyId) -> Option<&Key> {
        self.all().find(|key| key.id() == id)
    }
}

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: Place<'static> = Place { operation: "op-1", param: "token" };

    fn keys(lines: &[&str]) -> SecretKeys {
        SecretKeys::parse(&lines.join("\n")).unwrap()
    }

    #[test]
    fn a_value_decrypts_only_in_its_place() {
        let keys = keys(&[&new_key().unwrap()]);
        let sealed = keys.seal(PLACE, "hunter2").unwrap();
        assert_eq!(keys.unseal(PLACE, &sealed).unwrap(), "hunter2");
        for place in [Place { operation: "op-2", ..PLACE }, Place { param: "password", ..PLACE }] {
            assert_eq!(keys.unseal(place, &sealed), Err(UnsealError::Damaged));
        }
        // The boundary between both names counts.
        let shifted = Place { operation: "op-1t", param: "oken" };
        assert_eq!(keys.unseal(shifted, &sealed), Err(UnsealError::Damaged));
    }

    #[test]
    fn the_same_value_is_encrypted_differently_each_time_and_never_contains_itself() {
        let keys = keys(&[&new_key().unwrap()]);
        let [one, two] = [(); 2].map(|()| keys.seal(PLACE, "hunter2").unwrap());
        assert_ne!(one.bytes, two.bytes);
        assert!(!one.bytes.windows(7).any(|part| part == b"hunter2"));
    }

    #[test]
    fn a_changed_byte_is_found() {
        let keys = keys(&[&new_key().unwrap()]);
        let sealed = keys.seal(PLACE, "hunter2").unwrap();
        for at in 0..sealed.bytes.len() {
            let mut changed = sealed.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(keys.unseal(PLACE, &changed), Err(UnsealError::Damaged), "byte {at}");
        }
        let short = Sealed { bytes: sealed.bytes[..5].to_vec(), ..sealed };
        assert_eq!(keys.unseal(PLACE, &short), Err(UnsealError::Damaged));
    }

    #[test]
    fn a_replaced_key_still_decrypts_until_it_is_removed() {
        let [old, new] = [(); 2].map(|()| new_key().unwrap());
        let sealed = keys(&[&old]).seal(PLACE, "hunter2").unwrap();
        let both = keys(&[&new, &old]);
        assert_eq!(both.unseal(PLACE, &sealed).unwrap(), "hunter2");
        assert_ne!(both.current(), &sealed.key, "the first line encrypts");
        assert_eq!(both.seal(PLACE, "x").unwrap().key, *keys(&[&new]).current());
        let gone = keys(&[&new]).unseal(PLACE, &sealed);
        assert_eq!(gone, Err(UnsealError::KeyMissing(sealed.key)));
    }

    #[test]
    fn a_fingerprint_depends_on_key_context_and_value() {
        let [one, other] = [(); 2].map(|()| keys(&[&new_key().unwrap()]));
        let of =
            |keys: &SecretKeys, context, value| keys.fingerprint(keys.current(), context, value).unwrap();
        let print = of(&one, "key-1/token", "hunter2");
        assert_eq!(print, of(&one, "key-1/token", "hunter2"));
        let others = [
            of(&one, "key-2/token", "hunter2"),
            of(&one, "key-1/token", "hunter3"),
            of(&other, "key-1/token", "hunter2"),
        ];
        assert!(!others.contains(&print) && !print.contains("hunter"));
        assert_eq!(one.fingerprint(other.current(), "key-1/token", "hunter2"), None);
    }

    #[test]
    fn nothing_that_is_printed_contains_a_key() {
        let key = new_key().unwrap();
        let keys = keys(&[&key]);
        let printed = format!("{keys:?} {} {:?}", keys.current(), keys.seal(PLACE, "hunter2").unwrap());
        assert!(!printed.contains(&key) && !printed.contains("hunter2"), "{printed}");
        assert!(!key.contains(keys.current().as_str()), "the ID is no part of the key");
    }

    proptest! {
        #[test]
        fn every_value_survives(value in ".{0,200}") {
            let keys = keys(&[&new_key().unwrap()]);
            let sealed = keys.seal(PLACE, &value).unwrap();
            prop_assert_eq!(keys.unseal(PLACE, &sealed).unwrap(), value);
        }
    }
}
