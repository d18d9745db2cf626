//! Returns of a price series.

/// Simple returns: `r[i] = p[i] / p[i-1] − 1`.
///
/// Warm-up: 1. Source: Tsay, *Analysis of Financial Time Series*, 1.1 (one-period simple return); TA-Lib `ROCP(1)`.
pub fn simple_returns(prices: &[f64]) -> Vec<f64> {
    changes(prices, |before, now| now / before - 1.0)
}

/// Log returns: `r[i] = ln(p[i] / p[i-1])`. They add up over several values.
///
/// Warm-up: 1. Source: Tsay, *Analysis of Financial Time Series*, 1.1 (continuously compounded return).
pub fn log_returns(prices: &[f64]) -> Vec<f64> {
    changes(prices, |before, now| (now / before).ln())
}

fn changes(prices: &[f64], change: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    let mut out = Vec::with_capacity(prices.len());
    out.extend(prices.first().map(|_| f64::NAN));
    out.extend(prices.windows(2).map(|pair| change(pair[0], pair[1])));
    out
}
