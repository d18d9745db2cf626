//! Golden test against backtesting.py: results of scripts/compare-backtest.py for the bars next to it. The same script
//! compares with any other bars.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

#[path = "../examples/backtest/bars.rs"]
mod bars;

use protocol::Time;
use serde::Deserialize;
use signalbox_backtest_host::{BacktestParams, trade};
use std::convert::Infallible;

const BARS: &str = include_str!("golden/bars.csv");

#[derive(Deserialize)]
struct Answer {
    made_by: String,
    params: BacktestParams,
    final_equity: f64,
    /// Equity after the first bar and every hundredth bar from there on.
    equity_every_100: Vec<f64>,
    trades: Vec<Traded>,
}

#[derive(Deserialize)]
struct Traded {
    side: String,
    size: f64,
    entry: Time,
    entry_price: f64,
    exit: Time,
    exit_price: f64,
    pnl: f64,
}

fn agrees(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-6 * theirs.abs().max(1.0), "{what}: {ours}, they have {theirs}");
}

fn compare(answer: &str) {
    let answer: Answer = serde_json::from_str(answer).unwrap();
    assert!(answer.made_by.starts_with("backtesting ") && answer.trades.len() > 10);
    let bars = bars::bars(BARS).unwrap();
    let mut request = answer.params.request().unwrap();
    // The reference leaves the last position open.
    request.rules.close_at_end = false;
    let stances = request.plan.stances(&bars, request.direction).unwrap();
    let watch = |_, _: &_| Ok::<(), Infallible>(());
    let Ok(book) = trade(&bars, &stances, &request.plan.words(), &request.rules, watch);

    assert_eq!(book.trades.len(), answer.trades.len());
    for (n, (ours, theirs)) in book.trades.iter().zip(&answer.trades).enumerate() {
        assert_eq!(
            (ours.side.as_str(), ours.size, ours.entry, ours.exit),
            (theirs.side.as_str(), theirs.size, theirs.entry, theirs.exit),
            "trade {n}"
        );
        agrees(&format!("entry of trade {n}"), ours.entry_price, theirs.entry_price);
        agrees(&format!("exit of trade {n}"), ours.exit_price, theirs.exit_price);
        agrees(&format!("PnL of trade {n}"), ours.pnl, theirs.pnl);
    }
    let equity: Vec<f64> = book.accounts.iter().map(|a| a.equity).collect();
    assert_eq!(equity.len().div_ceil(100), answer.equity_every_100.len());
    for (n, theirs) in answer.equity_every_100.iter().enumerate() {
        agrees(&format!("equity after bar {}", n * 100), equity[n * 100], *theirs);
    }
    agrees("final equity", *equity.last().unwrap(), answer.final_equity);
}

#[test]
fn a_moving_average_crossover_trades_as_in_backtesting_py() {
    compare(include_str!("golden/sma_cross.json"));
}

#[test]
fn a_reversion_trades_as_in_backtesting_py() {
    compare(include_str!("golden/rsi_reversion.json"));
}
