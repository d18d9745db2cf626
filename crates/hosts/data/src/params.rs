//! Parameters of `data.load`: the form schema, and their parsing into a valid request.

use super::config::{DataConfig, SourceConfig};
use super::format::Format;
use super::options::{BarTime, DateOrder, TextOptions};
use super::zone::Zone;
use jiff::civil::Date;
use market_data::{DAY, Range, Symbol, Timeframe, parse_moment, start_of};
use protocol::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// Parameters of `data.load`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LoadParams {
    /// Ticker as named by the source: MSFT, ^GSPC, EURUSD=X, BTC/USDT.
    #[schemars(length(min = 1, max = 32))]
    pub symbol: String,
    /// Bar size.
    #[serde(default)]
    pub timeframe: Timeframe,
    /// Data source to load from.
    #[serde(default)]
    pub source: Option<String>,
    /// File format of the vendor or program. Leave empty to use the source's setting, or else to detect the format.
    #[serde(default)]
    #[schemars(extend("x-advanced" = true))]
    pub format: Option<Format>,
    /// Time zone for times without a time zone: America/New_York, UTC-5. Leave empty to use the source's setting.
    #[serde(default)]
    #[schemars(length(max = 40))]
    #[schemars(extend("x-advanced" = true))]
    pub time_zone: Option<String>,
    /// Order of day, month and year in dates like 03/04/2024 and 24/04/03. Leave empty to detect it.
    #[serde(default)]
    #[schemars(extend("x-advanced" = true))]
    pub date_order: Option<DateOrder>,
    /// Whether times are the start or the end of their bars. Leave empty to detect it.
    #[serde(default)]
    #[schemars(extend("x-advanced" = true))]
    pub bar_time: Option<BarTime>,
    /// How to treat bars that are already stored.
    #[serde(default)]
    pub mode: Mode,
    /// Start date or time, inclusive. Leave empty for the earliest available bar.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub start: Option<String>,
    /// End date or time, inclusive. Leave empty for the latest available bar.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub end: Option<String>,
    /// Rate limit in rows per second. Leave empty for no limit.
    #[serde(default)]
    #[schemars(range(min = 1, max = 10_000_000))]
    #[schemars(extend("x-advanced" = true))]
    pub rows_per_second: Option<u32>,
    /// Fail if more than this share of rows is rejected; 0.05 = 5 %. If empty: more than 5 %, and at least 5 rows.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    #[schemars(extend("x-advanced" = true))]
    pub max_rejected_share: Option<f64>,
    /// Random seed. The same seed gives the same bars.
    #[serde(default = "default_seed")]
    #[schemars(range(min = 0, max = 4_294_967_295_u64))]
    pub seed: u32,
    /// Number of years, counted back from the end date, or from 2025-12-31 if there is no end date.
    #[serde(default = "default_years")]
    #[schemars(range(min = 0.01, max = 36.0))]
    pub years: f64,
}

fn default_seed() -> u32 {
    1
}

fn default_years() -> f64 {
    2.0
}

/// How a load treats bars that are already stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Reload everything, or everything in the range
    #[default]
    #[schemars(title = "Full")]
    Full,
    /// Load only bars newer than the last stored bar
    #[schemars(title = "Tail")]
    Tail,
    /// Load missing bars up to the last stored bar: older bars, lost segments, gaps
    #[schemars(title = "Backfill")]
    Backfill,
}

impl Mode {
    /// Name in parameters.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Full => "full",
            Mode::Tail => "tail",
            Mode::Backfill => "backfill",
        }
    }
}

/// Validated load request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) symbol: Symbol,
    pub(crate) timeframe: Timeframe,
    pub(crate) source: SourceConfig,
    /// How the text of the source is read.
    pub(crate) options: TextOptions,
    pub(crate) mode: Mode,
    pub(crate) range: Range,
    pub(crate) rows_per_second: Option<NonZeroU32>,
    /// Maximum share of rejected rows; `None` for the default.
    pub(crate) max_rejected_share: Option<f64>,
    pub(crate) seed: u32,
}

/// Default end of synthetic bars, so that the same parameters always give the same bars.
const SYNTHETIC_END: Date = jiff::civil::date(2025, 12, 31);

/// Start of the synthetic random walk.
pub(crate) const SYNTHETIC_START: Date = jiff::civil::date(1990, 1, 1);

