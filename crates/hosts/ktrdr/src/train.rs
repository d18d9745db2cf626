//! `ktrdr.train` and `ktrdr.train-2025`: trainings on a ktrdr service.

use crate::follow::Follow;
use crate::params::{days, list, one, put};
use crate::probe::Probe;
use crate::remote_service::RemoteService;
use crate::service::Protocol;
use crate::strategy::{STRATEGY_BYTES, Strategies};
use crate::timing::Timing;
use crate::training_data::TrainingData;
use host_kit::{CancellationToken, Context, Work, WorkError, async_trait, params_schema};
use protocol::host::{Check, ResultDoc};
use protocol::{FieldError, KindName, KindSpec, SeriesInfo, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Parameters of a training.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TrainParams {
    /// Strategy as YAML, or the name of a .yaml file.
    #[schemars(length(min = 1, max = 200_000), extend("format" = "multiline"))]
    pub strategy: String,
    /// Symbols, comma-separated. Leave empty to use the symbols of the strategy.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub symbols: Option<String>,
    /// Timeframes, comma-separated. Leave empty to use the timeframes of the strategy.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub timeframes: Option<String>,
    /// Start date of the data. Leave empty to use the strategy's date, or all available data if the strategy has none.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub start: Option<String>,
    /// End date of the data. Leave empty to use the strategy's date, or all available data if the strategy has none.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub end: Option<String>,
    /// Path of this strategy's file on the service's machine. Required to resume a stopped training run on a worker.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub strategy_path: Option<String>,
}

/// Work of the training kinds.
pub struct KtrdrTrain {
    follow: Follow,
    protocol: Protocol,
    strategies: Strategies,
    probe: Option<Arc<Probe>>,
}

impl KtrdrTrain {
    pub(crate) fn new(
        remote_service: Arc<dyn RemoteService>,
        protocol: Protocol,
        strategies: Strategies,
        timing: Timing,
        leaving: CancellationToken,
        probe: impl Into<Option<Arc<Probe>>>,
    ) -> Self {
        let limits = match protocol {
            Protocol::Training2025 => {
                "This service does one training run at a time and can't resume a stopped run. After a cancel, the \
                 operation stays in the state 'cancelling' until the service reports that the run has stopped. This \
                 takes up to 30 s."
            }
            _ => {
                "A worker can resume a stopped training run only from a checkpoint that it saved itself, and only if \
                 the run was started with 'strategy_path'. After a cancel, the operation stays in the state \
                 'cancelling' until the service reports that the run has stopped. If the service is a training host \
                 (version of April 2026), it can't stop a run. The operation then stays in the state 'cancelling' \
                 until the run ends."
            }
        };
        let follow = Follow { remote_service, timing, leaving, limits, what: "training" };
        Self { follow, protocol, strategies, probe: probe.into() }
    }

    /// Body of the start request, without the ID.
    fn order(&self, params: &TrainParams) -> Result<Value, Vec<FieldError>> {
        let mut errors = Vec::new();
        let strategy = self.strategies.resolve(&params.strategy);
        let strategy = one(strategy.map_err(|e| FieldError::new("strategy", e)), &mut errors);
        let symbols = one(list("symbols", params.symbols.as_deref()), &mut errors).flatten();
        let timeframes = one(list("timeframes", params.timeframes.as_deref()), &mut errors).flatten();
        let given = one(days(params.start.as_deref(), params.end.as_deref()), &mut errors);
        let (Some(strategy), Some((start, end)), true) = (strategy, given, errors.is_empty()) else {
            return Err(errors);
        };
        let declared = TrainingData::read(&strategy);
        let needed = symbols.is_none() || timeframes.is_none();
        let declared = match declared {
            Ok(declared) => declared,
            Err(why) if needed => {
                return Err(vec![FieldError::new("strategy", format!("Not valid YAML: {why}."))]);
            }
            // The service has better messages for invalid strategies.
            Err(_) => TrainingData::default(),
        };
        let symbols = one(chosen("symbols", symbols, &declared.symbols), &mut errors);
        let timeframes = one(chosen("timeframes", timeframes, &declared.timeframes), &mut errors);
        let (start, end) = match days(declared.start.as_deref(), declared.end.as_deref()) {
            Ok((first, last)) => (start.or(first), end.or(last)),
            // Dates that these services would not accept either.
            Err(_) => (start, end),
        };
        if let (Some(start), Some(end)) = (start, end)
            && start > end
        {
            errors.push(if params.end.is_some() {
                let why = "This date is before the start date of the strategy";
                FieldError::new("end", format!("{why}, {start}. Also enter a start date."))
            } else {
                let why = "This date is after the end date of the strategy";
                FieldError::new("start", format!("{why}, {end}. Also enter an end date."))
            });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut order = Map::new();
        put(&mut order, "strategy_yaml", Some(strategy));
        let path = params.strategy_path.as_deref().map(str::trim).filter(|path| !path.is_empty());
        put(&mut order, "strategy_path", path);
        put(&mut order, "symbols", symbols);
        put(&mut order, "timeframes", timeframes);
        put(&mut order, "start_date", start.map(|day| day.to_string()));
        put(&mut order, "end_date", end.map(|day| day.to_string()));
        Ok(order.into())
    }

    fn params(&self) -> Value {
        let mut schema = params_schema::<TrainParams>();
        if self.protocol == Protocol::Training2025
            && let Some(properties) = schema.pointer_mut("/properties").and_then(Value::as_object_mut)
        {
            // It can't resume.
            properties.remove("strategy_path");
        }
        let names = self.strategies.names();
        if let Some(strategy) = schema.pointer_mut("/properties/strategy").and_then(Value::as_object_mut) {
            strategy.insert("maxLength".to_owned(), json!(STRATEGY_BYTES));
            if !names.is_empty() {
                strategy.insert("examples".to_owned(), json!(names));
            }
        }
        schema
    }
}

#[async_trait]
impl Work for KtrdrTrain {
    type Params = TrainParams;

    fn kind(&self) -> KindSpec {
        let (name, title, description) = match self.protocol {
            Protocol::Training2025 => (
                "ktrdr.train-2025",
                "Train on a ktrdr host of 2025",
                "Trains a strategy on a ktrdr training host (version of October 2025), one at a time. The host can't \
                 resume a stopped run: resume follows a run that still runs, or fetches the result of a completed \
                 run. After a cancel, the operation stays in the state 'cancelling' until the host reports that the \
                 run has stopped. This takes up to 30 s.",
            ),
            _ => (
                "ktrdr.train",
                "Train on a ktrdr worker",
                "Trains a strategy on a ktrdr training host or worker (version of April 2026), one at a time. Resume \
                 follows a run that still runs, fetches the result of a completed run, or continues a stopped run \
                 from the checkpoint that the worker saved. After a cancel, the operation stays in the state \
                 'cancelling' until the service reports that the run has stopped. A training host can't stop a run.",
            ),
        };
        KindSpec {
            name: KindName::new(name).expect("valid kind name"),
            title: title.to_owned(),
            description: description.to_owned(),
            summary: Summary("{symbols} {timeframes} · {start} {end}".to_owned()),
            params: self.params(),
            phases: vec![],
            series: [
                ("train_loss", "Training loss"),
                ("val_loss", "Validation loss"),
                ("train_accuracy", "Training accuracy"),
                ("val_accuracy", "Validation accuracy"),
            ]
            .map(|(name, title)| SeriesInfo {
                name: name.to_owned(),
                title: title.to_owned(),
                unit: String::new(),
                x: "epoch".to_owned(),
            })
            .to_vec(),
            resumable: true,
        }
    }

    fn check(&self, params: &TrainParams) -> Result<(), Vec<FieldError>> {
        self.order(params).map(|_| ())
    }

    /// The run is on the service: an abort here would end nothing there.
    fn abortable(&self) -> bool {
        false
    }

    async fn run(&self, ctx: Context, params: TrainParams) -> Result<ResultDoc, WorkError> {
        let order = self.order(&params).map_err(misfit)?;
        self.follow.clone().run(ctx, order).await
    }

    async fn health(&self) -> Vec<Check> {
        match &self.probe {
            Some(probe) => vec![probe.check().await],
            None => vec![],
        }
    }
}

/// Input value, or that of the strategy.
fn chosen(field: &str, given: Option<Vec<String>>, declared: &[String]) -> Result<Vec<String>, FieldError> {
    match given {
        Some(given) => Ok(given),
        None if declared.is_empty() => {
            let why = format!(
                "The strategy has no {field} (training_data.{field}). Enter {field}: without them, the service trains \
                 on other data."
            );
            Err(FieldError::new(field, why))
        }
        None => Ok(declared.to_vec()),
    }
}

/// Failure of parameters that were valid before, e.g. because a file was removed.
pub(crate) fn misfit(errors: Vec<FieldError>) -> WorkError {
    let all: Vec<_> = errors.into_iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
    WorkError::failed(
        format!("Invalid parameters: {}", all.join(" ")),
        "Correct the parameters, then start again.",
    )
}
