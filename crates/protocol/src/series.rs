//! What an operation tells beside its progress: points of named curves, and log lines.

use crate::Time;
use serde::{Deserialize, Serialize};

/// One point of a curve: x (step, epoch or seconds since start) against y.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Point(pub f64, pub f64);

/// New points of one series, in rising x.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Points {
    /// The name of the series, like `rows_per_second`.
    pub name: String,
    pub points: Vec<Point>,
}

/// What a chart has to know of a series before it draws it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesInfo {
    /// As in [`Points::name`].
    pub name: String,
    /// For the legend: "Rows per second".
    pub title: String,
    /// Unit of y: `rows/s`; empty for a bare number.
    #[serde(default)]
    pub unit: String,
    /// What x counts: `seconds since start`, `epoch`.
    #[serde(default)]
    pub x: String,
}

/// One line of an operation's log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// Its number within the attempt, from 1.
    pub n: u64,
    /// When the host wrote it, by the host's clock.
    pub at: Time,
    pub level: LogLevel,
    pub text: String,
}

/// How much a log line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    /// The word, as on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        }
    }
}
