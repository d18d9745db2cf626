//! Password hashes: argon2id with the parameters that OWASP recommends (19 MiB of memory, 2 passes).

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Random bytes of a salt.
pub const SALT_BYTES: usize = 16;

/// Hash of a password, with its parameters and salt, as text. Takes tens of milliseconds: use a blocking thread.
///
/// # Errors
/// If the password is longer than 4 GiB.
pub fn hash_password(password: &str, salt: [u8; SALT_BYTES]) -> Result<String, argon2::password_hash::Error> {
    let hash: PasswordHash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt)?;
    Ok(hash.to_string())
}

/// Whether a password has this hash. Takes tens of milliseconds: use a blocking thread.
pub fn verify_password(password: &str, hash: &str) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_password_matches_and_equal_ones_have_different_hashes() {
        let hash = hash_password("correct horse battery", [1; SALT_BYTES]).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify_password("correct horse battery", &hash));
        assert!(!verify_password("correct horse batterz", &hash));
        assert!(!verify_password("correct horse battery", "damaged"));
        assert_ne!(hash, hash_password("correct horse battery", [2; SALT_BYTES]).unwrap());
    }
}
