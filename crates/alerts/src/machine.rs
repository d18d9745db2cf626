//! State machine of one alert.
//!
//! inactive → pending → firing → recovering → inactive. Without values, the state becomes unknown after a time of its
//! own: an alert that fired is not resolved then, and fires no second time when values arrive again.
//!
//! A rule may change meanwhile. The memory contains the condition that it was judged by, so it notices this by itself,
//! also after a restart.

use crate::rule::Rule;
use protocol::Time;
use protocol::alerts::{AlertState, Comparison};
use serde::{Deserialize, Serialize};

/// What is known of a rule for one subject. Persisted: after a restart, it continues where it was.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Memory {
    pub state: AlertState,
    /// Since when it has this state.
    pub since: Time,
    /// Seconds that count towards the end of this state.
    held: f64,
    /// Seconds since the last value.
    silent: f64,
    /// When it fired, until it is resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<Time>,
    /// Newest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Condition that it was judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    judged_by: Option<Condition>,
    /// The condition changed since it fired, and no value was judged by the new one yet.
    #[serde(default, skip_serializing_if = "is_false")]
    is_in_question: bool,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// The parts of a rule that decide whether a value is bad or good.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Condition {
    metric: String,
    comparison: Comparison,
    threshold: f64,
    recovery: f64,
}

impl Condition {
    fn of(rule: &Rule) -> Self {
        Self {
            metric: rule.spec().metric.clone(),
            comparison: rule.comparison,
            threshold: rule.threshold,
            recovery: rule.recovery(),
        }
    }

    /// Whether it is the one of a rule. Numbers that were stored may differ in their last digit.
    fn is_of(&self, rule: &Rule) -> bool {
        let near = |one: f64, other: f64| (one - other).abs() <= one.abs().max(other.abs()) * 1e-12;
        self.metric == rule.spec().metric
            && self.comparison == rule.comparison
            && near(self.threshold, rule.threshold)
            && near(self.recovery, rule.recovery())
    }
}

/// Change that users are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transition {
    Fired,
    /// Resolved; with the time when it fired.
    Resolved(Time),
}

impl Memory {
    /// Memory without any value yet.
    pub fn new(now: Time) -> Self {
        Self {
            state: AlertState::Inactive,
            since: now,
            held: 0.0,
            silent: 0.0,
            fired_at: None,
            value: None,
            judged_by: None,
            is_in_question: false,
        }
    }

    /// Whether it fired and is not resolved.
    pub fn is_active(&self) -> bool {
        self.fired_at.is_some()
    }

    /// Applies the next value; `None` is unknown. `elapsed` is the time since the previous step in seconds, by a clock
    /// that can't be set; 0 after a restart.
    pub fn step(&mut self, rule: &Rule, value: Option<f64>, elapsed: f64, now: Time) -> Option<Transition> {
        let elapsed = if elapsed.is_finite() { elapsed.max(0.0) } else { 0.0 };
        if let Some(before) = self.changed_condition(rule) {
            if before.metric != rule.spec().metric {
                // All that is known is about something else. The next step begins with the new metric.
                let fired_at = self.fired_at;
                *self = Self { judged_by: self.judged_by.take(), ..Self::new(now) };
                return fired_at.map(Transition::Resolved);
            }
            // The time until now was judged by another threshold.
            match self.state {
                AlertState::Pending => self.enter(AlertState::Inactive, now),
                AlertState::Recovering => self.enter(AlertState::Firing, now),
                AlertState::Inactive | AlertState::Firing | AlertState::Unknown => {}
            }
            self.is_in_question = self.is_active();
        }
        let Some(value) = value.filter(|value| value.is_finite()) else {
            self.silent += elapsed;
            if self.silent >= rule.no_data_for_seconds {
                self.enter(AlertState::Unknown, now);
            }
            return None;
        };
        // Time without values counts neither as bad nor as good.
        let elapsed = if self.silent > 0.0 { 0.0 } else { elapsed };
        self.silent = 0.0;
        self.value = Some(value);
        let in_question = std::mem::take(&mut self.is_in_question);
        match self.fired_at {
            None => self.before_firing(rule, rule.is_bad(value), elapsed, now),
            // By the new condition, it would not fire now.
            Some(fired_at) if in_question && !rule.is_bad(value) => Some(self.resolve(fired_at, now)),
            Some(fired_at) => self.until_resolved(rule, rule.is_good(value), fired_at, elapsed, now),
        }
    }

    /// Notes the condition of the rule; returns the earlier one if it was another.
    fn changed_condition(&mut self, rule: &Rule) -> Option<Condition> {
        match &self.judged_by {
            Some(known) if known.is_of(rule) => None,
            _ => self.judged_by.replace(Condition::of(rule)),
        }
    }

    fn before_firing(&mut self, rule: &Rule, bad: bool, elapsed: f64, now: Time) -> Option<Transition> {
        if !bad {
            self.enter(AlertState::Inactive, now);
            return None;
        }
        if self.state == AlertState::Pending {
            self.held += elapsed;
        } else {
            self.enter(AlertState::Pending, now);
        }
        if self.held < rule.for_seconds {
            return None;
        }
        self.enter(AlertState::Firing, now);
        self.fired_at = Some(now);
        Some(Transition::Fired)
    }

    fn until_resolved(
        &mut self,
        rule: &Rule,
        good: bool,
        fired_at: Time,
        elapsed: f64,
        now: Time,
    ) -> Option<Transition> {
        if !good {
            self.enter(AlertState::Firing, now);
            return None;
        }
        if self.state == AlertState::Recovering {
            self.held += elapsed;
        } else {
            self.enter(AlertState::Recovering, now);
        }
        if self.held < rule.recover_for_seconds {
            return None;
        }
        Some(self.resolve(fired_at, now))
    }

    fn resolve(&mut self, fired_at: Time, now: Time) -> Transition {
        self.enter(AlertState::Inactive, now);
        self.fired_at = None;
        Transition::Resolved(fired_at)
    }

    fn enter(&mut self, state: AlertState, now: Time) {
        if self.state != state {
            self.state = state;
            self.since = now;
            self.held = 0.0;
        }
    }
}
