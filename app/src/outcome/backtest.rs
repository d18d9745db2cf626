//! Figures of a backtest. docs/backtest.md has their formulas.

use super::figure::{Better, Figure, Line, all};
use display::format::{self, Digits, Write};
use protocol::results::{BacktestResult, Performance};

/// Size and cost of a backtest.
pub const FACTS: [Line<BacktestResult>; 6] = [
    fact("Bars", |r| Some(r.bars as f64), format::figure_to),
    fact("Initial capital", |r| Some(r.capital), format::figure_to),
    fact("Commissions", |r| Some(r.commission), format::figure_to),
    fact("Trades", |r| Some(r.trade_count as f64), format::figure_to),
    fact("Compute time", |r| Some(r.compute_seconds).filter(|s| *s > 0.0), format::span_to),
    fact("Speed", |r| Some(r.bars as f64 / r.compute_seconds).filter(|_| r.compute_seconds > 0.0), speed),
];

/// Performance of an equity curve. Formulas are in docs/backtest.md.
pub const PERFORMANCE: [Line<Performance>; 12] = [
    line("Total return", "Final equity ÷ initial equity − 1", Better::Higher, |p| Some(p.total_return), gain),
    line(
        "CAGR",
        "Compound annual growth rate: (1 + total return)^(1 ÷ years) − 1",
        Better::Higher,
        |p| p.annual_return,
        gain,
    ),
    line(
        "Volatility",
        "Annualized standard deviation of bar returns",
        Better::Lower,
        |p| p.volatility,
        format::share_to,
    ),
    line(
        "Sharpe",
        "Annualized mean return ÷ volatility, with a risk-free rate of 0",
        Better::Higher,
        |p| p.sharpe,
        ratio,
    ),
    line("Sortino", "Annualized mean return ÷ downside deviation", Better::Higher, |p| p.sortino, ratio),
    line("Calmar", "CAGR ÷ max. drawdown", Better::Higher, |p| p.calmar, ratio),
    line("Max. drawdown", "Largest fall from a peak", Better::Higher, |p| Some(p.max_drawdown), gain),
    line("Longest drawdown", "Longest time below a peak", Better::Lower, |p| Some(p.max_drawdown_days), days),
    // Buy and hold is a single trade, so its trade figures are not comparable.
    line("Win rate", "Winning trades ÷ all trades", Better::Neither, |p| p.win_rate, format::share_to),
    line(
        "Profit factor",
        "Gross profit ÷ gross loss",
        Better::Neither,
        |p| p.profit_factor,
        format::ratio_to,
    ),
    line("Avg. trade", "Mean of P&L ÷ (size × entry price)", Better::Neither, |p| p.average_trade, gain),
    line(
        "Exposure",
        "Bars with an open position ÷ all bars",
        Better::Neither,
        |p| Some(p.exposure),
        format::share_to,
    ),
];

/// Final equity. It depends on the initial capital, so only the return is marked as better.
const FINAL: Line<BacktestResult> = Line {
    name: "Final equity",
    means: "Cash after the last position was closed, with costs",
    better: Better::Neither,
    of: |r| Some(r.final_equity),
    shown: format::figure_to,
};

const fn line(
    name: &'static str,
    means: &'static str,
    better: Better,
    of: fn(&Performance) -> Option<f64>,
    shown: Write,
) -> Line<Performance> {
    Line { name, means, better, of, shown }
}

const fn fact(
    name: &'static str,
    of: fn(&BacktestResult) -> Option<f64>,
    shown: Write,
) -> Line<BacktestResult> {
    Line { name, means: "", better: Better::Neither, of, shown }
}

/// All figures, performance first.
pub fn figures(result: &BacktestResult) -> Vec<Figure> {
    let mut figures = all(&PERFORMANCE, &result.performance);
    figures.insert(0, FINAL.figure(result));
    figures.extend(all(&FACTS, result));
    figures
}

fn gain(n: f64, digits: Digits) -> String {
    format::signed(n, |size| format::share_to(size, digits))
}

fn ratio(n: f64, digits: Digits) -> String {
    format::signed(n, |size| format::ratio_to(size, digits))
}

fn speed(n: f64, digits: Digits) -> String {
    let exact = |digits| format!("{} bars/s", format::figure_to(n, digits));
    digits.fewer().map_or_else(|| format::rate(n, "bars"), exact)
}

/// Duration of a drawdown: `12 h` or `90 days`, with decimals if it must be distinguished from another.
fn days(n: f64, digits: Digits) -> String {
    match digits.fewer() {
        None if n < 1.0 => format!("{} h", format::figure((n * 24.0).round())),
        None => format::counted(n.round() as u64, "day", "days"),
        Some(digits) => format!("{} days", format::figure_to(n, digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::figure::{best_of, distinct_texts};
    use super::*;

    #[test]
    fn a_shallower_drawdown_is_the_better_one() {
        let of = |name: &str| PERFORMANCE.iter().find(|l| l.name == name).unwrap();
        let (shallow, deep) = (
            Performance { max_drawdown: -0.1, max_drawdown_days: 3.0, ..Performance::default() },
            Performance { max_drawdown: -0.4, max_drawdown_days: 90.0, ..Performance::default() },
        );
        for name in ["Max. drawdown", "Longest drawdown"] {
            let line = of(name);
            let (shallow, deep) = (line.figure(&shallow), line.figure(&deep));
            let texts = distinct_texts(&[Some(&shallow), Some(&deep)]);
            assert_eq!(best_of(&[shallow.value, deep.value], &texts, line.better), [true, false], "{name}");
        }
        assert_eq!(of("Max. drawdown").figure(&shallow).text, "−10 %");
        assert_eq!((of("Longest drawdown").shown)(0.5, Digits::default()), "12 h");
        assert_eq!((of("Sharpe").shown)(1.234_56, Digits::default()), "+1.235");
        assert_eq!((of("Profit factor").shown)(1e308, Digits::default()), "1e308");
    }

    #[test]
    fn an_unavailable_figure_is_a_dash() {
        let sharpe = PERFORMANCE.iter().find(|l| l.name == "Sharpe").unwrap();
        assert_eq!(sharpe.figure(&Performance::default()).text, "–");
    }
}
