//! Every row is looked at once: it is taken as a bar, or rejected for one reason that has a stable word.

use super::bars::Bar;
use super::wording::{excerpt, moment};
use protocol::Time;
use protocol::results::Rejected;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Why a row was rejected. The words are stable: programs and people count by them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    WrongColumns,
    BadTime,
    NoZone,
    NotANumber,
    NotFinite,
    NonPositivePrice,
    HighBelowLow,
    PriceOutsideRange,
    NegativeVolume,
    DuplicateTime,
    OutOfOrder,
}

impl Reason {
    #[cfg(test)]
    const ALL: [Reason; 11] = [
        Reason::WrongColumns,
        Reason::BadTime,
        Reason::NoZone,
        Reason::NotANumber,
        Reason::NotFinite,
        Reason::NonPositivePrice,
        Reason::HighBelowLow,
        Reason::PriceOutsideRange,
        Reason::NegativeVolume,
        Reason::DuplicateTime,
        Reason::OutOfOrder,
    ];

    /// The stable word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::WrongColumns => "wrong_columns",
            Reason::BadTime => "bad_time",
            Reason::NoZone => "no_zone",
            Reason::NotANumber => "not_a_number",
            Reason::NotFinite => "not_finite",
            Reason::NonPositivePrice => "non_positive_price",
            Reason::HighBelowLow => "high_below_low",
            Reason::PriceOutsideRange => "price_outside_range",
            Reason::NegativeVolume => "negative_volume",
            Reason::DuplicateTime => "duplicate_time",
            Reason::OutOfOrder => "out_of_order",
        }
    }

    /// What to do when nearly all rows have it.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Reason::WrongColumns => "Give every row as many fields as the header has.",
            Reason::BadTime => "Write times like 2024-03-01T09:30:00Z or 2024-03-01 09:30:00+00:00.",
            Reason::NoZone => {
                "Write the zone of each time, like 2024-03-01T09:30:00Z; only daily bars may have plain days."
            }
            Reason::NotANumber | Reason::NotFinite => {
                "Write prices and volumes as plain numbers, like 37.21."
            }
            Reason::NonPositivePrice => "Prices must be above zero: look at what made the file.",
            Reason::HighBelowLow | Reason::PriceOutsideRange => {
                "Check that the columns open, high, low and close are named as what they hold."
            }
            Reason::NegativeVolume => "Volumes must not be negative: look at what made the file.",
            Reason::DuplicateTime => "Each bar must be there once, with a time of its own.",
            Reason::OutOfOrder => "Sort the rows by time, oldest first.",
        }
    }
}

/// A row that can't be a bar.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Reject {
    pub(crate) reason: Reason,
    /// What it said.
    pub(crate) text: String,
}

impl Reject {
    pub(crate) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }
}

/// One row as a source gives it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    /// Its line in the text it came from, from 1; the number of the bar where there is no text.
    pub(crate) line: u64,
    /// Where its line begins in the text, in bytes.
    pub(crate) offset: u64,
    /// Its time, also where the rest of it can't be read.
    pub(crate) time: Option<Time>,
    pub(crate) bar: Result<Bar, Reject>,
}

/// Rows refused, by reason, with the first example of each.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rejections(BTreeMap<Reason, (u64, String)>);

impl Rejections {
    pub(crate) fn note(&mut self, line: u64, reject: &Reject) {
        let entry = self
            .0
            .entry(reject.reason)
            .or_insert_with(|| (0, format!("line {line}: {}", excerpt(&reject.text, 160))));
        entry.0 += 1;
    }

    /// How many in all.
    pub(crate) fn count(&self) -> u64 {
        self.0.values().map(|(rows, _)| rows).sum()
    }

    /// How many for one reason.
    pub(crate) fn of(&self, reason: Reason) -> u64 {
        self.0.get(&reason).map_or(0, |(rows, _)| *rows)
    }

    /// The reason of most, with its count and example.
    pub(crate) fn most(&self) -> Option<(Reason, u64, &str)> {
        self.0
            .iter()
            .max_by_key(|(_, (rows, _))| *rows)
            .map(|(r, (rows, example))| (*r, *rows, example.as_str()))
    }

    /// As the result of a load lists them.
    pub(crate) fn listed(&self) -> Vec<Rejected> {
        self.0
            .iter()
            .map(|(reason, (rows, example))| Rejected {
                reason: reason.as_str().to_owned(),
                rows: *rows,
                example: example.clone(),
            })
            .collect()
    }
}

/// Takes rows in the order of their source and holds each against the one before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Validator {
    last: Option<Time>,
    pub(crate) rejected: Rejections,
    pub(crate) accepted: u64,
}

impl Validator {
    /// One that goes on where another stopped: after the bar at `last`, with what was counted until then.
    pub(crate) fn resumed(last: Option<Time>, rejected: Rejections, accepted: u64) -> Self {
        Self { last, rejected, accepted }
    }

    /// The bar of the row, or nothing when it was rejected and counted.
    pub(crate) fn take(&mut self, row: &Row) -> Option<Bar> {
        let judged = match &row.bar {
            Ok(bar) => judge(bar).and_then(|()| self.in_order(bar)).map(|()| *bar),
            Err(reject) => Err(reject.clone()),
        };
        match judged {
            Ok(bar) => {
                self.last = Some(bar.time);
                self.accepted += 1;
                Some(bar)
            }
            Err(reject) => {
                self.rejected.note(row.line, &reject);
                None
            }
        }
    }

