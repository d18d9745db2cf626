//! Which slots are usual: the votes of weeks, or of days where there are too few weeks.

use std::collections::BTreeMap;

/// Microseconds in a minute.
pub(super) const MINUTE: i64 = 60_000_000;
const DAY_MINUTES: i64 = 1_440;
const WEEK_MINUTES: i64 = 7 * DAY_MINUTES;
/// 1970 began on a Thursday: this makes weeks begin on Mondays.
const MONDAY: i64 = 3 * DAY_MINUTES;
/// Traded weeks that vote on each side of a week.
const NEIGHBOURS: usize = 4;
/// From so many traded weeks on, weeks are compared with weeks.
const ENOUGH_WEEKS: usize = 5;

/// A minute at which a bar is expected, or is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot {
    /// Minutes since 1970.
    pub(super) minute: i64,
    pub(super) present: bool,
}

/// One bit for each minute of a week.
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
}

/// The minutes that have bars, by week.
#[derive(Default)]
pub(super) struct Weeks {
    weeks: BTreeMap<i64, Week>,
    /// First and last minute that has a bar.
    span: Option<(i64, i64)>,
}

impl Weeks {
    pub(super) fn note(&mut self, minute: i64) {
        let since_monday = minute + MONDAY;
        let week = self.weeks.entry(since_monday.div_euclid(WEEK_MINUTES)).or_insert_with(Week::new);
        week.set(since_monday.rem_euclid(WEEK_MINUTES));
        self.span = Some(match self.span {
            None => (minute, minute),
            Some((first, last)) => (first.min(minute), last.max(minute)),
        });
    }

    /// Each of the seven weekdays has bars in most weeks.
    pub(super) fn trades_every_day(&self) -> bool {
        (0..7).all(|weekday| {
            let traded = self.weeks.values().filter(|w| w.trades_on(weekday)).count();
            traded * 2 > self.weeks.len()
        })
    }

    /// Tells every slot that is expected or has a bar, in rising time.
    pub(super) fn each_slot(&self, tell: impl FnMut(Slot)) {
        let Some(span) = self.span else { return };
        if self.weeks.len() >= ENOUGH_WEEKS { self.by_week(span, tell) } else { self.by_day(span, tell) }
    }

    fn by_week(&self, (first, last): (i64, i64), mut tell: impl FnMut(Slot)) {
        let (Some((from, _)), Some((to, _))) = (self.weeks.first_key_value(), self.weeks.last_key_value())
        else {
            return;
        };
        for number in *from..=*to {
            let start = number * WEEK_MINUTES - MONDAY;
            let own = self.weeks.get(&number);
            let before: Vec<_> = self.weeks.range(..number).rev().take(NEIGHBOURS).collect();
            let after: Vec<_> = self.weeks.range(number + 1..).take(NEIGHBOURS).collect();
            let mut seen_at_all = own.cloned().unwrap_or_else(Week::new);
            before.iter().chain(&after).for_each(|(_, week)| seen_at_all.merge(week));
            for minute in seen_at_all.minutes() {
                let at = start + minute;
                if at < first || at > last {
                    continue;
                }
                let present = own.is_some_and(|week| week.has(minute));
                // Only weeks in whose part of the data the slot lies have a vote on it.
                let votes = |weeks: &[(&i64, &Week)]| {
                    let could = |n: i64| (first..=last).contains(&(n * WEEK_MINUTES - MONDAY + minute));
                    let voting = weeks.iter().filter(|(n, _)| could(**n));
                    voting
                        .fold((0, 0), |(yes, all), (_, week)| (yes + usize::from(week.has(minute)), all + 1))
                };
                let (yes_before, all_before) = votes(&before);
                let (yes_after, all_after) = votes(&after);
                let yes = yes_before + yes_after + usize::from(present);
                let all = all_before + all_after + usize::from(own.is_some());
                let bracketed = (yes_before > 0 || all_before == 0) && (yes_after > 0 || all_after == 0);
                if present || (usual(yes, all) && bracketed) {
                    tell(Slot { minute: at, present });
                }
            }
        }
    }

    fn by_day(&self, (first, last): (i64, i64), mut tell: impl FnMut(Slot)) {
        let turn = self.turn_of_day();
        let day_of = |minute: i64| (minute - turn).div_euclid(DAY_MINUTES);
        let mut days: BTreeMap<i64, Vec<bool>> = BTreeMap::new();
        for (number, week) in &self.weeks {
            for minute in week.minutes() {
                let at = number * WEEK_MINUTES - MONDAY + minute;
                let day = days.entry(day_of(at)).or_insert_with(|| vec![false; DAY_MINUTES as usize]);
                day[(at - turn).rem_euclid(DAY_MINUTES) as usize] = true;
            }
        }
        let usual_slots: Vec<bool> = (0..DAY_MINUTES)
            .map(|slot| {
                let voting = days.iter().filter(|(day, _)| {
                    let at = **day * DAY_MINUTES + turn + slot;
                    at >= first && at <= last
                });
                let (yes, all) =
                    voting.fold((0, 0), |(yes, all), (_, d)| (yes + usize::from(d[slot as usize]), all + 1));
                usual(yes, all)
            })
            .collect();
        let trading_weekdays: Vec<i64> = days.keys().map(|day| day.rem_euclid(7)).collect();
        for number in day_of(first)..=day_of(last) {
            let day = days.get(&number);
            if day.is_none() && !trading_weekdays.contains(&number.rem_euclid(7)) {
                continue;
            }
            for slot in 0..DAY_MINUTES {
                let minute = number * DAY_MINUTES + turn + slot;
                let present = day.is_some_and(|d| d[slot as usize]);
                if minute >= first && minute <= last && (present || usual_slots[slot as usize]) {
                    tell(Slot { minute, present });
                }
            }
        }
    }

    /// The minute of the UTC day at which one trading day ends and the next begins: the middle of the longest
    /// stretch of the day in which no bar ever begins; midnight where bars begin all day long.
    fn turn_of_day(&self) -> i64 {
        let mut used = vec![false; DAY_MINUTES as usize];
        for week in self.weeks.values() {
            week.minutes().for_each(|m| used[(m % DAY_MINUTES) as usize] = true);
        }
        let busy: Vec<i64> = (0..DAY_MINUTES).filter(|m| used[*m as usize]).collect();
        let Some(first) = busy.first() else { return 0 };
        let next = busy.iter().skip(1).copied().chain([first + DAY_MINUTES]);
        let quiet = busy.iter().zip(next).map(|(a, b)| (b - a, *a)).max_by_key(|(length, _)| *length);
        match quiet {
            Some((length, from)) if length > 60 && busy.len() > 1 => (from + length / 2) % DAY_MINUTES,
            _ => 0,
        }
    }
}

/// At least 60 % of those who vote have it.
fn usual(yes: usize, all: usize) -> bool {
    all > 0 && yes * 10 >= all * 6
}
