//! Key file: one key per line, as 64 hexadecimal digits. Empty lines and lines with `#` are skipped.

use crate::key::{KEY_BYTES, Key};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::BTreeSet;
use thiserror::Error;

/// Why a key file can't be used. Never quotes a line, because it may be a key.
#[derive(Debug, Error)]
pub enum KeyFileError {
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    #[error("it contains no key. Create one with `signalbox secrets new-key` or `openssl rand -hex 32`")]
    Empty,
    #[error(
        "line {0} is no key. A key has 64 hexadecimal digits; create one with `signalbox secrets new-key` or `openssl rand -hex 32`"
    )]
    NoKey(usize),
    #[error("line {0} repeats an earlier key. Remove it")]
    Repeated(usize),
}

/// Creates a key, as a line of a key file.
///
/// # Errors
/// If the system has no random numbers.
pub fn new_key() -> Result<String, Unspecified> {
    let mut bytes = [0; KEY_BYTES];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}

pub(crate) fn parse(text: &str) -> Result<Vec<Key>, KeyFileError> {
    let (mut keys, mut known) = (Vec::new(), BTreeSet::new());
    for (n, line) in text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut bytes = [0; KEY_BYTES];
        hex::decode_to_slice(line, &mut bytes).map_err(|_| KeyFileError::NoKey(n))?;
        let key = Key::new(&bytes);
        if !known.insert(key.id().clone()) {
            return Err(KeyFileError::Repeated(n));
        }
        keys.push(key);
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SecretKeys;

    #[test]
    fn a_key_file_has_one_key_per_line_and_may_have_notes() {
        let [one, two] = [(); 2].map(|()| new_key().unwrap());
        let keys =
            SecretKeys::parse(&format!("# since 2026-12\n{one}\n\n  {}\n", two.to_uppercase())).unwrap();
        assert_eq!(keys.ids().count(), 2);
        assert_eq!(keys.current(), SecretKeys::parse(&one).unwrap().current());
        assert_ne!(one, two);
    }

    #[test]
    fn what_is_no_key_is_rejected_by_its_line_and_never_quoted() {
        let key = new_key().unwrap();
        let wrong = |text: &str| SecretKeys::parse(text).err().unwrap().to_string();
        assert!(wrong("# nothing\n").contains("openssl rand -hex 32"));
        for line in ["hunter2", &key[1..], &format!("{key}00"), &key.replace(&key[..1], "x")] {
            let error = wrong(&format!("{key}\n{line}"));
            assert!(error.starts_with("line 2 is no key") && !error.contains(line), "{error}");
        }
        assert!(wrong(&format!("{key}\n{key}")).starts_with("line 2 repeats"));
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(SecretKeys::open(&folder.path().join("none")), Err(KeyFileError::Unreadable(_))));
    }
}
