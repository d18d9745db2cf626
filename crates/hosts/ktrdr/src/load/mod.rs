//! `ktrdr.load`: bars from the ib host, with one long call.
//!
//! The call reports no progress and can't be stopped: a cancel stops waiting, and says so instead of claiming that the
//! call ended.

mod files;
mod table;

use crate::outcome::KtrdrLoadResult;
use crate::params::{days, list, one, put};
use crate::probe::Probe;
use crate::service::Protocol;
use crate::timing::{Timing, seconds};
use crate::train::misfit;
use crate::wire::{CallError, ServiceClient};
use axum::Router;
use files::Files;
use host_kit::{CancellationToken, Context, Work, WorkError, async_trait, params_schema};
use protocol::host::{Check, ResultDoc};
use protocol::{Failure, FailureReason, FieldError, KindName, KindSpec, LogLevel, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use table::Table;
use tokio::time::Instant;

/// Interval of messages while waiting.
const SAY_EVERY: Duration = Duration::from_secs(5);
/// A rejection that takes longer does not come from a working gateway.
const SLOW: Duration = Duration::from_secs(20);
const LIMITS: &str = "A load on the ib host reports no progress and can't be stopped. After a cancel, the adapter \
                      stops waiting, and the operation fails, because the load may still run there.";

/// Parameters of a load.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct LoadParams {
    /// Ticker, e.g. MSFT or EURUSD.
    #[schemars(length(min = 1, max = 20))]
    pub symbol: String,
    /// Bar size.
    #[serde(default)]
    pub timeframe: IbTimeframe,
    /// Start date.
    #[schemars(extend("format" = "date"))]
    pub start: String,
    /// End date, inclusive.
    #[schemars(extend("format" = "date"))]
    pub end: String,
    /// Instrument type: STK, CASH, FUT … Leave empty to let the service look it up.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub instrument: Option<String>,
}

/// Bar sizes of the ib host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum IbTimeframe {
    #[serde(rename = "1m")]
    M1,
    #[serde(rename = "5m")]
    M5,
    #[serde(rename = "15m")]
    M15,
    #[serde(rename = "30m")]
    M30,
    #[default]
    #[serde(rename = "1h")]
    H1,
    #[serde(rename = "4h")]
    H4,
    #[serde(rename = "1d")]
    D1,
    #[serde(rename = "1w")]
    W1,
}

impl IbTimeframe {
    fn as_str(self) -> &'static str {
        match self {
            IbTimeframe::M1 => "1m",
            IbTimeframe::M5 => "5m",
            IbTimeframe::M15 => "15m",
            IbTimeframe::M30 => "30m",
            IbTimeframe::H1 => "1h",
            IbTimeframe::H4 => "4h",
            IbTimeframe::D1 => "1d",
            IbTimeframe::W1 => "1w",
        }
    }
}

impl LoadParams {
    fn order(&self) -> Result<Value, Vec<FieldError>> {
        let mut errors = Vec::new();
        let names = one(list("symbol", Some(&self.symbol)), &mut errors).flatten();
        if names.is_some_and(|names| names.len() > 1) {
            errors.push(FieldError::new("symbol", "Enter a single value."));
        }
        let days = one(days(Some(&self.start), Some(&self.end)), &mut errors);
        let (Some((Some(start), Some(end))), true) = (days, errors.is_empty()) else {
            if errors.is_empty() {
                errors.push(FieldError::new("start", "Start and end dates are required."));
            }
            return Err(errors);
        };
        let mut order = Map::new();
        put(&mut order, "symbol", Some(self.symbol.trim()));
        put(&mut order, "timeframe", Some(self.timeframe.as_str()));
        put(&mut order, "start", Some(format!("{start}T00:00:00Z")));
        put(&mut order, "end", Some(format!("{end}T23:59:59Z")));
        let instrument = self.instrument.as_deref().map(str::trim).filter(|text| !text.is_empty());
        put(&mut order, "instrument_type", instrument);
        Ok(json!(order))
    }
}

/// Work of the kind `ktrdr.load`.
pub struct KtrdrLoad {
    wire: ServiceClient,
    files: Option<Arc<Files>>,
    timing: Timing,
    leaving: CancellationToken,
    probe: Arc<Probe>,
}

impl KtrdrLoad {
    pub(crate) fn new(
        wire: ServiceClient,
        folder: Option<PathBuf>,
        timing: Timing,
        leaving: CancellationToken,
        probe: Arc<Probe>,
    ) -> Self {
        Self { wire, files: folder.map(|folder| Arc::new(Files::new(folder))), timing, leaving, probe }
    }

    /// Failure after a cancel or shutdown during the call.
    fn given_up(&self) -> WorkError {
        if self.leaving.is_cancelled() {
            return Failure {
                reason: FailureReason::HostStopped,
                message: "The adapter was shut down while the ib host was loading.".to_owned(),
                hint: "Retry the operation to request the bars again.".to_owned(),
            }
            .into();
        }
        WorkError::failed(
            format!(
                "The adapter stopped waiting after the cancel. A load can't be stopped, so it may still be running \
                 on the ib host at {}.",
                self.wire.base()
            ),
            "No bars were stored. If other requests hang, too, restart the ib host or its gateway.",
        )
    }

