//! Moving average convergence/divergence (MACD).

use crate::average::{ema, ema_from};
use crate::{begin, unknown};

/// Series of [`macd`].
#[derive(Clone, PartialEq, Debug)]
pub struct Macd {
    /// Fast minus slow average.
    pub line: Vec<f64>,
    /// Average of the line.
    pub signal: Vec<f64>,
    /// Line minus signal.
    pub histogram: Vec<f64>,
}

/// Appel's moving average convergence/divergence.
///
/// `line = ema(x, fast) − ema(x, slow)`, `signal = ema(line, signal)`, `histogram = line − signal`. Both averages of
/// the line start at the same value: the slow one is seeded by the first `slow` values, the fast one by the last `fast`
/// of these. `fast` must be at most `slow`; otherwise all values are `NaN`.
///
/// Warm-up: `slow − 1` for the line, `slow + signal − 2` for the others. Source: Appel, *Technical Analysis: Power
/// Tools for Active Investors* (2005); seeds as in TA-Lib `MACD`, which hides the line until there is a signal.
pub fn macd(values: &[f64], fast: usize, slow: usize, signal: usize) -> Macd {
    if fast > slow {
        let none = unknown(values);
        return Macd { line: none.clone(), signal: none.clone(), histogram: none };
    }
    let begin = begin(values);
    let fast = ema_from(values, fast, begin + (slow - fast));
    let slow = ema_from(values, slow, begin);
    let line = less(&fast, &slow);
    let signal = ema(&line, signal);
    Macd { histogram: less(&line, &signal), line, signal }
}

fn less(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
