//! Minutes with bars per week, and expected minutes by comparing weeks with weeks.

use super::Seen;
use super::clock::Clock;
use std::collections::BTreeMap;

/// Microseconds per minute.
pub(super) const MINUTE: i64 = 60_000_000;
pub(super) const DAY_MINUTES: i64 = 1_440;
const WEEK_MINUTES: i64 = 7 * DAY_MINUTES;
/// 1970 began on a Thursday. This offset makes weeks start on Monday.
const MONDAY: i64 = 3 * DAY_MINUTES;
/// Number of traded weeks that vote on each side of a week.
const NEIGHBOURS: usize = 4;
/// Minimum number of traded weeks to compare weeks with weeks.
const ENOUGH_WEEKS: usize = 5;
/// Minimum length in minutes of a part of the day in which bars are regular or random.
const MIN_PART_MINUTES: i64 = 30;
/// Minimum number of bars in a part of a day.
const PART_BARS: i64 = 4;
/// Of random bars, fewer than this share are at a minute that another week has too.
const REGULAR: f64 = 0.9;
/// In longer runs of empty weeks, the middle ones are reported once with a multiplier. So a bar dated two thousand
/// years too early costs no more than one dated two months too early.
const EMPTY_WEEKS_TOLD: i64 = 8;

/// One bit per minute of a week.
#[derive(Clone)]
struct Week(Box<[u64; 158]>);

impl Week {
    fn new() -> Self {
        Self(Box::new([0; 158]))
    }

    fn set(&mut self, minute: i64) {
        self.0[minute as usize / 64] |= 1 << (minute % 64);
    }

    fn has(&self, minute: i64) -> bool {
        self.0[minute as usize / 64] >> (minute % 64) & 1 == 1
    }

    fn merge(&mut self, other: &Week) {
        for (word, more) in self.0.iter_mut().zip(other.0.iter()) {
            *word |= more;
        }
    }

    fn minutes(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().enumerate().flat_map(|(i, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(i as i64 * 64 + i64::from(bit))
            })
        })
    }

    fn trades_on(&self, weekday: i64) -> bool {
        self.minutes().any(|m| m / DAY_MINUTES == weekday)
    }

    /// Whether another weekday has a bar at the same time of day.
    fn has_on_another_day(&self, minute: i64) -> bool {
        let time = minute % DAY_MINUTES;
        (0..7).map(|day| day * DAY_MINUTES + time).any(|other| other != minute && self.has(other))
    }
}

/// Minutes with bars, by week of a clock.
#[derive(Default)]
pub(super) struct Weeks {
    weeks: BTreeMap<i64, Week>,
    /// First and last minute with a bar.
    span: Option<(i64, i64)>,
}

/// Traded week with its number.
type Numbered<'a> = (i64, &'a Week);

impl Weeks {
    pub(super) fn note(&mut self, minute: i64) {
        let since_monday = minute + MONDAY;
        let week = self.weeks.entry(since_monday.div_euclid(WEEK_MINUTES)).or_insert_with(Week::new);
        week.set(since_monday.rem_euclid(WEEK_MINUTES));
        self.span =
            Some(self.span.map_or((minute, minute), |(first, last)| (first.min(minute), last.max(minute))));
    }

    /// First and last minute with a bar.
    pub(super) fn span(&self) -> Option<(i64, i64)> {
        self.span
    }

    /// Whether there are enough weeks to compare weeks with weeks.
    pub(super) fn are_enough(&self) -> bool {
        self.weeks.len() >= ENOUGH_WEEKS
    }

