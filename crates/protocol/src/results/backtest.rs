//! Result of `backtest.run`. docs/backtest.md defines the metrics.

use crate::{KeyFigure, Time};
use serde::{Deserialize, Serialize};

/// Result document of `backtest.run`. Trades and series are artifacts: `trades` (a list of `Trade`), `equity`
/// (`Columns` with `equity`, `drawdown`, `exposure` and `buy_and_hold`), `rolling` (`Columns` with `sharpe` and
/// `buy_and_hold`), and `bars` (the traded bars).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacktestResult {
    pub symbol: String,
    pub timeframe: String,
    /// Source of the bars.
    pub source: String,
    pub synthetic: bool,
    /// Display name, such as `SMA cross 20/50`.
    pub strategy: String,
    pub bars: u64,
    pub first: Time,
    pub last: Time,
    /// Initial capital, in the currency of the prices.
    pub capital: f64,
    /// Final equity: cash plus the value of open positions at the end.
    pub final_equity: f64,
    /// Total commission paid.
    pub commission: f64,
    pub performance: Performance,
    /// Performance of buying at the first bar and holding, with the same costs.
    pub buy_and_hold: Performance,
    /// Number of closed trades.
    pub trade_count: u64,
    /// Duration of the simulation in seconds, without the time to read the bars.
    pub compute_seconds: f64,
    /// Returns by calendar month (UTC), in order; empty in results of older versions.
    #[serde(default)]
    pub months: Vec<MonthReturn>,
    /// In-sample part, if the model was trained on some of this period, and the performance after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_sample: Option<InSample>,
}

/// Return of one calendar month (UTC): equity after its last bar ÷ equity after the last bar before it − 1. The first
/// month is relative to the capital.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MonthReturn {
    /// `2024-03`
    pub month: String,
    pub strategy: f64,
    pub buy_and_hold: f64,
}

/// Part of a backtest in which its model was trained or validated: its metrics do not predict future performance.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InSample {
    /// Name of the model.
    pub model: String,
    /// True if the model was trained on the symbol of the backtest. Other symbols are correlated with it.
    pub same_symbol: bool,
    /// First traded bar of the part.
    pub from: Time,
    /// Last traded bar of the part.
    pub until: Time,
    /// Number of bars.
    pub bars: u64,
    /// Share of all traded bars, 0 to 1.
    pub share: f64,
    /// Separate backtest of the bars after the part; absent if there are none.
    #[serde(default)]
    pub out_of_sample: Option<OutOfSample>,
}

/// Backtest of the bars that the model was not trained on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutOfSample {
    /// First bar.
    pub from: Time,
    pub bars: u64,
    pub final_equity: f64,
    pub performance: Performance,
    /// Performance of buying at the first of these bars and holding, with the same costs.
    pub buy_and_hold: Performance,
    pub trade_count: u64,
}

/// Performance metrics of an equity curve. A metric that is undefined (no trades, no variance) is absent.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Performance {
    /// Total return: final equity ÷ initial equity − 1.
    pub total_return: f64,
    /// CAGR: compound annual growth rate; absent for less than a week of bars.
    pub annual_return: Option<f64>,
    /// Annualized standard deviation of returns.
    pub volatility: Option<f64>,
    pub sharpe: Option<f64>,
    pub sortino: Option<f64>,
    pub calmar: Option<f64>,
    /// Max. drawdown as a share of the peak; 0 or below.
    pub max_drawdown: f64,
    /// Max. drawdown duration in days.
    pub max_drawdown_days: f64,
    /// Win rate: winning trades ÷ all trades.
    pub win_rate: Option<f64>,
    /// Profit factor: gross profit ÷ gross loss.
    pub profit_factor: Option<f64>,
    /// Exposure: share of bars with an open position.
    pub exposure: f64,
    /// Avg. trade: mean PnL of a trade as a share of its entry value.
    pub average_trade: Option<f64>,
}

/// Trade: entry and exit of a position.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trade {
    /// `long` or `short`.
    pub side: String,
    /// Units traded, above 0.
    pub size: f64,
    pub entry: Time,
    pub entry_price: f64,
    /// Reason given by the strategy.
    pub entry_reason: String,
    pub exit: Time,
    pub exit_price: f64,
    pub exit_reason: String,
    /// PnL after commission.
    pub pnl: f64,
    /// PnL ÷ entry value.
    pub pnl_share: f64,
    /// Number of bars that the position was held.
    pub bars: u64,
}

/// Columns of numbers over time, all of the same length.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Columns {
    /// Seconds since 1970 UTC.
    pub t: Vec<i64>,
    pub columns: std::collections::BTreeMap<String, Vec<f64>>,
    /// Number of bars per row.
    pub bars_per_row: u32,
}

impl BacktestResult {
    /// Figures for lists: Sharpe and return first.
    pub fn key_figures(&self) -> Vec<KeyFigure> {
        let Performance { sharpe, total_return, max_drawdown, win_rate, .. } = self.performance;
        let figures = [
            sharpe.map(|sharpe| KeyFigure::new("Sharpe", sharpe, "")),
            Some(KeyFigure::percent("Return", total_return)),
            Some(KeyFigure::percent("Max. drawdown", max_drawdown)),
            win_rate.map(|share| KeyFigure::percent("Win rate", share)),
            Some(KeyFigure::new("Trades", self.trade_count as f64, "")),
        ];
        figures.into_iter().flatten().collect()
    }
}
