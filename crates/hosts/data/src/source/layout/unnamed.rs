//! Text without column names: a time in one or two columns, then open, high, low, close, and optionally a volume, with
//! an average price before it (Kraken's API).

use super::super::columns::{Columns, TimeColumns};
use super::super::times::{Moment, clock, parse};
use super::About;
use super::header::{Header, Titles, shown};
use super::names::{CLOSE, HIGH, LOW, OPEN};
use super::numbers::Numbers;
use super::sample::{Record, Sample};
use crate::options::DateOrder;
use csv::StringRecord;
use market_data::failures::failure;
use market_data::wording::excerpt;
use protocol::Failure;

/// Rows from which a column between low and high is an average price.
const MIN_ROWS_OF_AVERAGE: usize = 5;

/// Columns of a text without names, if they can only be those of bars.
pub(super) fn header(sample: &Sample) -> Option<Header> {
    let first = &sample.records[0].fields;
    let (time, from) = match time_of(first, 0)? {
        Moment::Day(_) if first.get(1).is_some_and(|text| text.contains(':') && clock(text).is_some()) => {
            (TimeColumns::Two(0, 1), 2)
        }
        _ => (TimeColumns::One(0), 1),
    };
    let prices = [from, from + 1, from + 2, from + 3];
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
    let columns = Columns {
        time,
        prices,
        nano_prices: false,
        volume,
        second_volume: None,
        volume_unit: 1.0,
        width: first.len(),
    };
    let average = if has_average { ", average price" } else { "" };
    let of_volume = if volume.is_some() { ", volume" } else { "" };
    let notes = vec![format!("No column names: read as time, open, high, low, close{average}{of_volume}")];
    let titles = Titles::default();
    Some(Header { columns, titles, instrument: None, rows_from: 0, notes, warnings: Vec::new() })
}

/// Failure of a text that is no CSV, or has neither column names nor the columns of bars.
pub(super) fn refusal(sample: &Sample, about: &About) -> Failure {
    let first = &sample.records[0];
    let line = shown(&first.fields, sample.delimiter);
    no_csv(&line, about).unwrap_or_else(|| {
        let what = &about.what;
        let wrong = |record: &&Record| prices_after_time(&record.fields).is_some_and(|fit| !fit);
        let why = match sample.records.iter().find(wrong) {
            _ if time_of(&first.fields, 0).is_none() => {
                format!("line {} does not begin with a time: '{line}'", first.line)
            }
            Some(record) => format!(
                "in line {}, the second price is not the highest or the third not the lowest: '{}'",
                record.line,
                shown(&record.fields, sample.delimiter)
            ),
            None => format!("line {} has other columns: '{line}'", first.line),
        };
        failure(
            format!(
                "{what} has no column names, and its columns are not time, open, high, low, close, volume: {why}."
            ),
            "Add a line of column names at the start, such as timestamp,open,high,low,close,volume.",
        )
    })
}

/// Whether the prices after a time can be open, high, low, close; `None` if there are none.
fn prices_after_time(fields: &StringRecord) -> Option<bool> {
    let [open, high, low, close] = all_of([1, 2, 3, 4].map(|at| number(fields, at)))?;
    Some(high >= open.max(close) && low <= open.min(close))
}

fn time_of(fields: &StringRecord, at: usize) -> Option<Moment> {
    let text = fields.get(at)?;
    [DateOrder::DayFirst, DateOrder::MonthFirst, DateOrder::YearFirst]
        .into_iter()
        .find_map(|order| parse(text, order))
}

fn number(fields: &StringRecord, at: usize) -> Option<f64> {
    let text = fields.get(at)?;
    Numbers::Point.parse(text).or_else(|| Numbers::Comma.parse(text))
}

fn all_of(values: [Option<f64>; 4]) -> Option<[f64; 4]> {
    Some([values[OPEN]?, values[HIGH]?, values[LOW]?, values[CLOSE]?])
}

/// Failure of text that is not CSV at all.
pub(in super::super) fn no_csv(line: &str, about: &About) -> Option<Failure> {
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
