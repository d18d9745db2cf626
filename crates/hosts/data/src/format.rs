//! Names of vendor formats and their documented time zones. [`crate::source`] knows what their files look like.

use crate::zone::Zone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// File format of a vendor or program.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Columns are found by name; without a header line: time, open, high, low, close, volume
    #[schemars(title = "Generic")]
    Generic,
    /// yfinance: one or three header lines
    #[schemars(title = "yfinance")]
    Yfinance,
    /// Binance klines: no header, times in ms or µs
    #[schemars(title = "Binance")]
    Binance,
    /// Interactive Brokers: date, open, high, low, close, volume, average, barCount
    #[schemars(title = "Interactive Brokers")]
    InteractiveBrokers,
    /// MetaTrader 4 and 5: date and time in two columns, in broker server time
    #[schemars(title = "MetaTrader")]
    Metatrader,
    /// Stooq: TICKER, PER, DATE and TIME in angle brackets, or Date,Open,High,Low,Close,Volume
    #[schemars(title = "Stooq")]
    Stooq,
    /// HistData: no header, EST without daylight saving time
    #[schemars(title = "HistData")]
    Histdata,
    /// Dukascopy: column Gmt time or Local time, dates with the day first
    #[schemars(title = "Dukascopy")]
    Dukascopy,
    /// TradingView chart export: time,open,high,low,close
    #[schemars(title = "TradingView")]
    Tradingview,
    /// Alpha Vantage: newest first, New York time; UTC for currencies and crypto
    #[schemars(title = "Alpha Vantage")]
    AlphaVantage,
}

impl Format {
    pub const ALL: [Format; 10] = [
        Format::Generic,
        Format::Yfinance,
        Format::Binance,
        Format::InteractiveBrokers,
        Format::Metatrader,
        Format::Stooq,
        Format::Histdata,
        Format::Dukascopy,
        Format::Tradingview,
        Format::AlphaVantage,
    ];

    /// Name in parameters and configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Generic => "generic",
            Format::Yfinance => "yfinance",
            Format::Binance => "binance",
            Format::InteractiveBrokers => "interactive_brokers",
            Format::Metatrader => "metatrader",
            Format::Stooq => "stooq",
            Format::Histdata => "histdata",
            Format::Dukascopy => "dukascopy",
            Format::Tradingview => "tradingview",
            Format::AlphaVantage => "alpha_vantage",
        }
    }

    /// Format with that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// Time zone of times without one, if the vendor documents it and it is the same in every file.
    pub(crate) fn documented_zone(self) -> Option<Zone> {
        match self {
            // histdata.com: "Eastern Standard Time (EST) time-zone WITHOUT Day Light Savings adjustments".
            Format::Histdata => Some(Zone::fixed_hours(-5)),
            // Alpha Vantage returns the time zone of each response: US/Eastern for stocks.
            Format::AlphaVantage => Zone::parse("America/New_York").ok(),
            Format::Binance => Some(Zone::utc()),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_format_is_its_wire_name() {
        for format in Format::ALL {
            assert_eq!(serde_json::to_value(format).unwrap(), format.as_str());
            assert_eq!(Format::parse(format.as_str()), Some(format));
        }
        assert_eq!(Format::parse("auto"), None);
    }
}
