//! Adapters for the host services of ktrdr. Each adapter connects to one unmodified service and presents it as a
//! Signalbox host, with forms, progress, series, results and confirmed cancels.
//!
//! This crate knows the API of ktrdr's services, and how to follow a run there. It does not know other hosts, or that
//! the adapters run in the server.
//!
//! Path of a run: [`params`] become a start request. [`follow`] starts the run (or finds it again), polls it at an
//! adaptive rate, and reports news. [`sessions`] and [`operations`] implement the two training
//! APIs, [`load`] the single call of the ib host. [`wire`] sends requests, and [`shape`] parses responses with precise
//! errors. docs/ktrdr.md has the limitations of each service.

mod backtest;
mod config;
#[cfg(test)]
mod exchanges;
mod follow;
mod load;
mod moment;
mod operations;
mod outcome;
mod params;
mod poll;
mod probe;
mod remote_service;
mod service;
mod sessions;
mod shape;
mod strategy;
mod timing;
mod train;
mod training_data;
mod wire;

pub use backtest::{BacktestParams, KtrdrBacktest};
pub use config::{AdapterConfig, AdapterError, Offers, builder, host};
pub use load::{KtrdrLoad, LoadParams};
pub use moment::Moment;
pub use outcome::{KtrdrLoadResult, KtrdrRunResult};
pub use service::Protocol;
pub use timing::Timing;
pub use train::{KtrdrTrain, TrainParams};
