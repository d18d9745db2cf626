//! `ktrdr.backtest`: backtests on a ktrdr worker.

use crate::follow::Follow;
use crate::params::{days, list, one, put};
use crate::probe::Probe;
use crate::remote_service::RemoteService;
use crate::timing::Timing;
use crate::train::misfit;
use host_kit::{CancellationToken, Context, Work, WorkError, async_trait, params_schema};
use protocol::host::{Check, ResultDoc};
use protocol::{FieldError, KindName, KindSpec, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Parameters of a backtest.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BacktestParams {
    /// Name of a strategy in the worker's strategy folder.
    #[schemars(length(min = 1, max = 200))]
    pub strategy: String,
    /// Ticker, e.g. MSFT.
    #[schemars(length(min = 1, max = 20))]
    pub symbol: String,
    /// Bar size, e.g. 1h.
    #[schemars(length(min = 1, max = 10))]
    pub timeframe: String,
    /// Start date.
    #[schemars(extend("format" = "date"))]
    pub start: String,
    /// End date, inclusive.
    #[schemars(extend("format" = "date"))]
    pub end: String,
    /// Initial capital. Leave empty for the worker's default (100,000).
    #[serde(default)]
    #[schemars(range(min = 0.01))]
    pub capital: Option<f64>,
    /// Commission as a fraction of trade value. Leave empty for the worker's default (0.001).
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub commission: Option<f64>,
    /// Slippage as a fraction of price. Leave empty for the worker's default (0.0005).
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub slippage: Option<f64>,
    /// Path of the model on the worker's machine. Required by workers of the version of April 2026.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub model: Option<String>,
}

impl BacktestParams {
    /// Body of the start request, without the ID.
    fn order(&self) -> Result<Value, Vec<FieldError>> {
        let mut errors = Vec::new();
        for (field, text) in [("symbol", &self.symbol), ("timeframe", &self.timeframe)] {
            let names = one(list(field, Some(text)), &mut errors).flatten();
            if names.is_some_and(|names| names.len() > 1) {
                errors.push(FieldError::new(field, "Enter a single value."));
            }
        }
        let days = one(days(Some(&self.start), Some(&self.end)), &mut errors);
        let (Some((Some(start), Some(end))), true) = (days, errors.is_empty()) else {
            if errors.is_empty() {
                errors.push(FieldError::new("start", "Start and end dates are required."));
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

/// Work of the kind `ktrdr.backtest`.
pub struct KtrdrBacktest {
    follow: Follow,
    probe: Option<Arc<Probe>>,
}

impl KtrdrBacktest {
    pub(crate) fn new(
        remote_service: Arc<dyn RemoteService>,
        timing: Timing,
        leaving: CancellationToken,
        probe: Option<Arc<Probe>>,
    ) -> Self {
        let limits = "The worker can resume a stopped backtest only from a checkpoint that it saved itself. After a \
                      cancel, the operation stays in the state 'cancelling' until the worker reports that the backtest \
                      has stopped.";
        Self { follow: Follow { remote_service, timing, leaving, limits, what: "backtest" }, probe }
    }
}

#[async_trait]
impl Work for KtrdrBacktest {
    type Params = BacktestParams;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: KindName::new("ktrdr.backtest").expect("valid kind name"),
            title: "Backtest on a ktrdr worker".to_owned(),
            description: "Backtests a strategy on a ktrdr backtest worker (version of April 2026), one at a time. \
                          Reports progress in percent, without live charts. Resume follows a backtest that still \
                          runs, fetches the result of a completed backtest, or continues a stopped backtest from the \
                          checkpoint that the worker saved. After a cancel, the operation stays in the state \
                          'cancelling' until the worker reports that the backtest has stopped."
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

    /// The run is on the worker: an abort here would end nothing there.
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
