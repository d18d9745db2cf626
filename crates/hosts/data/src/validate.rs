//! Row validation: each row becomes a bar, or is rejected with a reason code.

use market_data::wording::moment;
use market_data::{Bar, Grid, Timeframe, is_off_grid};
use protocol::Time;
use protocol::results::Rejected;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Reason of a rejection. The codes are stable, because programs and people count by them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    WrongColumns,
    BadTime,
    NoZone,
    SkippedHour,
    NotANumber,
    NotFinite,
    NonPositivePrice,
    HighBelowLow,
    PriceOutsideRange,
    NegativeVolume,
    DuplicateTime,
    InFuture,
    OffGrid,
}

impl Reason {
    #[cfg(test)]
    const ALL: [Reason; 13] = [
        Reason::WrongColumns,
        Reason::BadTime,
        Reason::NoZone,
        Reason::SkippedHour,
        Reason::NotANumber,
        Reason::NotFinite,
        Reason::NonPositivePrice,
        Reason::HighBelowLow,
        Reason::PriceOutsideRange,
        Reason::NegativeVolume,
        Reason::DuplicateTime,
        Reason::InFuture,
        Reason::OffGrid,
    ];

    /// Stable reason code.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::WrongColumns => "wrong_columns",
            Reason::BadTime => "bad_time",
            Reason::NoZone => "no_zone",
            Reason::SkippedHour => "skipped_hour",
            Reason::NotANumber => "not_a_number",
            Reason::NotFinite => "not_finite",
            Reason::NonPositivePrice => "non_positive_price",
            Reason::HighBelowLow => "high_below_low",
            Reason::PriceOutsideRange => "price_outside_range",
            Reason::NegativeVolume => "negative_volume",
            Reason::DuplicateTime => "duplicate_time",
            Reason::InFuture => "in_future",
            Reason::OffGrid => "off_grid",
        }
    }

    /// What to do if nearly all rows have this reason.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Reason::WrongColumns => "Give every row as many fields as the header has.",
            Reason::BadTime => "Write times as 2024-03-01T09:30:00Z or 2024-03-01 09:30:00+00:00.",
            Reason::NoZone => {
                "Set the source's time zone (time_zone), or write each time with its zone, like 2024-03-01T09:30:00Z. Only daily bars can have plain dates."
            }
            Reason::SkippedHour => {
                "In the chosen time zone, clocks go forward and skip this hour, so the times are in another zone. Choose that zone; UTC skips no hour."
            }
            Reason::NotANumber | Reason::NotFinite => {
                "Write prices and volumes as plain numbers, like 37.21."
            }
            Reason::NonPositivePrice => {
                "Prices must be above zero: negative prices, such as those of oil in April 2020, are not supported. Remove these rows, or check the program that wrote the file."
            }
            Reason::HighBelowLow | Reason::PriceOutsideRange => {
                "Check the names of the columns open, high, low and close."
            }
            Reason::NegativeVolume => {
                "The only valid negative volume is -1, for an unknown volume. Correct the other negative volumes, or \
                 leave them empty."
            }
            Reason::DuplicateTime => {
                "Each bar needs a unique time. Split a file of several symbols into one per symbol, and remove duplicates."
            }
            Reason::InFuture => "Correct the dates of these rows, or the clock of the host's machine.",
            Reason::OffGrid => {
                "Bars must start at multiples of their timeframe. Load these bars with their actual timeframe."
            }
        }
    }
}

/// Rejected row.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Reject {
    pub(crate) reason: Reason,
    /// Details for the message.
    pub(crate) text: String,
}

impl Reject {
    pub(crate) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }
}

/// Row as read from a source.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Row {
    /// Line number in the text, from 1; without text the number of the bar.
    pub(crate) line: u64,
    /// Byte offset of its line in the text.
    pub(crate) offset: u64,
    /// Time of the row, even if the rest can't be read.
    pub(crate) time: Option<Time>,
    pub(crate) bar: Result<Bar, Reject>,
}

/// Rejected rows by reason, with the first example of each.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rejections(BTreeMap<Reason, (u64, String)>);

impl Rejections {
    pub(crate) fn note(&mut self, line: u64, reject: &Reject) {
        let entry = self
            .0
            .entry(reject.reason)
            // Texts quote at most a few characters of the row. Their advice is never cut.
            .or_insert_with(|| (0, format!("line {line}: {}", reject.text)));
        entry.0 += 1;
    }

    /// Total number of rejected rows.
    pub(crate) fn count(&self) -> u64 {
        self.0.values().map(|(rows, _)| rows).sum()
    }

    /// Number of rows rejected for a reason.
    pub(crate) fn of(&self, reason: Reason) -> u64 {
        self.0.get(&reason).map_or(0, |(rows, _)| *rows)
    }

    /// Most frequent reason, with count and example.
    pub(crate) fn most(&self) -> Option<(Reason, u64, &str)> {
        self.0
            .iter()
            .max_by_key(|(_, (rows, _))| *rows)
            .map(|(r, (rows, example))| (*r, *rows, example.as_str()))
    }

    /// Rejections for the result of a load.
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

/// A price beyond high or low by at most this many ULPs is a rounding error: adjustment for splits and dividends
/// multiplies each of the four prices separately.
const ROUNDING_ULPS: f64 = 8.0;

/// Verdict on a row.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum RowVerdict {
    /// Bar later than all previous bars.
    Bar(Bar),
    /// Bar earlier than an accepted bar.
    Early(Bar),
    Rejected(Reject),
}