    /// Sends the call and waits for the response.
    async fn ask(&self, ctx: &Context, order: &Value) -> Result<Value, WorkError> {
        let call = self.wire.post("/data/historical", order, seconds(self.timing.load));
        let mut call = std::pin::pin!(call);
        let mut ticks = tokio::time::interval(SAY_EVERY);
        loop {
            tokio::select! {
                biased;
                () = ctx.token().cancelled() => return Err(self.given_up()),
                answer = &mut call => return answer.map_err(|error| self.unanswered(&error)),
                _ = ticks.tick() => ctx.message(format!(
                    "Waiting for the ib host, which reports no progress ({:.0} s)", ctx.elapsed_seconds()
                )),
            }
        }
    }

    /// Failure of a rejected load. Without its gateway, the ib host takes minutes to report that a symbol was not
    /// found; then the symbol is not the problem.
    async fn refused(&self, detail: &str, took: Duration) -> WorkError {
        const AWAY: [&str; 4] = ["not connected", "timeout", "connection", "gateway"];
        let words = detail.to_lowercase();
        let gateway =
            "Check that the ib host's gateway (TWS or IB Gateway) is running and logged in, then retry.";
        if AWAY.iter().any(|sign| words.contains(sign)) {
            return WorkError::failed(format!("The ib host loaded no bars: {detail}"), gateway);
        }
        let about_symbol = words.contains("not found") || words.contains("validation");
        let probed = self.probe.check().await;
        if about_symbol && (took >= SLOW || !probed.ok) {
            let why = if probed.ok { String::new() } else { format!(" {}", probed.message) };
            return WorkError::failed(
                format!(
                    "The ib host's gateway seems to be down, so no bars were loaded. After {} s the ib host reported: \
                     {detail}. This report is not reliable without the gateway.{why}",
                    took.as_secs()
                ),
                gateway,
            );
        }
        WorkError::failed(format!("The ib host loaded no bars: {detail}"), "Fix the cause, then retry.")
    }

    fn unanswered(&self, error: &CallError) -> WorkError {
        match error {
            CallError::NoAnswer { .. } => WorkError::failed(
                format!(
                    "The ib host at {} did not respond, and may still be loading: {error}.",
                    self.wire.base()
                ),
                "Check that the gateway of the ib host is logged in; without a login, the request hangs. 'timing.load' sets the timeout.",
            ),
            _ => WorkError::failed(
                format!("No bars were loaded: {error}."),
                "Fix the cause that the service reports, then retry.",
            ),
        }
    }
}

#[async_trait]
impl Work for KtrdrLoad {
    type Params = LoadParams;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: KindName::new("ktrdr.load").expect("valid kind name"),
            title: "Load bars from a ktrdr ib host".to_owned(),
            description: "Requests the bars of a symbol from the ib host in one long request. The request reports no \
                          progress, and can't be stopped or resumed. After a cancel, the adapter stops waiting, and \
                          the operation fails, because the load may still run on the ib host."
                .to_owned(),
            summary: Summary("{symbol} {timeframe} · {start} {end}".to_owned()),
            params: params_schema::<LoadParams>(),
            phases: vec![],
            series: vec![],
            resumable: false,
        }
    }

    fn check(&self, params: &LoadParams) -> Result<(), Vec<FieldError>> {
        params.order().map(|_| ())
    }

    async fn run(&self, ctx: Context, params: LoadParams) -> Result<ResultDoc, WorkError> {
        let order = params.order().map_err(misfit)?;
        ctx.log(LogLevel::Info, LIMITS);
        ctx.set_total("bars", None);
        let requested_at = Instant::now();
        let answer = self.ask(&ctx, &order).await?;
        let took = requested_at.elapsed();
        let table = match table::read(&answer) {
            Ok(table) => table,
            Err(CallError::Refused { detail, .. }) => return Err(self.refused(&detail, took).await),
            Err(error) => {
                return Err(WorkError::failed(
                    format!("Cannot read the bars: {error}."),
                    "Check that this is a ktrdr ib host of the documented version.",
                ));
            }
        };
        let Table { columns, bars, reported_rows, zone_assumed } = table;
        ctx.set_total("bars", Some(bars.len() as u64));
        ctx.set_done(bars.len() as u64);
        ctx.message("Completed");
        let mut result = KtrdrLoadResult {
            protocol: Protocol::Ib.as_str().to_owned(),
            service: self.wire.base().to_owned(),
            symbol: params.symbol.trim().to_owned(),
            timeframe: params.timeframe.as_str().to_owned(),
            rows: bars.len() as u64,
            reported_rows: reported_rows.filter(|rows| *rows != bars.len() as u64),
            first: bars.first().map(|bar| bar.at),
            last: bars.last().map(|bar| bar.at),
            columns,
            zone_assumed,
            kept: false,
            seconds: ctx.elapsed_seconds(),
        };
        let mut artifacts = vec![];
        if let Some(files) = &self.files {
            artifacts.push(files.keep(ctx.id(), &result.columns, bars).await?);
            result.kept = true;
        } else {
            ctx.log(LogLevel::Warn, "The bars are not stored: no 'folder' in the adapter's configuration");
        }
        Ok(ResultDoc {
            document: json!(result),
            artifacts,
            tags: vec!["ktrdr".to_owned()],
            ..ResultDoc::default()
        })
    }

    async fn health(&self) -> Vec<Check> {
        let mut checks = vec![self.probe.check().await];
        if let Some(files) = &self.files {
            checks.push(files.check().await);
        }
        checks
    }

    fn artifacts(self: Arc<Self>) -> Router {
        self.files.as_ref().map_or_else(Router::new, files::router)
    }
}
