//! Checks bar times against the timeframe: the distances between bars, and the grid that they lie on.

use crate::bars::Timeframe;
use protocol::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const MINUTE: i64 = 60_000_000;
/// Sessions open at quarter hours, so bars of 30 min and longer can start there.
const QUARTER: i64 = 15 * MINUTE;
const DAY: i64 = 1_440 * MINUTE;
/// Distances of weekly bars and so on, in days: holidays move them, and months differ.
const CALENDAR_DISTANCES: [(i64, i64, &str); 4] =
    [(6, 8, "a week"), (27, 35, "a month"), (88, 95, "a quarter"), (360, 370, "a year")];
/// Maximum number of different distances. With more there is no grid.
const MAX_DISTANCES: usize = 64;
/// Minimum number of distances to infer the timeframe.
const ENOUGH_DISTANCES: u64 = 3;
/// Minimum number of distances to infer it before the source is read completely.
const SURE_DISTANCES: u64 = 100;
/// Minimum number of bars to detect an unfinished last bar by its unique grid phase.
const ENOUGH_BARS: u64 = 20;

/// Phase of a time in its grid, in microseconds: the remainder modulo the timeframe, at most 1 h because longer bars
/// start with sessions. `None` for daily bars, which belong to days.
fn phase(timeframe: Timeframe, time: Time) -> Option<i64> {
    (timeframe != Timeframe::D1).then(|| time.micros().rem_euclid(timeframe.minutes().min(60) * MINUTE))
}

/// Whether no bar of the timeframe can start at this time: it is not a multiple of the timeframe, not a quarter hour
/// (from 30 min on), and not at the phase of the previous bar.
pub fn is_off_grid(timeframe: Timeframe, time: Time, before: Option<Time>) -> bool {
    let Some(own) = phase(timeframe, time) else { return false };
    let usual = if timeframe >= Timeframe::M30 { own % QUARTER == 0 } else { own == 0 };
    !usual && before.and_then(|before| phase(timeframe, before)).is_some_and(|before| before != own)
}

/// Distances between bars, and the phases of bars in the grid.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Grid {
    /// Last time seen, on or off the grid.
    seen: Option<Time>,
    /// Count of each distance in microseconds.
    distances: BTreeMap<i64, u64>,
    total: u64,
    /// Number of distances below the timeframe.
    finer: u64,
    /// Number of bars at each phase.
    phases: BTreeMap<i64, u64>,
}

/// Spacing of the bars compared to the timeframe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spacing {
    /// Most distances are below the timeframe. The most frequent one, in microseconds.
    Finer(i64),
    /// Most distances match a longer timeframe: `1h`, `a week`.
    Coarser(&'static str),
}

impl Grid {
    /// Records the time of a readable row.
    pub fn see(&mut self, timeframe: Timeframe, time: Time) {
        let Some(before) = self.seen.replace(time) else { return };
        let distance = (time.micros() - before.micros()).abs();
        // Twice the same moment is a duplicate. But several bars on one day are bars of a shorter timeframe.
        if distance == 0 && timeframe != Timeframe::D1 {
            return;
        }
        self.total += 1;
        self.finer += u64::from(distance < timeframe.minutes() * MINUTE);
        if self.distances.len() < MAX_DISTANCES || self.distances.contains_key(&distance) {
            *self.distances.entry(distance).or_default() += 1;
        }
    }

    /// Records the time of an accepted bar.
    pub fn take(&mut self, timeframe: Timeframe, time: Time) {
        if let Some(phase) = phase(timeframe, time)
            && (self.phases.len() < MAX_DISTANCES || self.phases.contains_key(&phase))
        {
            *self.phases.entry(phase).or_default() += 1;
        }
    }

    /// Whether the last bar was unfinished when the source was written: no other bar has its phase.
    pub fn is_alone(&self, timeframe: Timeframe, time: Time) -> bool {
        timeframe >= Timeframe::M30
            && self.phases.values().sum::<u64>() >= ENOUGH_BARS
            && phase(timeframe, time).is_some_and(|phase| self.phases.get(&phase) == Some(&1))
    }

