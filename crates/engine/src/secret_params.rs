//! Secret parameters: encrypted when an operation is accepted, and decrypted only for the request to its host.
//!
//! Everything else (the record of the operation, events, responses, titles, the stored form of a request) has the
//! marker of [`protocol::secret`] or a fingerprint instead of the value, so nothing that reads an operation can show
//! it.

use crate::error::EngineError;
use crate::store_reader::StoreReader;
use protocol::api::StartWithRule;
use protocol::host::StartAttempt;
use protocol::{Failure, FailureReason, OperationId, secret};
use secrets::{KeyId, Place, Sealed, SecretKeys, UnsealError};
use serde_json::{Value, json};
use std::sync::Arc;
use store::{SecretParam, StoreError};

/// Keys, and the store with the encrypted values.
#[derive(Clone)]
pub(crate) struct SecretParams {
    keys: Option<Arc<SecretKeys>>,
    store: StoreReader,
}

/// Why an attempt did not get its secret values.
#[derive(Debug)]
pub(crate) enum NotRestored {
    /// They can't be decrypted; the attempt fails.
    Locked(Failure),
    /// The store can't be read for now.
    Unreadable(EngineError),
}

impl SecretParams {
    pub(crate) fn new(keys: Option<Arc<SecretKeys>>, store: StoreReader) -> Self {
        Self { keys, store }
    }

    /// Warns of stored values whose key is missing.
    ///
    /// # Errors
    /// If the store can't be read.
    pub(crate) fn warn_of_missing_keys(&self) -> Result<(), StoreError> {
        for (key, operations) in self.store.blocking().secret_keys()? {
            let id = KeyId::stored(&key);
            if !self.keys.as_ref().is_some_and(|keys| keys.ids().any(|known| *known == id)) {
                tracing::warn!(
                    key,
                    operations,
                    "a key of secret parameters is missing: these operations can't be started, retried or resumed until the key is in the file that secrets.key_file names"
                );
            }
        }
        Ok(())
    }

    /// Encrypts the secret values of a new operation.
    ///
    /// # Errors
    /// `NoSecretKey` if no key is configured.
    pub(crate) fn seal(
        &self,
        id: OperationId,
        secrets: Vec<(String, String)>,
    ) -> Result<Vec<SecretParam>, EngineError> {
        if secrets.is_empty() {
            return Ok(Vec::new());
        }
        let Some(keys) = &self.keys else {
            return Err(EngineError::NoSecretKey(secrets.into_iter().map(|(name, _)| name).collect()));
        };
        let operation = id.to_string();
        let seal = |(name, value): (String, String)| {
            let place = Place { operation: &operation, param: &name };
            let Sealed { key, bytes } = keys.seal(place, &value).map_err(|_| EngineError::NotEncrypted)?;
            Ok(SecretParam { name, key: key.as_str().to_owned(), sealed: bytes })
        };
        secrets.into_iter().map(seal).collect()
    }

    /// Checks that the secret values of an operation can be decrypted.
    ///
    /// # Errors
    /// `SecretsUnreadable` if they can't, or `Unreadable` if the store can't be read.
    pub(crate) async fn check(&self, id: OperationId) -> Result<(), EngineError> {
        let opened = self.unseal(id, self.stored(id).await?);
        opened.map(drop).map_err(|source| EngineError::SecretsUnreadable { id, source })
    }

    /// Puts the secret values into a request to a host.
    ///
    /// # Errors
    /// If they can't be read or decrypted; the request is unchanged then.
    pub(crate) async fn restore(&self, body: &mut StartAttempt) -> Result<(), NotRestored> {
        let wanted: Vec<String> = secret::names(&body.params).map(str::to_owned).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let stored = self.stored(body.id).await.map_err(NotRestored::Unreadable)?;
        let opened = self.unseal(body.id, stored).and_then(|opened| {
            let complete = wanted.iter().all(|name| opened.iter().any(|(opened, _)| opened == name));
            if complete { Ok(opened) } else { Err(UnsealError::Damaged) }
        });
        restore(&mut body.params, opened.map_err(|error| NotRestored::Locked(locked(&error)))?);
        Ok(())
    }

