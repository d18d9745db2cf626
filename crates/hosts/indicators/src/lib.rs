//! Technical indicators over bars: plain functions over slices of numbers.
//!
//! Knows: arithmetic. May not know: bars as types, files, hosts.
//!
//! Every function gives one value for each value that it is given, in the same order, and `NaN` for as long as it
//! has not seen enough (its *warm-up*). Every function is causal: the value at a place depends on what stands at
//! and before that place, never on what comes after. Values are expected in rising time and finite; `NaN` at the
//! beginning counts as not there yet, so that an indicator can be taken of an indicator.
//!
//! A period is counted in values and is at least 1; with a period of 0, or one longer than what there is to see,
//! everything is `NaN`. Where books and programs differ (how an average is seeded, which deviation is meant) the
//! definitions are those of TA-Lib, against whose numbers the tests compare. docs/indicators.md has them in one
//! place.
//!
//! ```
//! use signalbox_indicators::sma;
//! let average = sma(&[1.0, 2.0, 3.0, 4.0], 2);
//! assert!(average[0].is_nan());
//! assert_eq!(average[1..], [1.5, 2.5, 3.5]);
//! ```

mod average;
mod bands;
mod macd;
mod range;
mod returns;
mod rsi;

pub use average::{ema, sma};
pub use bands::{Bollinger, bollinger, rolling_std, z_score};
pub use macd::{Macd, macd};
pub use range::{atr, true_range};
pub use returns::{log_returns, simple_returns};
pub use rsi::rsi;

/// Where the values begin, after leading `NaN`.
fn begin(values: &[f64]) -> usize {
    values.iter().position(|v| !v.is_nan()).unwrap_or(values.len())
}

/// As many `NaN` as there are values: what is left of it is the warm-up.
fn unknown(values: &[f64]) -> Vec<f64> {
    vec![f64::NAN; values.len()]
}
