//! Features: numbers computed from a bar and earlier ones, without lookahead.
//!
//! All are ratios or scores, independent of the price level, so that a model of one symbol works for another.

use crate::failures::failure;
use display::format::{count as thousands, counted};
use indicators::{atr, bollinger, ema, log_returns, macd, rolling_std, rsi, simple_returns, sma, z_score};
use market_data::Bar;
use protocol::Failure;
use std::fmt;

/// Maximum lookback of a feature, in bars.
const MAX_BARS: usize = 500;

/// Feature family. Families with a lookback are written with their number of bars, like `rsi_14`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Family {
    Return,
    LogReturn,
    SmaRatio,
    EmaRatio,
    Rsi,
    BollingerB,
    BollingerWidth,
    Atr,
    Volatility,
    VolumeZ,
    Macd,
    Range,
    Body,
}

/// All families with their name, and whether they have a lookback.
const FAMILIES: [(Family, &str, bool); 13] = [
    (Family::Return, "return", true),
    (Family::LogReturn, "log_return", true),
    (Family::SmaRatio, "sma_ratio", true),
    (Family::EmaRatio, "ema_ratio", true),
    (Family::Rsi, "rsi", true),
    (Family::BollingerB, "bollinger_b", true),
    (Family::BollingerWidth, "bollinger_width", true),
    (Family::Atr, "atr", true),
    (Family::Volatility, "volatility", true),
    (Family::VolumeZ, "volume_z", true),
    (Family::Macd, "macd", false),
    (Family::Range, "range", false),
    (Family::Body, "body", false),
];

/// Feature: one number per bar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Feature {
    family: Family,
    /// Lookback in bars; 0 for families without one.
    bars: usize,
}

impl Feature {
    /// Parses a feature name.
    ///
    /// # Errors
    /// A message with the available features.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let (word, bars) = match name.rsplit_once('_') {
            Some((word, digits)) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                (word, Some(digits.parse::<usize>().unwrap_or(usize::MAX)))
            }
            _ => (name, None),
        };
        let known = FAMILIES.iter().find(|(_, known, _)| *known == word);
        match (known, bars) {
            (Some((family, _, true)), Some(bars)) if (1..=MAX_BARS).contains(&bars) => {
                Ok(Self { family: *family, bars })
            }
            (Some((family, _, false)), None) => Ok(Self { family: *family, bars: 0 }),
            (Some((_, word, true)), _) => {
                Err(format!("'{name}' needs a period from 1 to {MAX_BARS} bars, e.g. {word}_20."))
            }
            (Some((_, word, false)), _) => {
                Err(format!("{word} takes no period. Write {word} instead of '{name}'."))
            }
            (None, _) => {
                let shown: String = name.chars().take(40).collect();
                Err(format!("Unknown feature '{shown}'. Available: {}.", every_name()))
            }
        }
    }

    /// Whether it needs the volume of every bar.
    fn needs_volume(self) -> bool {
        self.family == Family::VolumeZ
    }

    /// Values for all bars; `NaN` during the warm-up.
    pub(crate) fn of(self, bars: &Columns) -> Vec<f64> {
        let close = &bars.close;
        let n = self.bars;
        match self.family {
            Family::Return if n == 1 => simple_returns(close),
            Family::Return => over(close, n, |before, now| now / before - 1.0),
            Family::LogReturn if n == 1 => log_returns(close),
            Family::LogReturn => over(close, n, |before, now| (now / before).ln()),
            Family::SmaRatio => both(close, &sma(close, n), |c, average| c / average - 1.0),
            Family::EmaRatio => both(close, &ema(close, n), |c, average| c / average - 1.0),
            Family::Rsi => rsi(close, n).into_iter().map(|r| r / 100.0).collect(),
            Family::BollingerB => bollinger(close, n, 2.0).percent_b,
            Family::BollingerWidth => bollinger(close, n, 2.0).width,
            Family::Atr => both(close, &atr(&bars.high, &bars.low, close, n), |c, range| range / c),
            Family::Volatility => rolling_std(&log_returns(close), n),
            Family::VolumeZ => z_score(&bars.volume, n),
            Family::Macd => both(close, &macd(close, 12, 26, 9).histogram, |c, h| h / c),
            Family::Range => {
                bars.high.iter().zip(&bars.low).zip(close).map(|((h, l), c)| (h - l) / c).collect()
            }
            Family::Body => both(&bars.open, close, |o, c| c / o - 1.0),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, word, _) =
            FAMILIES.iter().find(|(family, ..)| *family == self.family).expect("every family is listed");
        if self.bars == 0 { f.write_str(word) } else { write!(f, "{word}_{}", self.bars) }
    }
}

/// Lists the feature names, with `rsi_N` for those with a lookback.
fn every_name() -> String {
    let names: Vec<String> = FAMILIES
        .iter()
        .map(|(_, word, counted)| if *counted { format!("{word}_N") } else { (*word).to_owned() })
        .collect();
    format!("{}; N is a period from 1 to {MAX_BARS} bars", names.join(", "))
}

