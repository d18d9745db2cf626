//! Backtest host: `backtest.run` trades a strategy on stored bars.
//!
//! This crate knows strategies, orders and costs, accounts and metrics. It does not know how bars are stored (it uses
//! the data host's `Library`), how a model was trained (it asks [`Models`]), or that there is a server.
//!
//! Path of a run: [`params`] are parsed into a request. [`strategy`], or a model through [`Models`], decides a stance
//! after each bar. [`trading`] fills the resulting orders and keeps the accounts. [`figures`] and [`curve`] compute the
//! results, [`store`] saves them and [`artifacts`] serves them. All computations are pure functions on bars; only
//! [`run`] knows the host. docs/backtest.md has the rules and formulas.

mod artifacts;
mod curve;
mod figures;
mod in_sample;
mod models;
mod params;
mod rolling;
mod run;
mod store;
mod strategy;
mod trading;
mod wording;
mod work;

pub use models::{ModelNote, Models, TrainingPeriod};
pub use params::{BacktestParams, Request, StrategyName};
pub use strategy::{Direction, Plan, SignalReasons, Stance};
pub use trading::{Account, Book, Fill, Rules, trade};
pub use work::{BacktestConfig, BacktestRun};
