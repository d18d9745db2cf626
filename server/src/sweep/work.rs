//! The work `analysis.sweep`: its kind, the plan of its runs, and their ranked results.

use super::params::{Best, SweepParams};
use super::sweeping::{BEST, FIGURE, Sweeping};
use crate::children::{CHECK_INTERVAL, pass_over};
use async_trait::async_trait;
use engine::Engine;
use form::Form;
use host_kit::{Context, Work, WorkError};
use protocol::host::ResultDoc;
use protocol::sweep::SweepResult;
use protocol::{FieldError, KindName, KindSpec, SeriesInfo, State, Summary};
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use sweep_plan::Plan;

/// Work of the kind `analysis.sweep`.
pub struct Sweep {
    pub engine: Arc<OnceLock<Engine>>,
}

/// Kind, plan, and parameters of each run.
type Runs = (KindName, Plan, Vec<Value>);

/// Why the runs are unknown.
enum NoRuns {
    /// No connected host has the kind, but an unreachable one may have it.
    Unheard,
    Wrong(Vec<FieldError>),
}

impl From<Vec<FieldError>> for NoRuns {
    fn from(errors: Vec<FieldError>) -> Self {
        Self::Wrong(errors)
    }
}

impl Sweep {
    fn runs(&self, params: &SweepParams) -> Result<Runs, NoRuns> {
        let plan = params.plan().map_err(|error| vec![error])?;
        let Some(engine) = self.engine.get() else { return Err(NoRuns::Unheard) };
        // Queried first, so that the kinds of these hosts are known.
        let known_hosts = engine.hosts().hosts;
        let kind = params.run.name();
        let Some(offer) = engine.kinds().kinds.into_iter().find(|o| o.spec.name.as_str() == kind) else {
            if known_hosts.iter().any(|host| host.instance.is_none() && host.name.as_str() != super::NAME) {
                return Err(NoRuns::Unheard);
            }
            return Err(vec![FieldError::new("run", format!("No host supports {kind}. See /hosts."))].into());
        };
        let form = Form::from_schema(&offer.spec.params).map_err(|why| vec![FieldError::new("run", why)])?;
        let runs = params.runs(&plan, &form)?;
        Ok((offer.spec.name, plan, runs))
    }

    /// Runs, once a host with their kind is connected. Right after a server start there is none.
    async fn await_runs(
        &self,
        ctx: &Context,
        engine: &Engine,
        params: &SweepParams,
    ) -> Result<Runs, WorkError> {
        let mut feed = engine.follow(engine.feed().head(), None);
        let mut waiting = false;
        loop {
            match self.runs(params) {
                Ok(runs) => {
                    if waiting {
                        ctx.message("");
                    }
                    return Ok(runs);
                }
                Err(NoRuns::Wrong(errors)) => {
                    let messages: Vec<_> = errors.into_iter().map(|e| e.message).collect();
                    return Err(WorkError::failed(
                        messages.join(" "),
                        "Start the operation again with other parameters.",
                    ));
                }
                Err(NoRuns::Unheard) => {}
            }
            if !std::mem::replace(&mut waiting, true) {
                ctx.message(format!("waiting for a host that supports {}", params.run.name()));
            }
            tokio::select! {
                () = feed.changed() => {}
                () = ctx.token().cancelled() => return Err(WorkError::Cancelled),
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
            pass_over(&mut feed);
        }
    }
}

#[async_trait]
impl Work for Sweep {
    type Params = SweepParams;

    fn kind(&self) -> KindSpec {
        let series = |name: &str, title: &str| SeriesInfo {
            name: name.to_owned(),
            title: title.to_owned(),
            unit: String::new(),
            x: "runs completed".to_owned(),
        };
        KindSpec {
            name: KindName::new(super::KIND).expect("valid kind name"),
            title: "Parameter sweep".to_owned(),
            description:
                "Runs backtests or training runs with many parameter combinations, and ranks the results."
                    .to_owned(),
            summary: Summary("{vary} · {run}".to_owned()),
            params: host_kit::params_schema::<SweepParams>(),
            phases: vec!["run".to_owned()],
            series: vec![series(FIGURE, "Metric by run"), series(BEST, "Best so far")],
            resumable: true,
        }
    }

    fn check(&self, params: &SweepParams) -> Result<(), Vec<FieldError>> {
        match self.runs(params) {
            Ok(_) | Err(NoRuns::Unheard) => Ok(()),
            Err(NoRuns::Wrong(errors)) => Err(errors),
        }
    }

    async fn run(&self, ctx: Context, params: SweepParams) -> Result<ResultDoc, WorkError> {
        let Some(engine) = self.engine.get() else {
            return Err(WorkError::failed("The server is still starting up.", "Retry the sweep."));
        };
        let (kind, plan, runs) = self.await_runs(&ctx, engine, &params).await?;
        ctx.phase(1, "run");
        ctx.set_total("runs", Some(runs.len() as u64));
        let result = SweepResult {
            rank_by: params.rank_by().to_owned(),
            lowest: params.best == Best::Lowest,
            names: plan.names.clone(),
            ran: Vec::new(),
            runs: runs.len() as u32,
            deleted: 0,
        };
        let sweeping = Sweeping::new(engine, &ctx, &plan, result);
        let result = sweeping.all(&kind, &runs, params.at_once as usize).await?;
        if result.ran.iter().all(|ran| ran.state != State::Succeeded) {
            let hint = "See the runs of this sweep for the reasons.";
            return Err(WorkError::failed("No run succeeded.", hint));
        }
        let document = serde_json::to_value(&result).map_err(|e| {
            let hint = "This is a bug in Signalbox. Please report it.";
            WorkError::failed(format!("Cannot serialize the result as JSON: {e}."), hint)
        })?;
        Ok(ResultDoc { document, figures: result.key_figures(), ..ResultDoc::default() })
    }
}
