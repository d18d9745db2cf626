//! Whether the times of bars fit their timeframe: the distance from one to the next, and the grid that they lie on.

use crate::bars::Timeframe;
use protocol::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000_000;
/// Sessions open at quarters of an hour: bars of half an hour and longer may begin there.
const QUARTER: i64 = 15 * MINUTE;
/// Distances told apart; more kinds are no grid at all.
const MAX_DISTANCES: usize = 64;
/// From so many distances on they say of which timeframe the bars are.
const ENOUGH_DISTANCES: u64 = 3;
/// From so many distances on they say so before the source was read to its end.
const SURE_DISTANCES: u64 = 100;
/// From so many bars on, a last bar at a place of the grid where no other is, is one that was not over.
const ENOUGH_BARS: u64 = 20;

/// Where in its grid a time lies, in microseconds: the rest of the division by the timeframe, at most an hour, as
/// longer bars begin when sessions do. `None` for daily bars, which belong to days.
fn phase(timeframe: Timeframe, time: Time) -> Option<i64> {
    (timeframe != Timeframe::D1).then(|| time.micros().rem_euclid(timeframe.minutes().min(60) * MINUTE))
}

/// A time at which no bar of the timeframe begins: neither at its multiples, nor, from half an hour on, at a quarter of
/// an hour, nor where the bar before it lies in the grid.
pub(crate) fn is_off_grid(timeframe: Timeframe, time: Time, before: Option<Time>) -> bool {
    let Some(own) = phase(timeframe, time) else { return false };
    let usual = if timeframe >= Timeframe::M30 { own % QUARTER == 0 } else { own == 0 };
    !usual && before.and_then(|before| phase(timeframe, before)).is_some_and(|before| before != own)
}

/// The distances between bars, and the places of the grid where they lie.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Grid {
    /// The last time that was seen, off the grid or not.
    seen: Option<Time>,
    /// How often each distance was there, in microseconds.
    distances: BTreeMap<i64, u64>,
    total: u64,
    /// Distances below the timeframe.
    finer: u64,
    /// How many bars lie at each place of the grid.
    phases: BTreeMap<i64, u64>,
}

/// What the distances say of the bars as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Spacing {
    /// Most of them are below the timeframe; the most frequent one in microseconds.
    Finer(i64),
    /// Most of them are this one, which is a longer timeframe.
    Coarser(Timeframe),
}

impl Grid {
    /// A readable row has this time.
    pub(crate) fn see(&mut self, timeframe: Timeframe, time: Time) {
        let Some(before) = self.seen.replace(time) else { return };
        let distance = (time.micros() - before.micros()).abs();
        // Twice the same moment is a duplicate; but several bars of one day are bars of something finer.
        if distance == 0 && timeframe != Timeframe::D1 {
            return;
        }
        self.total += 1;
        self.finer += u64::from(distance < timeframe.minutes() * MINUTE);
        if self.distances.len() < MAX_DISTANCES || self.distances.contains_key(&distance) {
            *self.distances.entry(distance).or_default() += 1;
        }
    }

    /// A bar was taken at this time.
    pub(crate) fn take(&mut self, timeframe: Timeframe, time: Time) {
        if let Some(phase) = phase(timeframe, time)
            && (self.phases.len() < MAX_DISTANCES || self.phases.contains_key(&phase))
        {
            *self.phases.entry(phase).or_default() += 1;
        }
    }

    /// What was taken last was not over when the source was made: no other bar lies at that place of the grid.
    pub(crate) fn is_alone(&self, timeframe: Timeframe, time: Time) -> bool {
        timeframe >= Timeframe::M30
            && self.phases.values().sum::<u64>() >= ENOUGH_BARS
            && phase(timeframe, time).is_some_and(|phase| self.phases.get(&phase) == Some(&1))
    }

    /// What the distances say against the timeframe, once they can say something.
    pub(crate) fn spacing(&self, timeframe: Timeframe) -> Option<Spacing> {
        let (most, count) = self.distances.iter().max_by_key(|(_, count)| **count)?;
        if self.total < ENOUGH_DISTANCES {
            return None;
        }
        if self.finer * 2 > self.total {
            return Some(Spacing::Finer(*most));
        }
        let longer = |t: &Timeframe| *t > timeframe && t.minutes() * MINUTE == *most;
        // Nights and weekends are longer still.
        let coarser = Timeframe::ALL.into_iter().find(longer).filter(|_| count * 10 > self.total * 6);
        coarser.map(Spacing::Coarser)
    }

