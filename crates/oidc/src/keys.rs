//! Keys of the provider, and ID tokens that they signed.

use crate::failure::{IdTokenProblem, SignInFailed};
use crate::ring_signatures::{ACCEPTED, install};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Keys as they are published.
#[derive(Deserialize)]
pub(crate) struct PublishedKeys {
    keys: Vec<Value>,
}

/// Keys that can verify signatures.
pub(crate) struct Keys(Vec<Key>);

struct Key {
    id: Option<String>,
    /// The only algorithm of the key, if it has one.
    algorithm: Option<KeyAlgorithm>,
    key: DecodingKey,
}

impl Keys {
    /// Keys of a set. Keys for encryption, and of unknown types, are left out.
    pub fn new(published: PublishedKeys) -> Self {
        let usable = published.keys.into_iter().filter_map(|key| {
            let key: Jwk = serde_json::from_value(key).ok()?;
            if key.common.public_key_use == Some(PublicKeyUse::Encryption) {
                return None;
            }
            let decoding = DecodingKey::from_jwk(&key).ok()?;
            Some(Key { id: key.common.key_id, algorithm: key.common.key_algorithm, key: decoding })
        });
        Self(usable.collect())
    }

    /// Claims of an ID token, if one of the keys signed it for this client and issuer.
    ///
    /// # Errors
    /// [`IdTokenProblem::UnknownKey`] if newer keys may be needed, or another problem.
    pub fn claims(
        &self,
        token: &str,
        issuer: &str,
        client_id: &str,
    ) -> Result<Map<String, Value>, SignInFailed> {
        self.verified(token, issuer, client_id).map_err(SignInFailed::IdToken)
    }

    fn verified(
        &self,
        token: &str,
        issuer: &str,
        client_id: &str,
    ) -> Result<Map<String, Value>, IdTokenProblem> {
        install();
        let header = decode_header(token).map_err(|error| match error.kind() {
            // Unknown algorithms, such as `none`, have no value.
            ErrorKind::Json(_) => IdTokenProblem::Algorithm,
            _ => IdTokenProblem::Malformed,
        })?;
        if !ACCEPTED.contains(&header.alg) {
            return Err(IdTokenProblem::Algorithm);
        }
        // None is known here.
        if header.crit.is_some() {
            return Err(IdTokenProblem::Malformed);
        }
        let fits = |key: &&Key| {
            let id = header.kid.is_none() || key.id.is_none() || key.id == header.kid;
            let algorithm = key.algorithm.is_none_or(|only| only == KeyAlgorithm::from(header.alg));
            id && algorithm && key.key.family() == header.alg.family()
        };
        let rules = validation(header.alg, issuer, client_id);
        let mut problem = IdTokenProblem::UnknownKey;
        for key in self.0.iter().filter(fits) {
            let error = match decode::<Map<String, Value>>(token, &key.key, &rules) {
                // The library accepts a list that contains the issuer, too.
                Ok(token) if token.claims.get("iss").and_then(Value::as_str) != Some(issuer) => {
                    return Err(IdTokenProblem::Issuer);
                }
                Ok(token) => return Ok(token.claims),
                Err(error) => error,
            };
            problem = match error.kind() {
                // Without an ID, each key may be the one, and a newer one, too.
                ErrorKind::InvalidSignature if header.kid.is_none() => IdTokenProblem::UnknownKey,
                ErrorKind::InvalidSignature => IdTokenProblem::Signature,
                ErrorKind::InvalidIssuer => return Err(IdTokenProblem::Issuer),
                ErrorKind::InvalidAudience => return Err(IdTokenProblem::Audience),
                ErrorKind::MissingRequiredClaim(claim) | ErrorKind::InvalidClaimFormat(claim) => {
                    return Err(match claim.as_str() {
                        "iss" => IdTokenProblem::Missing("iss"),
                        "aud" => IdTokenProblem::Missing("aud"),
                        _ => IdTokenProblem::Missing("sub"),
                    });
                }
                _ => IdTokenProblem::Malformed,
            };
        }
        Err(problem)
    }
}

/// Rules of the library: signature, issuer and audience. The times are checked with the other claims, where the clock
/// is an argument.
fn validation(algorithm: Algorithm, issuer: &str, client_id: &str) -> Validation {
    let mut rules = Validation::new(algorithm);
    rules.set_required_spec_claims(&["iss", "aud", "sub"]);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[client_id]);
    rules.validate_exp = false;
    rules
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn keys(keys: Value) -> Keys {
        Keys::new(serde_json::from_value(json!({ "keys": keys })).unwrap())
    }

    #[test]
    fn keys_of_unknown_types_and_for_encryption_are_left_out() {
        let ec = json!({"kty": "EC", "crv": "P-256", "kid": "a",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        let mut encryption = ec.clone();
        encryption["use"] = "enc".into();
        let set = keys(json!([{"kty": "unknown"}, 5, encryption, {"kty": "RSA", "n": "!", "e": "AQAB"}, ec]));
        assert_eq!(set.0.iter().map(|key| key.id.as_deref()).collect::<Vec<_>>(), [Some("a")]);
    }

    #[test]
    fn a_text_that_is_no_signed_token_is_rejected() {
        let none = "eyJhbGciOiJub25lIn0.e30.";
        let shared = "eyJhbGciOiJIUzI1NiJ9.e30.AAAA";
        let critical = "eyJhbGciOiJFUzI1NiIsImNyaXQiOlsiYSJdfQ.e30.AAAA";
        let unknown = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA";
        for (token, problem) in [
            (none, IdTokenProblem::Algorithm),
            (shared, IdTokenProblem::Algorithm),
            (critical, IdTokenProblem::Malformed),
            (unknown, IdTokenProblem::UnknownKey),
            ("", IdTokenProblem::Malformed),
            ("a.b", IdTokenProblem::Malformed),
            ("a.b.c.d.e", IdTokenProblem::Malformed),
        ] {
            assert_eq!(keys(json!([])).verified(token, "iss", "client"), Err(problem), "{token}");
        }
    }
}
