//! Layout detection from the first lines of a text. Ambiguous text is rejected with advice.

mod bar_times;
mod columns;
mod dates;
mod guess;
mod header;
mod names;
mod numbers;
#[cfg(test)]
mod other_vendors;
mod sample;
mod signs;
#[cfg(test)]
mod tests;
mod unnamed;
#[cfg(test)]
mod vendors;

pub(super) use numbers::Numbers;
pub(super) use sample::{MAX_SAMPLE_BYTES, SAMPLE_LINES, is_blank, is_footer};
pub(super) use signs::TimeKind;
pub(super) use unnamed::no_csv;

use super::SourceResult;
use super::columns::{Columns, TimeColumns};
use super::splits::SplitColumns;
use super::times::{Moment, TimeReader, clock, parse};
use crate::format::Format;
use crate::options::{DateOrder, TextOptions};
use crate::params::Request;
use crate::zone::Zone;
use bar_times::BarTimes;
use csv::StringRecord;
use header::{Header, Titles};
use market_data::failures::failure;
use market_data::{Symbol, Timeframe};
use protocol::Failure;
use sample::Sample;
use signs::Signs;

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

#[cfg(any(test, fuzzing))]
impl About {
    pub(super) fn of_test(what: &str, timeframe: Timeframe) -> Self {
        let symbol = Symbol::new("MSFT").expect("it is a symbol");
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
    /// Column that names the instrument of each row.
    pub(super) instrument: Option<usize>,
    /// Columns that show splits.
    pub(super) splits: SplitColumns,
    pub(super) numbers: Numbers,
    pub(super) times: TimeReader,
    /// Which moment of a bar its time is.
    pub(super) bar_times: BarTimes,
    /// What the times of the first rows need to become moments.
    pub(super) time_kind: Option<TimeKind>,
    /// Column of each value, for the preview.
    pub(super) titles: Vec<(&'static str, String)>,
    /// Lines before the rows, as normalized names.
    header: Vec<Vec<String>>,
    /// Notes for the log and preview.
    pub(super) notes: Vec<String>,
    /// Warnings for the log, preview and result, in sentences.
    pub(super) warnings: Vec<String>,
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
                "Add a header line and the bars to the file, or load another symbol.",
            ));
        }
        let header = header::find(&sample, about)?;
        Self::of(&sample, header, about)
    }

    fn of(sample: &Sample, header: Header, about: &About) -> SourceResult<Self> {
        let Header { mut columns, titles, instrument, rows_from, mut notes, mut warnings } = header;
        let rows: Vec<&StringRecord> = sample.rows(rows_from).collect();
        let what = &about.what;
        let texts = columns.number_texts(&rows);
        numbers::refuse_fractions(&columns.price_texts(&rows), what)?;
        let numbers = Numbers::detect(&texts, what)?;
        let order = dates::order(&columns, &rows, what, about.options.date_order, titles.of_taiwan())?;
        let newest_first = newest_first(&columns, &rows, order);
        let signs = Signs::of(&columns, &rows, order, numbers);
        let found = guess::detect(sample, &titles, &columns, &signs, newest_first);
        let format = guess::chosen(about.options.format, found, &titles, &columns, &signs, what)?;
        // A zone in the column name applies to the file, e.g. `Gmt time`.
        let zone = match (&about.options.time_zone, titles.zone(), about.options.format) {
            (Some(zone), ..) => Some(zone.clone()),
            (None, Some(zone), _) => Some(zone),
            (None, None, Some(Format::AlphaVantage)) if signs.no_stock_of_alpha_vantage() => {
                notes.push(
                    "Alpha Vantage times are in UTC for currencies and crypto, in New York time for stocks"
                        .to_owned(),
                );
                Some(Zone::utc())
            }
            (None, None, chosen) => chosen.and_then(Format::documented_zone),
        };
        if about.options.format == Some(Format::Histdata) && signs.real_volumes {
            warnings.push(
                "Files of HistData contain only volumes of 0, but this file contains other volumes. If another program wrote the file, its times may be in a different time zone."
                    .to_owned(),
            );
        }
        columns.nano_prices = titles.of_raw_databento() && all_integers(&columns, &rows);
        if columns.nano_prices {
            notes.push("Prices of Databento are read as integers in units of 10⁻⁹".to_owned());
        }
        if newest_first {
            notes.push("Newest bars first".to_owned());
        }
        if numbers == Numbers::Comma {
            notes.push("Decimal comma detected".to_owned());
        }
        let chosen = about.options.bar_time;
        let bar_times = BarTimes::of(chosen, about.timeframe, sample, &titles, columns.time, &signs);
        warnings.extend(bar_times.warning.clone());
        let (header_lines, header_bytes) = sample.before(rows_from);
        let zone_advice = guess::zone_advice(format, sample, &titles, &signs);
        let times = TimeReader {
            timeframe: about.timeframe,
            order,
            zone,
            bar_time: bar_times.bar_time,
            newest_first,
            zone_advice,
            last: None,
        };
        let named = |is: fn(&str) -> bool| titles.plain.iter().position(|name| is(name));
        let splits = SplitColumns {
            adjusted_close: named(names::is_adjusted_close),
            factor: named(names::is_split_factor),
        };
        let titles = titles.shown(&columns);
        Ok(Self {
            format,
            delimiter: sample.delimiter,
            header_lines,
            header_bytes,
            columns,
            instrument,
            splits,
            numbers,
            times,
            bar_times,
            time_kind: signs.times,
            titles,
            header: sample.records[..rows_from].iter().map(|record| names(&record.fields)).collect(),
            notes,
            warnings,
        })
    }

    /// Whether a line is one of those before the rows.
    pub(super) fn repeats_names(&self, record: &StringRecord) -> bool {
        let names = names(record);
        self.header.contains(&names) || (self.header.is_empty() && self.has_order_of(&names))
    }

    /// Whether column names are those of the columns of a text without names.
    fn has_order_of(&self, names: &[String]) -> bool {
        let Columns { prices, volume, width, .. } = &self.columns;
        let holds = |at: usize| names.get(at).map(|name| names::holds(name));
        names.len() == *width
            && prices
                .iter()
                .enumerate()
                .all(|(price, at)| holds(*at) == Some(names::ColumnMeaning::Price(price)))
            && volume.is_none_or(|at| holds(at) == Some(names::ColumnMeaning::Volume))
    }

    /// Whether a line names prices.
    pub(super) fn names_prices(&self, record: &StringRecord) -> bool {
        header::names_prices(record)
    }

    /// Fields of a line as written, shortened.
    pub(super) fn shown(&self, record: &StringRecord) -> String {
        header::shown(record, self.delimiter)
    }

    /// Time zone of times without one.
    pub(super) fn zone(&self) -> Option<&Zone> {
        self.times.zone.as_ref()
    }

    /// Whether the newest bar comes first.
    pub(crate) fn is_newest_first(&self) -> bool {
        self.times.newest_first
    }

    /// Whether a column names the instrument of each row.
    pub(crate) fn names_instruments(&self) -> bool {
        self.instrument.is_some()
    }

    /// Warnings of a load with this layout, in sentences.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Normalized names of a line, without blank ones at its end.
