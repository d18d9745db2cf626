//! Running sweep: starts its runs as children, limited in parallel, and records their results.
//!
//! Each run has its own idempotency key, so that a resumed sweep finds the runs that it started before. The engine
//! knows the state of each child; only for deleted runs the recorded results are the last source.

use super::params::figure;
use crate::children::{CHECK_INTERVAL, Children, pass_over};
use engine::{Engine, EngineError, Started};
use host_kit::{CheckpointBuilder, Context, WorkError};
use protocol::api::{OperationDetail, StartOperation};
use protocol::sweep::{Ran, SweepResult};
use protocol::{Action, AuditEntry, KindName, LogLevel, Operation, OperationId, State, Via};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use sweep_plan::{Plan, rank};
use tokio::time::Instant;

/// Series names: the metric of each run, and the best so far.
pub(super) const FIGURE: &str = "figure";
pub(super) const BEST: &str = "best";
/// Minimum interval of reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);
/// How long a cancelled sweep records the results of its runs. The engine ends the sweep after the last of them,
/// however long that takes.
const CHILDREN_TIMEOUT: Duration = Duration::from_secs(4);

/// Running sweep.
pub(super) struct Sweeping<'a> {
    engine: &'a Engine,
    ctx: &'a Context,
    plan: &'a Plan,
    /// Active children, by their index in the plan.
    under_way: BTreeMap<usize, OperationId>,
    /// Active children that an earlier attempt started.
    inherited: BTreeSet<usize>,
    /// A run was cancelled together with the sweep.
    cut: bool,
    /// Results of an earlier attempt for runs that this one has not reached yet.
    known: BTreeMap<usize, Ran>,
    result: SweepResult,
    reported_at: Option<Instant>,
    /// Whether there are unreported results.
    unpublished: bool,
    /// Sum of the progress of active runs, each as a share.
    partly: f64,
}

/// Recorded runs of the checkpoint, by their index in the plan.
fn known_before(ctx: &Context, runs: usize) -> BTreeMap<usize, Ran> {
    let before = ctx.resume_from().and_then(|kept| SweepResult::deserialize(&kept.state).ok());
    let ran = before.into_iter().flat_map(|result| result.ran).map(|ran| (ran.run as usize, ran));
    ran.filter(|(run, _)| *run < runs).collect()
}

/// Whether a cancelled run was cancelled together with its sweep. Runs that a user or a rule cancelled separately stay
/// cancelled. A cancel without an audit entry was lost with a server that could not store it, on a full disk; so was
/// that of its sweep, which continues.
fn cancelled_with_sweep(detail: &OperationDetail) -> bool {
    let operation = &detail.operation;
    let of_this =
        |entry: &&AuditEntry| entry.action == Action::Cancel && entry.attempt == Some(operation.attempt);
    let by_itself = detail.audit.iter().rfind(of_this).is_none_or(|entry| entry.by.via == Via::Signalbox);
    let fired = operation.rule.as_ref().and_then(|rule| rule.fired.as_ref());
    by_itself && fired.is_none_or(|fired| fired.attempt != operation.attempt)
}

impl<'a> Sweeping<'a> {
    /// New sweep; `result` describes its runs.
    pub(super) fn new(engine: &'a Engine, ctx: &'a Context, plan: &'a Plan, result: SweepResult) -> Self {
        let known = known_before(ctx, result.runs as usize);
        Self {
            engine,
            ctx,
            plan,
            under_way: BTreeMap::new(),
            inherited: BTreeSet::new(),
            cut: false,
            known,
            result,
            reported_at: None,
            unpublished: false,
            partly: 0.0,
        }
    }

    /// Executes all runs and returns the ranked results.
    pub(super) async fn all(
        mut self,
        kind: &KindName,
        runs: &[Value],
        at_once: usize,
    ) -> Result<SweepResult, WorkError> {
        match self.run_all(kind, runs, at_once).await {
            Ok(()) => Ok(self.result),
            // At any point, after a cancel.
            Err(WorkError::Cancelled) => Err(self.cancelled().await),
            Err(failed) => Err(failed),
        }
    }

    async fn run_all(&mut self, kind: &KindName, runs: &[Value], at_once: usize) -> Result<(), WorkError> {
        // Before the first run: a restart resumes from here.
        self.report_runs(true);
        let mut feed = self.engine.follow(self.engine.feed().head(), None);
        let mut next = 0;
        loop {
            while next < runs.len() && self.under_way.len() < at_once {
                self.ctx.check()?;
                self.start(kind, next, &runs[next]).await?;
                next += 1;
            }
            self.poll_runs().await?;
            if self.under_way.is_empty() && next == runs.len() {
                if self.cut {
                    return Err(self.children().cancelled().await);
                }
                break;
            }
            tokio::select! {
                () = feed.changed() => {}
                () = tokio::time::sleep(REPORT_INTERVAL) => {}
                () = self.ctx.token().cancelled() => return Err(WorkError::Cancelled),
            }
            tokio::time::sleep(CHECK_INTERVAL).await;
            pass_over(&mut feed);
        }
        self.report_runs(true);
        Ok(())
    }

