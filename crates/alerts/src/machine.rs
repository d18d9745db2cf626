//! State machine of one alert.
//!
//! inactive → pending → firing → recovering → inactive. Without values, the state becomes unknown after a time of its own:
//! an alert that fired is not resolved then, and fires no second time when values arrive again.

use crate::rule::Rule;
use protocol::Time;
use protocol::alerts::AlertState;
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
        Self { state: AlertState::Inactive, since: now, held: 0.0, silent: 0.0, fired_at: None, value: None }
    }

    /// Whether it fired and is not resolved.
    pub fn is_active(&self) -> bool {
        self.fired_at.is_some()
    }

    /// Applies the next value; `None` is unknown. `elapsed` is the time since the previous step in seconds, by a clock
    /// that can't be set; 0 after a restart.
    pub fn step(&mut self, rule: &Rule, value: Option<f64>, elapsed: f64, now: Time) -> Option<Transition> {
        let elapsed = if elapsed.is_finite() { elapsed.max(0.0) } else { 0.0 };
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
        match self.fired_at {
            None => self.before_firing(rule, rule.is_bad(value), elapsed, now),
            Some(fired_at) => self.until_resolved(rule, rule.is_good(value), fired_at, elapsed, now),
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
        self.enter(AlertState::Inactive, now);
        self.fired_at = None;
        Some(Transition::Resolved(fired_at))
    }

    fn enter(&mut self, state: AlertState, now: Time) {
        if self.state != state {
            self.state = state;
            self.since = now;
            self.held = 0.0;
        }
    }
}
