//! Maps the fields of a row to a bar.

use super::layout::Numbers;
use super::times::TimeReader;
use crate::validate::{Reason, Reject};
use csv::StringRecord;
use market_data::wording::excerpt;
use market_data::{Bar, known_volume};
use protocol::Time;

const PRICE_NAMES: [&str; 4] = ["open", "high", "low", "close"];
/// Texts for an unknown volume.
const NO_VOLUME: [&str; 8] = ["", "nan", "null", "none", "na", "n/a", "-", "#n/a"];

/// Column index of each value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Columns {
    pub(super) time: TimeColumns,
    pub(super) prices: [usize; 4],
    /// Prices are integers in units of 10⁻⁹, as in raw files of Databento.
    pub(super) nano_prices: bool,
    /// Absent if the source has no volume.
    pub(super) volume: Option<usize>,
    /// Second part of the volume: shares of downticks beside those of upticks.
    pub(super) second_volume: Option<usize>,
    /// Factor of volumes in a unit such as thousands.
    pub(super) volume_unit: f64,
    /// Number of fields per row.
    pub(super) width: usize,
}

/// Columns of the time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum TimeColumns {
    One(usize),
    /// Date and time of day.
    Two(usize, usize),
}

impl Columns {
    /// Bar of a row, and its time even if the rest can't be read.
    pub(super) fn bar(
        &self,
        record: &StringRecord,
        times: &mut TimeReader,
        numbers: Numbers,
    ) -> (Option<Time>, Result<Bar, Reject>) {
        // Some programs end each row with a separator.
        let trailing = record.iter().skip(self.width).all(|field| field.trim().is_empty());
        if record.len() < self.width || !trailing {
            let text = format!("{} fields, but the header has {}", record.len(), self.width);
            return (None, Err(Reject::new(Reason::WrongColumns, text)));
        }
        let time = match self.time {
            TimeColumns::One(at) => times.read(&record[at]),
            TimeColumns::Two(day, clock) => times.read_pair(&record[day], &record[clock]),
        };
        match time {
            Ok(time) => (Some(time), self.values(record, numbers, time)),
            Err(reject) => (None, Err(reject)),
        }
    }

    fn values(&self, record: &StringRecord, numbers: Numbers, time: Time) -> Result<Bar, Reject> {
        let mut prices = [0.0; 4];
        for (i, price) in prices.iter_mut().enumerate() {
            let text = record[self.prices[i]].trim();
            let number = if self.nano_prices { nano(text) } else { numbers.parse(text) };
            *price = number.ok_or_else(|| no_number(PRICE_NAMES[i], text))?;
        }
        let volume = match self.volume.map(|at| volume(&record[at], numbers)).transpose()?.flatten() {
            Some(first) => match self.second_volume {
                Some(at) => volume(&record[at], numbers)?.map(|second| first + second),
                None => Some(first),
            },
            None => None,
        };
        let volume = volume.map(|volume| volume * self.volume_unit);
        let [open, high, low, close] = prices;
        Ok(Bar { time, open, high, low, close, volume })
    }

    /// Prices of rows, as text.
    pub(super) fn price_texts<'a>(&self, rows: &[&'a StringRecord]) -> Vec<&'a str> {
        rows.iter().flat_map(|row| self.prices.into_iter().filter_map(|at| row.get(at))).collect()
    }

    /// Prices and volumes of rows, as text.
    pub(super) fn number_texts<'a>(&self, rows: &[&'a StringRecord]) -> Vec<&'a str> {
        rows.iter()
            .flat_map(|row| {
                self.prices
                    .into_iter()
                    .chain(self.volume)
                    .chain(self.second_volume)
                    .filter_map(|at| row.get(at))
            })
            .collect()
    }
}

/// Whether a text stands for an unknown value.
pub(super) fn is_unknown(text: &str) -> bool {
    NO_VOLUME.iter().any(|none| text.eq_ignore_ascii_case(none))
}

/// Volume in a field; `None` if it is unknown.
fn volume(text: &str, numbers: Numbers) -> Result<Option<f64>, Reject> {
    let text = text.trim();
    if is_unknown(text) {
        return Ok(None);
    }
    numbers.parse_volume(text).map(known_volume).ok_or_else(|| no_number("volume", text))
}

/// Price in units of 10⁻⁹. The largest integer means that there is none.
fn nano(text: &str) -> Option<f64> {
    let units = text.parse::<i64>().ok().filter(|units| *units != i64::MAX)?;
    Some(units as f64 / 1e9)
}

fn no_number(name: &str, text: &str) -> Reject {
    Reject::new(Reason::NotANumber, format!("{name} is '{}'", excerpt(text, 40)))
}