    async fn start(&mut self, kind: &KindName, run: usize, params: &Value) -> Result<(), WorkError> {
        let request = StartOperation { kind: kind.clone(), params: params.clone(), priority: 0 };
        let id = self.ctx.id();
        let started = self.children().start(request, format!("sweep:{id}:{run}")).await?;
        let Some(Started { operation: child, new }) = started else {
            self.deleted(run);
            return Ok(());
        };
        if child.state == State::Cancelled && self.was_taken_along(child.id).await? {
            self.repeat(run, child.id).await?;
        } else if !new && !child.state.ended() {
            self.inherited.insert(run);
        }
        self.under_way.insert(run, child.id);
        Ok(())
    }

    /// Starts another attempt of a run that was cancelled together with the sweep.
    async fn repeat(&mut self, run: usize, id: OperationId) -> Result<(), WorkError> {
        self.known.remove(&run);
        self.children().repeat(id).await
    }

    fn children(&self) -> Children<'a> {
        let hint = "Resume the sweep; completed runs are kept.";
        Children { engine: self.engine, ctx: self.ctx, hint }
    }

    async fn was_taken_along(&self, id: OperationId) -> Result<bool, WorkError> {
        Ok(self.detail(id).await?.is_some_and(|detail| cancelled_with_sweep(&detail)))
    }

    /// Details of an operation; `None` if it was deleted.
    async fn detail(&self, id: OperationId) -> Result<Option<OperationDetail>, WorkError> {
        match self.engine.operation(id).await {
            Ok(detail) => Ok(Some(detail)),
            Err(EngineError::OperationNotFound(_)) => Ok(None),
            Err(error) => Err(self.children().failed(error)),
        }
    }

    /// Current state of an operation; `None` if it was deleted.
    async fn child(&self, id: OperationId) -> Result<Option<Operation>, WorkError> {
        match self.engine.recent_operation(id) {
            Some(operation) => Ok(Some(operation)),
            None => Ok(self.detail(id).await?.map(|detail| detail.operation)),
        }
    }

    /// Checks all active runs, and records those that ended.
    async fn poll_runs(&mut self) -> Result<(), WorkError> {
        let mut part = 0.0;
        let mut ended = Vec::new();
        for (run, id) in &self.under_way {
            match self.child(*id).await? {
                Some(child) if !child.state.ended() => {
                    part += child.progress.and_then(|p| p.fraction).unwrap_or(0.0);
                }
                child => ended.push((*run, child)),
            }
        }
        let any = !ended.is_empty();
        for (run, child) in ended {
            // Its host had stopped it before this attempt of the sweep, and the server learned that only now.
            if self.inherited.remove(&run)
                && let Some(child) = &child
                && child.state == State::Cancelled
                && !self.children().parent_is_ending()
                && self.was_taken_along(child.id).await?
            {
                self.repeat(run, child.id).await?;
                continue;
            }
            self.under_way.remove(&run);
            match child {
                Some(child) => self.take(run, child).await?,
                None => self.deleted(run),
            }
        }
        self.partly = part;
        self.unpublished |= any;
        self.report_runs(false);
        Ok(())
    }

    /// Records an ended run.
    async fn take(&mut self, run: usize, child: Operation) -> Result<(), WorkError> {
        let figure = if child.has_result && child.state == State::Succeeded {
            let Some(detail) = self.detail(child.id).await? else {
                self.deleted(run);
                return Ok(());
            };
            detail.result.and_then(|result| figure(&result.document, &self.result.rank_by))
        } else {
            None
        };
        let why = child.failure.map(|f| format!(": {}", f.message)).unwrap_or_default();
        if child.state != State::Succeeded && child.receipt.is_some() && self.children().parent_is_ending() {
            // A resume repeats it, so it is not over.
            self.cut = true;
            self.ctx.log(LogLevel::Warn, format!("{}: {}{why}", self.values(run), child.state));
            return Ok(());
        }
        self.note(Ran { run: run as u32, operation: child.id, state: child.state, figure }, &why);
        Ok(())
    }

    /// Handles a deleted run: a result recorded by an earlier attempt stays.
    fn deleted(&mut self, run: usize) {
        match self.known.remove(&run) {
            Some(ran) => self.note(ran, ", and the run was deleted later"),
            None => {
                self.result.deleted += 1;
                let text = format!("{}: the run was deleted; its outcome is unknown", self.values(run));
                self.ctx.log(LogLevel::Warn, text);
            }
        }
    }

    /// Varied parameters of a run, with their values.
    fn values(&self, run: usize) -> String {
        let values: Vec<_> = self.plan.run(run).map(|(name, value)| format!("{name}={value}")).collect();
        values.join(" ")
    }

    fn note(&mut self, ran: Ran, why: &str) {
        let values = self.values(ran.run as usize);
        match (ran.state, ran.figure) {
            (State::Succeeded, Some(figure)) => {
                // In the order of their ends, because x of a series must increase.
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
                let text = format!("{values}: the result has no number at {}", self.result.rank_by);
                self.ctx.log(LogLevel::Warn, text);
            }
            (state, _) => self.ctx.log(LogLevel::Warn, format!("{values}: {state}{why}")),
        }
        self.known.remove(&(ran.run as usize));
        self.result.ran.push(ran);
        rank(&mut self.result.ran, self.result.lowest);
    }

    /// Reports the progress and, after a run has ended, the checkpoint. Both show the same count of runs, so they are
    /// reported together.
    fn report_runs(&mut self, now: bool) {
        if !now && self.reported_at.is_some_and(|reported_at| reported_at.elapsed() < REPORT_INTERVAL) {
            return;
        }
        self.reported_at = Some(Instant::now());
        let mut known = self.result.clone();
        known.ran.extend(self.known.values().cloned());
        let (over, all) = (known.over(), known.runs);
        let share = |done: f64| (done / f64::from(all.max(1))).min(1.0);
        // Includes the share of active runs, so it is never below the plain count. Sent first for that reason.
        self.ctx.fraction(Some(share(f64::from(over) + self.partly)));
        self.ctx.set_done(u64::from(over));
        if !std::mem::take(&mut self.unpublished) && !now {
            return;
        }
        rank(&mut known.ran, known.lowest);
        if let Ok(state) = serde_json::to_value(&known)
            && self
                .ctx
                .save_checkpoint(
                    CheckpointBuilder::new(format!("{over} of {all} runs"), state).at(share(f64::from(over))),
                )
                .is_err()
        {
            tracing::warn!(operation = %self.ctx.id(), "the intermediate result of a sweep is too large to be saved; the page shows the previous one");
        }
    }

    /// The engine has cancelled the children, and ends the sweep when they have ended.
    async fn cancelled(&mut self) -> WorkError {
        let over = async {
            while !self.under_way.is_empty() {
                if self.poll_runs().await.is_err() {
                    break;
                }
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        };
        // Later results are in the children themselves.
        let _ = tokio::time::timeout(CHILDREN_TIMEOUT, over).await;
        self.report_runs(true);
        WorkError::Cancelled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::band::{Fired, Like, Side};
    use protocol::{Actor, BandRule, Time};
    use serde_json::json;

    /// Run in its second attempt, with who cancelled this attempt and the one before.
    fn cancelled(by: Via, before: Via, fired: Option<u32>) -> OperationDetail {
        let at = Time::from_micros(1);
        let kind = KindName::new("backtest.run").unwrap();
        let mut operation = Operation::queued(OperationId::new(), kind, "x".into(), json!({}), at);
        (operation.state, operation.attempt) = (State::Cancelled, 2);
        let entry = |via, attempt, action| AuditEntry {
            attempt: Some(attempt),
            ..AuditEntry::new(at, action, Actor { via, ..Actor::signalbox() })
        };
        if let Some(attempt) = fired {
            let rule = BandRule {
                series: "loss".into(),
                side: Side::Above,
                points: 3,
                set_at: at,
                set_by: Actor::signalbox(),
                like: Like::SameKind,
                runs: 5,
                why: String::new(),
                outside: 3,
                fired: Some(Fired { attempt, at, from_x: 1.0 }),
            };
            operation.rule = Some(rule);
        }
        let audit = vec![
            entry(Via::Page, 1, Action::Start),
            entry(before, 1, Action::Cancel),
            entry(Via::Signalbox, 2, Action::Retry),
            entry(by, 2, Action::Cancel),
        ];
        OperationDetail { operation, attempts: vec![], result: None, series: vec![], audit, seq: 1 }
    }

    #[test]
    fn only_runs_cancelled_with_their_sweep_are_run_again() {
        assert!(cancelled_with_sweep(&cancelled(Via::Signalbox, Via::Page, None)));
        assert!(!cancelled_with_sweep(&cancelled(Via::Page, Via::Signalbox, None)));
        assert!(!cancelled_with_sweep(&cancelled(Via::Program, Via::Signalbox, None)));
        assert!(!cancelled_with_sweep(&cancelled(Via::Signalbox, Via::Page, Some(2))), "by its rule");
    }

    #[test]
    fn a_run_whose_cancel_was_lost_on_a_full_disk_is_run_again() {
        let mut detail = cancelled(Via::Page, Via::Page, None);
        detail.audit.pop();
        assert!(cancelled_with_sweep(&detail));
    }
}
