//! Series and log lines of an operation.

use crate::Time;
use serde::{Deserialize, Deserializer, Serialize};

/// Point of a series: x (step, epoch or seconds since start) and y. A y of `NaN` is a gap; on the wire it is `null`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Point(pub f64, #[serde(deserialize_with = "number_or_gap")] pub f64);

fn number_or_gap<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Point {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
        let number =
            ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::Number, Type::Null])).build();
        ArrayBuilder::new()
            .items(number)
            .min_items(Some(2))
            .max_items(Some(2))
            .description(Some(
                "Point of a series: x (step, epoch or seconds since start) and y. A y of null is a gap.",
            ))
            .into()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Point {}

/// New points of one series, in ascending order of x.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Points {
    /// Name of the series, such as `rows_per_second`.
    pub name: String,
    pub points: Vec<Point>,
}

/// Description of a series for its chart.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesInfo {
    /// Name of the series, as in `Points`.
    pub name: String,
    /// Title for the legend: "Rows per second".
    pub title: String,
    /// Unit of y, such as `rows/s`; empty for a plain number.
    #[serde(default)]
    pub unit: String,
    /// Unit of x, such as `seconds since start` or `epoch`.
    #[serde(default)]
    pub x: String,
}

/// Line of an operation's log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// Line number within the attempt, from 1.
    pub n: u64,
    /// When the host wrote it, by the host's clock.
    pub at: Time,
    pub level: LogLevel,
    pub text: String,
}

/// Log level.
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
    /// Name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "debug",
            LogLevel::Info => "info",
            LogLevel::Warn => "warn",
            LogLevel::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_of_a_curve_is_null_on_the_wire() {
        let text = serde_json::to_string(&[Point(1.0, 0.5), Point(2.0, f64::NAN)]).unwrap();
        assert_eq!(text, "[[1.0,0.5],[2.0,null]]");
        let [first, gap]: [Point; 2] = serde_json::from_str(&text).unwrap();
        assert_eq!(first, Point(1.0, 0.5));
        assert!(gap.0 == 2.0 && gap.1.is_nan());
        assert!(serde_json::from_str::<Point>("[null, 1.0]").is_err());
        assert!(serde_json::from_str::<Point>("[1.0]").is_err());
    }
}