    /// Spacing of the bars, once there are enough distances.
    pub fn spacing(&self, timeframe: Timeframe) -> Option<Spacing> {
        let (most, count) = self.distances.iter().max_by_key(|(_, count)| **count)?;
        if self.total < ENOUGH_DISTANCES {
            return None;
        }
        if self.finer * 2 > self.total {
            return Some(Spacing::Finer(*most));
        }
        // Nights and weekends are longer still.
        let usual = |count: u64| count * 10 > self.total * 6;
        let longer = |t: &Timeframe| *t > timeframe && t.minutes() * MINUTE == *most;
        let coarser = Timeframe::ALL.into_iter().find(longer).filter(|_| usual(*count));
        let calendar = || {
            let within = |days: &(i64, i64, &str)| {
                let (from, to) = (days.0 * DAY, days.1 * DAY);
                usual(self.distances.range(from..=to).map(|(_, count)| count).sum())
            };
            CALENDAR_DISTANCES.into_iter().find(within).map(|(.., name)| name)
        };
        coarser.map(Timeframe::as_str).or_else(calendar).map(Spacing::Coarser)
    }

    /// Whether most distances match a longer timeframe.
    pub fn is_coarser(&self, timeframe: Timeframe) -> bool {
        matches!(self.spacing(timeframe), Some(Spacing::Coarser(_)))
    }

    /// Whether enough distances are below the timeframe to abort at once.
    pub fn is_surely_finer(&self, timeframe: Timeframe) -> bool {
        self.total >= SURE_DISTANCES && matches!(self.spacing(timeframe), Some(Spacing::Finer(_)))
    }
}

/// Formats a distance (`5 min`), with the timeframe of that length, if any.
pub fn distance(micros: i64) -> (String, Option<Timeframe>) {
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
    use crate::at;

    fn spacing(timeframe: Timeframe, step: i64, count: i64) -> Option<Spacing> {
        let mut grid = Grid::default();
        (0..count)
            .for_each(|i| grid.see(timeframe, at("2024-03-04T14:30:00Z").plus_micros(i * step * MINUTE)));
        grid.spacing(timeframe)
    }

    #[test]
    fn finer_and_coarser_bars_are_distinguished_from_the_timeframe() {
        assert_eq!(spacing(Timeframe::H1, 5, 12), Some(Spacing::Finer(5 * MINUTE)));
        assert_eq!(spacing(Timeframe::H1, 30, 12), Some(Spacing::Finer(30 * MINUTE)));
        assert_eq!(spacing(Timeframe::H1, 60, 12), None);
        assert_eq!(spacing(Timeframe::M5, 60, 12), Some(Spacing::Coarser("1h")));
        assert_eq!(spacing(Timeframe::M5, 720, 12), None, "no timeframe is that long");
        assert_eq!(spacing(Timeframe::D1, 7 * 1_440, 12), Some(Spacing::Coarser("a week")));
        assert_eq!(spacing(Timeframe::H1, 7 * 1_440, 12), Some(Spacing::Coarser("a week")));
        assert_eq!(spacing(Timeframe::H1, 5, 3), None, "two distances say nothing");
        assert_eq!(distance(5 * MINUTE), ("5 min".to_owned(), Some(Timeframe::M5)));
    }

    #[test]
    fn months_of_any_length_are_longer_than_days() {
        let told = |days: &[&str]| {
            let mut grid = Grid::default();
            days.iter().for_each(|day| grid.see(Timeframe::D1, at(&format!("{day}T00:00:00Z"))));
            grid.spacing(Timeframe::D1)
        };
        let months = ["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01", "2024-05-01", "2024-06-03"];
        assert_eq!(told(&months), Some(Spacing::Coarser("a month")));
        let days = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05", "2024-01-08", "2024-01-16"];
        assert_eq!(told(&days), None);
    }

    #[test]
    fn a_time_off_the_grid_is_detected_unless_all_bars_share_it() {
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
    fn an_unaligned_last_bar_is_unfinished() {
        let mut grid = Grid::default();
        let time = |i: i64| at("2024-03-04T00:00:00Z").plus_micros(i * 60 * MINUTE);
        (0..30).for_each(|i| grid.take(Timeframe::H1, time(i)));
        let live = time(30).plus_micros(30 * MINUTE);
        grid.take(Timeframe::H1, live);
        assert!(grid.is_alone(Timeframe::H1, live) && !grid.is_alone(Timeframe::H1, time(29)));
    }
}
