//! `ktrdr.train` and `ktrdr.train-2025`: trainings on a service of ktrdr.

use crate::config::Protocol;
use crate::follow::Follow;
use crate::foreign::Foreign;
use crate::params::{days, list, one, put};
use crate::probe::Probe;
use crate::strategy::{STRATEGY_BYTES, Strategies, Strategy};
use crate::timing::Timing;
use host_kit::{CancellationToken, Context, Work, WorkError, async_trait, params_schema};
use protocol::host::{Check, ResultDoc};
use protocol::{FieldError, KindName, KindSpec, SeriesInfo, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a training takes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TrainParams {
    /// The strategy as YAML, or the name of a .yaml file.
    #[schemars(length(min = 1, max = 200_000))]
    pub strategy: String,
    /// Symbols, with commas between. Empty: those of the strategy.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub symbols: Option<String>,
    /// Timeframes, with commas between. Empty: those of the strategy.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub timeframes: Option<String>,
    /// First day of the data. Empty: what the strategy says.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub start: Option<String>,
    /// Last day of the data. Empty: what the strategy says.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub end: Option<String>,
}

/// Trains on a service of ktrdr.
pub struct KtrdrTrain {
    follow: Follow,
    protocol: Protocol,
    strategies: Strategies,
    probe: Option<Arc<Probe>>,
}

impl KtrdrTrain {
    pub(crate) fn new(
        foreign: Arc<dyn Foreign>,
        protocol: Protocol,
        strategies: Strategies,
        timing: Timing,
        leaving: CancellationToken,
        probe: impl Into<Option<Arc<Probe>>>,
    ) -> Self {
        let limits = match protocol {
            Protocol::Training2025 => {
                "This service runs one training at once and can't go on with one that stopped. A cancel takes it up \
                 to 30 s; it is told as done when the service's status says so."
            }
            _ => {
                "This service goes on with a stopped training only from a checkpoint of its own. A cancel is told as \
                 done when the service's status says so."
            }
        };
        let follow = Follow { foreign, timing, leaving, limits, what: "training" };
        Self { follow, protocol, strategies, probe: probe.into() }
    }

    /// The body of the start, without the id.
    fn order(&self, params: &TrainParams) -> Result<Value, Vec<FieldError>> {
        let mut errors = Vec::new();
        let strategy = self.strategies.resolve(&params.strategy, self.protocol == Protocol::Worker);
        let strategy = one(strategy.map_err(|e| FieldError::new("strategy", e)), &mut errors);
        let symbols = one(list("symbols", params.symbols.as_deref()), &mut errors).flatten();
        let timeframes = one(list("timeframes", params.timeframes.as_deref()), &mut errors).flatten();
        let days = one(days(params.start.as_deref(), params.end.as_deref()), &mut errors);
        let (Some(strategy), Some((start, end)), true) = (strategy, days, errors.is_empty()) else {
            return Err(errors);
        };
        let mut order = Map::new();
        match strategy {
            Strategy::Yaml(text) => order.insert("strategy_yaml".to_owned(), json!(text)),
            Strategy::There(path) => order.insert("strategy_path".to_owned(), json!(path)),
        };
        put(&mut order, "symbols", symbols);
        put(&mut order, "timeframes", timeframes);
        put(&mut order, "start_date", start.map(|day| day.to_string()));
        put(&mut order, "end_date", end.map(|day| day.to_string()));
        Ok(order.into())
    }

    fn params(&self) -> Value {
        let mut schema = params_schema::<TrainParams>();
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
                "Trains a strategy on a training host of October 2025. One at once. The host can't go on with a \
                 training that stopped: resume follows one that still runs, or takes its result. A cancel takes up \
                 to 30 s and is told when the host's status confirms it.",
            ),
            _ => (
                "ktrdr.train",
                "Train on a ktrdr worker",
                "Trains a strategy on a training host or worker of April 2026. One at once. Resume follows a \
                 training that still runs, takes its result, or has the worker go on from its own checkpoint. A \
                 cancel is told when the worker's status confirms it.",
            ),
        };
        KindSpec {
            name: KindName::new(name).expect("it is of the form area.verb"),
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

/// Params that fitted when they were checked and no longer do: a file was taken away meanwhile.
pub(crate) fn misfit(errors: Vec<FieldError>) -> WorkError {
    let all: Vec<_> = errors.into_iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
    WorkError::failed(format!("The params don't fit: {}", all.join(" ")), "Correct them, then start again.")
}