    /// Start request as it is stored beside its idempotency key: with fingerprints instead of the values of `secret`
    /// parameters.
    pub(crate) fn stored_form(&self, request: &StartWithRule, secret: &[String], key: &str) -> String {
        let current = self.keys.as_ref().map(|keys| keys.current().clone());
        self.fingerprinted(request, secret.iter().map(|name| (name.as_str(), current.clone())), key)
    }

    /// Whether a request is the one that was stored beside its idempotency key. A kind need not be known for that.
    pub(crate) fn is_same_request(&self, stored: &str, request: &StartWithRule, key: &str) -> bool {
        let before: Value = serde_json::from_str(stored).unwrap_or_default();
        let params = before.get("params").and_then(Value::as_object).into_iter().flatten();
        let secret = params.filter(|(_, value)| value.is_object()).map(|(name, value)| {
            let print = value.get("secret").and_then(Value::as_str);
            (name.as_str(), print.and_then(|print| print.split_once(':')).map(|(key, _)| KeyId::stored(key)))
        });
        self.fingerprinted(request, secret, key) == stored
    }

    fn fingerprinted<'a>(
        &self,
        request: &StartWithRule,
        secret: impl Iterator<Item = (&'a str, Option<KeyId>)>,
        key: &str,
    ) -> String {
        let mut request = request.clone();
        for (name, with) in secret {
            let Some(value) = request.start.params.get_mut(name).filter(|value| !value.is_null()) else {
                continue;
            };
            // The idempotency key is part of it, so equal secrets of two requests can't be told from the database.
            let context = format!("{name} {key}");
            let print = with.zip(self.keys.as_ref()).and_then(|(with, keys)| {
                Some(format!("{with}:{}", keys.fingerprint(&with, &context, &value.to_string())?))
            });
            *value = print.map_or_else(secret::marker, |print| json!({"secret": print}));
        }
        serde_json::to_string(&request).expect("a start request serializes")
    }

    async fn stored(&self, id: OperationId) -> Result<Vec<SecretParam>, EngineError> {
        self.store.read(move |store| store.secrets(id)).await
    }

    fn unseal(
        &self,
        id: OperationId,
        stored: Vec<SecretParam>,
    ) -> Result<Vec<(String, String)>, UnsealError> {
        let operation = id.to_string();
        let unseal = |SecretParam { name, key, sealed }| {
            let sealed = Sealed { key: KeyId::stored(key), bytes: sealed };
            let place = Place { operation: &operation, param: &name };
            let value = match &self.keys {
                Some(keys) => keys.unseal(place, &sealed)?,
                None => return Err(UnsealError::KeyMissing(sealed.key)),
            };
            Ok((name, value))
        };
        stored.into_iter().map(unseal).collect()
    }
}

/// Puts values in the place of their markers.
pub(crate) fn restore(params: &mut Value, values: Vec<(String, String)>) {
    for (name, value) in values {
        if let Some(place) = params.get_mut(&name).filter(|place| secret::is_marker(place)) {
            *place = Value::String(value);
        }
    }
}

