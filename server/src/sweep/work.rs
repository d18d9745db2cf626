//! One sweep: starts its runs as children, so many at once, and ranks what they leave behind.
//!
//! Each run is started under a key of its own, so that a sweep that goes on after a restart of the server finds what it
//! started before. What a child is told or ends as is the engine's to say; nothing is kept here that is not there.

use super::params::{Best, SweepParams, figure};
use async_trait::async_trait;
use engine::{Engine, Read};
use host_kit::{Context, Work, WorkError};
use protocol::api::StartOperation;
use protocol::host::ResultDoc;
use protocol::operation::AttemptOrigin;
use protocol::sweep::{Plan, Ran, SweepResult, rank};
use protocol::{
    FieldError, Form, KindName, KindSpec, LogLevel, Operation, OperationId, Problem, SeriesInfo, State,
    Summary,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// The curves: the figure of each run, and the best so far.
const FIGURE: &str = "figure";
const BEST: &str = "best";
/// What is known so far is told no more often.
const TELL: Duration = Duration::from_millis(500);
/// Between two looks at the children lies at least so much: others' events wake it, too.
const LOOK: Duration = Duration::from_millis(20);
/// So long a sweep that is cancelled waits for its children to end.
const CHILDREN: Duration = Duration::from_secs(4);

/// The kind.
pub struct Sweep {
    pub engine: Arc<OnceLock<Engine>>,
}

impl Sweep {
    fn engine(&self) -> Option<&Engine> {
        self.engine.get()
    }

    /// The kind of the runs, and their params.
    fn runs(&self, params: &SweepParams) -> Result<(KindName, Plan, Vec<Value>), Vec<FieldError>> {
        let plan = params.plan().map_err(|error| vec![error])?;
        let known = self.engine().map(|engine| engine.kinds().kinds).unwrap_or_default();
        let Some(offer) = known.into_iter().find(|o| o.spec.name.as_str() == params.run.name()) else {
            let why = format!("No host has {} just now. Look at /hosts.", params.run.name());
            return Err(vec![FieldError::new("run", why)]);
        };
        let form = Form::from_schema(&offer.spec.params).map_err(|why| vec![FieldError::new("run", why)])?;
        let runs = params.runs(&plan, &form)?;
        Ok((offer.spec.name, plan, runs))
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
            x: "runs ended".to_owned(),
        };
        KindSpec {
            name: KindName::new(super::KIND).expect("it is of the form area.verb"),
            title: "Sweep params".to_owned(),
            description:
                "Runs a backtest or a training over many combinations of params, and ranks what comes out."
                    .to_owned(),
            summary: Summary("{run} · {vary}".to_owned()),
            params: host_kit::params_schema::<SweepParams>(),
            phases: vec!["run".to_owned()],
            series: vec![series(FIGURE, "Figure of each run as it ended"), series(BEST, "Best so far")],
            resumable: true,
        }
    }

    fn check(&self, params: &SweepParams) -> Result<(), Vec<FieldError>> {
        self.runs(params).map(|_| ())
    }

    async fn run(&self, ctx: Context, params: SweepParams) -> Result<ResultDoc, WorkError> {
        let Some(engine) = self.engine() else {
            return Err(WorkError::failed("The server is still starting.", "Retry it."));
        };
        let (kind, plan, runs) = self.runs(&params).map_err(|errors| {
            let said: Vec<_> = errors.into_iter().map(|e| e.message).collect();
            WorkError::failed(said.join(" "), "Start it again with other params.")
        })?;
        ctx.phase(1, "run");
        ctx.items("runs", Some(runs.len() as u64));
        let mut sweep = Sweeping {
            result: SweepResult {
                rank_by: params.rank_by().to_owned(),
                lowest: params.best == Best::Lowest,
                names: plan.names.clone(),
                ran: Vec::new(),
                runs: runs.len() as u32,
            },
            engine,
            ctx: &ctx,
            plan: &plan,
            under_way: BTreeMap::new(),
            told: None,
        };
        // Before the first is started: after a restart it goes on from here.
        sweep.tell(true);
        let mut feed = engine.follow(engine.feed().head(), None);
        let mut next = 0;
        loop {
            while next < runs.len() && sweep.under_way.len() < params.at_once as usize {
                ctx.check()?;
                sweep.start(&kind, next, &runs[next]).await?;
                next += 1;
            }
            sweep.look().await?;
            if sweep.under_way.is_empty() && next == runs.len() {
                break;
            }
            tokio::select! {
                () = feed.changed() => {}
                () = ctx.token().cancelled() => return Err(sweep.cancelled().await),
            }
            tokio::time::sleep(LOOK).await;
            // Only to be woken again: what matters is asked for.
            while matches!(feed.read(), Read::Frames { .. }) {}
        }
        sweep.tell(true);
        if sweep.result.ran.iter().all(|ran| ran.state != State::Succeeded) {
            let hint = "Each of them says why; look at the runs of this sweep.";
            return Err(WorkError::failed("None of the runs succeeded.", hint));
        }
        let document =
            serde_json::to_value(&sweep.result).map_err(|e| WorkError::failed(e.to_string(), ""))?;
        Ok(ResultDoc { document, artifacts: Vec::new(), tags: Vec::new() })
    }
}

