//! Checks of the claims of an ID token whose signature, issuer and audience are right.

use crate::failure::IdTokenProblem;
use protocol::Time;
use serde_json::{Map, Value};

/// Largest difference between the clocks of the server and the provider, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 60;

/// Checks times, nonce and authorized party.
///
/// # Errors
/// [`IdTokenProblem`].
pub(crate) fn check(
    claims: &Map<String, Value>,
    client_id: &str,
    nonce: &str,
    now: Time,
) -> Result<(), IdTokenProblem> {
    let skew = CLOCK_SKEW_SECONDS * 1_000_000;
    let expires_at = time(claims, "exp")?.ok_or(IdTokenProblem::Missing("exp"))?;
    if now >= expires_at.plus_micros(skew) {
        return Err(IdTokenProblem::Expired { at: expires_at, now });
    }
    let issued_at = time(claims, "iat")?.ok_or(IdTokenProblem::Missing("iat"))?;
    for from in [Some(issued_at), time(claims, "nbf")?].into_iter().flatten() {
        if from > now.plus_micros(skew) {
            return Err(IdTokenProblem::NotYetValid { from, now });
        }
    }
    // The nonce is random and used once, so the time of the comparison reveals nothing of use.
    if text(claims, "nonce") != Some(nonce) {
        return Err(IdTokenProblem::Nonce);
    }
    // A token for several clients must name the one that asked for it.
    let several = matches!(claims.get("aud"), Some(Value::Array(all)) if all.len() > 1);
    match claims.get("azp") {
        None if several => Err(IdTokenProblem::Audience),
        Some(party) if party.as_str() != Some(client_id) => Err(IdTokenProblem::Audience),
        _ => Ok(()),
    }
}

/// Text of a claim.
pub(crate) fn text<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a str> {
    find(claims, claim)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// Texts of a claim: a list, or a single one. `None` if the claim is absent.
pub(crate) fn texts(claims: &Map<String, Value>, claim: &str) -> Option<Vec<String>> {
    Some(match find(claims, claim)? {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    })
}

/// A claim; `realm_access.roles` is `roles` in `realm_access`, unless a claim has the whole name.
fn find<'a>(claims: &'a Map<String, Value>, claim: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(claim) {
        return Some(found);
    }
    let (first, rest) = claim.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// Time of a claim in seconds since 1970.
fn time(claims: &Map<String, Value>, claim: &'static str) -> Result<Option<Time>, IdTokenProblem> {
    let Some(value) = claims.get(claim) else { return Ok(None) };
    // Up to the year 9999; some providers send fractions.
    let seconds = value.as_f64().filter(|seconds| (0.0..253_402_300_800.0).contains(seconds));
    let seconds = seconds.ok_or(IdTokenProblem::Missing(claim))?;
    Ok(Some(Time::from_millis((seconds * 1_000.0).floor())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: i64 = 1_700_000_000;

    fn checked(change: &Value) -> Result<(), IdTokenProblem> {
        let mut claims = json!({"aud": "box", "exp": NOW + 300, "iat": NOW, "nonce": "n"});
        for (key, value) in change.as_object().unwrap() {
            claims[key] = value.clone();
        }
        let mut claims = claims.as_object().unwrap().clone();
        claims.retain(|_, value| !value.is_null());
        check(&claims, "box", "n", Time::from_micros(NOW * 1_000_000))
    }

    #[test]
    fn clocks_may_differ_by_a_minute() {
        let expired = |exp| matches!(checked(&json!({"exp": exp})), Err(IdTokenProblem::Expired { .. }));
        assert!(!expired(NOW - 59));
        assert!(expired(NOW - 60));
        for claim in ["iat", "nbf"] {
            let early =
                |from| matches!(checked(&json!({claim: from})), Err(IdTokenProblem::NotYetValid { .. }));
            assert!(!early(NOW + 60), "{claim}");
            assert!(early(NOW + 61), "{claim}");
        }
    }

    #[test]
    fn times_must_be_numbers() {
        for claim in ["exp", "iat"] {
            for value in [json!(null), json!("1"), json!(-1), json!(1e300), json!([NOW])] {
                assert_eq!(checked(&json!({claim: value})), Err(IdTokenProblem::Missing(claim)), "{value}");
            }
        }
        assert_eq!(checked(&json!({"exp": NOW as f64 + 0.5})), Ok(()));
        assert_eq!(checked(&json!({"nbf": "soon"})), Err(IdTokenProblem::Missing("nbf")));
    }

    #[test]
    fn the_token_belongs_to_this_sign_in_and_this_client() {
        assert_eq!(checked(&json!({})), Ok(()));
        for nonce in [json!(null), json!(""), json!("m"), json!(["n"])] {
            assert_eq!(checked(&json!({"nonce": nonce})), Err(IdTokenProblem::Nonce), "{nonce}");
        }
        assert_eq!(checked(&json!({"azp": "box"})), Ok(()));
        assert_eq!(checked(&json!({"azp": "other"})), Err(IdTokenProblem::Audience));
        assert_eq!(checked(&json!({"azp": 5})), Err(IdTokenProblem::Audience));
        assert_eq!(checked(&json!({"aud": ["box", "other"]})), Err(IdTokenProblem::Audience));
        assert_eq!(checked(&json!({"aud": ["box", "other"], "azp": "box"})), Ok(()));
        assert_eq!(checked(&json!({"aud": ["box"]})), Ok(()));
    }

    #[test]
    fn claims_are_found_by_their_name_and_inside_of_others() {
        let claims = json!({
            "groups": ["a", 5, "b"],
            "group": "c",
            "realm_access": {"roles": ["d"]},
            "https://example.org/groups": ["e"],
            "number": 5,
            "name": " Ada ",
            "empty": " ",
        });
        let claims = claims.as_object().unwrap();
        let found = |claim: &str| texts(claims, claim).map(|all| all.join(" "));
        assert_eq!(found("groups").as_deref(), Some("a b"));
        assert_eq!(found("group").as_deref(), Some("c"));
        assert_eq!(found("realm_access.roles").as_deref(), Some("d"));
        assert_eq!(found("https://example.org/groups").as_deref(), Some("e"));
        assert_eq!(found("number").as_deref(), Some(""));
        assert_eq!((found("none"), found("realm_access.none"), found("name.first")), (None, None, None));
        assert_eq!(
            (text(claims, "name"), text(claims, "empty"), text(claims, "number")),
            (Some("Ada"), None, None)
        );
    }

    proptest! {
        #[test]
        fn any_claims_are_checked_without_a_panic(exp: f64, iat: i64, nbf: u64, azp in ".*") {
            let _ = checked(&json!({"exp": exp, "iat": iat, "nbf": nbf, "azp": azp}));
        }
    }
}
