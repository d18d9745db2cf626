//! Validated rule.

use crate::metric::{Metric, Scope};
use protocol::alerts::{AlertRule, Comparison};
use protocol::{HostName, KindName};
use std::ops::Deref;
use thiserror::Error;

/// Longest time in a rule, in seconds: a week.
const MAX_SECONDS: f64 = 604_800.0;
const MAX_NAME_CHARS: usize = 60;
const MAX_ACTION_CHARS: usize = 1_000;
/// Largest number of hosts or kinds in a rule.
const MAX_LISTED: usize = 500;

/// Rule that can be evaluated.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    spec: AlertRule,
    pub metric: Metric,
    /// Value that ends an alert.
    recovery: f64,
}

/// Why a rule is invalid. Each message names the key and the correct form.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum RuleError {
    #[error(
        "'{0}' is not a valid rule name; use 1 to 60 lower-case letters, digits and '-', such as disk-full"
    )]
    Name(String),
    #[error("the rule '{rule}' has the unknown metric '{metric}'; docs/alerts.md lists the metrics")]
    Metric { rule: String, metric: String },
    #[error("'{key}' of the rule '{rule}' is {value}; use a number from {least} to {most}")]
    Number { rule: String, key: &'static str, value: f64, least: f64, most: f64 },
    #[error(
        "'recovery' of the rule '{rule}' must be at most the threshold {threshold}, because the rule fires above its threshold"
    )]
    RecoveryAbove { rule: String, threshold: f64 },
    #[error(
        "'recovery' of the rule '{rule}' must be at least the threshold {threshold}, because the rule fires below its threshold"
    )]
    RecoveryBelow { rule: String, threshold: f64 },
    #[error("'{key}' of the rule '{rule}' does not apply to the metric '{metric}'")]
    Scope { rule: String, key: &'static str, metric: String },
    #[error("'action' of the rule '{rule}' is longer than {} characters; shorten it", MAX_ACTION_CHARS)]
    Action { rule: String },
    #[error(
        "'{key}' of the rule '{rule}' lists more than {} names; leave '{key}' out to apply the rule to all {key}",
        MAX_LISTED
    )]
    TooMany { rule: String, key: &'static str },
}

impl RuleError {
    /// Key of the rule that is invalid.
    pub fn key(&self) -> &'static str {
        match self {
            RuleError::Name(_) => "name",
            RuleError::Metric { .. } => "metric",
            RuleError::Number { key, .. } | RuleError::Scope { key, .. } | RuleError::TooMany { key, .. } => {
                key
            }
            RuleError::RecoveryAbove { .. } | RuleError::RecoveryBelow { .. } => "recovery",
            RuleError::Action { .. } => "action",
        }
    }
}

impl Rule {
    /// Validates a rule.
    ///
    /// # Errors
    /// [`RuleError`].
    pub fn new(spec: AlertRule) -> Result<Self, RuleError> {
        let rule = spec.name.clone();
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if rule.is_empty() || rule.len() > MAX_NAME_CHARS || !rule.chars().all(is_name) {
            return Err(RuleError::Name(rule.chars().take(MAX_NAME_CHARS).collect()));
        }
        let Some(metric) = Metric::parse(&spec.metric) else {
            return Err(RuleError::Metric { rule, metric: spec.metric });
        };
        let number = |key, value: f64, least, most| {
            if (least..=most).contains(&value) {
                Ok(())
            } else {
                Err(RuleError::Number { rule: rule.clone(), key, value, least, most })
            }
        };
        number("threshold", spec.threshold, -1e18, 1e18)?;
        number("for_seconds", spec.for_seconds, 0.0, MAX_SECONDS)?;
        number("recover_for_seconds", spec.recover_for_seconds, 0.0, MAX_SECONDS)?;
        number("no_data_for_seconds", spec.no_data_for_seconds, 0.0, MAX_SECONDS)?;
        let recovery = spec.recovery.unwrap_or(spec.threshold);
        number("recovery", recovery, -1e18, 1e18)?;
        let threshold = spec.threshold;
        match spec.comparison {
            Comparison::Above if recovery > threshold => {
                return Err(RuleError::RecoveryAbove { rule, threshold });
            }
            Comparison::Below if recovery < threshold => {
                return Err(RuleError::RecoveryBelow { rule, threshold });
            }
            Comparison::Above | Comparison::Below => {}
        }
        if spec.action.chars().count() > MAX_ACTION_CHARS {
            return Err(RuleError::Action { rule });
        }
        let lengths = [("hosts", spec.hosts.len()), ("kinds", spec.kinds.len())];
        if let Some((key, _)) = lengths.into_iter().find(|(_, length)| *length > MAX_LISTED) {
            return Err(RuleError::TooMany { rule, key });
        }
        let scope = metric.scope();
        let misplaced = [
            ("hosts", !spec.hosts.is_empty() && !matches!(scope, Scope::Host | Scope::Operation)),
            ("kinds", !spec.kinds.is_empty() && !matches!(scope, Scope::Kind | Scope::Operation)),
        ];
        if let Some((key, _)) = misplaced.into_iter().find(|(_, misplaced)| *misplaced) {
            return Err(RuleError::Scope { rule, key, metric: spec.metric });
        }
        Ok(Self { spec, metric, recovery })
    }

    /// The rule as on the wire.
    pub fn spec(&self) -> &AlertRule {
        &self.spec
    }

    /// Whether the rule fires at a value.
    pub fn is_bad(&self, value: f64) -> bool {
        match self.spec.comparison {
            Comparison::Above => value > self.spec.threshold,
            Comparison::Below => value < self.spec.threshold,
        }
    }

    /// Whether a value ends an alert. Between recovery and threshold, a value is neither bad nor good.
    pub fn is_good(&self, value: f64) -> bool {
        match self.spec.comparison {
            Comparison::Above => value <= self.recovery,
            Comparison::Below => value >= self.recovery,
        }
    }

    /// Value that ends an alert.
    pub fn recovery(&self) -> f64 {
        self.recovery
    }

    /// Whether the rule applies to a host.
    pub fn is_for_host(&self, host: &HostName) -> bool {
        self.spec.hosts.is_empty() || self.spec.hosts.contains(host)
    }

    /// Whether the rule applies to a kind.
    pub fn is_for_kind(&self, kind: &KindName) -> bool {
        self.spec.kinds.is_empty() || self.spec.kinds.contains(kind)
    }
}

impl Deref for Rule {
    type Target = AlertRule;

    fn deref(&self) -> &AlertRule {
        &self.spec
    }
}
