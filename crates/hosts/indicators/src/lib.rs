//! Technical indicators on bars: pure functions on slices of numbers.
//!
//! Every function returns one value per input value, in the same order, and `NaN` during its *warm-up*. Every function
//! is causal: a value depends only on inputs at and before its index. Inputs must be finite and in time order. Leading
//! `NaN`s count as missing, so that indicators can be chained.
//!
//! A period is a number of values, at least 1. With a period of 0, or one longer than the input, all values are `NaN`.
//! Where books and programs differ (the seed of an average, the kind of deviation), the definitions are those of
//! TA-Lib, and the tests compare with its results. docs/indicators.md has them in one place.
//!
//! ```
//! use signalbox_indicators::sma;
//! let average = sma(&[1.0, 2.0, 3.0, 4.0], 2);
//! assert!(average[0].is_nan());
//! assert_eq!(average[1..], [1.5, 2.5, 3.5]);
//! ```

#![warn(missing_docs)]

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

/// Index of the first value after leading `NaN`s.
fn begin(values: &[f64]) -> usize {
    values.iter().position(|v| !v.is_nan()).unwrap_or(values.len())
}

/// `NaN` for each value. What is not overwritten is the warm-up.
fn unknown(values: &[f64]) -> Vec<f64> {
    vec![f64::NAN; values.len()]
}
