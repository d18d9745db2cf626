//! What holds for any document of a provider; `make fuzz` searches for one that breaks it.

use crate::claims::check;
use crate::discovery::{Document, Metadata, is_protected};
use crate::identity::Person;
use crate::keys::{Keys, PublishedKeys};
use crate::settings::Settings;
use protocol::Time;
use serde_json::{Map, Value};

const ISSUER: &str = "https://id.example.org";
const CLIENT: &str = "signalbox";
const NONCE: &str = "n";
const NOW_MICROS: i64 = 1_700_000_000_000_000;

/// A token is accepted only for this issuer and client. The first line of the input is a set of keys, the second a
/// token.
pub fn id_token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (keys, token) = text.split_once('\n').unwrap_or_default();
    let Ok(keys) = serde_json::from_str::<PublishedKeys>(keys) else { return };
    if let Ok(claims) = Keys::new(keys).claims(token, ISSUER, CLIENT) {
        assert_eq!(claims.get("iss").and_then(Value::as_str), Some(ISSUER));
        accept(&claims);
    }
}

/// An accepted document has only addresses that can't be read on the way. Accepted claims are those of this sign-in,
/// and give a person a role.
pub fn document(bytes: &[u8]) {
    if let Ok(document) = serde_json::from_slice::<Document>(bytes)
        && let Ok(metadata) = Metadata::new(document, ISSUER)
    {
        let addresses = [Some(&metadata.authorization), Some(&metadata.token), Some(&metadata.keys)];
        for url in addresses.into_iter().chain([metadata.end_session.as_ref()]).flatten() {
            assert!(is_protected(url) && url.scheme() == "https", "{url}");
        }
    }
    if let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(bytes) {
        accept(&claims);
    }
}

fn accept(claims: &Map<String, Value>) {
    if check(claims, CLIENT, NONCE, Time::from_micros(NOW_MICROS)).is_ok() {
        assert_eq!(claims.get("nonce").and_then(Value::as_str).map(str::trim), Some(NONCE));
        let expires_at = claims.get("exp").and_then(Value::as_f64).unwrap_or_default();
        assert!((expires_at + 60.0) * 1e6 > NOW_MICROS as f64);
    }
    let settings = Settings::new(ISSUER, CLIENT);
    if let Ok(person) = Person::new(claims, &settings) {
        assert!(!person.subject.is_empty() && !person.name.is_empty());
        assert!(claims.get("groups").is_some_and(|groups| groups.to_string().contains("everyone")));
    }
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("id_token", id_token);
    fuzz_corpus::each("oidc", document);
}
