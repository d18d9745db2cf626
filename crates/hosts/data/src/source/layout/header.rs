//! Header detection: the line of column names. Text without names is accepted if its columns can only be time, open,
//! high, low, close, volume.

use super::super::SourceResult;
use super::super::columns::{Columns, TimeColumns};
use super::super::instruments::differ;
use super::super::times::parse;
use super::columns::NamedColumns;
use super::names::{ColumnMeaning, holds, plain, zone};
use super::numbers::Numbers;
use super::sample::{Record, Sample};
use super::{About, ordinal, unnamed};
use crate::options::DateOrder;
use crate::zone::Zone;
use csv::StringRecord;
use market_data::failures::failure;
use market_data::wording::excerpt;
use std::collections::BTreeSet;

/// Maximum number of lines before the names, such as the URL of a vendor.
const MAX_PREAMBLE_LINES: usize = 10;
/// Minimum number of words in a line of unknown column names.
const MIN_WORDS: usize = 2;

/// Detected header.
pub(super) struct Header {
    pub(super) columns: Columns,
    pub(super) titles: Titles,
    /// Column that names the instrument of each row.
    pub(super) instrument: Option<usize>,
    /// Index of the first data record.
    pub(super) rows_from: usize,
    pub(super) notes: Vec<String>,
    pub(super) warnings: Vec<String>,
}

/// Column names; empty if the text has none.
#[derive(Clone, Default, Debug)]
pub(super) struct Titles {
    as_written: Vec<String>,
    pub(super) plain: Vec<String>,
    time: Option<usize>,
    /// The three header lines of yfinance.
    pub(super) with_tickers: bool,
}

/// Line of column names, for messages.
pub(super) struct NameLine {
    number: u64,
    text: String,
}

impl NameLine {
    fn of(record: &Record, delimiter: u8) -> Self {
        Self { number: record.line, text: shown(&record.fields, delimiter) }
    }

    /// Names the line and quotes it.
    pub(super) fn quoted(&self) -> String {
        format!("The column names are read from line {}: '{}'", self.number, self.text)
    }
}

impl Titles {
    fn of(record: &StringRecord) -> Self {
        let as_written: Vec<String> = record.iter().map(|name| excerpt(name.trim(), 40)).collect();
        let plain = record.iter().map(plain).collect();
        Self { as_written, plain, time: None, with_tickers: false }
    }

    pub(super) fn none(&self) -> bool {
        self.plain.is_empty()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.plain.iter().any(|n| n == name)
    }

    /// Whether the first names are these.
    pub(super) fn begin(&self, names: &[&str]) -> bool {
        self.plain.iter().map(String::as_str).take(names.len()).eq(names.iter().copied())
    }

    /// Names as written, separated by commas.
    pub(super) fn listed(&self) -> String {
        self.as_written.join(",")
    }

    /// Whether names are in brackets: `<DATE>`.
    pub(super) fn bracketed(&self) -> bool {
        self.as_written.first().is_some_and(|name| name.starts_with(['<', '[']))
    }

    pub(super) fn title(&self, at: usize) -> String {
        self.as_written.get(at).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| ordinal(at))
    }

    /// Whether the time column says that it has the end of a bar.
    pub(super) fn names_the_end(&self) -> bool {
        self.time.and_then(|at| self.plain.get(at)).is_some_and(|name| holds(name) == ColumnMeaning::End)
    }

    /// Time zone in the name of the time column.
    pub(super) fn zone(&self) -> Option<Zone> {
        let name = self.plain.get(self.time?)?;
        zone(name).and_then(|zone| Zone::parse(&zone.to_uppercase()).ok())
    }
}

/// Finds the header, or the columns of text without names.
pub(super) fn find(sample: &Sample, about: &About) -> SourceResult<Header> {
    let first_lines = sample.records.iter().take(MAX_PREAMBLE_LINES);
    if let Some(at) = first_lines.clone().position(|record| names_prices(&record.fields)) {
        return named(sample, at, about);
    }
    if let Some(header) = unnamed::header(sample) {
        return Ok(header);
    }
    // The line that looks most like column names. In a tie the first one.
    let best = first_lines.enumerate().rev().max_by_key(|(_, record)| header_score(record));
    let (at, record) = best.unwrap_or((0, &sample.records[0]));
    let (known, words) = header_score(record);
    let is_csv = unnamed::no_csv(&shown(&sample.records[0].fields, sample.delimiter), about).is_none();
    if is_csv && (known > 0 || words >= MIN_WORDS) {
        named(sample, at, about)
    } else {
        Err(unnamed::refusal(sample, about))
    }
}

/// Whether a line names at least three of the four prices.
pub(super) fn names_prices(record: &StringRecord) -> bool {
    let names: Vec<ColumnMeaning> = record.iter().map(|name| holds(&plain(name))).collect();
    let named = |price: usize| {
        names.iter().any(
            |holds| matches!(holds, ColumnMeaning::Price(p) | ColumnMeaning::SidePrice(_, p) if *p == price),
        )
    };
    (0..4).filter(|price| named(*price)).count() >= 3
}

