//! Sign-ins that have begun: each belongs to one browser, is used once, and expires.

use crate::failure::SignInFailed;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::Time;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Time to sign in at the provider.
pub const PENDING_SECONDS: u64 = 600;
/// Largest number of sign-ins that have begun; beyond it, the oldest is forgotten.
const MAX_PENDING: usize = 10_000;
/// Random bytes of each value: 256 bits.
const RANDOM_BYTES: usize = 32;

/// Sign-ins that have begun and not returned from the provider, by their state.
#[derive(Default)]
pub struct PendingSignIns(HashMap<String, PendingSignIn>);

/// Sign-in that has begun.
#[derive(Clone)]
pub struct PendingSignIn {
    /// Hash of the secret that the browser keeps in a cookie.
    browser: [u8; 32],
    begun_at: Time,
    pub(crate) nonce: String,
    /// Secret of PKCE: only its hash goes through the browser.
    pub(crate) verifier: String,
    /// Address that the provider sends the browser back to.
    pub redirect_uri: String,
    /// Page to go to afterwards.
    pub to: String,
}

/// What the browser takes to the provider.
pub struct Begun {
    /// Secret for the browser's cookie.
    pub browser: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) challenge: String,
}

impl PendingSignIns {
    /// Begins a sign-in. A browser that has begun another one keeps its secret, so that several tabs can sign in.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn begin(
        &mut self,
        browser: Option<&str>,
        redirect_uri: String,
        to: String,
        now: Time,
    ) -> Result<Begun, SignInFailed> {
        self.0.retain(|_, pending| !pending.expired(now));
        // Only a secret that we gave is used again.
        let is_known = |secret: &&str| {
            let secret = hash(secret);
            self.0.values().any(|pending| pending.browser == secret)
        };
        let browser = match browser.filter(is_known) {
            Some(secret) => secret.to_owned(),
            None => random_text()?,
        };
        let (state, nonce, verifier) = (random_text()?, random_text()?, random_text()?);
        if self.0.len() >= MAX_PENDING
            && let Some(oldest) = self.0.iter().min_by_key(|(_, pending)| pending.begun_at)
        {
            let oldest = oldest.0.clone();
            self.0.remove(&oldest);
        }
        let challenge = URL_SAFE_NO_PAD.encode(hash(&verifier));
        let pending = PendingSignIn {
            browser: hash(&browser),
            begun_at: now,
            nonce: nonce.clone(),
            verifier,
            redirect_uri,
            to,
        };
        self.0.insert(state.clone(), pending);
        Ok(Begun { browser, state, nonce, challenge })
    }

    /// Sign-in with this state, which can't be used again. `browser` is the secret of the request's cookie.
    ///
    /// # Errors
    /// If it is unknown or expired, or belongs to another browser; for the latter, it stays.
    pub fn take(
        &mut self,
        state: &str,
        browser: Option<&str>,
        now: Time,
    ) -> Result<PendingSignIn, SignInFailed> {
        let pending = self.0.get(state).filter(|pending| !pending.expired(now));
        let pending = pending.ok_or(SignInFailed::UnknownState)?;
        if browser.map(hash) != Some(pending.browser) {
            return Err(SignInFailed::OtherBrowser);
        }
        self.0.remove(state).ok_or(SignInFailed::UnknownState)
    }
}

impl PendingSignIn {
    fn expired(&self, now: Time) -> bool {
        now.seconds_since(self.begun_at) >= PENDING_SECONDS as f64
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn random_text() -> Result<String, SignInFailed> {
    let mut bytes = [0; RANDOM_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| SignInFailed::Random(error.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    fn begin(pending: &mut PendingSignIns, browser: Option<&str>, now: Time) -> Begun {
        pending.begin(browser, "http://box/callback".into(), "/hosts".into(), now).unwrap()
    }

    fn taken(
        pending: &mut PendingSignIns,
        begun: &Begun,
        browser: &str,
        now: Time,
    ) -> Result<(), SignInFailed> {
        pending.take(&begun.state, Some(browser), now).map(|_| ())
    }

    #[test]
    fn a_sign_in_is_used_once_by_its_own_browser() {
        let mut pending = PendingSignIns::default();
        let mine = begin(&mut pending, None, at(0));
        let other = begin(&mut pending, None, at(0));
        assert_ne!(mine.browser, other.browser);
        assert_eq!(taken(&mut pending, &mine, &other.browser, at(1)), Err(SignInFailed::OtherBrowser));
        assert_eq!(pending.take(&mine.state, None, at(1)).err(), Some(SignInFailed::OtherBrowser));
        let found = pending.take(&mine.state, Some(&mine.browser), at(1)).unwrap();
        assert_eq!((found.to.as_str(), &found.nonce), ("/hosts", &mine.nonce));
        assert_eq!(URL_SAFE_NO_PAD.encode(hash(&found.verifier)), mine.challenge);
        assert_eq!(taken(&mut pending, &mine, &mine.browser, at(1)), Err(SignInFailed::UnknownState));
        assert_eq!(
            pending.take("forged", Some(&mine.browser), at(1)).err(),
            Some(SignInFailed::UnknownState)
        );
    }

    #[test]
    fn tabs_of_a_browser_share_its_secret_and_a_planted_one_is_not_used() {
        let mut pending = PendingSignIns::default();
        let first = begin(&mut pending, None, at(0));
        let second = begin(&mut pending, Some(&first.browser), at(0));
        assert_eq!(first.browser, second.browser);
        assert!(taken(&mut pending, &first, &first.browser, at(1)).is_ok());
        assert!(taken(&mut pending, &second, &first.browser, at(1)).is_ok());
        assert_ne!(begin(&mut pending, Some("planted"), at(2)).browser, "planted");
    }

    #[test]
    fn a_sign_in_expires_and_many_do_not_fill_the_memory() {
        let mut pending = PendingSignIns::default();
        let begun = begin(&mut pending, None, at(0));
        let end = i64::try_from(PENDING_SECONDS).unwrap();
        assert_eq!(taken(&mut pending, &begun, &begun.browser, at(end)), Err(SignInFailed::UnknownState));
        assert!(taken(&mut pending, &begun, &begun.browser, at(end - 1)).is_ok());
        let oldest = begin(&mut pending, None, at(0));
        let later = PendingSignIn { begun_at: at(1), ..pending.0[&oldest.state].clone() };
        for n in 1..MAX_PENDING {
            pending.0.insert(n.to_string(), later.clone());
        }
        begin(&mut pending, None, at(1));
        assert_eq!(pending.0.len(), MAX_PENDING);
        assert_eq!(taken(&mut pending, &oldest, &oldest.browser, at(2)), Err(SignInFailed::UnknownState));
    }
}