/// A sweep under way.
struct Sweeping<'a> {
    engine: &'a Engine,
    ctx: &'a Context,
    plan: &'a Plan,
    /// Children that have not ended, by their place in the plan.
    under_way: BTreeMap<usize, OperationId>,
    result: SweepResult,
    told: Option<Instant>,
}

fn failed(problem: Problem) -> WorkError {
    WorkError::failed(problem.detail, "Resume it: what was run is kept.")
}

impl Sweeping<'_> {
    async fn start(&mut self, kind: &KindName, run: usize, params: &Value) -> Result<(), WorkError> {
        let request = StartOperation { kind: kind.clone(), params: params.clone(), priority: 0 };
        let id = self.ctx.id();
        let started = self.engine.start_child(id, request, format!("sweep:{id}:{run}")).await;
        let child = match started {
            Ok(started) => started.operation,
            Err(_) if self.ctx.token().is_cancelled() => return Err(WorkError::Cancelled),
            Err(problem) => return Err(failed(problem)),
        };
        // It was taken along when the sweep was cancelled or given up before; now it is wanted again.
        if child.state == State::Cancelled {
            self.engine.again(child.id, AttemptOrigin::Retry).await.map_err(failed)?;
        }
        self.under_way.insert(run, child.id);
        Ok(())
    }

    /// An operation as it stands.
    async fn child(&self, id: OperationId) -> Result<Operation, WorkError> {
        match self.engine.at_hand(id) {
            Some(operation) => Ok(operation),
            None => Ok(self.engine.operation(id).await.map_err(failed)?.operation),
        }
    }

    /// Looks at all that is under way, and takes in what has ended.
    async fn look(&mut self) -> Result<(), WorkError> {
        let mut part = 0.0;
        let mut ended = Vec::new();
        for (run, id) in &self.under_way {
            let child = self.child(*id).await?;
            if child.state.ended() {
                ended.push((*run, child));
            } else {
                part += child.progress.and_then(|p| p.fraction).unwrap_or(0.0);
            }
        }
        let any = !ended.is_empty();
        for (run, child) in ended {
            self.under_way.remove(&run);
            self.take(run, child).await?;
        }
        let (done, all) = (self.result.ran.len(), self.result.runs);
        self.ctx.done(done as u64);
        self.ctx.fraction(Some(((done as f64 + part) / f64::from(all.max(1))).min(1.0)));
        if any {
            rank(&mut self.result.ran, self.result.lowest);
            self.tell(false);
        }
        Ok(())
    }

    async fn take(&mut self, run: usize, child: Operation) -> Result<(), WorkError> {
        let figure = if child.has_result && child.state == State::Succeeded {
            let result = self.engine.operation(child.id).await.map_err(failed)?.result;
            result.and_then(|result| figure(&result.document, &self.result.rank_by))
        } else {
            None
        };
        let values: Vec<_> = self.plan.run(run).map(|(name, value)| format!("{name}={value}")).collect();
        let values = values.join(" ");
        match (child.state, figure) {
            (State::Succeeded, Some(figure)) => {
                // In the order in which they ended: a curve does not go back.
                let ended = self.result.ran.len() as f64 + 1.0;
                self.ctx.point(FIGURE, ended, figure);
                let so_far = self.result.ran.iter().filter_map(|ran| ran.figure);
                let best = so_far.fold(figure, |best, other| match self.result.lowest {
                    true => best.min(other),
                    false => best.max(other),
                });
                self.ctx.point(BEST, ended, best);
                self.ctx.log(LogLevel::Info, format!("{values}: {} {figure}", self.result.rank_by));
            }
            (State::Succeeded, None) => {
                let said = format!("{values}: its result has no number at {}", self.result.rank_by);
                self.ctx.log(LogLevel::Warn, said);
            }
            (state, _) => {
                let why = child.failure.map(|f| format!(": {}", f.message)).unwrap_or_default();
                self.ctx.log(LogLevel::Warn, format!("{values}: {state}{why}"));
            }
        }
        self.result.ran.push(Ran { run: run as u32, operation: child.id, state: child.state, figure });
        Ok(())
    }

    /// What is known so far, for the page and for a later attempt.
    fn tell(&mut self, now: bool) {
        if !now && self.told.is_some_and(|told| told.elapsed() < TELL) {
            return;
        }
        self.told = Some(Instant::now());
        let (done, all) = (self.result.ran.len(), self.result.runs);
        if let Ok(state) = serde_json::to_value(&self.result)
            && self.ctx.checkpoint(format!("{done} of {all} runs"), state).is_err()
        {
            tracing::warn!(operation = %self.ctx.id(), "a sweep's state is too large to be kept");
        }
    }

    /// The engine has told the children; the sweep is over when they are.
    async fn cancelled(&mut self) -> WorkError {
        let over = async {
            while !self.under_way.is_empty() {
                if self.look().await.is_err() {
                    break;
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        // Past its time the host breaks it off anyway; what the children do then, they say themselves.
        let _ = tokio::time::timeout(CHILDREN, over).await;
        self.tell(true);
        WorkError::Cancelled
    }
}
