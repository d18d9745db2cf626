//! One key: encryption of values, fingerprints, and its ID.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt;
use thiserror::Error;

/// Length of a key in bytes.
pub(crate) const KEY_BYTES: usize = 32;
/// Length of an ID in bytes.
const ID_BYTES: usize = 4;

/// ID of a key, by which stored values name the key that encrypted them. It tells nothing about the key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KeyId(String);

impl KeyId {
    /// As it was stored.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a value belongs to. It does not decrypt for anything else.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// ID of the operation.
    pub operation: &'a str,
    /// Name of the parameter.
    pub param: &'a str,
}

impl Place<'_> {
    /// Additional data of the encryption. The length keeps both names apart.
    fn bytes(self) -> Vec<u8> {
        format!("{} {} {}", self.operation.len(), self.operation, self.param).into_bytes()
    }
}

/// Encrypted value: nonce, ciphertext and tag, and the ID of the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    pub key: KeyId,
    pub bytes: Vec<u8>,
}

/// Why a value can't be decrypted.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum UnsealError {
    #[error("key {0} is missing")]
    KeyMissing(KeyId),
    #[error("the stored value was changed, or belongs to another operation")]
    Damaged,
}

/// Key of a key file. What is in the file is used for no algorithm itself: each has a key of its own, derived from it.
pub(crate) struct Key {
    id: KeyId,
    encryption: LessSafeKey,
    fingerprints: hmac::Key,
}

impl Key {
    pub fn new(bytes: &[u8; KEY_BYTES]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let derived = |purpose: &str| hmac::sign(&root, purpose.as_bytes());
        let id = hex::encode(&derived("signalbox key id").as_ref()[..ID_BYTES]);
        let encryption = UnboundKey::new(&CHACHA20_POLY1305, derived("signalbox secret params").as_ref())
            .expect("the derived key has the length that the algorithm needs");
        let fingerprints =
            hmac::Key::new(hmac::HMAC_SHA256, derived("signalbox request fingerprints").as_ref());
        Self { id: KeyId(id), encryption: LessSafeKey::new(encryption), fingerprints }
    }

    pub fn id(&self) -> &KeyId {
        &self.id
    }

    pub fn seal(&self, place: Place<'_>, value: &str) -> Result<Sealed, Unspecified> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce)?;
        let mut sealed = value.as_bytes().to_vec();
        let (nonce_of_key, place) = (Nonce::assume_unique_for_key(nonce), Aad::from(place.bytes()));
        self.encryption.seal_in_place_append_tag(nonce_of_key, place, &mut sealed)?;
        Ok(Sealed { key: self.id.clone(), bytes: [&nonce[..], &sealed].concat() })
    }

    pub fn unseal(&self, place: Place<'_>, bytes: &[u8]) -> Result<String, UnsealError> {
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or(UnsealError::Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| UnsealError::Damaged)?;
        let mut sealed = sealed.to_vec();
        let value = self.encryption.open_in_place(nonce, Aad::from(place.bytes()), &mut sealed);
        let value = value.map_err(|_| UnsealError::Damaged)?;
        String::from_utf8(value.to_vec()).map_err(|_| UnsealError::Damaged)
    }

    pub fn fingerprint(&self, context: &str, value: &str) -> String {
        let text = format!("{} {context} {value}", context.len());
        hex::encode(hmac::sign(&self.fingerprints, text.as_bytes()))
    }
}
