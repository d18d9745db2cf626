//! Adapters for the host services of ktrdr: each drives one service as it is and shows it to the server as a host
//! of ours, with forms, progress, curves, results, and a cancel that is confirmed.
//!
//! Knows: what ktrdr's services are asked and answer, and how a run there is followed.
//! May not know: the other hosts of ours, or that the adapters run in the server.
//!
//! The way of a run: [`params`] become an order; [`follow`] starts it there (or finds it again), looks at it at a
//! pace that adapts, and has [`follow::tell`] say what is new; [`sessions`] and [`operations`] know the two dialects
//! of training services, [`load`] the one call of the ib host. [`wire`] asks, [`shape`] reads what comes and can
//! say where it is not as expected. What each service can't do is told in docs/ktrdr.md.

mod backtest;
mod config;
#[cfg(test)]
mod exchanges;
mod follow;
mod foreign;
mod load;
mod look;
mod moment;
mod operations;
mod outcome;
mod params;
mod probe;
mod sessions;
mod shape;
mod strategy;
mod timing;
mod train;
mod training_data;
mod wire;

pub use backtest::{BacktestParams, KtrdrBacktest};
pub use config::{AdapterConfig, AdapterError, Offers, Protocol, builder, host};
pub use load::{KtrdrLoad, LoadParams};
pub use moment::Moment;
pub use outcome::{KtrdrLoadResult, KtrdrRunResult};
pub use timing::Timing;
pub use train::{KtrdrTrain, TrainParams};