fn locked(error: &UnsealError) -> Failure {
    let hint = match error {
        UnsealError::KeyMissing(_) => {
            "Add the key to the file that secrets.key_file names, restart the server, then retry. Without the key, start \
             a new operation and enter the secrets again."
        }
        UnsealError::Damaged => "Start a new operation and enter the secrets again.",
    };
    Failure {
        reason: FailureReason::SecretsUnreadable,
        message: format!("The secret parameters can't be decrypted: {error}."),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::api::StartOperation;
    use store::{Change, Sqlite};
    use tokio_util::task::TaskTracker;

    fn keys() -> Arc<SecretKeys> {
        Arc::new(SecretKeys::parse(&secrets::new_key().unwrap()).unwrap())
    }

    fn open(keys: Option<Arc<SecretKeys>>) -> (tempfile::TempDir, SecretParams) {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
        (folder, SecretParams::new(keys, StoreReader::new(Arc::new(store), TaskTracker::new())))
    }

    fn request(token: &str) -> StartWithRule {
        let params = json!({"user": "me", "token": token});
        let kind = "exec.push".parse().unwrap();
        StartWithRule { start: StartOperation { kind, params, priority: 0 }, rule: None }
    }

    fn body(id: OperationId) -> StartAttempt {
        let params = json!({"user": "me", "token": secret::marker()});
        StartAttempt { id, attempt: 1, kind: "exec.push".parse().unwrap(), params, resume_from: None }
    }

    fn token() -> Vec<(String, String)> {
        vec![("token".to_owned(), "hunter2".to_owned())]
    }

    #[tokio::test]
    async fn only_the_request_to_the_host_gets_the_value() {
        let (_folder, secrets) = open(Some(keys()));
        let id = OperationId::new();
        let sealed = secrets.seal(id, token()).unwrap();
        assert!(!sealed[0].sealed.windows(7).any(|part| part == b"hunter2"));
        secrets.store.blocking().apply(&[Change::Secrets { id, secrets: sealed }]).unwrap();
        let mut started = body(id);
        secrets.restore(&mut started).await.unwrap();
        assert_eq!(started.params, json!({"user": "me", "token": "hunter2"}));
        secrets.check(id).await.unwrap();
        // Another operation has no such value.
        let NotRestored::Locked(failure) = secrets.restore(&mut body(OperationId::new())).await.unwrap_err()
        else {
            panic!("a failure")
        };
        assert_eq!(failure.reason, FailureReason::SecretsUnreadable);
    }

    #[tokio::test]
    async fn without_its_key_a_value_stays_locked_and_the_failure_names_the_key() {
        let (_folder, mut secrets) = open(Some(keys()));
        let id = OperationId::new();
        let sealed = secrets.seal(id, token()).unwrap();
        let key = sealed[0].key.clone();
        secrets.store.blocking().apply(&[Change::Secrets { id, secrets: sealed }]).unwrap();
        for wrong in [None, Some(keys())] {
            secrets.keys = wrong;
            let mut started = body(id);
            let NotRestored::Locked(failure) = secrets.restore(&mut started).await.unwrap_err() else {
                panic!("a failure")
            };
            assert!(
                failure.message.contains(&key) && failure.hint.contains("secrets.key_file"),
                "{failure:?}"
            );
            assert_eq!(started, body(id));
            let refused = secrets.check(id).await.unwrap_err();
            assert!(matches!(refused, EngineError::SecretsUnreadable { .. }), "{refused:?}");
        }
    }

    #[test]
    fn without_a_key_a_secret_is_refused_by_name() {
        let (_folder, secrets) = open(None);
        let refused = secrets.seal(OperationId::new(), token()).unwrap_err();
        let EngineError::NoSecretKey(names) = refused else { panic!("{refused:?}") };
        assert_eq!(names, ["token"]);
        assert_eq!(secrets.seal(OperationId::new(), Vec::new()).unwrap(), []);
        // A secret that does not apply is not stored in clear, either.
        assert!(!secrets.stored_form(&request("hunter2"), &["token".into()], "k").contains("hunter2"));
    }

    #[test]
    fn a_stored_request_has_fingerprints_and_is_still_recognized() {
        let (_folder, mut secrets) = open(Some(keys()));
        let names = ["token".to_owned()];
        let stored = secrets.stored_form(&request("hunter2"), &names, "key-1");
        assert!(!stored.contains("hunter2") && stored.contains("\"user\":\"me\""), "{stored}");
        assert!(secrets.is_same_request(&stored, &request("hunter2"), "key-1"));
        assert!(!secrets.is_same_request(&stored, &request("hunter3"), "key-1"));
        assert!(!secrets.is_same_request(&stored, &request("hunter2"), "key-2"));
        // A later key file recognizes it as long as it has the earlier key.
        let earlier = secrets.keys.take();
        secrets.keys = Some(keys());
        assert!(!secrets.is_same_request(&stored, &request("hunter2"), "key-1"));
        secrets.keys = earlier;
        assert!(secrets.is_same_request(&stored, &request("hunter2"), "key-1"));
        // Requests without secrets are stored as they are.
        let plain = secrets.stored_form(&request("x"), &[], "key-1");
        assert_eq!(plain, serde_json::to_string(&request("x")).unwrap());
        assert!(secrets.is_same_request(&plain, &request("x"), "key-1"));
    }
}
