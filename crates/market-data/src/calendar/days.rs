//! Expected minutes when there are too few weeks to compare: days vote on days.
//!
//! A trading day starts in the middle of the longest quiet period of the day, so that a session over midnight stays
//! whole. Between the first and last bar of a day, a minute is expected if most other days that were open then have it.
//! Before the first bar and after the last one, only days vote whose session begins or ends like that day's: evenings
//! before closed days and mornings after them are compared with the same weekday only (currencies close on Friday
//! evening and open on Sunday evening). A session that began and ended later than usual, or earlier, has moved and
//! misses nothing at its ends. Days without bars are expected if the same weekday trades, at minutes seen before and
//! after them.

use super::Seen;
use super::slots::{DAY_MINUTES, Weeks, most};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::collections::btree_map::Range;

/// In longer runs of empty days, the middle weeks are reported once with a multiplier.
const EMPTY_DAYS_TOLD: i64 = 28;

/// A longer pause in minutes between two days is a night.
const SHORT_PAUSE: i64 = 240;

/// Trading day.
struct Day {
    /// Minutes with a bar, relative to the start of the trading day; sorted, not empty.
    minutes: Vec<i64>,
    bits: Vec<bool>,
}

impl Day {
    fn first(&self) -> i64 {
        self.minutes[0]
    }

    fn last(&self) -> i64 {
        self.minutes[self.minutes.len() - 1]
    }

    fn open_at(&self, minute: i64) -> bool {
        (self.first()..=self.last()).contains(&minute)
    }
}

/// End of a session beyond which a minute lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Head,
    Tail,
}

/// Trading days of short data.
pub(super) struct Days {
    days: BTreeMap<i64, Day>,
    /// First and last minute with a bar.
    span: (i64, i64),
    /// Minute of the day at which a trading day starts.
    turn: i64,
    /// Weekdays with bars, counted from the weekday of day 0.
    trades: [bool; 7],
}

impl Days {
    /// Trading days of these bars; `None` without bars.
    pub(super) fn of(weeks: &Weeks) -> Option<Self> {
        let span = weeks.span()?;
        let turn = turn_of_day(weeks);
        let mut days: BTreeMap<i64, Day> = BTreeMap::new();
        for at in weeks.minutes() {
            let minute = (at - turn).rem_euclid(DAY_MINUTES);
            let day = days
                .entry((at - turn).div_euclid(DAY_MINUTES))
                .or_insert_with(|| Day { minutes: Vec::new(), bits: vec![false; DAY_MINUTES as usize] });
            day.minutes.push(minute);
            day.bits[minute as usize] = true;
        }
        let mut trades = [false; 7];
        days.keys().for_each(|number| trades[weekday(*number)] = true);
        Some(Self { days, span, turn, trades })
    }

    /// Reports each expected or present minute, in order. Calls `check` once per day, to allow cancellation.
    ///
    /// # Errors
    /// The error of `check`.
    pub(super) fn each<E>(
        &self,
        mut check: impl FnMut() -> Result<(), E>,
        mut visit: impl FnMut(Seen),
    ) -> Result<(), E> {
        let mut before: Option<i64> = None;
        for (number, day) in &self.days {
            if let Some(before) = before {
                for (number, bars) in reported_empty(before + 1, number - before - 1) {
                    check()?;
                    self.each_of_empty(number, bars, &mut visit);
                }
            }
            check()?;
            self.each_of(*number, day, &mut visit);
            before = Some(*number);
        }
        Ok(())
    }

    fn each_of(&self, number: i64, day: &Day, visit: &mut impl FnMut(Seen)) {
        let moved = self.moved(number, day);
        for minute in 0..DAY_MINUTES {
            let at = self.at(number, minute);
            if at < self.span.0 || at > self.span.1 {
                continue;
            }
            let present = day.bits[minute as usize];
            let usual = if day.open_at(minute) {
                self.vote(minute, |other, d| other != number && d.open_at(minute))
            } else if moved {
                false
            } else {
                let end = if minute < day.first() { End::Head } else { End::Tail };
                self.vote(minute, |other, _| self.ends_alike(number, other, end))
            };
            if present || usual {
                visit(Seen { minute: at, present, usual, random: false, traded: true, bars: 1 });
            }
        }
    }

    fn each_of_empty(&self, number: i64, bars: u64, visit: &mut impl FnMut(Seen)) {
        if !self.trades[weekday(number)] {
            return;
        }
        for minute in 0..DAY_MINUTES {
            let seen = |mut days: Range<'_, i64, Day>| days.any(|(_, day)| day.bits[minute as usize]);
            let on_both_sides = seen(self.days.range(..number)) && seen(self.days.range(number..));
            if on_both_sides && self.vote(minute, |other, _| weekday(other) == weekday(number)) {
                visit(Seen {
                    minute: self.at(number, minute),
                    present: false,
                    usual: true,
                    random: false,
                    traded: false,
                    bars,
                });
            }
        }
    }

