//! `ktrdr.backtest`: backtests on a worker of ktrdr.

use crate::follow::Follow;
use crate::foreign::Foreign;
use crate::params::{days, list, one, put};
use crate::probe::Probe;
use crate::timing::Timing;
use crate::train::misfit;
use host_kit::{CancellationToken, Context, Work, WorkError, async_trait, params_schema};
use protocol::host::{Check, ResultDoc};
use protocol::{FieldError, KindName, KindSpec, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What a backtest takes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BacktestParams {
    /// The strategy's name, as the worker knows it in its folder of strategies.
    #[schemars(length(min = 1, max = 200))]
    pub strategy: String,
    /// One symbol, like MSFT.
    #[schemars(length(min = 1, max = 20))]
    pub symbol: String,
    /// How long one bar lasts, like 1h.
    #[schemars(length(min = 1, max = 10))]
    pub timeframe: String,
    /// First day.
    #[schemars(extend("format" = "date"))]
    pub start: String,
    /// Last day.
    #[schemars(extend("format" = "date"))]
    pub end: String,
    /// Money at the start. Empty: what the worker takes (100,000).
    #[serde(default)]
    #[schemars(range(min = 0.01))]
    pub capital: Option<f64>,
    /// Commission as a share of each trade. Empty: what the worker takes (0.001).
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub commission: Option<f64>,
    /// Slippage as a share of the price. Empty: what the worker takes (0.0005).
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub slippage: Option<f64>,
    /// Path of the model on the worker's machine. Workers of April 2026 require it.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub model: Option<String>,
}

impl BacktestParams {
    /// The body of the start, without the id.
    fn order(&self) -> Result<Value, Vec<FieldError>> {
        let mut errors = Vec::new();
        for (field, text) in [("symbol", &self.symbol), ("timeframe", &self.timeframe)] {
            let names = one(list(field, Some(text)), &mut errors).flatten();
            if names.is_some_and(|names| names.len() > 1) {
                errors.push(FieldError::new(field, "A backtest takes one."));
            }
        }
        let days = one(days(Some(&self.start), Some(&self.end)), &mut errors);
        let (Some((Some(start), Some(end))), true) = (days, errors.is_empty()) else {
            if errors.is_empty() {
                errors.push(FieldError::new("start", "A backtest needs its first and its last day."));
            }
            return Err(errors);
        };
        let mut order = Map::new();
        put(&mut order, "strategy_name", Some(self.strategy.trim()));
        put(&mut order, "symbol", Some(self.symbol.trim()));
        put(&mut order, "timeframe", Some(self.timeframe.trim()));
        put(&mut order, "start_date", Some(start.to_string()));
        put(&mut order, "end_date", Some(end.to_string()));
        put(&mut order, "initial_capital", self.capital);
        put(&mut order, "commission", self.commission);
        put(&mut order, "slippage", self.slippage);
        put(&mut order, "model_path", self.model.as_deref().filter(|model| !model.trim().is_empty()));
        Ok(json!(order))
    }
}

/// Backtests on a worker of ktrdr.
pub struct KtrdrBacktest {
    follow: Follow,
    probe: Option<Arc<Probe>>,
}

impl KtrdrBacktest {
    pub(crate) fn new(
        foreign: Arc<dyn Foreign>,
        timing: Timing,
        leaving: CancellationToken,
        probe: Option<Arc<Probe>>,
    ) -> Self {
        let limits = "This worker goes on with a stopped backtest only from a checkpoint of its own. A cancel is told \
                      as done when the worker's status says so.";
        Self { follow: Follow { foreign, timing, leaving, limits, what: "backtest" }, probe }
    }
}

#[async_trait]
impl Work for KtrdrBacktest {
    type Params = BacktestParams;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: KindName::new("ktrdr.backtest").expect("it is of the form area.verb"),
            title: "Backtest on a ktrdr worker".to_owned(),
            description: "Runs a strategy over the past on a backtest worker of April 2026. One at once. It draws no \
                          curves while it runs, and tells how far it is in percent. Resume follows one that still runs, takes its result, or has the \
                          worker go on from its own checkpoint. A cancel is told when the worker's status confirms it."
                .to_owned(),
            summary: Summary("{symbol} {timeframe} · {strategy} · {start} {end}".to_owned()),
            params: params_schema::<BacktestParams>(),
            phases: vec![],
            series: vec![],
            resumable: true,
        }
    }

    fn check(&self, params: &BacktestParams) -> Result<(), Vec<FieldError>> {
        params.order().map(|_| ())
    }

    /// What runs is on the worker: an abort here ends nothing there.
    fn abortable(&self) -> bool {
        false
    }

    async fn run(&self, ctx: Context, params: BacktestParams) -> Result<ResultDoc, WorkError> {
        let order = params.order().map_err(misfit)?;
        self.follow.clone().run(ctx, order).await
    }

    async fn health(&self) -> Vec<Check> {
        match &self.probe {
            Some(probe) => vec![probe.check().await],
            None => vec![],
        }
    }
}
