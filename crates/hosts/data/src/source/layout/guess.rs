//! Vendor detection by features that only its files have. A detected format changes nothing; a selected one sets the
//! time zone of times without one.

use super::super::SourceResult;
use super::super::columns::{Columns, TimeColumns};
use super::header::Titles;
use super::sample::Sample;
use super::signs::{Signs, TimeKind};
use crate::format::Format;
use market_data::failures::failure;
use market_data::wording::excerpt;

/// Detected vendor format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct DetectedFormat {
    pub(super) format: Format,
    /// Whether no other vendor writes such a file.
    certain: bool,
}

/// Detects the vendor of a text.
pub(super) fn detect(
    sample: &Sample,
    titles: &Titles,
    columns: &Columns,
    signs: &Signs,
    newest_first: bool,
) -> DetectedFormat {
    let certain = |format| DetectedFormat { format, certain: true };
    let likely = |format| DetectedFormat { format, certain: false };
    let since_epoch = signs.times == Some(TimeKind::SinceEpoch);
    if titles.none() {
        return match columns.time {
            TimeColumns::One(_) if since_epoch && columns.width >= 11 => certain(Format::Binance),
            TimeColumns::One(_) if is_compact(sample, signs) && !signs.real_volumes => {
                likely(Format::Histdata)
            }
            TimeColumns::Two(..) if columns.width == 7 && signs.dotted_dates => certain(Format::Metatrader),
            _ => likely(Format::Generic),
        };
    }
    let has = |name: &str| titles.has(name);
    if titles.with_tickers || (has("dividends") && has("stock splits")) || has("adj close") {
        certain(Format::Yfinance)
    } else if has("per") && has("ticker") {
        // Finam has the same names, but no open interest.
        if has("openint") { certain(Format::Stooq) } else { likely(Format::Generic) }
    } else if has("tickvol") || (titles.bracketed() && has("date")) {
        certain(Format::Metatrader)
    } else if names_a_clock(titles) {
        certain(Format::Dukascopy)
    } else if has("date") && has("barcount") {
        certain(Format::InteractiveBrokers)
    } else if has("date") && has("average") && has("volume") {
        likely(Format::InteractiveBrokers)
    } else if since_epoch
        && ((has("open time") && has("close time")) || has("quote volume") || has("quote asset volume"))
    {
        // OKX has an open time, too.
        certain(Format::Binance)
    } else if titles.begin(&["timestamp", "open", "high", "low", "close"]) && newest_first {
        likely(Format::AlphaVantage)
    } else if titles.begin(&["time", "open", "high", "low", "close"]) && signs.times != Some(TimeKind::Wall) {
        // TradingView writes each time with its zone.
        likely(Format::Tradingview)
    } else {
        likely(Format::Generic)
    }
}

/// Selected format, if it is compatible with the text.
///
/// # Errors
/// If the text is certainly of another vendor, or its columns are not those of the selected format.
pub(super) fn chosen(
    chosen: Option<Format>,
    found: DetectedFormat,
    titles: &Titles,
    columns: &Columns,
    signs: &Signs,
    what: &str,
) -> SourceResult<Format> {
    let Some(chosen) = chosen else { return Ok(found.format) };
    // HistData's files for MetaTrader look like MetaTrader's own.
    let for_metatrader = chosen == Format::Histdata && found.format == Format::Metatrader && titles.none();
    let other = found.certain && found.format != chosen && !for_metatrader;
    if chosen == Format::Generic || (!other && fits(chosen, titles, columns, signs)) {
        return Ok(chosen);
    }
    let like = match found.format {
        format if format != chosen && format != Format::Generic => format!("it looks like {format}"),
        _ if titles.none() => "it has no line of column names".to_owned(),
        _ => format!("its columns are {}", excerpt(&titles.listed(), 120)),
    };
    Err(failure(
        format!("{what} does not have the selected format {chosen}; {like}."),
        "Select a different format, or leave the format empty to detect it.",
    ))
}