/// Validates rows in the order of their source, each against the previous ones.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Validator {
    timeframe: Timeframe,
    /// Latest valid start of a bar; later bars are in the future. Not saved, because a later attempt has another
    /// present.
    #[serde(skip)]
    latest: Option<Time>,
    /// Latest time of an accepted bar.
    last: Option<Time>,
    /// Time of the bar accepted last.
    before: Option<Time>,
    pub(crate) rejected: Rejections,
    pub(crate) accepted: u64,
    /// Number of bars whose high or low was widened by a rounding error.
    pub(crate) adjusted: u64,
    /// Number of bars earlier than an accepted bar.
    pub(crate) early: u64,
    pub(crate) grid: Grid,
}

impl Validator {
    /// Validator for a timeframe that rejects bars starting after `latest`.
    pub(crate) fn new(timeframe: Timeframe, latest: Option<Time>) -> Self {
        Self {
            timeframe,
            latest,
            last: None,
            before: None,
            rejected: Rejections::default(),
            accepted: 0,
            adjusted: 0,
            early: 0,
            grid: Grid::default(),
        }
    }

    /// Validator that continues a previous attempt, with a new `latest`.
    pub(crate) fn resumed(self, latest: Option<Time>) -> Self {
        Self { latest, ..self }
    }

    /// Judges a row. Changes nothing: see [`Self::note`].
    pub(crate) fn judge(&self, row: &Row) -> RowVerdict {
        let bar = match &row.bar {
            Ok(bar) => judge(bar),
            Err(reject) => Err(reject.clone()),
        };
        match bar.and_then(|bar| self.in_time(bar)) {
            Ok(bar) if self.last.is_some_and(|last| bar.time < last) => RowVerdict::Early(bar),
            Ok(bar) => RowVerdict::Bar(bar),
            Err(reject) => RowVerdict::Rejected(reject),
        }
    }

    /// Counts a judged row.
    pub(crate) fn note(&mut self, row: &Row, judged: &RowVerdict) {
        if let Ok(bar) = &row.bar {
            self.grid.see(self.timeframe, bar.time);
        }
        let bar = match judged {
            RowVerdict::Bar(bar) | RowVerdict::Early(bar) => bar,
            RowVerdict::Rejected(reject) => {
                self.rejected.note(row.line, reject);
                return;
            }
        };
        self.accepted += 1;
        self.adjusted += u64::from(row.bar.as_ref().is_ok_and(|given| given != bar));
        self.early += u64::from(matches!(judged, RowVerdict::Early(_)));
        self.grid.take(self.timeframe, bar.time);
        self.before = Some(bar.time);
        self.last = self.last.max(Some(bar.time));
    }

    /// Reverts an accepted bar to a rejected one.
    pub(crate) fn take_back(&mut self, line: u64, reject: &Reject) {
        self.accepted = self.accepted.saturating_sub(1);
        self.rejected.note(line, reject);
    }

    /// Judges and counts a row. Returns its bar, in any order.
    #[cfg(test)]
    pub(crate) fn take(&mut self, row: &Row) -> Option<Bar> {
        let judged = self.judge(row);
        self.note(row, &judged);
        match judged {
            RowVerdict::Bar(bar) | RowVerdict::Early(bar) => Some(bar),
            RowVerdict::Rejected(_) => None,
        }
    }

    fn in_time(&self, bar: Bar) -> Result<Bar, Reject> {
        if self.latest.is_some_and(|latest| bar.time > latest) {
            return Err(Reject::new(Reason::InFuture, format!("{} is in the future", moment(bar.time))));
        }
        if is_off_grid(self.timeframe, bar.time, self.before) {
            let text = format!("no {} bar starts at {}", self.timeframe, moment(bar.time));
            return Err(Reject::new(Reason::OffGrid, text));
        }
        if self.last == Some(bar.time) {
            return Err(already_there(bar.time));
        }
        Ok(bar)
    }
}

/// Rejection of a second bar with the same time.
pub(crate) fn already_there(time: Time) -> Reject {
    Reject::new(Reason::DuplicateTime, format!("{} is a duplicate", moment(time)))
}

/// Checks the prices of a bar against each other. Widens high and low to absorb rounding errors.
fn judge(bar: &Bar) -> Result<Bar, Reject> {
    let Bar { open, high, low, close, volume, .. } = *bar;
    let named = [("open", open), ("high", high), ("low", low), ("close", close)];
    for (name, value) in named.into_iter().chain(volume.map(|volume| ("volume", volume))) {
        if !value.is_finite() {
            return Err(Reject::new(Reason::NotFinite, format!("{name} is {value}")));
        }
    }
    for (name, value) in named {
        if value <= 0.0 {
            return Err(Reject::new(Reason::NonPositivePrice, format!("{name} is {value}")));
        }
    }
    let above = |a: f64, b: f64| a - b > ROUNDING_ULPS * f64::EPSILON * a.max(b);
    if above(low, high) {
        return Err(Reject::new(Reason::HighBelowLow, format!("high {high} is below low {low}")));
    }
    for (name, value) in [("open", open), ("close", close)] {
        if above(low, value) || above(value, high) {
            return Err(Reject::new(
                Reason::PriceOutsideRange,
                format!("{name} {value} is outside low {low} to high {high}"),
            ));
        }
    }
    if let Some(volume) = volume.filter(|volume| *volume < 0.0) {
        return Err(Reject::new(Reason::NegativeVolume, format!("volume is {volume}")));
    }
    let (lowest, highest) = (open.min(close).min(low), open.max(close).max(high));
    Ok(Bar { high: highest.max(low), low: lowest.min(high), ..*bar })
}

#[cfg(test)]
mod tests;