    /// The distances are below the timeframe, and enough of them were seen to end at once.
    pub(crate) fn is_surely_finer(&self, timeframe: Timeframe) -> bool {
        self.total >= SURE_DISTANCES && matches!(self.spacing(timeframe), Some(Spacing::Finer(_)))
    }
}

/// A distance in words: `5 minutes`, and the timeframe of bars that far apart, where there is one.
pub(crate) fn distance(micros: i64) -> (String, Option<Timeframe>) {
    let timeframe = Timeframe::ALL.into_iter().find(|t| t.minutes() * MINUTE == micros);
    let seconds = micros as f64 / 1e6;
    let said = match seconds {
        s if s >= 3600.0 && s % 3600.0 == 0.0 => format!("{} h", s / 3600.0),
        s if s >= 60.0 && s % 60.0 == 0.0 => format!("{} min", s / 60.0),
        s => format!("{s} s"),
    };
    (said, timeframe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bars::at;

    fn spacing(timeframe: Timeframe, step: i64, count: i64) -> Option<Spacing> {
        let mut grid = Grid::default();
        (0..count)
            .for_each(|i| grid.see(timeframe, at("2024-03-04T14:30:00Z").plus_micros(i * step * MINUTE)));
        grid.spacing(timeframe)
    }

    #[test]
    fn finer_and_coarser_bars_are_told_from_those_of_the_timeframe() {
        assert_eq!(spacing(Timeframe::H1, 5, 12), Some(Spacing::Finer(5 * MINUTE)));
        assert_eq!(spacing(Timeframe::H1, 30, 12), Some(Spacing::Finer(30 * MINUTE)));
        assert_eq!(spacing(Timeframe::H1, 60, 12), None);
        assert_eq!(spacing(Timeframe::M5, 60, 12), Some(Spacing::Coarser(Timeframe::H1)));
        assert_eq!(spacing(Timeframe::M5, 720, 12), None, "no timeframe is that long");
        assert_eq!(spacing(Timeframe::H1, 5, 3), None, "two distances say nothing");
        assert_eq!(distance(5 * MINUTE), ("5 min".to_owned(), Some(Timeframe::M5)));
    }

    #[test]
    fn a_moment_that_is_no_place_of_the_grid_is_off_it_unless_all_bars_lie_there() {
        let off = |timeframe, before: &str, time: &str| is_off_grid(timeframe, at(time), Some(at(before)));
        assert!(off(Timeframe::H1, "2024-03-04T03:00:00Z", "2024-03-04T04:13:07Z"));
        assert!(off(Timeframe::H1, "2024-03-04T03:00:00Z", "2024-03-04T04:13:00Z"));
        assert!(off(Timeframe::M1, "2024-03-04T03:00:00Z", "2024-03-04T03:01:30Z"));
        assert!(
            !off(Timeframe::H1, "2024-03-04T14:30:00Z", "2024-03-04T15:00:00Z"),
            "a session opens at the half"
        );
        assert!(!off(Timeframe::H1, "2024-03-04T03:45:00Z", "2024-03-04T04:45:00Z"));
        assert!(!off(Timeframe::H1, "2024-03-04T03:59:59Z", "2024-03-04T04:59:59Z"), "all are stamped so");
        assert!(!off(Timeframe::D1, "2024-03-04T00:00:00Z", "2024-03-05T05:00:00Z"));
        assert!(!is_off_grid(Timeframe::H1, at("2024-03-04T04:13:07Z"), None));
    }

    #[test]
    fn a_last_bar_where_no_other_lies_was_not_over() {
        let mut grid = Grid::default();
        let time = |i: i64| at("2024-03-04T00:00:00Z").plus_micros(i * 60 * MINUTE);
        (0..30).for_each(|i| grid.take(Timeframe::H1, time(i)));
        let live = time(30).plus_micros(30 * MINUTE);
        grid.take(Timeframe::H1, live);
        assert!(grid.is_alone(Timeframe::H1, live) && !grid.is_alone(Timeframe::H1, time(29)));
    }
}
