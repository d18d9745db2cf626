//! Baselines and auto-cancel rules.

use super::Engine;
use crate::baseline_cache::{self, Key};
use crate::command::Command;
use crate::coordinator::RuleWatch;
use crate::error::{Denied, EngineError};
use protocol::{BandRule, Baseline, Operation, OperationId, SetRule, State};
use std::collections::HashMap;
use std::sync::Arc;
use store::{Store, StoreError, Stored};
use tokio::sync::oneshot;

impl Engine {
    /// Baseline of a series, at no more than `points` places. The baseline of a run that has begun is read once and
    /// stays the same, unless it is requested `refresh`; a series with a rule has the rule's baseline.
    ///
    /// # Errors
    /// `OperationNotFound`.
    pub async fn baseline(
        &self,
        id: OperationId,
        series: String,
        points: usize,
        refresh: bool,
    ) -> Result<Baseline, EngineError> {
        let operation = self.known(id).await?;
        let ruled = operation.rule.as_ref().is_some_and(|rule| rule.series == series && rule.why.is_empty());
        let kept = if ruled { self.stored(move |store| store.rule_band(id)).await? } else { None };
        let baseline = match kept {
            Some(kept) => kept.baseline,
            None => (*self.read_envelope(&operation, series, refresh).await?).clone(),
        };
        let band = baseline.band.map(|band| band.thinned(points));
        Ok(Baseline { band, ..baseline })
    }

    pub(super) async fn read_envelope(
        &self,
        operation: &Operation,
        series: String,
        refresh: bool,
    ) -> Result<Arc<Baseline>, EngineError> {
        let bands = &self.shared.bands;
        let key: Key = (operation.id, operation.attempt, series.clone());
        let _turn = bands.turn.acquire().await.map_err(|_| EngineError::Closing)?;
        if let Some(kept) = bands.get(&key).filter(|_| !refresh) {
            return Ok(kept);
        }
        let of = operation.clone();
        let read = self.stored(move |store| baseline_cache::baseline(store, &of, &series)).await?;
        let baseline = Arc::new(read);
        // Until it runs, or while there are too few runs, other runs may still succeed that belong to the baseline.
        if baseline.band.is_some() && operation.started_at.is_some() {
            bands.keep(key, baseline.clone());
        }
        Ok(baseline)
    }

    /// Auto-cancel rule of an operation.
    ///
    /// # Errors
    /// `OperationNotFound`, or `RuleNotFound`.
    pub async fn rule(&self, id: OperationId) -> Result<BandRule, EngineError> {
        let operation = self.known(id).await?;
        operation.rule.ok_or(EngineError::RuleNotFound(id))
    }

    /// Sets the auto-cancel rule of an operation and replaces an existing one. Only later points are judged.
    ///
    /// # Errors
    /// `OperationNotFound`, `InvalidParams` with a message for each field, or `Denied` if it has ended or is being
    /// cancelled.
    pub async fn set_rule(&self, id: OperationId, wanted: SetRule) -> Result<Operation, EngineError> {
        check(&wanted)?;
        let operation = self.known(id).await?;
        if operation.state.ended() {
            return Err(Denied::RuleEnded(Some(operation.state)).into());
        }
        // Each time a rule is set, its baseline is made from the runs that exist now.
        let baseline = self.read_envelope(&operation, wanted.series.clone(), true).await?;
        self.send_rule(id, Some((wanted, baseline))).await
    }

    /// Removes the rule of an operation.
    ///
    /// # Errors
    /// `OperationNotFound`, or `Denied` if it has ended.
    pub async fn drop_rule(&self, id: OperationId) -> Result<Operation, EngineError> {
        self.known(id).await?;
        self.send_rule(id, None).await
    }

    async fn send_rule(
        &self,
        id: OperationId,
        rule: Option<(SetRule, Arc<Baseline>)>,
    ) -> Result<Operation, EngineError> {
        self.storable()?;
        let (reply, answer) = oneshot::channel();
        self.send_command(Command::Rule { id, rule, by: self.by.clone(), reply }).await?;
        answer.await.map_err(|_| EngineError::Closing)?
    }

    /// Operation as last published, or as stored.
    async fn known(&self, id: OperationId) -> Result<Operation, EngineError> {
        if let Some(operation) = self.recent_operation(id) {
            return Ok(operation);
        }
        let stored = self.stored(move |store| store.operation(id)).await?;
        stored.map(|stored| stored.operation).ok_or_else(|| EngineError::OperationNotFound(id))
    }
}

/// Checks the fields of a rule.
///
/// # Errors
/// `InvalidParams` with a message for each invalid field.
pub(super) fn check(wanted: &SetRule) -> Result<(), EngineError> {
    let wrong = wanted.check();
    if wrong.is_empty() { Ok(()) } else { Err(EngineError::InvalidParams(wrong)) }
}

/// State of the rules of operations that have not ended, for the start of the server. Judges the stored points since
/// each rule was set again, so that none is missing and none counts twice, and corrects the counts of the operations.
///
/// # Errors
/// If the store can't be read.
pub(super) fn watched(
    store: &dyn Store,
    unended: &mut [Stored],
) -> Result<HashMap<OperationId, RuleWatch>, StoreError> {
    let mut all = HashMap::new();
    for stored in unended {
        let operation = &mut stored.operation;
        let (id, attempt) = (operation.id, operation.attempt);
        let Some(rule) = operation.rule.as_mut() else { continue };
        let Some(kept) = store.rule_band(id)? else { continue };
        let mut skip = if kept.attempt == attempt { kept.skip } else { 0 };
        let mut watched = RuleWatch::new(rule, Arc::new(kept.baseline));
        if rule.is_armed() && matches!(operation.state, State::Starting | State::Running) {
            store.curve(id, attempt, &rule.series, &mut |point| match skip {
                0 => {
                    watched.judge(point);
                }
                _ => skip -= 1,
            })?;
            rule.outside = watched.outside();
        }
        all.insert(id, watched);
    }
    Ok(all)
}
