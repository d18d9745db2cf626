//! Header detection: column names, and the meaning of each column. Text without names is accepted if its columns can
//! only be time, open, high, low, close, volume.

use super::super::SourceResult;
use super::super::columns::{Columns, TimeColumns};
use super::super::instruments::differ;
use super::super::times::{DateOrder, Moment, clock, parse};
use super::names::{CLOSE, HIGH, Holds, LOW, OPEN, holds, plain, zone};
use super::numbers::Numbers;
use super::sample::{Record, Sample};
use super::{About, ordinal};
use crate::trouble::failure;
use crate::wording::excerpt;
use crate::zone::Zone;
use csv::StringRecord;
use protocol::Failure;
use std::collections::BTreeSet;

/// Maximum number of lines before the names, such as the URL of a vendor.
const MAX_PREAMBLE_LINES: usize = 10;
const PRICES: [&str; 4] = ["open", "high", "low", "close"];
const TIME_WANTED: &str = "a time (timestamp, time, date or datetime)";

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

    /// Time zone in the name of the time column.
    pub(super) fn zone(&self) -> Option<Zone> {
        let name = self.plain.get(self.time?)?;
        zone(name).and_then(|zone| Zone::parse(&zone.to_uppercase()).ok())
    }
}

/// Finds the header, or the columns of text without names.
pub(super) fn find(sample: &Sample, about: &About) -> SourceResult<Header> {
    let names_prices = |record: &&Record| {
        let names: Vec<Holds> = record.fields.iter().map(|name| holds(&plain(name))).collect();
        (0..4).filter(|price| names.contains(&Holds::Price(*price))).count() >= 3
    };
    let first_lines = sample.records.iter().take(MAX_PREAMBLE_LINES);
    if let Some(at) = first_lines.clone().position(|record| names_prices(&record)) {
        return named(sample, at, about);
    }
    if let Some(header) = unnamed(sample) {
        return Ok(header);
    }
    let first = &sample.records[0];
    let line = shown(&first.fields, sample.delimiter);
    Err(no_bars(&line, about).unwrap_or_else(|| match named(sample, 0, about) {
        Err(failure) => failure,
        Ok(_) => failure(format!("{} is not a CSV of bars.", about.what), ""),
    }))
}

