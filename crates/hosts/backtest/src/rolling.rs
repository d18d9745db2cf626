//! Rolling Sharpe ratio of a strategy and of buy & hold.

use crate::curve::Row;

/// Names of the columns.
pub(crate) const NAMES: [&str; 2] = ["sharpe", "buy_and_hold"];

/// Length of the window in days.
pub(crate) const DAYS: f64 = 90.0;
/// Minimum number of bars in a window.
const MIN_BARS: usize = 20;

const DAY_SECONDS: f64 = 86_400.0;
const YEAR_DAYS: f64 = 365.25;
/// Variance of returns, as a share of their mean square, that is a rounding error.
const TINY: f64 = 1e-9;

/// Sharpe ratios of the last [`DAYS`], one row for each bar from the first full window on: mean ÷ standard deviation of
/// the returns per bar, annualized by the number of bars a year. The ratio is 0 while the equity does not change. Empty
/// if there are fewer bars than two windows.
pub(crate) fn rows(rows: &[Row]) -> Vec<Row<2>> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Vec::new() };
    let days = (last.t - first.t) as f64 / DAY_SECONDS;
    let window = (rows.len() as f64 * DAYS / days).round();
    if !(window >= MIN_BARS as f64 && 2.0 * window <= rows.len() as f64) {
        return Vec::new();
    }
    let window = window as usize;
    let scale = (rows.len() as f64 / days * YEAR_DAYS).sqrt();
    let mut sums = [Moments::default(); 2];
    let mut out = Vec::with_capacity(rows.len() - window);
    for i in 1..rows.len() {
        for (column, sum) in sums.iter_mut().enumerate() {
            sum.add(growth(rows, column, i), 1.0);
            if i > window {
                sum.add(growth(rows, column, i - window), -1.0);
            }
        }
        if i >= window {
            out.push(Row { t: rows[i].t, values: sums.map(|sum| sum.sharpe(window as f64) * scale) });
        }
    }
    out
}

/// Return of a bar; 0 after ruin.
fn growth(rows: &[Row], column: usize, i: usize) -> f64 {
    let (before, now) = (rows[i - 1].equities()[column], rows[i].equities()[column]);
    let growth = now / before - 1.0;
    if before > 0.0 && growth.is_finite() { growth } else { 0.0 }
}

/// Sums of the returns in a window.
#[derive(Clone, Copy, Default)]
struct Moments {
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64, sign: f64) {
        self.sum += sign * value;
        self.squares += sign * value * value;
    }

    /// Mean ÷ sample standard deviation of `n` values.
    fn sharpe(self, n: f64) -> f64 {
        let mean = self.sum / n;
        let variance = (self.squares - n * mean * mean) / (n - 1.0);
        let ratio = mean / variance.sqrt();
        if variance > TINY * self.squares / n && ratio.is_finite() { ratio } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Daily equities of a strategy; those of buy & hold do not change.
    fn days(equities: &[f64]) -> Vec<Row> {
        let row = |(day, equity): (usize, &f64)| Row {
            t: day as i64 * DAY_SECONDS as i64,
            values: [*equity, 0.0, 0.0, 100.0],
        };
        equities.iter().enumerate().map(row).collect()
    }

    #[test]
    fn a_window_has_the_sharpe_ratio_of_its_own_returns() {
        let mut equities = vec![100.0];
        for day in 1..400 {
            let by = if day % 3 == 0 { -0.01 } else { 0.012 };
            equities.push(equities[day - 1] * (1.0 + by));
        }
        let all = days(&equities);
        let found = rows(&all);
        let window = all.len() - found.len();
        assert_eq!(window, 90);
        let last: Vec<f64> = (400 - window..400).map(|i| growth(&all, 0, i)).collect();
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        let variance = last.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (last.len() as f64 - 1.0);
        let expected = mean / variance.sqrt() * (400.0 / 399.0 * YEAR_DAYS).sqrt();
        assert!((found.last().unwrap().values[0] - expected).abs() < 1e-6);
        assert!(found.iter().all(|row| row.values[1] == 0.0));
        assert_eq!(found.last().unwrap().t, all.last().unwrap().t);
    }

    #[test]
    fn too_few_bars_have_none() {
        assert!(rows(&[]).is_empty());
        assert!(rows(&days(&[100.0; 150])).is_empty());
        assert!(rows(&days(&[100.0; 1])).is_empty());
    }
}
