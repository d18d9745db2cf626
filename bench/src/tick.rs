//! Operation that reports progress at a fixed interval; each report contains the time of its call.

use async_trait::async_trait;
use host_kit::{Context, Work, WorkError};
use protocol::host::ResultDoc;
use protocol::{KindSpec, Summary, Time};
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior};

/// Parameters of [`Tick`].
#[derive(Deserialize, JsonSchema)]
pub struct Params {
    /// Milliseconds between reports.
    #[schemars(range(min = 1, max = 60000))]
    every_ms: u64,
    /// Total number of reports.
    #[schemars(range(min = 1, max = 10000000))]
    reports: u64,
}

/// Kind `bench.tick`.
pub struct Tick;

#[async_trait]
impl Work for Tick {
    type Params = Params;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: "bench.tick".parse().expect("valid kind name"),
            title: "Report progress".into(),
            description: "Reports progress at a fixed interval, and does nothing else.".into(),
            summary: Summary("{reports} reports, one every {every_ms} ms".into()),
            params: host_kit::params_schema::<Params>(),
            phases: Vec::new(),
            series: Vec::new(),
            resumable: false,
        }
    }

    async fn run(&self, ctx: Context, params: Params) -> Result<ResultDoc, WorkError> {
        let period = Duration::from_millis(params.every_ms);
        // Offset by the ID, so that reports are spread over the period.
        let spread = ctx.id().0.as_u128() as u64 % params.every_ms.max(1);
        let mut every = tokio::time::interval_at(Instant::now() + Duration::from_millis(spread), period);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ctx.set_total("reports", Some(params.reports));
        for n in 1..=params.reports {
            tokio::select! {
                () = ctx.token().cancelled() => return Err(WorkError::Cancelled),
                _ = every.tick() => {}
            }
            ctx.message(format!("called@{}", Time::now().micros()));
            ctx.set_done(n);
        }
        Ok(ResultDoc { document: serde_json::json!({"reports": params.reports}), ..ResultDoc::default() })
    }
}