/// Number of known column names and of other words in a line.
fn header_score(record: &Record) -> (usize, usize) {
    let is_word = |text: &&str| {
        text.chars().any(char::is_alphabetic)
            && parse(text, DateOrder::DayFirst).is_none()
            && Numbers::Point.parse_volume(text).is_none()
    };
    let words: Vec<&str> = record.fields.iter().filter(is_word).collect();
    let known = words.iter().filter(|name| holds(&plain(name)) != ColumnMeaning::Other).count();
    // A single word is a heading.
    (if words.len() >= MIN_WORDS { known } else { 0 }, words.len())
}

fn named(sample: &Sample, at: usize, about: &About) -> SourceResult<Header> {
    let header = &sample.records[at].fields;
    let mut titles = Titles::of(header);
    let mut rows_from = at + 1;
    let (mut notes, mut warnings) = (Vec::new(), Vec::new());
    if at > 0 {
        notes.push(format!("The column names are in line {}", sample.records[at].line));
    }
    let first_is = |i: usize, word: &str| {
        let first = sample.records.get(i).and_then(|record| record.fields.get(0));
        first.is_some_and(|first| first.trim().eq_ignore_ascii_case(word))
    };
    // yfinance: names, tickers, and a line that names the index; or tickers first.
    let tickers = if first_is(rows_from, "ticker") {
        rows_from += 1;
        Some(rows_from - 1)
    } else {
        at.checked_sub(1).filter(|before| first_is(*before, "ticker"))
    };
    if tickers.is_some() {
        titles.with_tickers = true;
        notes.clear();
        if first_is(rows_from, "date") || first_is(rows_from, "datetime") {
            rows_from += 1;
        }
    }
    let chosen = match tickers {
        Some(tickers) => of_ticker(&sample.records[tickers].fields, about, &mut warnings)?,
        None => vec![true; header.len()],
    };
    let row = sample.rows(rows_from).next();
    let all = titles
        .plain
        .iter()
        .enumerate()
        .filter(|(i, _)| chosen.get(*i).copied().unwrap_or(true))
        .map(|(i, name)| (i, if titles.with_tickers && i == 0 { ColumnMeaning::Time } else { holds(name) }))
        .collect();
    let line = NameLine::of(&sample.records[at], sample.delimiter);
    let columns = NamedColumns { titles: &titles, all, row, line, what: &about.what }.columns(&mut notes)?;
    titles.time = Some(match columns.time {
        TimeColumns::One(at) | TimeColumns::Two(_, at) => at,
    });
    let instrument = instrument(&titles);
    if let Some(name) = instrument.and_then(|at| sample.rows(rows_from).find_map(|row| named_in(row, at))) {
        warnings.extend(other_symbol(name, about));
    }
    Ok(Header { columns, titles, instrument, rows_from, notes, warnings })
}

/// Columns of the loaded symbol, if a file has several.
fn of_ticker(tickers: &StringRecord, about: &About, warnings: &mut Vec<String>) -> SourceResult<Vec<bool>> {
    let named: BTreeSet<&str> = tickers.iter().skip(1).map(str::trim).filter(|t| !t.is_empty()).collect();
    let wanted = about.symbol.as_str();
    let is_wanted = |ticker: &str| ticker.trim().eq_ignore_ascii_case(wanted);
    if named.len() > 1 {
        if !named.iter().any(|ticker| is_wanted(ticker)) {
            let listed = named.iter().copied().take(8).collect::<Vec<_>>().join(", ");
            return Err(failure(
                format!("{} has bars of several symbols, {listed}, and none of {wanted}.", about.what),
                "Load one of these symbols, or split the file by symbol.",
            ));
        }
        return Ok(tickers.iter().enumerate().map(|(i, ticker)| i == 0 || is_wanted(ticker)).collect());
    }
    warnings.extend(named.first().and_then(|ticker| other_symbol(ticker, about)));
    Ok(vec![true; tickers.len()])
}

/// Warning if a file names another instrument than the loaded symbol.
fn other_symbol(name: &str, about: &About) -> Option<String> {
    // The numbers of Databento say nothing.
    let numbered = name.bytes().all(|b| b.is_ascii_digit());
    let wanted = &about.symbol;
    (!numbered && differ(name, wanted))
        .then(|| format!("The file says that its bars are of {}, not of {wanted}.", excerpt(name, 30)))
}

/// Value of the instrument column.
fn named_in(row: &StringRecord, at: usize) -> Option<&str> {
    row.get(at).map(str::trim).filter(|name| !name.is_empty())
}

/// Column that names the instrument of each row.
fn instrument(titles: &Titles) -> Option<usize> {
    let of = |wanted: ColumnMeaning| titles.plain.iter().position(|name| holds(name) == wanted);
    of(ColumnMeaning::Ticker).or_else(|| of(ColumnMeaning::Instrument))
}

/// Fields of a line as written, shortened.
pub(super) fn shown(record: &StringRecord, delimiter: u8) -> String {
    let line = record.iter().collect::<Vec<_>>().join(&char::from(delimiter).to_string());
    excerpt(&line, 120)
}
