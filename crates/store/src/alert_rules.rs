//! Durable alert rules that users made or changed, apart from [`crate::Store`]: the engine knows nothing of alerts.

use crate::{AuditStore, StoreError};
use protocol::AuditEntry;
use protocol::alerts::{AlertRule, RuleChanged};
use serde::{Deserialize, Serialize};

/// Rule as a user made it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UserRule {
    pub rule: AlertRule,
    pub enabled: bool,
    pub changed: RuleChanged,
}

/// Rule as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredRule {
    /// Increases with each change, and is never used twice, also not after a deletion.
    pub revision: u64,
    pub of: UserRule,
}

/// Storage of rules. All calls block: use a blocking thread. Changes survive a loss of power, and are stored with their
/// audit entry or not at all.
pub trait AlertRuleStore: AuditStore {
    /// All rules, by name.
    fn alert_rules(&self) -> Result<Vec<StoredRule>, StoreError>;

    /// Adds or replaces the rule with this name, and returns its new revision.
    fn put_alert_rule(&self, rule: &UserRule, entry: &AuditEntry) -> Result<u64, StoreError>;

    /// Removes a rule.
    fn remove_alert_rule(&self, name: &str, entry: &AuditEntry) -> Result<(), StoreError>;
}