fn named(sample: &Sample, at: usize, about: &About) -> SourceResult<Header> {
    let header = &sample.records[at].fields;
    let mut titles = Titles::of(header);
    let line = shown(header, sample.delimiter);
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
    let columns = columns(&mut titles, &chosen, row, &line, about, &mut notes)?;
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
                "Load one of these, or split the file by symbol.",
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

/// Finds each value by its column name.
fn columns(
    titles: &mut Titles,
    chosen: &[bool],
    row: Option<&StringRecord>,
    line: &str,
    about: &About,
    notes: &mut Vec<String>,
) -> SourceResult<Columns> {
    let what = &about.what;
    let all: Vec<(usize, Holds)> = titles
        .plain
        .iter()
        .enumerate()
        .filter(|(i, _)| chosen.get(*i).copied().unwrap_or(true))
        .map(|(i, name)| (i, if titles.with_tickers && i == 0 { Holds::Time } else { holds(name) }))
        .collect();
    let of = |wanted: Holds| all.iter().filter(move |(_, holds)| *holds == wanted).map(|(i, _)| *i);
    let only = |wanted: Holds, name: &str| -> SourceResult<Option<usize>> {
        let mut found = of(wanted);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(failure(
                format!("{what} has two columns named '{name}'. First line: '{line}'."),
                "Remove or rename one of them.",
            )),
            (found, None) => Ok(found),
        }
    };
    let mut prices = [0; 4];
    let mut missing = Vec::new();
    for (price, name) in PRICES.into_iter().enumerate() {
        let mut found = only(Holds::Price(price), name)?;
        if price == CLOSE && found.is_none() {
            found = only(Holds::LastPrice, "price")?;
        }
        match found {
            Some(at) => prices[price] = at,
            None => missing.push(name),
        }
    }
    let time = time(titles, &all, row, what)?;
    let Some(time) = time.filter(|_| missing.is_empty()) else {
        if time.is_none() {
            missing.insert(0, TIME_WANTED);
        }
        return Err(failure(
            format!("{what} has no column for {}. First line: '{line}'.", missing.join(", ")),
            "The first line must name the columns timestamp, open, high, low, close and, if known, volume, in any order.",
        ));
    };
    titles.time = Some(match time {
        TimeColumns::One(at) | TimeColumns::Two(_, at) => at,
    });
    let volumes: Vec<usize> = of(Holds::Volume).collect();
    let ticks = of(Holds::TickVolume).next();
    let zero = |at: usize| {
        row.and_then(|row| row.get(at)).is_some_and(|text| text.trim().trim_matches(['0', '.']).is_empty())
    };
    let volume = match (volumes.as_slice(), ticks) {
        // For currencies MetaTrader has tick volume only.
        ([at], Some(ticks)) if zero(*at) => Some(ticks),
        ([], ticks) => ticks,
        ([at, ..], _) => Some(*at),
    };
    if volumes.len() > 1 {
        let same = volumes.iter().filter(|at| titles.plain[**at] == titles.plain[volumes[0]]).count();
        if same > 1 {
            let name = &titles.plain[volumes[0]];
            return Err(failure(
                format!("{what} has two columns named '{name}'. First line: '{line}'."),
                "Remove or rename one of them.",
            ));
        }
    }
    match volume {
        None => notes.push("No volume column: volume is unknown".to_owned()),
        Some(at) if volumes.len() > 1 || ticks.is_some() => {
            notes.push(format!("Volume is read from column '{}'", titles.title(at)));
        }
        Some(_) => {}
    }
    Ok(Columns { time, prices, nano_prices: false, volume, width: titles.plain.len() })
}

/// Columns of the time.
fn time(
    titles: &Titles,
    all: &[(usize, Holds)],
    row: Option<&StringRecord>,
    what: &str,
) -> SourceResult<Option<TimeColumns>> {
    let of = |wanted: &[Holds]| -> Vec<usize> {
        all.iter().filter(|(_, holds)| wanted.contains(holds)).map(|(i, _)| *i).collect()
    };
    let said =
        |at: &usize| row.and_then(|row| row.get(*at)).and_then(|text| parse(text, DateOrder::DayFirst));
    let mut times = of(&[Holds::Time, Holds::Clock, Holds::SinceEpoch]);
    if times.is_empty() {
        times = of(&[Holds::Index]);
    }
    match times.as_slice() {
        [] => {
            let first = titles.plain.first();
            let blank = first.is_some_and(|name| name.is_empty() || name.starts_with("unnamed:"));
            return Ok(blank.then_some(TimeColumns::One(0)));
        }
        [only] => return Ok(Some(TimeColumns::One(*only))),
        _ => {}
    }
    // A time with a zone needs no other column.
    if let Some(at) = times.iter().find(|at| matches!(said(at), Some(Moment::At(..)))) {
        return Ok(Some(TimeColumns::One(*at)));
    }
    let is_clock = |at: &usize| {
        row.and_then(|row| row.get(*at)).is_some_and(|text| clock(text).is_some() || text.trim() == "0")
    };
    let day =
        times.iter().find(|at| matches!(said(at), Some(Moment::Day(_))) && titles.plain[**at] != "time");
    let clocks: Vec<usize> = times.iter().copied().filter(|at| Some(at) != day && is_clock(at)).collect();
    if let (Some(day), [clock]) = (day, clocks.as_slice()) {
        return Ok(Some(TimeColumns::Two(*day, *clock)));
    }
    // Without a row the choice does not matter.
    if row.is_none() {
        return Ok(Some(TimeColumns::One(times[0])));
    }
    let (one, other) = (titles.title(times[0]), titles.title(times[1]));
    Err(failure(
        format!("{what} has two columns that could be the time, '{one}' and '{other}'."),
        "Keep only one time column, with date, time and zone: 2024-03-01T09:30:00Z.",
    ))
}

