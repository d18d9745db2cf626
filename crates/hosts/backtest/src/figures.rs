//! Performance metrics of an equity curve. docs/backtest.md has the formulas with their reasons.

use crate::trading::Book;
use market_data::{Bar, Timeframe};
use protocol::results::Performance;

/// Average length of a year in days.
const YEAR_DAYS: f64 = 365.25;
const DAY_SECONDS: f64 = 86_400.0;
/// Minimum number of days for annualized metrics.
const MIN_DAYS: f64 = 7.0;

/// Metrics of trading over these bars (at least one).
pub(crate) fn performance(bars: &[Bar], timeframe: Timeframe, capital: f64, book: &Book) -> Performance {
    let equity: Vec<f64> = book.accounts.iter().map(|a| a.equity).collect();
    let total_return = equity.last().map_or(0.0, |last| last / capital - 1.0);
    // From the start of the first bar to the end of the last one.
    let days = bars.last().zip(bars.first()).map_or(0.0, |(last, first)| {
        last.time.seconds_since(first.time) / DAY_SECONDS + timeframe.minutes() as f64 / 1440.0
    });
    let years = days / YEAR_DAYS;
    let (max_drawdown, max_drawdown_days) = drawdown(bars, capital, &equity);
    let annual_return = told((1.0 + total_return).max(0.0).powf(1.0 / years) - 1.0);
    let year = Year::of(&returns(capital, &equity), years);
    let performance = Performance {
        total_return,
        max_drawdown,
        max_drawdown_days,
        exposure: book.bars_held as f64 / bars.len().max(1) as f64,
        ..of_trades(book)
    };
    if days < MIN_DAYS {
        return performance;
    }
    Performance {
        annual_return,
        volatility: told(year.volatility),
        sharpe: told(year.mean / year.volatility),
        sortino: told(year.mean / year.downside),
        calmar: annual_return.and_then(|a| told(a / -max_drawdown)),
        ..performance
    }
}

/// Finite value, or `None` after a division by zero. Normalizes −0 (an empty sum) to 0.
fn told(figure: f64) -> Option<f64> {
    figure.is_finite().then_some(figure + 0.0)
}

/// Returns per bar; the first one is relative to the capital.
fn returns(capital: f64, equity: &[f64]) -> Vec<f64> {
    let before = std::iter::once(&capital).chain(equity);
    // After ruin there is nothing left to grow.
    equity
        .iter()
        .zip(before)
        .map(|(now, before)| if *before > 0.0 { now / before - 1.0 } else { 0.0 })
        .collect()
}

/// Annualized returns: the mean scales with the number of bars, deviations with its square root.
struct Year {
    mean: f64,
    volatility: f64,
    downside: f64,
}

impl Year {
    fn of(returns: &[f64], years: f64) -> Self {
        let n = returns.len() as f64;
        let bars = n / years;
        let mean = returns.iter().sum::<f64>() / n;
        let squares: f64 = returns.iter().map(|r| (r - mean).powi(2)).sum();
        let below: f64 = returns.iter().map(|r| r.min(0.0).powi(2)).sum();
        Self {
            mean: mean * bars,
            volatility: (squares / (n - 1.0) * bars).sqrt(),
            downside: (below / n * bars).sqrt(),
        }
    }
}

/// Maximum drawdown as a share of the peak (0 or negative), and the longest time in days from a peak until it is
/// reached again or the data ends. The capital is the first peak.
fn drawdown(bars: &[Bar], capital: f64, equity: &[f64]) -> (f64, f64) {
    let Some(first) = bars.first() else { return (0.0, 0.0) };
    let (mut peak, mut at, mut below) = (capital, first.time, false);
    let (mut deepest, mut longest) = (0.0f64, 0.0f64);
    for (bar, equity) in bars.iter().zip(equity) {
        let still = *equity < peak;
        if still || below {
            longest = longest.max(bar.time.seconds_since(at) / DAY_SECONDS);
        }
        below = still;
        if !below {
            (peak, at) = (*equity, bar.time);
        }
        deepest = deepest.min(equity / peak - 1.0);
    }
    (deepest, longest)
}

