//! Layout detection from the first lines of a text. Ambiguous text is rejected with advice.

mod dates;
mod guess;
mod header;
mod names;
mod numbers;
mod sample;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vendors;

pub(super) use numbers::Numbers;
pub(super) use sample::{MAX_SAMPLE_BYTES, SAMPLE_LINES, is_blank};

use super::SourceResult;
use super::columns::{Columns, TimeColumns};
use super::times::{Moment, TimeReader, clock, parse};
use crate::bars::Timeframe;
use crate::config::TextOptions;
use crate::format::Format;
use crate::params::Request;
use crate::symbol::Symbol;
use crate::trouble::failure;
use crate::zone::Zone;
use csv::StringRecord;
use header::{Header, Titles};
use protocol::Failure;
use sample::Sample;

/// Context of a text: its name, request and options.
#[derive(Clone, Debug)]
pub(super) struct About {
    /// File or URL, for messages.
    pub(super) what: String,
    pub(super) symbol: Symbol,
    pub(super) timeframe: Timeframe,
    pub(super) options: TextOptions,
}

impl About {
    /// Context of a request for a file or response.
    pub(super) fn of(request: &Request, what: &str) -> Self {
        Self {
            what: what.to_owned(),
            symbol: request.symbol.clone(),
            timeframe: request.timeframe,
            options: request.options.clone(),
        }
    }
}

#[cfg(test)]
impl About {
    pub(super) fn of_test(what: &str, timeframe: Timeframe) -> Self {
        let symbol = Symbol::new("MSFT").unwrap();
        Self { what: what.to_owned(), symbol, timeframe, options: TextOptions::default() }
    }
}

/// Layout of a text.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(super) format: Format,
    pub(super) delimiter: u8,
    /// Lines before the first row.
    pub(super) header_lines: u64,
    /// Bytes before the first row.
    pub(super) header_bytes: usize,
    pub(super) columns: Columns,
    pub(super) numbers: Numbers,
    pub(super) times: TimeReader,
    /// Column of each value, for the preview.
    pub(super) titles: Vec<(&'static str, String)>,
    /// Notes for the log and preview.
    pub(super) notes: Vec<String>,
}

impl Layout {
    /// Detects the layout from the first lines of a text.
    ///
    /// # Errors
    /// If they can't be read or are ambiguous.
    pub(super) fn detect(text: &str, about: &About) -> SourceResult<Self> {
        let sample = Sample::read(text, &about.what)?;
        if sample.records.is_empty() {
            return Err(failure(
                format!("{} is empty.", about.what),
                "Add a header line and the bars to it, or load another symbol.",
            ));
        }
        let header = header::find(&sample, about)?;
        Self::of(&sample, header, about)
    }

    fn of(sample: &Sample, header: Header, about: &About) -> SourceResult<Self> {
        let Header { columns, titles, rows_from, mut notes, .. } = header;
        let rows: Vec<&StringRecord> = sample.rows(rows_from).collect();
        let what = &about.what;
        let texts = columns.number_texts(&rows);
        let numbers = Numbers::detect(&texts, what)?;
        let order = dates::order(&columns, &rows, what)?;
        let newest_first = newest_first(&columns, &rows, order);
        let found = guess::format(sample, &titles, &columns, &rows, newest_first);
        let format = guess::chosen(about.options.format, found, &columns, &titles, what)?;
        // A zone in the column name applies to the file, e.g. `Gmt time`.
        let zone = match (&about.options.time_zone, titles.zone()) {
            (Some(zone), _) => Some(zone.clone()),
            (None, Some(zone)) => Some(zone),
            (None, None) => about.options.format.and_then(Format::documented_zone),
        };
        if newest_first {
            notes.push("Newest bars first".to_owned());
        }
        if numbers == Numbers::Comma {
            notes.push("Decimal comma detected".to_owned());
        }
        let (header_lines, header_bytes) = sample.before(rows_from);
        let times = TimeReader { timeframe: about.timeframe, order, zone, newest_first, format, last: None };
        let titles = titles.shown(&columns);
        Ok(Self {
            format,
            delimiter: sample.delimiter,
            header_lines,
            header_bytes,
            columns,
            numbers,
            times,
            titles,
            notes,
        })
    }

    /// Time zone of times without one.
    pub(super) fn zone(&self) -> Option<&Zone> {
        self.times.zone.as_ref()
    }
}

/// Whether the times of the first rows are descending.
fn newest_first(columns: &Columns, rows: &[&StringRecord], order: super::times::DateOrder) -> bool {
    let key = |row: &&StringRecord| match columns.time {
        TimeColumns::One(at) => match parse(row.get(at)?, order)? {
            Moment::Day(day) => Some((day.at(0, 0, 0, 0), 0)),
            Moment::Wall(shown) => Some((shown, 0)),
            Moment::At(moment, _) => Some((jiff::tz::Offset::UTC.to_datetime(moment), 1)),
        },
        TimeColumns::Two(day, time) => match parse(row.get(day)?, order)? {
            Moment::Day(day) => Some((day.to_datetime(clock(row.get(time)?)?), 0)),
            _ => None,
        },
    };
    let keys: Vec<_> = rows.iter().filter_map(key).collect();
    let (rising, falling) = keys.windows(2).fold((0, 0), |(up, down), pair| {
        (up + usize::from(pair[0] < pair[1]), down + usize::from(pair[0] > pair[1]))
    });
    falling > rising
}

/// Failure of ambiguous text.
fn unclear(message: String, hint: &str) -> Failure {
    failure(message, hint)
}

/// Title of a column without a name.
fn ordinal(at: usize) -> String {
    format!("column {}", at + 1)
}

impl Titles {
    fn shown(&self, columns: &Columns) -> Vec<(&'static str, String)> {
        let mut shown = match columns.time {
            TimeColumns::One(at) => vec![("time", self.title(at))],
            TimeColumns::Two(day, time) => vec![("date", self.title(day)), ("time", self.title(time))],
        };
        let prices = ["open", "high", "low", "close"];
        shown.extend(prices.iter().zip(columns.prices).map(|(name, at)| (*name, self.title(at))));
        shown.extend(columns.volume.map(|at| ("volume", self.title(at))));
        shown
    }
}
