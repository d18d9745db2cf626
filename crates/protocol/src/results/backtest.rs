//! What `backtest.run` leaves behind. The formulas of its figures are in docs/backtest.md.

use crate::Time;
use serde::{Deserialize, Serialize};

/// The result document of `backtest.run`. Trades and the curves are artifacts: `trades` (a list of [`Trade`]),
/// `equity` ([`Columns`] with `equity`, `drawdown`, `exposure`, `buy_and_hold`), and `bars`
/// ([`crate::results::Bars`]), each asked for by its path.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BacktestResult {
    pub symbol: String,
    pub timeframe: String,
    /// Where the bars were loaded from.
    pub source: String,
    pub synthetic: bool,
    /// For a person: `SMA cross 20/50`.
    pub strategy: String,
    pub bars: u64,
    pub first: Time,
    pub last: Time,
    /// Money at the start, in the currency of the prices.
    pub capital: f64,
    /// Money and the worth of what is held, at the end.
    pub final_equity: f64,
    /// Paid in all.
    pub commission: f64,
    pub performance: Performance,
    /// Buying at the first bar and holding, with the same costs.
    pub buy_and_hold: Performance,
    /// How many trades were closed.
    pub trade_count: u64,
    /// Seconds that the trading itself took, without reading bars.
    pub compute_seconds: f64,
    /// Of a model that was trained on some of this time: how much, and what it did afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_sample: Option<InSample>,
}

/// A stretch of a backtest in which its model was trained or validated: figures of it say nothing of the future.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InSample {
    /// The name of the model.
    pub model: String,
    /// The symbol of the backtest is one of those that the model was trained on. Others move along with it.
    pub same_symbol: bool,
    /// First and last traded bar of that time.
    pub from: Time,
    pub until: Time,
    /// Bars of it.
    pub bars: u64,
    /// Those as a share of all traded bars, 0 to 1.
    pub share: f64,
    /// Trading begun anew with the bar after it, as if the backtest had begun there; absent where there is none.
    #[serde(default)]
    pub out_of_sample: Option<OutOfSample>,
}

/// A backtest of the bars that its model has never seen.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OutOfSample {
    /// The first of its bars.
    pub from: Time,
    pub bars: u64,
    pub final_equity: f64,
    pub performance: Performance,
    /// Buying at the first of these bars and holding, with the same costs.
    pub buy_and_hold: Performance,
    pub trade_count: u64,
}

/// Figures on one curve of equity. A figure that can't be had (no trade, no variance) is absent.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Performance {
    /// Final over initial equity, less one.
    pub total_return: f64,
    /// A year's growth at the same rate; absent below a week of bars.
    pub annual_return: Option<f64>,
    /// Standard deviation of returns, for a year.
    pub volatility: Option<f64>,
    pub sharpe: Option<f64>,
    pub sortino: Option<f64>,
    pub calmar: Option<f64>,
    /// The deepest fall from a peak, as a share of the peak; 0 or below.
    pub max_drawdown: f64,
    /// The longest time below a peak, in days.
    pub max_drawdown_days: f64,
    /// Trades that won as a share of all.
    pub win_rate: Option<f64>,
    /// What was won over what was lost.
    pub profit_factor: Option<f64>,
    /// Bars on which a position was held as a share of all.
    pub exposure: f64,
    /// The average trade's PnL as a share of what it took to enter.
    pub average_trade: Option<f64>,
}

/// A round trip.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Trade {
    /// `long` or `short`.
    pub side: String,
    /// Units traded, above 0.
    pub size: f64,
    pub entry: Time,
    pub entry_price: f64,
    /// Why: the words of the strategy.
    pub entry_reason: String,
    pub exit: Time,
    pub exit_price: f64,
    pub exit_reason: String,
    /// After commission.
    pub pnl: f64,
    /// PnL over what it took to enter.
    pub pnl_share: f64,
    /// Bars held.
    pub bars: u64,
}

/// Columns of numbers over time, all of one length.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Columns {
    /// Seconds since 1970 UTC.
    pub t: Vec<i64>,
    pub columns: std::collections::BTreeMap<String, Vec<f64>>,
    /// How many bars one row stands for.
    pub bars_per_row: u32,
}