impl LoadParams {
    /// Parses the parameters.
    ///
    /// # Errors
    /// A message for each invalid parameter.
    pub(crate) fn request(&self, config: &DataConfig) -> Result<Request, Vec<FieldError>> {
        let mut errors = Vec::new();
        let symbol = Symbol::new(&self.symbol).map_err(|e| errors.push(FieldError::new("symbol", e))).ok();
        let source = match &self.source {
            None => config.sources.first(),
            Some(name) => config.source(name.trim()),
        };
        if source.is_none() {
            let names: Vec<_> = config.sources.iter().map(SourceConfig::name).collect();
            let given = self.source.as_deref().unwrap_or_default();
            errors.push(FieldError::new(
                "source",
                format!("Unknown source '{given}'. Available sources: {}.", names.join(", ")),
            ));
        }
        let from = parse_moment(self.start.as_deref(), false).unwrap_or_else(|e| {
            errors.push(FieldError::new("start", e));
            None
        });
        let to = parse_moment(self.end.as_deref(), true).unwrap_or_else(|e| {
            errors.push(FieldError::new("end", e));
            None
        });
        let mut range = Range { from, to };
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            errors.push(FieldError::new("end", "The end is before the start."));
        }
        if !(0.01..=36.0).contains(&self.years) {
            errors.push(FieldError::new("years", "Enter a number of years from 0.01 to 36."));
        }
        if matches!(source, Some(SourceConfig::Synthetic { .. })) && errors.is_empty() {
            range = synthetic_range(range, self.years).unwrap_or_else(|e| {
                errors.push(e);
                range
            });
        }
        let zone = self.time_zone.as_deref().map(str::trim).filter(|zone| !zone.is_empty());
        let zone = zone.and_then(|zone| {
            Zone::parse(zone).map_err(|e| errors.push(FieldError::new("time_zone", e))).ok()
        });
        let rows_per_second = self.rows_per_second.map(NonZeroU32::new);
        if rows_per_second == Some(None) {
            errors.push(FieldError::new(
                "rows_per_second",
                "Must be at least 1 row per second. Leave it empty for no limit.",
            ));
        }
        let range = range.of(self.timeframe);
        match (symbol, source) {
            (Some(symbol), Some(source)) if errors.is_empty() => Ok(Request {
                symbol,
                timeframe: self.timeframe,
                options: self.options(source, zone),
                source: source.clone(),
                mode: self.mode,
                range,
                rows_per_second: rows_per_second.flatten(),
                max_rejected_share: self.max_rejected_share,
                seed: self.seed,
            }),
            _ => Err(errors),
        }
    }

    /// Options of the parameters, which override those of the source.
    fn options(&self, source: &SourceConfig, zone: Option<Zone>) -> TextOptions {
        let of_source = source.options().cloned().unwrap_or_default();
        // All other settings of a source belong to its own format.
        let same_format = self.format.is_none() || self.format == of_source.format;
        TextOptions {
            format: self.format.or(of_source.format),
            time_zone: zone.or(of_source.time_zone.filter(|_| same_format)),
            date_order: self.date_order.or(of_source.date_order.filter(|_| same_format)),
            bar_time: self.bar_time.or(of_source.bar_time.filter(|_| same_format)),
        }
    }
}

#[cfg(test)]
impl Request {
    /// Request for everything in a file or response.
    pub(crate) fn of_test(symbol: &str, timeframe: Timeframe) -> Self {
        Self {
            symbol: Symbol::new(symbol).unwrap(),
            timeframe,
            source: SourceConfig::Csv {
                name: "files".into(),
                folder: "csv".into(),
                options: TextOptions::default(),
            },
            options: TextOptions::default(),
            mode: Mode::Full,
            range: Range::default(),
            rows_per_second: None,
            max_rejected_share: None,
            seed: 1,
        }
    }
}

