//! Time order of the rows of a source: whether it is one, and whether exchanged days and months explain why not.

use display::format::{count as thousands, counted};
use market_data::failures::failure;
use market_data::{DAY, day_of, start_of};
use protocol::{Failure, Time};

/// Minimum number of turns between ascending and descending, for rows without an order. Two swapped rows have two.
const MIN_TURNS: u64 = 3;
/// Days and months are exchanged if that leaves at most this share of the turns.
const EXPLAINED_SHARE: f64 = 0.25;

/// Turns of a sequence of times.
#[derive(Clone, Default, Debug)]
struct Turns {
    before: Option<Time>,
    rising: u64,
    falling: u64,
}

impl Turns {
    fn note(&mut self, time: Time) {
        if let Some(before) = self.before.replace(time) {
            self.rising += u64::from(before < time);
            self.falling += u64::from(before > time);
        }
    }

    /// Number of steps against the prevailing direction.
    fn count(&self) -> u64 {
        self.rising.min(self.falling)
    }
}

/// Order of the rows read so far.
#[derive(Clone, Default, Debug)]
pub(crate) struct Order {
    rows: u64,
    as_read: Turns,
    /// The same with day and month of dates up to the 12th exchanged.
    exchanged: Turns,
    /// Day of the last row, and how far the exchange moves it: rows within a day share it.
    day: Option<i64>,
    moved: i64,
    earliest: Option<Time>,
    latest: Option<Time>,
    /// Rows earlier than a previous one, and later than a previous one.
    early: u64,
    late: u64,
}

impl Order {
    /// Adds the time of the next row.
    pub(crate) fn note(&mut self, time: Time) {
        self.rows += 1;
        self.as_read.note(time);
        let day = time.micros().div_euclid(DAY);
        if self.day.replace(day) != Some(day) {
            self.moved = exchanged(time).micros() - time.micros();
        }
        self.exchanged.note(time.plus_micros(self.moved));
        self.early += u64::from(self.latest.is_some_and(|latest| time < latest));
        self.late += u64::from(self.earliest.is_some_and(|earliest| time > earliest));
        self.latest = self.latest.max(Some(time));
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
    }

    /// Warning about rows that are neither ascending nor descending.
    pub(crate) fn warning(&self) -> Option<String> {
        (self.as_read.count() >= MIN_TURNS)
            .then(|| format!("{} out of time order: check their dates.", self.out_of_order()))
    }

    /// Failure of rows whose days and months are probably exchanged.
    pub(crate) fn swapped_dates(&self, what: &str) -> Option<Failure> {
        let (turns, left) = (self.as_read.count(), self.exchanged.count());
        if turns < MIN_TURNS || left as f64 > turns as f64 * EXPLAINED_SHARE {
            return None;
        }
        Some(failure(
            format!(
                "Day and month are probably swapped in the dates of {what}: {} out of time order. If day and month are swapped back in the dates up to the 12th, nearly all rows are in order.",
                self.out_of_order()
            ),
            "A spreadsheet may have read days as months. Export the data again with dates like 2024-03-01, or choose another date order (date_order).",
        ))
    }

    fn out_of_order(&self) -> String {
        let out = self.early.min(self.late);
        let verb = if out == 1 { "is" } else { "are" };
        format!("{} of {} {verb}", thousands(out), counted(self.rows, "row", "rows"))
    }
}

/// Time with day and month of its UTC date exchanged, if both can be a month.
fn exchanged(time: Time) -> Time {
    let day = day_of(time);
    match jiff::civil::Date::new(day.year(), day.day(), day.month()) {
        Ok(other) => {
            let apart = start_of(other).micros() - start_of(day).micros();
            time.plus_micros(apart)
        }
        Err(_) => time,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    /// Order of all days of half a year, as a function of each date writes them.
    fn order(written: impl Fn(Time) -> Time) -> Order {
        let mut order = Order::default();
        for i in 0..180 {
            let day = jiff::civil::date(2024, 1, 1) + i.days();
            order.note(written(start_of(day)));
        }
        order
    }

    #[test]
    fn swapped_days_and_months_are_distinguished_from_unsorted_rows() {
        assert!(order(|time| time).warning().is_none());
        let swapped = order(exchanged);
        assert!(swapped.warning().is_some_and(|warning| warning.contains("of 180 rows")));
        assert!(swapped.swapped_dates("A 1d").is_some());
        let shuffled = order(|time| time.plus_micros(time.micros() % 7 * 86_400_000_000 * 13));
        assert!(shuffled.warning().is_some());
        let mut two_halves = order(|time| time);
        for i in 0..180 {
            two_halves.note(start_of(jiff::civil::date(2023, 1, 1) + i.days()));
        }
        assert!(two_halves.warning().is_none() && two_halves.swapped_dates("A 1d").is_none());
    }
}