    /// Whether there is a pause within a day, or a short one between two days, that no other day can confirm as usual.
    pub(super) fn has_unreported_pause(&self, step: i64) -> bool {
        let follow = |(number, day): (&i64, &Day)| {
            let next = self.days.get(&(number + 1))?;
            Some(DAY_MINUTES + next.first() - day.last())
        };
        let short = |pause: &i64| (step + 1..=SHORT_PAUSE.max(step)).contains(pause);
        if self.days.iter().filter_map(follow).filter(short).count() == 1 {
            return true;
        }
        self.days.iter().any(|(number, day)| {
            day.minutes.windows(2).any(|pair| {
                let mut between = (pair[0] + step..pair[1]).step_by(step.max(1) as usize);
                between.any(|minute| !self.days.iter().any(|(n, d)| n != number && d.open_at(minute)))
            })
        })
    }

    fn at(&self, number: i64, minute: i64) -> i64 {
        number * DAY_MINUTES + self.turn + minute
    }

    /// Whether most eligible days have the minute. Days whose data does not cover it are not eligible.
    fn vote(&self, minute: i64, may: impl Fn(i64, &Day) -> bool) -> bool {
        let could = |number: i64| (self.span.0..=self.span.1).contains(&self.at(number, minute));
        let voters = self.days.iter().filter(|(number, day)| could(**number) && may(**number, day));
        let (yes, all) = voters
            .fold((0, 0), |(yes, all), (_, day)| (yes + usize::from(day.bits[minute as usize]), all + 1));
        most(yes, all)
    }

    /// Whether another day's session has this end where the day's own end is expected.
    fn ends_alike(&self, number: i64, other: i64, end: End) -> bool {
        let alone = |number: i64| match end {
            End::Head => !self.trades[weekday(number - 1)],
            End::Tail => !self.trades[weekday(number + 1)],
        };
        other != number && (weekday(other) == weekday(number) || (!alone(number) && !alone(other)))
    }

    /// Whether the day's session began and ended later than usual, or earlier.
    fn moved(&self, number: i64, day: &Day) -> bool {
        let neighbour = |end: End, of: fn(&Day) -> i64, own: i64| {
            let others = |alike: bool| {
                let days = self.days.iter().filter(|(other, _)| **other != number);
                let days = days.filter(|(other, _)| !alike || self.ends_alike(number, **other, end));
                let mut ends: Vec<i64> = days.map(|(_, day)| of(day)).collect();
                ends.sort_unstable();
                ends
            };
            // If no day ends alike, all others vote.
            let ends = Some(others(true)).filter(|ends| !ends.is_empty()).unwrap_or_else(|| others(false));
            ends.get(ends.len() / 2).map_or(Ordering::Equal, |usual| own.cmp(usual))
        };
        let begin = neighbour(End::Head, Day::first, day.first());
        begin != Ordering::Equal && begin == neighbour(End::Tail, Day::last, day.last())
    }
}

/// Days to report for `count` empty days from `first` on, each with its multiplier.
fn reported_empty(first: i64, count: i64) -> Vec<(i64, u64)> {
    if count <= EMPTY_DAYS_TOLD {
        return (first..first + count).map(|number| (number, 1)).collect();
    }
    let middle_weeks = (count - 14) / 7;
    let head = (first..first + 7).map(|number| (number, 1));
    let middle = (first + 7..first + 14).map(|number| (number, middle_weeks.unsigned_abs()));
    let tail = (first + 7 + 7 * middle_weeks..first + count).map(|number| (number, 1));
    head.chain(middle).chain(tail).collect()
}

fn weekday(number: i64) -> usize {
    number.rem_euclid(7) as usize
}

/// Minute of the day at which trading days are split: the middle of the longest period in which no bar ever starts, or
/// midnight if bars start around the clock.
fn turn_of_day(weeks: &Weeks) -> i64 {
    let mut used = vec![false; DAY_MINUTES as usize];
    weeks.minutes().for_each(|m| used[m.rem_euclid(DAY_MINUTES) as usize] = true);
    let busy: Vec<i64> = (0..DAY_MINUTES).filter(|m| used[*m as usize]).collect();
    let Some(first) = busy.first() else { return 0 };
    let next = busy.iter().skip(1).copied().chain([first + DAY_MINUTES]);
    let quiet = busy.iter().zip(next).map(|(a, b)| (b - a, *a)).max_by_key(|(length, _)| *length);
    match quiet {
        Some((length, from)) if length > 60 && busy.len() > 1 => (from + length / 2) % DAY_MINUTES,
        _ => 0,
    }
}