/// Bounded range of synthetic bars, with defaults for absent ends.
fn synthetic_range(requested: Range, years: f64) -> Result<Range, FieldError> {
    let reference = start_of(SYNTHETIC_END).plus_micros(DAY);
    let first = start_of(SYNTHETIC_START);
    let to = requested.to.unwrap_or(reference);
    let from =
        requested.from.unwrap_or_else(|| to.plus_micros(-((years * 365.25).ceil() as i64) * DAY)).max(first);
    if requested.to.is_none() && from >= reference {
        return Err(FieldError::new(
            "end",
            format!(
                "Synthetic bars end on {SYNTHETIC_END} by default, before this start. Set an end date after the start."
            ),
        ));
    }
    if to <= first {
        return Err(FieldError::new(
            "end",
            format!("Synthetic bars start on {SYNTHETIC_START}. Choose a later end date."),
        ));
    }
    if to.seconds_since(from) > 50.0 * 366.0 * 86_400.0 {
        return Err(FieldError::new(
            "end",
            "A load can generate at most 50 years of synthetic bars. Shorten the range.",
        ));
    }
    Ok(Range { from: Some(from), to: Some(to) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;
    use serde_json::{Value, json};

    fn config() -> DataConfig {
        DataConfig {
            folder: "data".into(),
            sources: vec![
                SourceConfig::Csv {
                    name: "files".into(),
                    folder: "csv".into(),
                    options: TextOptions {
                        time_zone: Zone::parse("Europe/Berlin").ok(),
                        ..TextOptions::default()
                    },
                },
                SourceConfig::Synthetic { name: "synthetic".into() },
            ],
        }
    }

    fn request(params: Value) -> Result<Request, Vec<FieldError>> {
        serde_json::from_value::<LoadParams>(params).unwrap().request(&config())
    }

    fn message(params: Value, field: &str) -> String {
        let errors = request(params).unwrap_err();
        errors.iter().find(|e| e.field == field).unwrap_or_else(|| panic!("{errors:?}")).message.clone()
    }

    #[test]
    fn missing_params_have_defaults() {
        let request = request(json!({"symbol": "MSFT"})).unwrap();
        assert_eq!(request.timeframe, Timeframe::H1);
        assert_eq!(request.source.name(), "files");
        assert_eq!(request.mode, Mode::Full);
        assert!(request.range.is_all());
        assert_eq!(request.rows_per_second, None);
    }

    #[test]
    fn the_end_of_a_range_is_inclusive() {
        let range =
            request(json!({"symbol": "A", "start": "2024-03-01", "end": "2024-03-01"})).unwrap().range;
        assert!(range.contains(at("2024-03-01T00:00:00Z")) && range.contains(at("2024-03-01T23:59:59Z")));
        assert!(!range.contains(at("2024-03-02T00:00:00Z")) && !range.contains(at("2024-02-29T23:59:59Z")));
        let range = request(json!({"symbol": "A", "end": "2024-03-01T09:30:00+01:00"})).unwrap().range;
        assert!(range.contains(at("2024-03-01T08:30:00Z")) && !range.contains(at("2024-03-01T08:30:01Z")));
    }

    #[test]
    fn format_and_zone_of_the_params_override_those_of_the_source() {
        let options = |params: Value| request(params).unwrap().options;
        let of_source = options(json!({"symbol": "A"}));
        assert_eq!((of_source.format, of_source.time_zone), (None, Zone::parse("Europe/Berlin").ok()));
        let chosen = options(json!({"symbol": "A", "format": "metatrader", "time_zone": " UTC+2 "}));
        assert_eq!((chosen.format, chosen.time_zone), (Some(Format::Metatrader), Zone::parse("UTC+2").ok()));
        assert_eq!(options(json!({"symbol": "A", "format": "histdata"})).time_zone, None);
        assert!(
            message(json!({"symbol": "A", "time_zone": "Mars/Olympus"}), "time_zone")
                .contains("not a time zone")
        );
    }

    #[test]
    fn every_invalid_param_has_its_own_message() {
        assert!(message(json!({"symbol": "../../etc/passwd"}), "symbol").contains("is not a valid symbol"));
        assert!(message(json!({"symbol": "A", "source": "web"}), "source").contains("files, synthetic"));
        assert!(message(json!({"symbol": "A", "start": "2024-03-01T09:30:00"}), "start").contains("zone"));
        assert!(
            message(json!({"symbol": "A", "start": "2024-03-02", "end": "2024-03-01"}), "end")
                .contains("before")
        );
        assert!(
            message(json!({"symbol": "A", "rows_per_second": 0}), "rows_per_second").contains("at least 1")
        );
        assert!(
            message(json!({"symbol": "A", "source": "synthetic", "start": "2026-03-01"}), "end")
                .contains("2025-12-31")
        );
        assert!(
            message(json!({"symbol": "A", "source": "synthetic", "end": "1989-03-01"}), "end")
                .contains("1990")
        );
        assert!(
            message(
                json!({"symbol": "A", "source": "synthetic", "start": "1990-01-01", "end": "9000-01-01"}),
                "end"
            )
            .contains("50 years")
        );
        assert_eq!(
            request(json!({"symbol": "", "source": "x", "start": "y", "end": "z"})).unwrap_err().len(),
            4
        );
    }

    #[test]
    fn a_synthetic_range_has_both_ends() {
        let range = request(json!({"symbol": "A", "source": "synthetic", "years": 1})).unwrap().range;
        assert_eq!(range.to, Some(at("2026-01-01T00:00:00Z")));
        assert_eq!(range.from, Some(at("2024-12-31T00:00:00Z")));
    }
}
