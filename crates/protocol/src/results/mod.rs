//! Results of the bundled kinds, as the page reads them. Results of other hosts are arbitrary JSON.

pub mod backtest;
pub mod exec;
pub mod load;
pub mod training;

pub use backtest::{BacktestResult, Columns, InSample, MonthReturn, OutOfSample, Performance, Trade};
pub use exec::ExecResult;
pub use load::{Bars, Gap, LoadResult, MonthBars, Quality, Rejected, Segment};
pub use training::{ClassScore, SplitScore, TrainingResult};
