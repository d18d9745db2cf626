//! The backtest host: `backtest.run` trades a strategy over stored bars and keeps the books.
//!
//! Knows: strategies, orders and their costs, accounts, figures. Bars come through the data host's `Library`.
//! May not know: how bars are stored, how a model was made (it asks [`Models`]), or that there is a server.
//!
//! The way of a run: [`params`] are parsed into a request, [`strategy`] (or a model, through [`Models`]) says after
//! each bar where to stand, [`trading`] fills what follows from that and keeps the accounts, [`figures`] and
//! [`curve`] tell what came of it, [`store`] keeps it and [`artifacts`] serves it. Everything that computes is plain
//! functions over bars; [`run`] alone knows the host. docs/backtest.md has the rules and formulas.

mod artifacts;
mod curve;
mod figures;
mod in_sample;
mod models;
mod params;
mod run;
mod store;
mod strategy;
mod trading;
mod wording;
mod work;

pub use models::{Models, TrainingPeriod};
pub use params::{BacktestParams, Direction, Fill, Request, StrategyName};
pub use strategy::{Plan, Stance, Words};
pub use trading::{Account, Book, Rules, trade};
pub use work::{BacktestConfig, BacktestRun};
