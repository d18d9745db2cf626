//! The work `backtest.run`: its kind, and the checks before a run.

use crate::artifacts;
use crate::models::{ModelNote, Models};
use crate::params::{BacktestParams, Request};
use crate::run::{self, DRAWDOWN, EQUITY, EXPOSURE, PHASES, Tools};
use crate::store::Store;
use crate::strategy::Plan;
use async_trait::async_trait;
use axum::Router;
use form::{ABOUT_KEY, FILLS_KEY};
use host_kit::{Context, Work, WorkError, can_write, params_schema};
use market_data::{Library, SetName};
use parking_lot::Mutex;
use protocol::host::{Check, ResultDoc};
use protocol::{FieldError, KindName, KindSpec, SeriesInfo, Summary};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// Maximum number of examples of a parameter.
const EXAMPLES: usize = 50;

/// Configuration of the backtest host.
#[derive(Clone)]
pub struct BacktestConfig {
    /// Folder of the data sets, the same as that of the data host.
    pub bars: PathBuf,
    /// Folder of the results. Created when needed.
    pub results: PathBuf,
    /// Models for the strategy `model`. Without models that strategy is not available.
    pub models: Option<Arc<dyn Models>>,
}

/// What the form knows of a model.
#[derive(Clone)]
struct KnownModel {
    /// Values to fill in for it.
    fills: Value,
    note: Option<ModelNote>,
}

/// Work of the kind `backtest.run`.
pub struct BacktestRun {
    tools: Tools,
    /// What the form knows of each model, by its name.
    models: Mutex<BTreeMap<String, KnownModel>>,
}

impl BacktestRun {
    /// Work with its folders. Reads and creates nothing yet.
    pub fn new(config: BacktestConfig) -> Self {
        let tools = Tools {
            library: Library::new(config.bars),
            store: Store::new(config.results),
            models: config.models,
        };
        Self { tools, models: Mutex::default() }
    }

    /// Parameter schema, with stored symbols as examples, and without `model` if there are no models.
    fn params(&self) -> Value {
        let mut schema = params_schema::<BacktestParams>();
        let sets = self.tools.library.sets().unwrap_or_default();
        let of = |pick: fn(&SetName) -> &String| sets.iter().map(pick).cloned().collect::<BTreeSet<_>>();
        offer(&mut schema, "symbol", of(|s| &s.symbol).into_iter().collect());
        note(&mut schema, "symbol", json!(self.tools.library.about()));
        offer(&mut schema, "source", of(|s| &s.source).into_iter().collect());
        match &self.tools.models {
            Some(models) => {
                let names = models.names();
                let known = self.known(models.as_ref(), &names);
                let notes: BTreeMap<_, _> =
                    known.iter().filter_map(|(name, known)| Some((name, known.note.as_ref()?))).collect();
                note(&mut schema, "model", json!(notes));
                let fills: BTreeMap<_, _> = known.iter().map(|(name, known)| (name, &known.fills)).collect();
                offer(&mut schema, "model", names);
                if let Some(property) = schema["properties"]["model"].as_object_mut() {
                    property.insert(FILLS_KEY.to_owned(), json!(fills));
                }
            }
            None => without_models(&mut schema),
        }
        schema
    }

    /// What the form knows of the newest models: a note, and values to fill in when one is selected, with a start after
    /// the bars that it has seen. Cached per model, because the schema is built for every request and stored models do
    /// not change.
    fn known(&self, models: &dyn Models, names: &[String]) -> BTreeMap<String, KnownModel> {
        let mut known = self.models.lock();
        known.retain(|name, _| names.contains(name));
        for name in names.iter().take(EXAMPLES) {
            if !known.contains_key(name)
                && let Some(period) = models.training(name)
            {
                let fills = json!({
                    "symbol": period.symbols.first(),
                    "timeframe": period.timeframe.as_str(),
                    "start": period.unseen_from().timestamp().to_string(),
                });
                known.insert(name.clone(), KnownModel { fills, note: models.about(name) });
            }
        }
        known.clone()
    }

