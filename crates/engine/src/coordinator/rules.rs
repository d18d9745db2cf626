//! Auto-cancel rules: a rule judges each new point, and the point that fulfils it cancels the operation in the same
//! commit.

use super::Coordinator;
use super::requests::entry;
use crate::command::Reply;
use crate::error::Denied;
use crate::lifecycle::Message;
use protocol::band::Watch;
use protocol::{Action, Actor, BandRule, Baseline, OperationId, Point, Points, SetRule, State, Time};
use std::sync::Arc;
use store::Change;

/// Baseline of an operation's rule, and the state of its judgement for the current attempt.
pub(crate) struct RuleWatch {
    baseline: Arc<Baseline>,
    watch: Watch,
    left: bool,
}

impl RuleWatch {
    /// State at the beginning of an attempt, or when the rule is set.
    pub(crate) fn new(rule: &BandRule, baseline: Arc<Baseline>) -> Self {
        Self { baseline, watch: Watch::new(rule.side, rule.points), left: false }
    }

    pub(crate) fn judge(&mut self, point: Point) {
        if let Some(band) = &self.baseline.band {
            self.left |= self.watch.judge(band, point);
        }
    }

    /// Number of consecutive points outside of the baseline.
    pub(crate) fn outside(&self) -> u32 {
        self.watch.in_a_row()
    }
}

impl Coordinator {
    /// Sets a rule with its baseline, or removes it.
    pub(super) fn rule(
        &mut self,
        id: OperationId,
        rule: Option<(SetRule, Arc<Baseline>)>,
        by: &Actor,
        reply: Reply,
        now: Time,
    ) {
        let Some(live) = self.live.get(&id) else {
            self.transaction.reply(reply, Err(Denied::RuleEnded(None).into()));
            return;
        };
        let (attempt, before) = (live.record.operation.attempt, live.record.operation.rule.clone());
        let set = rule.map(|(wanted, baseline)| {
            (Box::new(BandRule::new(wanted, &baseline, by.clone(), now)), baseline)
        });
        if set.is_none() && before.is_none() {
            let operation = live.record.operation.clone();
            self.transaction.reply(reply, Ok(operation));
            return;
        }
        let message = Message::Rule(set.as_ref().map(|(rule, _)| rule.clone()));
        let operation = match self.try_step(id, message, now) {
            Ok(operation) => operation,
            Err(denied) => {
                self.transaction.reply(reply, Err(denied.into()));
                return;
            }
        };
        let (action, summary) = match &set {
            Some((rule, _)) => (Action::SetRule, Some((**rule).clone())),
            None => (Action::DropRule, before),
        };
        let detail = summary.map(|rule| rule.sentence()).unwrap_or_default();
        self.transaction.audit(entry(&operation, action, by, detail, now));
        match set {
            Some((rule, baseline)) => {
                self.transaction.change(Change::RuleBand { id, attempt, baseline: baseline.clone() });
                self.watched.insert(id, RuleWatch::new(&rule, baseline));
            }
            None => {
                self.watched.remove(&id);
            }
        }
        self.transaction.reply(reply, Ok(operation));
    }

    /// Restarts the judgement for a new attempt.
    pub(super) fn restart_rule_watch(&mut self, id: OperationId) {
        let rule = self.live.get(&id).and_then(|live| live.record.operation.rule.as_ref());
        match (rule, self.watched.get_mut(&id)) {
            (Some(rule), Some(watched)) => *watched = RuleWatch::new(rule, watched.baseline.clone()),
            _ => {
                self.watched.remove(&id);
            }
        }
    }

    /// Judges new points of the current attempt; returns the number of consecutive points outside, if they were judged.
    pub(super) fn judge(&mut self, id: OperationId, series: &[Points]) -> Option<u32> {
        let watched = self.watched.get_mut(&id)?;
        let operation = &mut self.live.get_mut(&id)?.record.operation;
        let runs = matches!(operation.state, State::Starting | State::Running);
        let rule = operation.rule.as_mut().filter(|rule| runs && rule.is_armed())?;
        let mut any = false;
        for points in series.iter().filter(|points| points.name == rule.series) {
            any = true;
            points.points.iter().for_each(|point| watched.judge(*point));
        }
        rule.outside = watched.outside();
        any.then_some(rule.outside)
    }

    /// Cancels the operation if its series has been outside of the baseline for as long as its rule says.
    pub(super) fn apply_rule(&mut self, id: OperationId, now: Time) {
        let Some(watched) = self.watched.get(&id).filter(|watched| watched.left) else { return };
        let from = watched.watch.from_x();
        let Some(live) = self.live.get(&id) else { return };
        let operation = &live.record.operation;
        let armed = operation.rule.as_ref().filter(|rule| rule.is_armed());
        let Some(rule) = armed.filter(|_| matches!(operation.state, State::Starting | State::Running)) else {
            return;
        };
        let x = self.kind_registry.counts(&operation.kind, &rule.series).unwrap_or_default();
        let reason = rule.reason(&x, from);
        live.unwanted.cancel();
        match self.try_step(id, Message::BandLeft { from_x: from, reason: reason.clone() }, now) {
            Ok(operation) => {
                tracing::info!(operation = %id, reason, "operation cancelled by its auto-cancel rule");
                self.transaction.audit(entry(&operation, Action::Cancel, &Actor::signalbox(), reason, now));
            }
            Err(denied) => {
                tracing::warn!(operation = %id, why = %denied, "an auto-cancel rule could not cancel its operation; retrying at the operation's next event")
            }
        }
    }
}