fn names(record: &StringRecord) -> Vec<String> {
    let mut names: Vec<String> = record.iter().map(names::plain).collect();
    while names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    names
}

/// Whether the times of the first rows are descending.
fn newest_first(columns: &Columns, rows: &[&StringRecord], order: DateOrder) -> bool {
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

/// Whether all prices are integers.
fn all_integers(columns: &Columns, rows: &[&StringRecord]) -> bool {
    let mut prices =
        rows.iter().flat_map(|row| columns.prices.map(|at| row.get(at).unwrap_or_default().trim()));
    !rows.is_empty() && prices.all(|price| !price.is_empty() && price.bytes().all(|b| b.is_ascii_digit()))
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
    /// Whether the header is that of Databento's bars. It writes decimal points unless prices are raw integers.
    fn of_raw_databento(&self) -> bool {
        ["rtype", "publisher id", "instrument id"].iter().all(|name| self.has(name))
    }

    /// Whether the names are those of the exchange of Taiwan.
    fn of_taiwan(&self) -> bool {
        self.has("開盤價") || self.has("收盤價")
    }

    fn shown(&self, columns: &Columns) -> Vec<(&'static str, String)> {
        let mut shown = match columns.time {
            TimeColumns::One(at) => vec![("time", self.title(at))],
            TimeColumns::Two(day, time) => vec![("date", self.title(day)), ("time", self.title(time))],
        };
        let prices = ["open", "high", "low", "close"];
        shown.extend(prices.iter().zip(columns.prices).map(|(name, at)| (*name, self.title(at))));
        let volumes = [columns.volume, columns.second_volume].into_iter().flatten();
        shown.extend(volumes.map(|at| ("volume", self.title(at))));
        shown
    }
}
