//! Sign-in: rules for passwords, and pauses after failed attempts.

use protocol::Time;
use std::collections::HashMap;

/// Shortest password.
pub const MIN_PASSWORD_CHARS: usize = 12;
/// Longest password: hashing it stays cheap.
pub const MAX_PASSWORD_CHARS: usize = 200;
/// Failed attempts of one user from one address before each further one needs a pause.
const FREE_ATTEMPTS: u32 = 5;
/// Same, of one user from all addresses. It is larger, so that others can't easily lock a user out.
const FREE_ATTEMPTS_ANYWHERE: u32 = 30;
/// Longest pause.
const MAX_PAUSE_SECONDS: i64 = 15 * 60;
/// Time after the last failed attempt at which all are forgotten.
const FORGET_SECONDS: i64 = 3_600;
/// Largest number of remembered names and addresses; beyond it, the oldest ones are forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// Checks a new password.
///
/// # Errors
/// A sentence for the user.
pub fn check_password(name: &str, password: &str) -> Result<(), String> {
    let length = password.chars().count();
    if length < MIN_PASSWORD_CHARS {
        return Err(format!("A password must have at least {MIN_PASSWORD_CHARS} characters."));
    }
    if length > MAX_PASSWORD_CHARS {
        return Err(format!("A password can have at most {MAX_PASSWORD_CHARS} characters."));
    }
    if password.to_lowercase().contains(&name.to_lowercase()) {
        return Err("The password must not contain the user's name.".to_owned());
    }
    let first = password.chars().next();
    if password.chars().all(|c| Some(c) == first) {
        return Err("The password must not repeat a single character.".to_owned());
    }
    Ok(())
}

/// Failed attempts to sign in, per user and address.
#[derive(Default, Debug)]
pub struct Attempts {
    failed: HashMap<(String, Option<String>), FailedAttempts>,
}

#[derive(Clone, Copy, Debug)]
struct FailedAttempts {
    count: u32,
    last: Time,
}

impl FailedAttempts {
    /// Time from which the next attempt is allowed.
    fn allowed_at(self, free: u32) -> Time {
        match self.count.checked_sub(free) {
            None => self.last,
            Some(beyond) => {
                let seconds = 1_i64.checked_shl(beyond).unwrap_or(MAX_PAUSE_SECONDS).min(MAX_PAUSE_SECONDS);
                self.last.plus_micros(seconds * 1_000_000)
            }
        }
    }
}

impl Attempts {
    /// Seconds until the user may try again from this address; `None` if an attempt is allowed now.
    pub fn pause(&self, user: &str, address: &str, now: Time) -> Option<f64> {
        let both = (user.to_owned(), Some(address.to_owned()));
        let anywhere = (user.to_owned(), None);
        let limits = [(both, FREE_ATTEMPTS), (anywhere, FREE_ATTEMPTS_ANYWHERE)];
        let pauses = limits.into_iter().filter_map(|(key, free)| {
            let seconds = self.failed.get(&key)?.allowed_at(free).seconds_since(now);
            (seconds > 0.0).then_some(seconds)
        });
        pauses.reduce(f64::max)
    }

    /// Notes an attempt before its password is checked, so that parallel ones count, too.
    pub fn begin(&mut self, user: &str, address: &str, now: Time) {
        self.failed.retain(|_, failed| now.seconds_since(failed.last) < FORGET_SECONDS as f64);
        for address in [Some(address.to_owned()), None] {
            if self.failed.len() >= MAX_REMEMBERED
                && let Some(oldest) = self.failed.iter().min_by_key(|(_, failed)| failed.last)
            {
                let oldest = oldest.0.clone();
                self.failed.remove(&oldest);
            }
            let failed = self
                .failed
                .entry((user.to_owned(), address))
                .or_insert(FailedAttempts { count: 0, last: now });
            failed.count = failed.count.saturating_add(1);
            failed.last = now;
        }
    }

    /// Forgets the failed attempts of a user who signed in from an address.
    pub fn succeeded(&mut self, user: &str, address: &str) {
        self.failed.remove(&(user.to_owned(), Some(address.to_owned())));
        self.failed.remove(&(user.to_owned(), None));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn pauses_after_failed_attempts_double_up_to_a_limit() {
        let mut attempts = Attempts::default();
        let mut pauses = Vec::new();
        for _ in 0..20 {
            attempts.begin("ada", "10.0.0.1", at(0));
            pauses.push(attempts.pause("ada", "10.0.0.1", at(0)).unwrap_or(0.0));
        }
        assert_eq!(pauses[..8], [0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0]);
        assert_eq!(pauses[19], MAX_PAUSE_SECONDS as f64);
    }

    #[test]
    fn an_attacker_does_not_lock_a_user_out_at_another_address() {
        let mut attempts = Attempts::default();
        for _ in 0..FREE_ATTEMPTS_ANYWHERE - 1 {
            attempts.begin("ada", "10.0.0.66", at(0));
        }
        assert!(attempts.pause("ada", "10.0.0.66", at(0)).is_some());
        assert_eq!(attempts.pause("ada", "10.0.0.1", at(0)), None);
        attempts.begin("ada", "10.0.0.67", at(0));
        assert!(
            attempts.pause("ada", "10.0.0.1", at(0)).is_some(),
            "guesses from many addresses are slowed down"
        );
    }

    #[test]
    fn failed_attempts_are_forgotten_after_a_sign_in_and_after_an_hour() {
        let mut attempts = Attempts::default();
        for _ in 0..9 {
            attempts.begin("ada", "10.0.0.1", at(0));
        }
        assert!(attempts.pause("ada", "10.0.0.1", at(1)).is_some());
        attempts.succeeded("ada", "10.0.0.1");
        assert_eq!(attempts.pause("ada", "10.0.0.1", at(1)), None);
        for _ in 0..9 {
            attempts.begin("ada", "10.0.0.1", at(1));
        }
        attempts.begin("bob", "10.0.0.1", at(1 + FORGET_SECONDS));
        assert_eq!(attempts.failed.len(), 2, "only those of bob are left");
    }

    #[test]
    fn guessing_many_names_does_not_fill_the_memory() {
        let mut attempts = Attempts::default();
        for n in 0..MAX_REMEMBERED as i64 {
            attempts.failed.insert((n.to_string(), None), FailedAttempts { count: 1, last: at(n % 100) });
        }
        attempts.begin("ada", "10.0.0.1", at(200));
        assert!(attempts.failed.len() <= MAX_REMEMBERED);
    }

    #[test]
    fn a_password_is_long_and_not_the_name() {
        assert_eq!(check_password("ada", "correct horse battery"), Ok(()));
        for bad in ["short", "aaaaaaaaaaaaaaaa", "Ada-Lovelace-1815", &"x1".repeat(101)] {
            assert!(check_password("ada", bad).is_err(), "{bad}");
        }
    }
}