/// Column that names the instrument of each row.
fn instrument(titles: &Titles) -> Option<usize> {
    let of = |wanted: Holds| titles.plain.iter().position(|name| holds(name) == wanted);
    of(Holds::Ticker).or_else(|| of(Holds::Instrument))
}

/// Rows from which a column between low and high is an average price.
const MIN_ROWS_OF_AVERAGE: usize = 5;

/// Columns of text without names: a time in one or two columns, then open, high, low, close, and optionally a volume, with
/// an average price before it (Kraken's API).
fn unnamed(sample: &Sample) -> Option<Header> {
    let first = &sample.records[0].fields;
    let said = |at: usize| {
        first
            .get(at)
            .and_then(|text| parse(text, DateOrder::DayFirst).or_else(|| parse(text, DateOrder::MonthFirst)))
    };
    let (time, from) = match said(0)? {
        Moment::Day(_) if first.get(1).is_some_and(|text| text.contains(':') && clock(text).is_some()) => {
            (TimeColumns::Two(0, 1), 2)
        }
        _ => (TimeColumns::One(0), 1),
    };
    let prices = [from, from + 1, from + 2, from + 3];
    let number = |record: &StringRecord, at: usize| {
        let text = record.get(at)?;
        Numbers::Point.parse(text).or_else(|| Numbers::Comma.parse(text))
    };
    // The order is valid only if no price is above high or below low.
    let (mut seen, mut averages) = (0, 0);
    for record in &sample.records {
        let Some([open, high, low, close]) = all_of(prices.map(|at| number(&record.fields, at))) else {
            continue;
        };
        seen += 1;
        if high < open.max(close) || low > open.min(close) {
            return None;
        }
        let between = |price: f64| (low..=high).contains(&price);
        averages += usize::from(number(&record.fields, from + 4).is_some_and(between));
    }
    if seen == 0 || seen * 2 < sample.records.len() {
        return None;
    }
    let is_number = |at: usize| first.len() > at && number(first, at).is_some();
    // A volume lies between low and high by accident in few rows, an average price in all.
    let has_average = averages == seen && seen >= MIN_ROWS_OF_AVERAGE && is_number(from + 4);
    let volume = if has_average { from + 5 } else { from + 4 };
    let volume = is_number(volume).then_some(volume);
    let columns = Columns { time, prices, nano_prices: false, volume, width: first.len() };
    let average = if has_average { ", average price" } else { "" };
    let of_volume = if volume.is_some() { ", volume" } else { "" };
    let notes = vec![format!("No column names: read as time, open, high, low, close{average}{of_volume}")];
    let titles = Titles::default();
    Some(Header { columns, titles, instrument: None, rows_from: 0, notes, warnings: Vec::new() })
}

fn all_of(values: [Option<f64>; 4]) -> Option<[f64; 4]> {
    Some([values[OPEN]?, values[HIGH]?, values[LOW]?, values[CLOSE]?])
}

/// Failure of text that is not CSV at all.
fn no_bars(line: &str, about: &About) -> Option<Failure> {
    let what = &about.what;
    let start = line.trim_start().to_lowercase();
    let page = ["<!doctype", "<html", "<head", "<body", "<?xml", "<script", "<div", "<p>"];
    if page.iter().any(|tag| start.starts_with(tag)) {
        return Some(failure(
            format!("{what} is not CSV: it starts like a web page."),
            "Check the URL or the file. Expected: CSV with a header line.",
        ));
    }
    let json = start.starts_with('{')
        || start == "["
        || start.starts_with("[{")
        || start.starts_with("[[")
        || start.starts_with("[\"");
    json.then(|| {
        failure(
            format!("{what} is not CSV: it starts like JSON: '{}'.", excerpt(line, 160)),
            "Check the URL or the file. Expected: CSV with a header line.",
        )
    })
}

fn shown(record: &StringRecord, delimiter: u8) -> String {
    let line = record.iter().collect::<Vec<_>>().join(&char::from(delimiter).to_string());
    excerpt(&line, 120)
}
