//! Activity of the last 24 hours compared with the usual, from hourly tallies in the store. Pure.

use protocol::activity::{Activity, Ends, KindActivity};
use protocol::{KindName, State, Time};
use std::collections::BTreeMap;
use store::Tally;

const HOUR: i64 = 3_600_000_000;
/// Number of latest hours, listed one by one.
const LATELY: i64 = 24;
/// Number of hours before those, for the usual activity.
const BEFORE: i64 = 14 * 24;

/// Hour of a time, counted from 1970.
fn hour(at: Time) -> i64 {
    at.micros().div_euclid(HOUR)
}

/// First hour for which tallies are needed.
pub(crate) fn wanted(now: Time) -> i64 {
    hour(now) + 1 - LATELY - BEFORE
}

#[derive(Default)]
struct Sums {
    ends: Ends,
    seconds: f64,
}

impl Sums {
    fn add(&mut self, tally: &Tally) {
        add(&mut self.ends, tally);
        if tally.state == State::Succeeded {
            self.seconds += tally.seconds;
        }
    }

    fn mean(&self) -> Option<f64> {
        (self.ends.succeeded > 0).then(|| self.seconds / self.ends.succeeded as f64)
    }
}

fn add(ends: &mut Ends, tally: &Tally) {
    match tally.state {
        State::Succeeded => ends.succeeded += tally.count,
        State::Failed => ends.failed += tally.count,
        State::Cancelled => ends.cancelled += tally.count,
        State::Queued | State::Starting | State::Running | State::Cancelling => {}
    }
}

/// Splits the tallies into the last 24 hours and the days before. Ignores future hours, left by a clock that was set
/// back.
pub(crate) fn activity(tallies: &[Tally], now: Time) -> Activity {
    let since = hour(now) + 1 - LATELY;
    let mut hours = vec![Ends::default(); LATELY as usize];
    let mut kinds: BTreeMap<&KindName, (Sums, Sums)> = BTreeMap::new();
    let mut first = since;
    for tally in tallies.iter().filter(|t| (since - BEFORE..since + LATELY).contains(&t.hour)) {
        let (lately, before) = kinds.entry(&tally.kind).or_default();
        if tally.hour >= since {
            lately.add(tally);
            add(&mut hours[(tally.hour - since) as usize], tally);
        } else {
            before.add(tally);
            first = first.min(tally.hour);
        }
    }
    // An installation younger than a day has no usual activity yet.
    let usual_days = if first < since { ((since - first) as f64 / 24.0).max(1.0) } else { 0.0 };
    let kinds = kinds
        .into_iter()
        .map(|(kind, (lately, before))| KindActivity {
            kind: kind.clone(),
            ends: lately.ends,
            seconds: lately.mean(),
            usual_a_day: (usual_days > 0.0).then(|| before.ends.all() as f64 / usual_days),
            usual_seconds: before.mean(),
        })
        .collect();
    Activity { now, since: Time::from_micros(since * HOUR), hours, kinds, usual_days }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(hour: i64, kind: &str, state: State, count: u64, seconds: f64) -> Tally {
        Tally { hour, kind: KindName::new(kind).unwrap(), state, count, seconds }
    }

    #[test]
    fn the_last_day_is_compared_with_the_mean_of_earlier_days() {
        let now = Time::from_micros(1_000 * HOUR + 5);
        let told = activity(
            &[
                tally(1_000, "data.load", State::Succeeded, 2, 30.0),
                tally(977, "data.load", State::Failed, 1, 5.0),
                tally(976, "data.load", State::Succeeded, 3, 30.0),
                tally(977 - 48, "data.load", State::Cancelled, 1, 9.0),
                tally(977 - 48, "training.run", State::Failed, 4, 9.0),
            ],
            now,
        );
        assert_eq!(told.since, Time::from_micros(977 * HOUR));
        assert_eq!(told.hours.len(), 24);
        assert_eq!(told.hours[23], Ends { succeeded: 2, ..Ends::default() });
        assert_eq!(told.hours[0], Ends { failed: 1, ..Ends::default() });
        assert_eq!(told.usual_days, 2.0);
        let [load, training] = told.kinds.as_slice() else { panic!("{told:?}") };
        assert_eq!((load.ends.all(), load.seconds), (3, Some(15.0)));
        assert_eq!((load.usual_a_day, load.usual_seconds), (Some(2.0), Some(10.0)));
        assert_eq!((training.ends.all(), training.usual_a_day, training.usual_seconds), (0, Some(2.0), None));
    }

    #[test]
    fn without_earlier_days_there_are_no_usual_figures() {
        let now = Time::from_micros(1_000 * HOUR);
        let told = activity(&[tally(1_000, "data.load", State::Succeeded, 1, 3.0)], now);
        assert_eq!((told.usual_days, told.kinds[0].usual_a_day), (0.0, None));
        // The usual activity covers at least one day, even if there is only one hour.
        let told = activity(&[tally(976, "data.load", State::Succeeded, 1, 3.0)], now);
        assert_eq!((told.usual_days, told.kinds[0].usual_a_day), (1.0, Some(1.0)));
    }

    #[test]
    fn hours_that_are_too_old_or_in_the_future_are_excluded() {
        let now = Time::from_micros(1_000 * HOUR);
        let told = activity(
            &[
                tally(wanted(now) - 1, "data.load", State::Succeeded, 1, 3.0),
                tally(1_001, "data.load", State::Succeeded, 1, 3.0),
            ],
            now,
        );
        assert_eq!((told.kinds, told.usual_days), (Vec::new(), 0.0));
    }
}