    /// All minutes with a bar, in order.
    pub(super) fn minutes(&self) -> impl Iterator<Item = i64> + '_ {
        self.weeks.iter().flat_map(|(number, week)| {
            let start = start_of(*number);
            week.minutes().map(move |minute| start + minute)
        })
    }

    /// The same bars in another clock.
    pub(super) fn by(&self, clock: &Clock) -> Self {
        let mut weeks = Self::default();
        self.minutes().for_each(|minute| weeks.note(clock.local(minute)));
        weeks
    }

    /// Whether each of the seven weekdays has bars in most weeks that cover it.
    pub(super) fn trades_every_day(&self) -> bool {
        let Some((first, last)) = self.span else { return false };
        (0..7).all(|weekday| {
            let could = |number: i64| {
                let day = start_of(number) + weekday * DAY_MINUTES;
                first < day + DAY_MINUTES && day <= last
            };
            let possible = self.weeks.iter().filter(|(number, _)| could(**number));
            let (traded, all) = possible.fold((0, 0), |(traded, all), (_, week)| {
                (traded + u32::from(week.trades_on(weekday)), all + 1)
            });
            traded * 2 > all
        })
    }

    /// Reports each expected or present minute, in order, by the votes of the neighbouring weeks, for bars of `step`
    /// minutes. Where bars are random, no minute is expected. Calls `check` once
    /// per week, to allow cancellation.
    ///
    /// # Errors
    /// The error of `check`.
    pub(super) fn each_by_week<E>(
        &self,
        step: i64,
        mut check: impl FnMut() -> Result<(), E>,
        mut visit: impl FnMut(Seen),
    ) -> Result<(), E> {
        let Some(span) = self.span else { return Ok(()) };
        let part = part_minutes(step);
        let weeks: Vec<Numbered> = self.weeks.iter().map(|(number, week)| (*number, week)).collect();
        for (i, (number, own)) in weeks.iter().enumerate() {
            check()?;
            let votes = Votes {
                span,
                before: &weeks[i.saturating_sub(NEIGHBOURS)..i],
                own: Some(*own),
                after: &weeks[i + 1..(i + 1 + NEIGHBOURS).min(weeks.len())],
            };
            let start = start_of(*number);
            let regular = votes.regular_parts(part);
            for minute in votes.seen_at_all() {
                let at = start + minute;
                if (span.0..=span.1).contains(&at) {
                    let random = !regular[(minute / part) as usize % regular.len()];
                    let (present, usual) = (own.has(minute), !random && votes.usual(minute));
                    if present || usual {
                        visit(Seen { minute: at, present, usual, random, traded: true, bars: 1 });
                    }
                }
            }
            let Some((next, _)) = weeks.get(i + 1) else { break };
            let empty = next - number - 1;
            if empty > 0 {
                let after = &weeks[i + 1..(i + 1 + NEIGHBOURS).min(weeks.len())];
                let votes =
                    Votes { span, before: &weeks[(i + 1).saturating_sub(NEIGHBOURS)..=i], own: None, after };
                let regular = votes.regular_parts(part);
                let is_regular = |minute: i64| regular[(minute / part) as usize % regular.len()];
                let usual = |minute: &i64| is_regular(*minute) && votes.usual(*minute);
                let usual: Vec<i64> = votes.seen_at_all().into_iter().filter(usual).collect();
                for (number, bars) in reported_empty(number + 1, empty) {
                    check()?;
                    let start = start_of(number);
                    for minute in &usual {
                        visit(Seen {
                            minute: start + minute,
                            present: false,
                            usual: true,
                            random: false,
                            traded: false,
                            bars,
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

/// Number of parts in a day; 1 if a part is a week.
fn parts_of_day(part: i64) -> usize {
    (DAY_MINUTES / part).max(1) as usize
}

/// Length of the parts of a day in which bars of `step` minutes are regular or random. Divides the day, or is the week.
fn part_minutes(step: i64) -> i64 {
    let least = (step * PART_BARS).max(MIN_PART_MINUTES);
    [MIN_PART_MINUTES, 60, 120, 240, DAY_MINUTES]
        .into_iter()
        .find(|part| *part >= least)
        .unwrap_or(WEEK_MINUTES)
}

/// Weeks to report for `count` empty weeks from `first` on, each with its multiplier.
fn reported_empty(first: i64, count: i64) -> Vec<(i64, u64)> {
    if count <= EMPTY_WEEKS_TOLD {
        return (first..first + count).map(|number| (number, 1)).collect();
    }
    let half = EMPTY_WEEKS_TOLD / 2;
    let middle = count - 2 * half;
    let head = (first..first + half).map(|number| (number, 1));
    let tail = (first + count - half..first + count).map(|number| (number, 1));
    head.chain([(first + half, middle.unsigned_abs())]).chain(tail).collect()
}

/// Weeks that vote on the minutes of one week.
struct Votes<'a> {
    span: (i64, i64),
    before: &'a [Numbered<'a>],
    own: Option<&'a Week>,
    after: &'a [Numbered<'a>],
}

impl Votes<'_> {
    /// Minutes that any of the weeks has, in order.
    fn seen_at_all(&self) -> Vec<i64> {
        let mut all = self.own.cloned().unwrap_or_else(Week::new);
        self.before.iter().chain(self.after).for_each(|(_, week)| all.merge(week));
        all.minutes().collect()
    }

    /// Whether the bars of each part of the day are regular: the chance that a week has a bar at the minute of another
    /// week's bar is high. Weeks without bars in a part do not count there, so that neither a holiday nor a lost day
    /// makes it random. The days of the week are added up, because a few weeks alone would decide accidentally.
    fn regular_parts(&self, part: i64) -> Vec<bool> {
        let weeks = self.before.iter().chain(self.after).map(|(_, week)| *week).chain(self.own);
        let mut counts = vec![0u32; WEEK_MINUTES as usize];
        let mut open = vec![0u32; (WEEK_MINUTES / part) as usize];
        for week in weeks {
            let mut before = None;
            for minute in week.minutes() {
                counts[minute as usize] += 1;
                let at = minute / part;
                if before.replace(at) != Some(at) {
                    open[at as usize] += 1;
                }
            }
        }
        // Of the bars of other weeks at the minute of a bar: those present, and those possible.
        let mut pairs = vec![(0u32, 0u32); parts_of_day(part)];
        for (at, (counts, open)) in counts.chunks(part as usize).zip(open).enumerate() {
            let (present, possible) = &mut pairs[at % parts_of_day(part)];
            for count in counts {
                *present += count * count.saturating_sub(1);
                *possible += count * open.saturating_sub(1);
            }
        }
        pairs
            .iter()
            .map(|(present, possible)| f64::from(*present) >= REGULAR * f64::from(*possible))
            .collect()
    }

    /// Whether most weeks have the minute, and it was seen on both sides. So a session that moved for good, or added
    /// hours, are not expected on the other side of the change.
    fn usual(&self, minute: i64) -> bool {
        let (yes_before, all_before) = self.count(self.before, minute);
        let (yes_after, all_after) = self.count(self.after, minute);
        let present = self.own.is_some_and(|week| week.has(minute));
        let yes = yes_before + yes_after + usize::from(present);
        let all = all_before + all_after + usize::from(self.own.is_some());
        // At an end of the data, the week itself replaces the missing side.
        let own = || present || self.own.is_some_and(|week| week.has_on_another_day(minute));
        let side = |yes: usize, all: usize| yes > 0 || (all == 0 && own());
        most(yes, all) && side(yes_before, all_before) && side(yes_after, all_after)
    }

    /// Only weeks whose data covers the minute vote on it.
    fn count(&self, weeks: &[Numbered], minute: i64) -> (usize, usize) {
        let could = |number: i64| (self.span.0..=self.span.1).contains(&(start_of(number) + minute));
        weeks
            .iter()
            .filter(|(number, _)| could(*number))
            .fold((0, 0), |(yes, all), (_, week)| (yes + usize::from(week.has(minute)), all + 1))
    }
}

/// First minute of a week.
fn start_of(number: i64) -> i64 {
    number * WEEK_MINUTES - MONDAY
}

/// Whether at least 60 % of the voters have it.
pub(super) fn most(yes: usize, all: usize) -> bool {
    all > 0 && yes * 10 >= all * 6
}