    /// Validated request and its data set.
    ///
    /// # Errors
    /// A message for each invalid parameter.
    fn prepared(&self, params: &BacktestParams) -> Result<(Request, SetName), Vec<FieldError>> {
        let set = self.tools.library.find(&params.symbol, params.timeframe, params.source.as_deref());
        let (request, set) = match (params.request(), set) {
            (Ok(request), Ok(set)) => (request, set),
            (request, set) => {
                let wrong = request.err().into_iter().chain(set.err()).flatten();
                return Err(wrong.collect());
            }
        };
        if let Plan::Model { name } = &request.plan {
            let fits = match &self.tools.models {
                Some(models) => models.fits(name, &set),
                None => Err("This host has no models. Choose another strategy.".to_owned()),
            };
            fits.map_err(|e| vec![FieldError::new("model", e)])?;
        }
        Ok((request, set))
    }
}

fn offer(schema: &mut Value, param: &str, examples: Vec<String>) {
    if let Some(property) = schema["properties"][param].as_object_mut()
        && !examples.is_empty()
    {
        let some: Vec<_> = examples.into_iter().take(EXAMPLES).collect();
        property.insert("examples".to_owned(), json!(some));
    }
}

/// Adds notes on the examples of a parameter.
fn note(schema: &mut Value, param: &str, notes: Value) {
    if let Some(property) = schema["properties"][param].as_object_mut() {
        property.insert(ABOUT_KEY.to_owned(), notes);
    }
}

/// Removes the strategy `model` and its parameter from the schema.
fn without_models(schema: &mut Value) {
    if let Some(properties) = schema["properties"].as_object_mut() {
        // Keeps the order, which is the order of the form.
        properties.shift_remove("model");
    }
    if let Some(choices) = schema["$defs"]["StrategyName"]["oneOf"].as_array_mut() {
        choices.retain(|choice| choice["const"] != "model");
    }
}

#[async_trait]
impl Work for BacktestRun {
    type Params = BacktestParams;

    fn kind(&self) -> KindSpec {
        let series = |name: &str, title: &str, unit: &str| SeriesInfo {
            name: name.to_owned(),
            title: title.to_owned(),
            unit: unit.to_owned(),
            x: "bar".to_owned(),
        };
        KindSpec {
            name: KindName::new("backtest.run").expect("valid kind name"),
            title: "Run a backtest".to_owned(),
            description:
                "Backtests a strategy on stored bars with commission and slippage, and compares it with buy & hold."
                    .to_owned(),
            summary: Summary(
                "{symbol} {timeframe} · {strategy} · {fast}/{slow} · {rsi_period} · {model}".to_owned(),
            ),
            params: self.params(),
            phases: PHASES.map(str::to_owned).to_vec(),
            series: vec![
                series(EQUITY, "Equity", ""),
                series(DRAWDOWN, "Drawdown", "share"),
                series(EXPOSURE, "Exposure", "share"),
            ],
            resumable: false,
        }
    }

    fn check(&self, params: &BacktestParams) -> Result<(), Vec<FieldError>> {
        let (request, set) = self.prepared(params)?;
        let given = |text: &Option<String>| text.as_deref().is_some_and(|t| !t.trim().is_empty());
        let field = match (given(&params.start), given(&params.end)) {
            (true, _) => "start",
            (_, true) => "end",
            _ => "symbol",
        };
        let wrong = |message| vec![FieldError::new(field, message)];
        let held = self.tools.library.bars(&set, request.range).map_err(|f| wrong(f.message))?;
        run::enough(&held, &request.plan).map_err(wrong)
    }

    async fn run(&self, ctx: Context, params: BacktestParams) -> Result<ResultDoc, WorkError> {
        let (request, set) = self.prepared(&params).map_err(|errors| {
            let all: Vec<_> = errors.into_iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
            WorkError::failed(
                format!("Invalid parameters: {}", all.join(" ")),
                "Correct the parameters, then start again.",
            )
        })?;
        let tools = self.tools.clone();
        let testing = tokio::task::spawn_blocking(move || {
            let _measured = ctx.measure_thread();
            run::run(&ctx, &tools, &request, &set)
        });
        match testing.await {
            Ok(ended) => ended,
            Err(e) => match e.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down, so nobody waits for this result.
                Err(_) => Err(WorkError::Cancelled),
            },
        }
    }

    async fn health(&self) -> Vec<Check> {
        let store = self.tools.store.clone();
        let check = tokio::task::spawn_blocking(move || can_write("backtest results", store.folder()));
        check.await.into_iter().collect()
    }

    fn artifacts(self: Arc<Self>) -> Router {
        artifacts::router(self.tools.store.clone(), self.tools.library.clone())
    }
}
