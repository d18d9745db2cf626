//! `demo.run`: the demonstration of a new installation. It loads synthetic bars, trains a model on them and backtests
//! the model, as three child operations of the ordinary kinds.

use crate::children::Children;
use async_trait::async_trait;
use engine::{Engine, Started};
use host_kit::{Context, Work, WorkError};
use protocol::api::{OperationDetail, StartOperation};
use protocol::host::ResultDoc;
use protocol::{KindName, KindSpec, LogLevel, OperationId, State, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};

/// Kind name.
pub const KIND: &str = "demo.run";
/// Symbol of the demonstration; its bars are a random walk.
const SYMBOL: &str = "DEMO";
/// Years of hourly bars, and their pace, which makes the load take about two seconds.
const YEARS: u32 = 4;
const ROWS_PER_SECOND: u32 = 3_500;
/// Epochs of the training: enough to see the curves grow.
const EPOCHS: u32 = 60;
const BATCH_SIZE: u32 = 128;
/// Bars ahead that the model predicts. With fewer, it would trade so often that commissions hide everything else.
const HORIZON: u32 = 24;

/// Parameters: there are none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct DemoParams {}

/// Work of the kind `demo.run`.
pub struct Demo {
    pub engine: Arc<OnceLock<Engine>>,
}

/// Step of the demonstration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Load,
    Train,
    Backtest,
}

impl Step {
    const ALL: [Self; 3] = [Self::Load, Self::Train, Self::Backtest];

    fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Train => "train",
            Self::Backtest => "backtest",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Load => "data.load",
            Self::Train => "training.run",
            Self::Backtest => "backtest.run",
        }
    }
}

/// Result of the demonstration: its operations, and the figures that sum them up.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct DemoResult {
    synthetic: bool,
    symbol: String,
    load: OperationId,
    training: OperationId,
    backtest: OperationId,
    /// Stored bars.
    bars: Value,
    /// Share of right predictions in the test set.
    test_accuracy: Value,
    /// Return of the model over the test part, and of holding the symbol meanwhile.
    total_return: Value,
    buy_and_hold: Value,
}

/// Value at a path of a document, or null.
fn at(detail: &OperationDetail, path: &str) -> Value {
    let document = detail.result.as_ref().map(|result| &result.document);
    document.and_then(|document| document.pointer(path)).cloned().unwrap_or_default()
}

/// Parameters of a step; those of a backtest follow from the training.
fn params(step: Step, before: Option<&OperationDetail>) -> Value {
    match step {
        Step::Load => json!({
            "symbol": SYMBOL, "timeframe": "1h", "source": "synthetic", "years": YEARS,
            "rows_per_second": ROWS_PER_SECOND,
        }),
        Step::Train => json!({
            "symbols": SYMBOL, "timeframe": "1h", "source": "synthetic", "epochs": EPOCHS, "patience": EPOCHS,
            "batch_size": BATCH_SIZE, "horizon": HORIZON, "threshold": 0.01,
        }),
        Step::Backtest => json!({
            "symbol": SYMBOL, "timeframe": "1h", "source": "synthetic", "strategy": "model",
            "model": before.map(|training| at(training, "/model")),
            "start": before.map(|training| at(training, "/test/from")),
        }),
    }
}

impl Demo {
    /// Runs one step to its end, unless an earlier attempt completed it.
    async fn step(
        children: Children<'_>,
        (n, step): (usize, Step),
        before: Option<&OperationDetail>,
    ) -> Result<OperationDetail, WorkError> {
        let ctx = children.ctx;
        let kind = KindName::new(step.kind()).map_err(|error| WorkError::failed(error.to_string(), ""))?;
        let request = StartOperation { kind, params: params(step, before), priority: 0 };
        let key = format!("demo:{}:{}", ctx.id(), step.name());
        let Some(Started { operation: child, new }) = children.start(request, key).await? else {
            let what = format!("The step '{}' of this demonstration was deleted.", step.name());
            return Err(WorkError::failed(what, "Start another demonstration."));
        };
        if !new && matches!(child.state, State::Failed | State::Cancelled) {
            children.repeat(child.id).await?;
        }
        let share = |part: f64| Some((n as f64 + part) / Step::ALL.len() as f64);
        let detail = children
            .ended(child.id, |child| {
                let part = child.progress.as_ref().and_then(|progress| progress.fraction).unwrap_or(0.0);
                ctx.fraction(share(part));
            })
            .await?;
        let operation = &detail.operation;
        if operation.state == State::Succeeded {
            ctx.log(LogLevel::Info, format!("{} succeeded: {}", operation.kind, operation.title));
            return Ok(detail);
        }
        if children.parent_is_ending() {
            return Err(children.cancelled().await);
        }
        let why =
            operation.failure.as_ref().map(|failure| format!(": {}", failure.message)).unwrap_or_default();
        let what = format!("The step '{}' ended with the state '{}'{why}", step.name(), operation.state);
        Err(WorkError::failed(what, "Open the child operation for its log, then retry the demonstration."))
    }
}

#[async_trait]
impl Work for Demo {
    type Params = DemoParams;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: KindName::new(KIND).expect("valid kind name"),
            title: "Demonstration".to_owned(),
            description:
                "Loads synthetic bars, trains a model on them, and backtests it. Takes about ten seconds."
                    .to_owned(),
            summary: Summary(format!("{SYMBOL}: load, train, backtest")),
            params: host_kit::params_schema::<DemoParams>(),
            phases: Step::ALL.iter().map(|step| step.name().to_owned()).collect(),
            series: Vec::new(),
            resumable: false,
        }
    }

    async fn run(&self, ctx: Context, _params: DemoParams) -> Result<ResultDoc, WorkError> {
        let Some(engine) = self.engine.get() else {
            return Err(WorkError::failed("The server is still starting up.", "Retry the demonstration."));
        };
        let children =
            Children { engine, ctx: &ctx, hint: "Retry the demonstration; completed steps are kept." };
        ctx.set_total("steps", Some(Step::ALL.len() as u64));
        let mut done: Vec<OperationDetail> = Vec::new();
        for (n, step) in Step::ALL.into_iter().enumerate() {
            ctx.phase(n as u32 + 1, step.name());
            done.push(Self::step(children, (n, step), done.last()).await?);
            ctx.set_done(done.len() as u64);
        }
        let [load, training, backtest] = done.as_slice() else {
            return Err(WorkError::failed("A step is missing.", "Retry the demonstration."));
        };
        let result = DemoResult {
            synthetic: true,
            symbol: SYMBOL.to_owned(),
            load: load.operation.id,
            training: training.operation.id,
            backtest: backtest.operation.id,
            bars: at(load, "/rows"),
            test_accuracy: at(training, "/test/accuracy"),
            total_return: at(backtest, "/performance/total_return"),
            buy_and_hold: at(backtest, "/buy_and_hold/total_return"),
        };
        let document = serde_json::to_value(&result).map_err(|e| WorkError::failed(e.to_string(), ""))?;
        let figures = backtest.operation.figures.clone();
        Ok(ResultDoc { document, tags: vec!["synthetic".to_owned()], figures, ..ResultDoc::default() })
    }
}