fn over(values: &[f64], n: usize, change: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut out = vec![f64::NAN; n.min(values.len())];
    out.extend(values.iter().zip(values.iter().skip(n)).map(|(before, now)| change(*before, *now)));
    out
}

fn both(a: &[f64], b: &[f64], of: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect()
}

/// Rejects bars of `whose` with unknown volume if a feature needs it.
///
/// # Errors
/// How many bars have no volume, from when on, and what to do.
pub(crate) fn require_volume(features: &[Feature], bars: &[Bar], whose: &str) -> Result<(), Failure> {
    let Some(feature) = features.iter().find(|f| f.needs_volume()) else { return Ok(()) };
    let mut unknown = bars.iter().filter(|b| b.volume.is_none());
    let Some(first) = unknown.next() else { return Ok(()) };
    let count = unknown.count() as u64 + 1;
    Err(failure(
        format!(
            "Feature {feature} needs the volume of every bar, but it is unknown for {} of the {} of {whose}, first at \
             {}.",
            thousands(count),
            counted(bars.len() as u64, "bar", "bars"),
            first.time.timestamp()
        ),
        "Remove this feature, or load bars from a source with volume.",
    ))
}

/// Bars as columns of numbers.
pub(crate) struct Columns {
    pub(crate) open: Vec<f64>,
    pub(crate) high: Vec<f64>,
    pub(crate) low: Vec<f64>,
    pub(crate) close: Vec<f64>,
    /// `NaN` if unknown; see [`require_volume`].
    pub(crate) volume: Vec<f64>,
}

impl Columns {
    pub(crate) fn of(bars: &[Bar]) -> Self {
        let column = |of: fn(&Bar) -> f64| bars.iter().map(of).collect();
        Self {
            open: column(|b| b.open),
            high: column(|b| b.high),
            low: column(|b| b.low),
            close: column(|b| b.close),
            volume: column(|b| b.volume.unwrap_or(f64::NAN)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::tests::walk;
    use proptest::prelude::*;

    /// One feature of each family.
    fn every() -> Vec<Feature> {
        FAMILIES
            .iter()
            .map(|(family, _, counted)| Feature { family: *family, bars: if *counted { 5 } else { 0 } })
            .collect()
    }

    #[test]
    fn a_feature_name_parses_back_and_unknown_ones_are_rejected_with_the_list() {
        for feature in every() {
            assert_eq!(Feature::parse(&feature.to_string()), Ok(feature));
        }
        let error = Feature::parse("rsj_14").unwrap_err();
        assert!(error.contains("rsi_N") && error.contains("macd,"), "{error}");
        for bad in ["rsi", "rsi_0", "rsi_501", "rsi_99999999999999999999999", "macd_3", "", "_5", "rsi_"] {
            assert!(Feature::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_return_is_the_change_over_its_bars() {
        let bars = walk(50, 1);
        let values = Feature::parse("return_3").unwrap().of(&Columns::of(&bars));
        assert!(values[..3].iter().all(|v| v.is_nan()));
        assert_eq!(values[3], bars[3].close / bars[0].close - 1.0);
        assert_eq!(values.len(), 50);
        assert_eq!(Feature::parse("return_60").unwrap().of(&Columns::of(&bars)).len(), 50);
    }

    #[test]
    fn features_are_independent_of_the_units_of_prices_and_volumes() {
        let bars = walk(120, 2);
        let scaled: Vec<Bar> = bars
            .iter()
            .map(|b| Bar {
                open: b.open * 8.0,
                high: b.high * 8.0,
                low: b.low * 8.0,
                close: b.close * 8.0,
                volume: b.volume.map(|v| v * 4.0),
                ..*b
            })
            .collect();
        for feature in every() {
            let (a, b) = (feature.of(&Columns::of(&bars)), feature.of(&Columns::of(&scaled)));
            assert!(a[60].is_finite() && (a[60] - b[60]).abs() < 1e-9, "{feature}: {} {}", a[60], b[60]);
        }
    }

    #[test]
    fn a_volume_feature_is_rejected_for_bars_of_unknown_volume() {
        let mut bars = walk(50, 1);
        let both = [Feature::parse("rsi_14").unwrap(), Feature::parse("volume_z_20").unwrap()];
        assert!(require_volume(&both, &bars, "EURUSD 1h").is_ok());
        bars[7].volume = None;
        assert!(require_volume(&both[..1], &bars, "EURUSD 1h").is_ok());
        let error = require_volume(&both, &bars, "EURUSD 1h").unwrap_err();
        assert!(
            error.message.contains("volume_z_20") && error.message.contains("1 of the 50 bars of EURUSD 1h"),
            "{error:?}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn future_bars_never_change_past_features(cut in 1usize..119, seed in 3u64..99) {
            let bars = walk(120, 2);
            let mut other = bars.clone();
            other[cut..].copy_from_slice(&walk(120, seed)[cut..]);
            for feature in every() {
                let (a, b) = (feature.of(&Columns::of(&bars)), feature.of(&Columns::of(&other)));
                for i in 0..cut {
                    prop_assert_eq!(a[i].to_bits(), b[i].to_bits(), "{} at {}", feature, i);
                }
            }
        }
    }
}
