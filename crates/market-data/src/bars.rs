//! Bars and timeframes.

use protocol::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Price bar: trades from `time` on, for one timeframe.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bar {
    /// Start of the bar.
    pub time: Time,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    /// Volume in the unit of the source: shares, lots, coins. `None` if the source does not know it, as for most
    /// currencies. 0 means no trades.
    pub volume: Option<f64>,
}

/// Volume of a source's number, or `None`: programs write `NaN` or −1 for an unknown volume.
pub fn known_volume(number: f64) -> Option<f64> {
    (!number.is_nan() && number != -1.0).then_some(number)
}

/// Sum of the volumes, or `None` if any of them is unknown.
pub fn total_volume(bars: &[Bar]) -> Option<f64> {
    bars.iter().map(|bar| bar.volume).sum()
}

/// Bar size.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize, JsonSchema,
)]
pub enum Timeframe {
    /// One minute
    #[serde(rename = "1m")]
    M1,
    /// Five minutes
    #[serde(rename = "5m")]
    M5,
    /// Fifteen minutes
    #[serde(rename = "15m")]
    M15,
    /// Thirty minutes
    #[serde(rename = "30m")]
    M30,
    /// One hour
    #[serde(rename = "1h")]
    #[default]
    H1,
    /// Four hours
    #[serde(rename = "4h")]
    H4,
    /// One day
    #[serde(rename = "1d")]
    D1,
}

impl Timeframe {
    pub const ALL: [Timeframe; 7] = [
        Timeframe::M1,
        Timeframe::M5,
        Timeframe::M15,
        Timeframe::M30,
        Timeframe::H1,
        Timeframe::H4,
        Timeframe::D1,
    ];

    /// Name in file names and parameters, e.g. `1h`.
    pub fn as_str(self) -> &'static str {
        match self {
            Timeframe::M1 => "1m",
            Timeframe::M5 => "5m",
            Timeframe::M15 => "15m",
            Timeframe::M30 => "30m",
            Timeframe::H1 => "1h",
            Timeframe::H4 => "4h",
            Timeframe::D1 => "1d",
        }
    }

    /// Timeframe with that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.as_str() == word)
    }

    /// Length of a bar in minutes.
    pub fn minutes(self) -> i64 {
        match self {
            Timeframe::M1 => 1,
            Timeframe::M5 => 5,
            Timeframe::M15 => 15,
            Timeframe::M30 => 30,
            Timeframe::H1 => 60,
            Timeframe::H4 => 240,
            Timeframe::D1 => 1440,
        }
    }

    /// Whether segments are monthly: below 1 h they are, from 1 h on they are yearly. Either way at most 44,640 bars.
    pub(crate) fn by_month(self) -> bool {
        self < Timeframe::H1
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeframe_is_parsed_from_its_word() {
        for timeframe in Timeframe::ALL {
            assert_eq!(Timeframe::parse(timeframe.as_str()), Some(timeframe));
            assert_eq!(serde_json::to_value(timeframe).unwrap(), timeframe.as_str());
        }
        assert_eq!(Timeframe::parse("2h"), None);
    }
}
