//! The work `data.load`: its kind, and a load from parameters to result.

mod assess;
mod interrupted;
mod loading;
mod months;
mod outcome;
mod pace;
mod resume;
mod run;
mod sorting;
mod suspects;
#[cfg(test)]
mod tests;
mod write;

use super::candles;
use super::config::{ConfigError, DataConfig, SourceConfig};
use super::params::{LoadParams, Request};
use super::source::{self, about, off_thread, symbols};
use async_trait::async_trait;
use axum::Router;
use form::{ABOUT_KEY, EXCLUSIVE_KEY};
use host_kit::{Context, Work, WorkError, can_write, params_schema};
use market_data::{Disk, LocalDisk, SymbolNote};
use protocol::host::{Check, ResultDoc};
use protocol::preview::PREVIEW_KEY;
use protocol::{FieldError, KindName, KindSpec, Preview, SeriesInfo, Summary};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Phases of a load, as shown on the page.
const PHASES: [&str; 3] = ["open", "load", "check"];
/// Relative durations of the phases.
const PHASE_WEIGHTS: [f64; 3] = [0.0, 95.0, 5.0];

/// Name of the speed series.
const SPEED: &str = "rows_per_second";

/// Suggested time zones. Any IANA name is accepted.
const ZONES: [&str; 13] = [
    "UTC",
    "America/New_York",
    "America/Chicago",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "America/New_York+7",
    "Asia/Tokyo",
    "Asia/Hong_Kong",
    "Asia/Kolkata",
    "Australia/Sydney",
    "UTC-5",
    "UTC+2",
];

/// Work of the kind `data.load`.
pub struct DataLoad {
    config: Arc<DataConfig>,
    disk: Arc<dyn Disk>,
}

impl DataLoad {
    /// Work with its sources and data folder. Reads and creates nothing yet.
    ///
    /// # Errors
    /// If the configuration is invalid.
    pub fn new(config: DataConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { config: Arc::new(config), disk: Arc::new(LocalDisk) })
    }

    /// Parameter schema, restricted to the configured sources.
    fn params(&self) -> Value {
        let mut schema = params_schema::<LoadParams>();
        let names: Vec<&str> = self.config.sources.iter().map(SourceConfig::name).collect();
        if let Some(source) = schema.pointer_mut("/properties/source").and_then(Value::as_object_mut) {
            source.insert("type".to_owned(), json!("string"));
            source.insert("enum".to_owned(), json!(names));
            source.insert("default".to_owned(), json!(names.first()));
        }
        let synthetic = |s: &&SourceConfig| matches!(s, SourceConfig::Synthetic { .. });
        let synthetic: Vec<&str> =
            self.config.sources.iter().filter(synthetic).map(SourceConfig::name).collect();
        for name in ["seed", "years"] {
            let param = schema.pointer_mut(&format!("/properties/{name}")).and_then(Value::as_object_mut);
            if let Some(param) = param {
                param.insert("x-when".to_owned(), json!({"source": synthetic}));
            }
        }
        let texts: Vec<&str> =
            self.config.sources.iter().filter(|s| s.options().is_some()).map(SourceConfig::name).collect();
        for name in ["format", "time_zone", "date_order", "bar_time"] {
            let param = schema.pointer_mut(&format!("/properties/{name}")).and_then(Value::as_object_mut);
            if let Some(param) = param {
                param.insert("x-when".to_owned(), json!({"source": texts}));
                if name == "time_zone" {
                    param.insert("examples".to_owned(), json!(ZONES));
                }
            }
        }
        if let Some(root) = schema.as_object_mut() {
            root.insert(PREVIEW_KEY.to_owned(), json!(true));
            // A load locks its data set.
            root.insert(EXCLUSIVE_KEY.to_owned(), json!(["symbol", "timeframe", "source"]));
        }
        let examples = self.examples();
        if let Some(symbol) = schema.pointer_mut("/properties/symbol").and_then(Value::as_object_mut)
            && !examples.is_empty()
        {
            symbol.insert("examples".to_owned(), json!(examples));
            symbol.insert(ABOUT_KEY.to_owned(), json!(self.about()));
        }
        schema
    }

    /// Example symbols: those in the CSV folders now, and one for the synthetic source.
    fn examples(&self) -> Vec<String> {
        const MAX_EXAMPLES: usize = 50;
        let mut found = BTreeSet::new();
        let mut synthetic = false;
        for source in &self.config.sources {
            match source {
                SourceConfig::Csv { folder, .. } => found.extend(symbols(folder).into_iter().map(|(s, _)| s)),
                SourceConfig::Synthetic { .. } => synthetic = true,
                SourceConfig::Http { .. } => {}
            }
        }
        let mut names: Vec<String> = found.iter().take(MAX_EXAMPLES).map(ToString::to_string).collect();
        if synthetic && names.is_empty() {
            names.push("DEMO".to_owned());
        }
        names
    }

    /// Notes on the symbols in the CSV folders.
    fn about(&self) -> BTreeMap<String, SymbolNote> {
        let folders = self.config.sources.iter().filter_map(|source| match source {
            SourceConfig::Csv { folder, .. } => Some(folder),
            _ => None,
        });
        folders.flat_map(|folder| about(folder)).collect()
    }

    async fn load(&self, ctx: Context, request: Request) -> Result<ResultDoc, WorkError> {
        let resume = ctx.resume_from().map(|checkpoint| checkpoint.state.clone());
        run::load(ctx, &self.config.folder, Arc::clone(&self.disk), request, resume).await
    }
}

