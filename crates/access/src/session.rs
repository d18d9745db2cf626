//! Limits of sessions in browsers.

use protocol::Time;
use protocol::access::Session;

/// Longest time of a session, in microseconds: 7 days.
pub const SESSION_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;
/// Longest time without a request, in microseconds: 12 hours.
const IDLE_MICROS: i64 = 12 * 3_600 * 1_000_000;

/// Whether a session has ended, with the time of its last request.
pub fn session_ended(session: &Session, last_used: Time, now: Time) -> bool {
    now >= session.expires_at || now >= last_used.plus_micros(IDLE_MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_it_is_idle_and_in_any_case_after_a_week() {
        let start = Time::from_micros(0);
        let session = Session {
            id: "1".into(),
            user: "ada".into(),
            created_at: start,
            last_used_at: start,
            expires_at: start.plus_micros(SESSION_MICROS),
            address: None,
            agent: None,
        };
        let after = |micros| start.plus_micros(micros);
        assert!(!session_ended(&session, start, after(IDLE_MICROS - 1)));
        assert!(session_ended(&session, start, after(IDLE_MICROS)));
        assert!(!session_ended(&session, after(SESSION_MICROS - 2), after(SESSION_MICROS - 1)));
        assert!(session_ended(&session, after(SESSION_MICROS - 1), after(SESSION_MICROS)));
    }
}