    fn in_order(&self, bar: &Bar) -> Result<(), Reject> {
        match self.last {
            Some(last) if bar.time == last => {
                Err(Reject::new(Reason::DuplicateTime, format!("{} is there already", moment(bar.time))))
            }
            Some(last) if bar.time < last => Err(Reject::new(
                Reason::OutOfOrder,
                format!("{} comes after {}", moment(bar.time), moment(last)),
            )),
            _ => Ok(()),
        }
    }
}

/// Holds the numbers of one bar against each other.
fn judge(bar: &Bar) -> Result<(), Reject> {
    let Bar { open, high, low, close, volume, .. } = *bar;
    let named = [("open", open), ("high", high), ("low", low), ("close", close)];
    for (name, value) in named.into_iter().chain([("volume", volume)]) {
        if !value.is_finite() {
            return Err(Reject::new(Reason::NotFinite, format!("{name} is {value}")));
        }
    }
    for (name, value) in named {
        if value <= 0.0 {
            return Err(Reject::new(Reason::NonPositivePrice, format!("{name} is {value}")));
        }
    }
    if high < low {
        return Err(Reject::new(Reason::HighBelowLow, format!("high {high} is below low {low}")));
    }
    for (name, value) in [("open", open), ("close", close)] {
        if value < low || value > high {
            return Err(Reject::new(
                Reason::PriceOutsideRange,
                format!("{name} {value} is outside low {low} to high {high}"),
            ));
        }
    }
    if volume < 0.0 {
        return Err(Reject::new(Reason::NegativeVolume, format!("volume is {volume}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bar(second: i64, [open, high, low, close, volume]: [f64; 5]) -> Row {
        let time = Time::from_micros(second * 1_000_000);
        Row {
            line: second as u64 + 2,
            offset: 0,
            time: Some(time),
            bar: Ok(Bar { time, open, high, low, close, volume }),
        }
    }

    fn reason_of(values: [f64; 5]) -> Option<&'static str> {
        let mut validator = Validator::default();
        let taken = validator.take(&bar(1, values));
        let listed = validator.rejected.listed();
        assert_eq!(taken.is_none(), listed.len() == 1);
        listed.first().map(|r| Reason::ALL.into_iter().find(|w| w.as_str() == r.reason).unwrap().as_str())
    }

    #[test]
    fn each_fault_has_its_word() {
        assert_eq!(reason_of([2.0, 3.0, 1.0, 2.5, 0.0]), None);
        assert_eq!(reason_of([2.0, 2.0, 2.0, 2.0, 10.0]), None);
        assert_eq!(reason_of([2.0, 1.0, 3.0, 2.0, 0.0]), Some("high_below_low"));
        assert_eq!(reason_of([4.0, 3.0, 1.0, 2.0, 0.0]), Some("price_outside_range"));
        assert_eq!(reason_of([2.0, 3.0, 1.0, 0.5, 0.0]), Some("price_outside_range"));
        assert_eq!(reason_of([2.0, 3.0, 1.0, 2.0, -1.0]), Some("negative_volume"));
        assert_eq!(reason_of([f64::NAN, 3.0, 1.0, 2.0, 0.0]), Some("not_finite"));
        assert_eq!(reason_of([2.0, f64::INFINITY, 1.0, 2.0, 0.0]), Some("not_finite"));
        assert_eq!(reason_of([2.0, 3.0, 0.0, 2.0, 0.0]), Some("non_positive_price"));
    }

    #[test]
    fn order_is_held_against_the_last_bar_that_was_taken() {
        let good = [2.0, 3.0, 1.0, 2.5, 0.0];
        let mut validator = Validator::default();
        assert!(validator.take(&bar(10, good)).is_some());
        assert!(validator.take(&bar(99, [2.0, 1.0, 3.0, 2.0, 0.0])).is_none(), "rejected: it moves nothing");
        assert!(validator.take(&bar(11, good)).is_some());
        assert!(validator.take(&bar(11, good)).is_none());
        assert!(validator.take(&bar(5, good)).is_none());
        let listed = validator.rejected.listed();
        let words: Vec<_> = listed.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(words, ["high_below_low", "duplicate_time", "out_of_order"]);
        assert_eq!(listed[0].example, "line 101: high 1 is below low 3");
    }

    #[test]
    fn the_word_on_the_wire_is_the_word_in_the_list() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_rises_in_time_and_makes_sense(
            rows in proptest::collection::vec((0i64..50, any::<[f64; 5]>(), any::<bool>()), 0..60)
        ) {
            let mut validator = Validator::default();
            let mut taken = Vec::new();
            for (second, wild, tame) in &rows {
                let values = if *tame { [2.0, 3.0, 1.0, 2.5, 7.0] } else { *wild };
                taken.extend(validator.take(&bar(*second, values)));
            }
            prop_assert!(taken.windows(2).all(|w| w[0].time < w[1].time));
            for b in &taken {
                prop_assert!(b.low > 0.0 && b.low <= b.open && b.open <= b.high && b.volume >= 0.0);
                prop_assert!(b.low <= b.close && b.close <= b.high && b.high.is_finite());
            }
            prop_assert_eq!(taken.len() as u64 + validator.rejected.count(), rows.len() as u64);
        }
    }
}