#[async_trait]
impl Work for DataLoad {
    type Params = LoadParams;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: KindName::new("data.load").expect("valid kind name"),
            title: "Load market data".to_owned(),
            description:
                "Reads bars from a source, validates every row, stores the bars as Parquet segments and reports \
                          gaps. A cancelled load keeps its completed segments and can be resumed."
                    .to_owned(),
            summary: Summary("{symbol} {timeframe} · {source} · {mode}".to_owned()),
            params: self.params(),
            phases: PHASES.map(str::to_owned).to_vec(),
            series: vec![SeriesInfo {
                name: SPEED.to_owned(),
                title: "Rows per second".to_owned(),
                unit: "rows/s".to_owned(),
                x: "seconds since start".to_owned(),
            }],
            resumable: true,
        }
    }

    fn check(&self, params: &LoadParams) -> Result<(), Vec<FieldError>> {
        params.request(&self.config).map(|_| ())
    }

    async fn run(&self, ctx: Context, params: LoadParams) -> Result<ResultDoc, WorkError> {
        let request = params.request(&self.config).map_err(|errors| {
            let all: Vec<_> = errors.into_iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
            WorkError::failed(
                format!("Invalid parameters: {}", all.join(" ")),
                "Correct the parameters, then start again.",
            )
        })?;
        ctx.clone().measured(self.load(ctx, request)).await
    }

    async fn preview(&self, params: LoadParams) -> Option<Preview> {
        let request = params.request(&self.config).ok()?;
        Some(source::preview(&request).await)
    }

    async fn health(&self) -> Vec<Check> {
        let config = Arc::clone(&self.config);
        off_thread(move || {
            let mut checks = vec![can_write(DATA_FOLDER, &config.folder)];
            for source in &config.sources {
                if let SourceConfig::Csv { name, folder, .. } = source {
                    checks.push(can_read(name, folder));
                }
            }
            checks
        })
        .await
    }

    /// A missing CSV folder does not affect other sources.
    fn ready(&self, checks: &[Check]) -> bool {
        checks.iter().all(|check| check.ok || check.name != DATA_FOLDER)
    }

    fn artifacts(self: Arc<Self>) -> Router {
        candles::router(Arc::clone(&self.config))
    }
}

/// Name of the check that every load needs.
const DATA_FOLDER: &str = "data folder";

fn can_read(source: &str, folder: &Path) -> Check {
    let name = format!("source {source}");
    match std::fs::read_dir(folder) {
        Ok(_) => Check { name, ok: true, message: String::new() },
        Err(e) => Check {
            name,
            ok: false,
            message: format!(
                "Cannot read {}: {e}. Create the folder with files like MSFT_1h.csv, or correct the configuration.",
                folder.display()
            ),
        },
    }
}