fn of_trades(book: &Book) -> Performance {
    let count = book.trades.len() as f64;
    let sum = |pick: fn(f64) -> bool| book.trades.iter().map(|t| t.pnl).filter(|p| pick(*p)).sum::<f64>();
    let won = book.trades.iter().filter(|t| t.pnl > 0.0).count() as f64;
    Performance {
        win_rate: told(won / count),
        profit_factor: told(sum(|p| p > 0.0) / -sum(|p| p < 0.0)),
        average_trade: told(book.trades.iter().map(|t| t.pnl_share).sum::<f64>() / count),
        ..Performance::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::bars;
    use crate::trading::Account;
    use protocol::Time;
    use protocol::results::Trade;

    fn close_to(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a - b).abs() < 1e-12 * b.abs().max(1.0))
    }

    /// Book with this equity, and hourly or daily bars for it.
    fn of(equity: &[f64], hours: i64) -> (Vec<Bar>, Book) {
        let mut bars = bars(&vec![(1.0, 1.0); equity.len()]);
        for (i, bar) in bars.iter_mut().enumerate() {
            bar.time = Time::from_micros(i as i64 * hours * 3_600_000_000);
        }
        let accounts = equity.iter().map(|e| Account { cash: *e, units: 0.0, equity: *e }).collect();
        let book =
            Book { accounts, trades: vec![], commission: 0.0, bars_held: 0, too_small: 0, ruined: None };
        (bars, book)
    }

    #[test]
    fn figures_match_their_formulas() {
        let equity = [100.0, 110.0, 99.0, 104.5, 121.0, 115.0, 121.0, 130.0];
        let (bars, mut book) = of(&equity, 24);
        book.bars_held = 6;
        let p = performance(&bars, Timeframe::D1, 100.0, &book);
        assert!((p.total_return - 0.3).abs() < 1e-12);
        assert!((p.max_drawdown + 0.1).abs() < 1e-12, "from 110 to 99");
        assert_eq!((p.max_drawdown_days, p.exposure), (3.0, 0.75), "below 110 from day 1 to day 4");
        let years = 8.0 / 365.25;
        assert!(close_to(p.annual_return, 1.3f64.powf(1.0 / years) - 1.0));
        let returns = [
            0.0,
            0.1,
            -0.1,
            104.5 / 99.0 - 1.0,
            121.0 / 104.5 - 1.0,
            115.0 / 121.0 - 1.0,
            121.0 / 115.0 - 1.0,
            130.0 / 121.0 - 1.0,
        ];
        let mean = returns.iter().sum::<f64>() / 8.0;
        let std = (returns.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / 7.0).sqrt();
        let loss = ((0.01 + returns[5] * returns[5]) / 8.0f64).sqrt();
        let root = 365.25f64.sqrt();
        assert!(close_to(p.volatility, std * root));
        assert!(close_to(p.sharpe, mean / std * root));
        assert!(close_to(p.sortino, mean / loss * root));
        assert!(close_to(p.calmar, p.annual_return.unwrap() / 0.1));
        assert_eq!((p.win_rate, p.profit_factor, p.average_trade), (None, None, None), "there was no trade");
    }

    #[test]
    fn no_figure_is_negative_zero() {
        let (bars, mut book) = of(&[100.0; 300], 1);
        let lost = Trade {
            side: "short".into(),
            size: 1.0,
            entry: bars[0].time,
            entry_price: 50.0,
            entry_reason: String::new(),
            exit: bars[1].time,
            exit_price: 51.0,
            exit_reason: String::new(),
            pnl: -1.0,
            pnl_share: -0.0,
            bars: 1,
        };
        book.trades = vec![lost];
        let p = performance(&bars, Timeframe::H1, 100.0, &book);
        assert_eq!(p.profit_factor, Some(0.0), "nothing was won");
        for figure in [p.profit_factor, p.average_trade, p.annual_return, p.volatility, p.win_rate] {
            assert!(figure.is_some_and(|f| f.is_sign_positive()), "{p:?}");
        }
        assert!(p.max_drawdown.is_sign_positive() && p.total_return.is_sign_positive());
    }

    #[test]
    fn a_flat_curve_has_no_ratios_and_a_short_one_no_annual_figures() {
        let (bars, book) = of(&[100.0; 300], 1);
        let p = performance(&bars, Timeframe::H1, 100.0, &book);
        assert_eq!((p.volatility, p.annual_return), (Some(0.0), Some(0.0)));
        assert_eq!((p.sharpe, p.sortino, p.calmar, p.max_drawdown), (None, None, None, 0.0));
        let (bars, book) = of(&[100.0, 90.0, 95.0], 1);
        let p = performance(&bars, Timeframe::H1, 100.0, &book);
        assert_eq!((p.annual_return, p.volatility, p.sharpe), (None, None, None));
        assert!((p.total_return + 0.05).abs() < 1e-12 && (p.max_drawdown + 0.1).abs() < 1e-12);
        assert!((p.max_drawdown_days - 2.0 / 24.0).abs() < 1e-12, "never reached again");
    }

    #[test]
    fn trades_are_won_or_lost_by_their_profit() {
        let (bars, mut book) = of(&[100.0, 100.0], 1);
        let trade = |pnl: f64| Trade {
            side: "long".into(),
            size: 1.0,
            entry: bars[0].time,
            entry_price: 50.0,
            entry_reason: String::new(),
            exit: bars[1].time,
            exit_price: 50.0 + pnl,
            exit_reason: String::new(),
            pnl,
            pnl_share: pnl / 50.0,
            bars: 1,
        };
        book.trades = [10.0, -5.0, 20.0, 0.0].map(trade).to_vec();
        let p = performance(&bars, Timeframe::H1, 100.0, &book);
        assert_eq!((p.win_rate, p.profit_factor), (Some(0.5), Some(6.0)));
        assert!(close_to(p.average_trade, 0.125));
        book.trades.truncate(1);
        assert_eq!(performance(&bars, Timeframe::H1, 100.0, &book).profit_factor, None, "nothing was lost");
    }

    #[test]
    fn an_exhausted_account_still_has_figures() {
        let (bars, book) = of(&[100.0, 50.0, -20.0, -20.0, -20.0, -20.0, -20.0, -20.0], 24);
        let p = performance(&bars, Timeframe::D1, 100.0, &book);
        assert!((p.total_return + 1.2).abs() < 1e-12 && (p.max_drawdown + 1.2).abs() < 1e-12);
        assert_eq!(p.annual_return, Some(-1.0));
        assert!(p.volatility.is_some_and(f64::is_finite));
    }
}
