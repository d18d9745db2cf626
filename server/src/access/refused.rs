//! Refused attempts in the audit log: sign-ins and requests. Equal attempts become one entry with a number, so that
//! nobody can fill the audit log.

use super::Access;
use parking_lot::Mutex;
use protocol::{Action, Actor, AuditEntry, Outcome, Time};
use std::collections::HashMap;

/// Time for which equal attempts are counted instead of recorded, in microseconds: an hour.
const WINDOW_MICROS: i64 = 3_600 * 1_000_000;
/// Number of different attempts within that time; all others count as equal.
const MAX_DIFFERENT: usize = 1_000;
/// Largest number of characters of a detail.
const MAX_DETAIL_CHARS: usize = 300;
/// Detail of the attempts beyond [`MAX_DIFFERENT`].
const OTHERS: &str = "further attempts, which are only counted, because the audit log records at most 1,000 different ones an hour";

/// Attempts of the last hour.
#[derive(Default)]
pub(super) struct RefusedAttempts(Mutex<HashMap<Attempt, Repeated>>);

/// What makes attempts equal.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Attempt {
    action: Action,
    name: Option<String>,
    address: Option<String>,
    detail: String,
}

struct Repeated {
    first: AuditEntry,
    /// Number of attempts after the first one.
    more: u64,
    last_at: Time,
}

impl RefusedAttempts {
    /// Counts an attempt. Returns its entry, unless an equal one was recorded within the last hour.
    fn note(&self, action: Action, by: Actor, detail: &str, now: Time) -> Option<AuditEntry> {
        let detail: String = detail.chars().take(MAX_DETAIL_CHARS).collect();
        let mut attempts = self.0.lock();
        let mut key = Attempt { action, name: by.name.clone(), address: by.address.clone(), detail };
        let mut entry = AuditEntry { outcome: Outcome::Refused, ..AuditEntry::new(now, action, by) };
        if attempts.len() >= MAX_DIFFERENT && !attempts.contains_key(&key) {
            key = Attempt { action, name: None, address: None, detail: OTHERS.to_owned() };
            entry.by = Actor { via: entry.by.via, ..Actor::signalbox() };
        }
        entry.detail.clone_from(&key.detail);
        if let Some(repeated) = attempts.get_mut(&key) {
            repeated.more += 1;
            repeated.last_at = now;
            return None;
        }
        attempts.insert(key, Repeated { first: entry.clone(), more: 0, last_at: now });
        Some(entry)
    }

    /// Entries with the numbers of the repeated attempts whose hour has passed at `now`, or of all.
    fn repeated(&self, now: Option<Time>) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        self.0.lock().retain(|_, repeated| {
            let passed = now.is_none_or(|now| now.micros() - repeated.first.at.micros() >= WINDOW_MICROS);
            if passed && repeated.more > 0 {
                let detail =
                    format!("{} ({} more since {})", repeated.first.detail, repeated.more, repeated.first.at);
                entries.push(AuditEntry { at: repeated.last_at, detail, ..repeated.first.clone() });
            }
            !passed
        });
        entries.sort_by_key(|entry| entry.at);
        entries
    }
}

impl Access {
    /// Records a refused attempt, in the background: the response does not wait for the disk.
    pub fn note_refused(&self, action: Action, by: Actor, detail: &str) {
        let Some(entry) = self.0.refused.note(action, by, detail, Time::now()) else { return };
        let access = self.clone();
        tokio::spawn(async move { access.store_refused(vec![entry]).await });
    }

    /// Stores the numbers of repeated attempts: of those whose hour has passed, or of all.
    pub(super) async fn store_repeated(&self, all: bool) {
        let entries = self.0.refused.repeated((!all).then(Time::now));
        if !entries.is_empty() {
            self.store_refused(entries).await;
        }
    }

    async fn store_refused(&self, entries: Vec<AuditEntry>) {
        let stored =
            self.stored(move |store| entries.iter().try_for_each(|entry| store.add_audit_entry(entry)));
        if let Err(error) = stored.await {
            tracing::warn!(%error, "could not write refused attempts to the audit log; these entries are lost");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by(name: &str) -> Actor {
        Actor { name: Some(name.to_owned()), ..Actor::signalbox() }
    }

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn equal_attempts_within_an_hour_are_one_entry_and_then_one_with_their_number() {
        let attempts = RefusedAttempts::default();
        let note = |name, second| attempts.note(Action::SignIn, by(name), "wrong password", at(second));
        let first = note("ada", 0).unwrap();
        assert_eq!((first.outcome, first.detail.as_str()), (Outcome::Refused, "wrong password"));
        assert!(note("ada", 10).is_none() && note("ada", 20).is_none());
        assert!(note("bob", 30).is_some(), "somebody else");
        assert_eq!(attempts.repeated(Some(at(3_599))), []);
        let repeated = attempts.repeated(Some(at(3_600)));
        assert_eq!(repeated.len(), 1);
        assert_eq!(repeated[0].detail, format!("wrong password (2 more since {})", at(0)));
        assert_eq!((repeated[0].at, repeated[0].by.name.as_deref()), (at(20), Some("ada")));
        assert!(note("ada", 3_601).is_some(), "the hour has passed");
    }

    #[test]
    fn a_flood_of_different_attempts_is_recorded_up_to_a_limit_and_counted_beyond() {
        let attempts = RefusedAttempts::default();
        let note = |n: usize| attempts.note(Action::Request, by(&format!("user-{n}")), "x", at(0));
        let recorded: Vec<AuditEntry> = (0..5_000).filter_map(note).collect();
        assert_eq!(recorded.len(), MAX_DIFFERENT + 1);
        let others = recorded.last().unwrap();
        assert_eq!((others.detail.as_str(), &others.by.name), (OTHERS, &None));
        let repeated = attempts.repeated(None);
        assert_eq!(repeated.len(), 1);
        assert!(repeated[0].detail.contains("3999 more"), "{}", repeated[0].detail);
    }
}