/// Whether the columns of a text can be those of a format.
fn fits(format: Format, titles: &Titles, columns: &Columns, signs: &Signs) -> bool {
    let has = |name: &str| titles.has(name);
    let since_epoch = signs.times == Some(TimeKind::SinceEpoch);
    let named = !titles.none();
    let begin =
        |firsts: &[&str]| firsts.iter().any(|first| titles.begin(&[first, "open", "high", "low", "close"]));
    match format {
        Format::Generic => true,
        Format::Yfinance => named && ["date", "datetime", "price", "index", ""].iter().any(|name| has(name)),
        Format::Binance if named => since_epoch || has("open time") || has("quote asset volume"),
        Format::Binance => since_epoch,
        Format::InteractiveBrokers => {
            has("close") && ["date", "datetime", "time"].iter().any(|name| has(name))
        }
        Format::Metatrader if named => {
            let ticks = ["tickvol", "tick volume", "tickvolume", "spread"].iter().any(|name| has(name));
            titles.bracketed() || ticks || (has("date") && has("time"))
        }
        Format::Metatrader => matches!(columns.time, TimeColumns::Two(..)) || signs.dotted_dates,
        Format::Stooq => {
            (has("ticker") && has("per")) || begin(&["date"]) || titles.begin(&["date", "time", "open"])
        }
        Format::Histdata => !named && signs.times == Some(TimeKind::Wall),
        Format::Dukascopy => names_a_clock(titles) || (since_epoch && begin(&["timestamp"])),
        Format::Tradingview => begin(&["time"]),
        Format::AlphaVantage => begin(&["timestamp", "time", "date", ""]),
    }
}

/// Advice on the time zone of times without one, for a message.
pub(super) fn zone_advice(format: Format, sample: &Sample, titles: &Titles, signs: &Signs) -> &'static str {
    match format {
        Format::Metatrader => {
            "MetaTrader uses the broker's server time: choose the time zone of the server (America/New_York+7 or Europe/Athens for most brokers), or the format histdata if the file is from HistData"
        }
        Format::Histdata => "the data looks like HistData: choose the format histdata (EST) or a time zone",
        // Another source may leave out the volumes of a stock.
        Format::AlphaVantage if !signs.has_volume_column && !signs.trades_at_night() => {
            "the data may be from Alpha Vantage: choose the time zone UTC for currencies and crypto, or the time zone of the exchange for a stock"
        }
        Format::AlphaVantage if signs.no_stock_of_alpha_vantage() => {
            "the data looks like Alpha Vantage, whose currencies and crypto are in UTC: choose the time zone UTC"
        }
        Format::AlphaVantage => {
            "the data looks like Alpha Vantage: choose the format alpha_vantage (New York time) or a time zone"
        }
        Format::InteractiveBrokers => {
            "the data looks like Interactive Brokers: choose the time zone of your TWS"
        }
        Format::Generic if titles.none() && is_compact(sample, signs) => {
            "the data looks like NinjaTrader, which exports in UTC: choose UTC, or the time zone of the program that wrote the data"
        }
        _ if signs.around_the_clock => {
            "choose the time zone of the data: most sources of currencies and crypto use UTC"
        }
        _ if signs.trades_at_night() => "choose the time zone of the data, such as America/New_York or UTC",
        _ => {
            "choose the time zone of the data: most sources of stocks use the zone of the exchange, such as America/New_York"
        }
    }
}

/// Whether a text looks like `20240301 143000;1.08;…`.
pub(super) fn is_compact(sample: &Sample, signs: &Signs) -> bool {
    sample.delimiter == b';' && signs.times == Some(TimeKind::Wall)
}

/// Whether the name of a column says whose clock its times show, as those of Dukascopy.
fn names_a_clock(titles: &Titles) -> bool {
    titles.has("gmt time")
        || titles.has("local time")
        || titles.plain.iter().any(|name| name.starts_with("time ("))
}
