//! Types of Signalbox, shared by the page, the server and the hosts.
//!
//! Knows names, shapes, units and state transitions. Must not know I/O, clocks, databases or HTTP clients. Compiles to
//! native code and to WebAssembly.

pub mod access;
pub mod activity;
pub mod alerts;
pub mod api;
pub mod audit;
pub mod band;
pub mod event;
pub mod filter;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod history;
pub mod host;
pub mod host_requests;
mod host_status;
pub mod host_trends;
pub mod ids;
pub mod key_figure;
pub mod kind;
pub mod latency;
pub mod operation;
pub mod paths;
pub mod preview;
pub mod problem;
pub mod progress;
pub mod receipt;
pub mod results;
mod rfc3339;
pub mod samples;
pub mod secret;
pub mod series;
pub mod state;
pub mod sweep;
pub mod time;
pub mod time_breakdown;
pub mod usage;

pub use audit::{Action, Actor, AuditEntry, AuditQuery, Outcome, Via};
pub use band::{Band, BandRule, Baseline, SetRule, Side};
pub use event::{Event, EventBody};
pub use filter::{Filter, FilterError};
pub use ids::{HostName, InstanceId, KindName, NameError, OperationId};
pub use key_figure::KeyFigure;
pub use kind::{KindSpec, Summary};
pub use operation::{
    Attempt, Checkpoint, CheckpointFile, Condition, ConditionKind, Failure, FailureReason, Forecast,
    ForecastBasis, Operation,
};
pub use preview::{Preview, PreviewFact, PreviewTable};
pub use problem::{FieldError, Problem, ProblemType};
pub use progress::{Phase, Progress};
pub use receipt::Receipt;
pub use rfc3339::TimeError;
pub use series::{LogLevel, LogLine, Point, Points, SeriesInfo};
pub use state::State;
pub use time::Time;
pub use usage::{Measured, ResourceUsage, TimeSplit};
