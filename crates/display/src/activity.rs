//! Texts about recently ended operations, compared with the usual.

use crate::format;
use protocol::activity::{Ends, KindActivity};

/// Counts of ended operations: `12 succeeded, 1 failed`, or `none ended`.
pub fn ends(ends: Ends) -> String {
    let parts = [(ends.succeeded, "succeeded"), (ends.failed, "failed"), (ends.cancelled, "cancelled")];
    let wording: Vec<_> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, how)| format!("{} {how}", format::count(*n))).collect();
    if wording.is_empty() { "none ended".to_owned() } else { wording.join(", ") }
}

/// Usual number of operations per day: `usually 12 per day`.
pub fn usual_a_day(kind: &KindActivity) -> Option<String> {
    kind.usual_a_day.map(|n| format!("usually {} per day", format::compact(n)))
}

/// Duration compared with the usual, and whether it is worth attention: `1.8× the usual 40 s`.
pub fn against_usual(kind: &KindActivity) -> Option<(String, bool)> {
    let usual = kind.usual_seconds?;
    let wording = format::span(usual);
    let Some(now) = kind.seconds.filter(|_| usual > 0.0) else {
        return Some((format!("usually {wording}"), false));
    };
    // Differences of up to a quarter are noise.
    let ratio = now / usual;
    Some(match ratio {
        0.8..=1.25 => ("usual duration".to_owned(), false),
        ratio if ratio < 0.1 => (format!("under 10 % of the usual {wording}"), false),
        ratio => (format!("{}× the usual {wording}", format::compact(ratio)), ratio > 1.5),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::KindName;

    fn kind(seconds: Option<f64>, usual_seconds: Option<f64>) -> KindActivity {
        let kind = KindName::new("data.load").unwrap();
        KindActivity { kind, ends: Ends::default(), seconds, usual_a_day: Some(11.6), usual_seconds }
    }

    #[test]
    fn only_nonzero_counts_are_listed() {
        assert_eq!(ends(Ends { succeeded: 1_204, failed: 1, cancelled: 0 }), "1,204 succeeded, 1 failed");
        assert_eq!(ends(Ends::default()), "none ended");
    }

    #[test]
    fn a_duration_is_compared_with_the_usual_one() {
        let wording = |now, usual| against_usual(&kind(now, usual));
        assert_eq!(wording(Some(3.0), None), None);
        assert_eq!(wording(None, Some(40.0)), Some(("usually 40 s".to_owned(), false)));
        assert_eq!(wording(Some(42.0), Some(40.0)), Some(("usual duration".to_owned(), false)));
        assert_eq!(wording(Some(72.0), Some(40.0)), Some(("1.8× the usual 40 s".to_owned(), true)));
        assert_eq!(wording(Some(20.0), Some(40.0)), Some(("0.5× the usual 40 s".to_owned(), false)));
        assert_eq!(wording(Some(1.0), Some(40.0)), Some(("under 10 % of the usual 40 s".to_owned(), false)));
        assert_eq!(usual_a_day(&kind(None, None)).as_deref(), Some("usually 12 per day"));
    }
}
