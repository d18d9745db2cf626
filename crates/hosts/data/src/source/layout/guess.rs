//! Vendor detection by features that only its files have. A detected format changes nothing; a selected one sets the
//! time zone of times without one.

use super::super::SourceResult;
use super::super::columns::{Columns, TimeColumns};
use super::super::times::{DateOrder, Moment, parse};
use super::header::Titles;
use super::sample::Sample;
use crate::format::Format;
use crate::trouble::failure;
use csv::StringRecord;

/// Detected vendor format.
pub(super) fn format(
    sample: &Sample,
    titles: &Titles,
    columns: &Columns,
    rows: &[&StringRecord],
    newest_first: bool,
) -> Format {
    let since_1970 = since_1970(columns, rows);
    if titles.none() {
        return match columns.time {
            TimeColumns::One(_) if since_1970 && columns.width >= 11 => Format::Binance,
            TimeColumns::One(_) if sample.delimiter == b';' && on_a_wall(columns, rows) => Format::Histdata,
            TimeColumns::Two(..) if columns.width == 7 && dotted(columns, rows) => Format::Metatrader,
            _ => Format::Generic,
        };
    }
    let has = |name: &str| titles.has(name);
    let begins =
        |names: &[&str]| titles.plain.iter().map(String::as_str).take(names.len()).eq(names.iter().copied());
    if titles.with_tickers || (has("dividends") && has("stock splits")) || has("adj close") {
        Format::Yfinance
    } else if has("per") && has("ticker") {
        Format::Stooq
    } else if has("tickvol") || (titles.bracketed() && has("date")) {
        Format::Metatrader
    } else if has("gmt time")
        || has("local time")
        || titles.plain.iter().any(|name| name.starts_with("time ("))
    {
        Format::Dukascopy
    } else if has("date") && (has("barcount") || has("average") && has("volume")) {
        Format::InteractiveBrokers
    } else if since_1970 && (has("open time") || has("quote volume") || has("quote asset volume")) {
        Format::Binance
    } else if begins(&["timestamp", "open", "high", "low", "close"]) && newest_first {
        Format::AlphaVantage
    } else if begins(&["time", "open", "high", "low", "close"]) {
        Format::Tradingview
    } else {
        Format::Generic
    }
}

/// Selected format, if it is compatible with the text.
pub(super) fn chosen(
    chosen: Option<Format>,
    found: Format,
    columns: &Columns,
    titles: &Titles,
    what: &str,
) -> SourceResult<Format> {
    let Some(chosen) = chosen else { return Ok(found) };
    let fits = match chosen {
        Format::Generic => true,
        Format::Binance => found == Format::Binance || matches!(columns.time, TimeColumns::One(_)),
        // HistData's files for MetaTrader look like MetaTrader's own.
        Format::Histdata => titles.none(),
        Format::Metatrader => titles.none() || titles.has("date") || titles.has("time"),
        Format::Yfinance
        | Format::InteractiveBrokers
        | Format::Stooq
        | Format::Dukascopy
        | Format::Tradingview
        | Format::AlphaVantage => !titles.none(),
    };
    let other = matches!(
        found,
        Format::Yfinance | Format::Binance | Format::Dukascopy | Format::Stooq | Format::Metatrader
    );
    let mt_of_histdata = chosen == Format::Histdata && found == Format::Metatrader;
    if fits && (found == chosen || !other || chosen == Format::Generic || mt_of_histdata) {
        return Ok(chosen);
    }
    let like = if found == Format::Generic { "".to_owned() } else { format!("; it looks like {found}") };
    Err(failure(
        format!("{what} does not have the selected format {chosen}{like}."),
        "Select another format, or none to detect it.",
    ))
}

fn time_texts<'a>(columns: &Columns, rows: &'a [&StringRecord]) -> impl Iterator<Item = &'a str> {
    let at = match columns.time {
        TimeColumns::One(at) | TimeColumns::Two(at, _) => at,
    };
    rows.iter().filter_map(move |row| row.get(at))
}

fn since_1970(columns: &Columns, rows: &[&StringRecord]) -> bool {
    time_texts(columns, rows)
        .next()
        .is_some_and(|text| matches!(parse(text, DateOrder::DayFirst), Some(Moment::At(_, None))))
}

/// Whether times have no zone.
fn on_a_wall(columns: &Columns, rows: &[&StringRecord]) -> bool {
    let first = time_texts(columns, rows).next();
    first.is_some_and(|text| matches!(parse(text, DateOrder::DayFirst), Some(Moment::Wall(_))))
}

/// Whether dates look like `2024.03.01`.
fn dotted(columns: &Columns, rows: &[&StringRecord]) -> bool {
    time_texts(columns, rows).next().is_some_and(|text| text.trim().get(4..5) == Some("."))
}
