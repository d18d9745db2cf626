//! Changes of rules by users: checked by the code that checks the configuration file, stored with their audit entry,
//! and in effect before the response.

use super::rules::{RuleInEffect, merge};
use super::{Alerts, Shared};
use crate::background::blocking;
use alerts::{Rule, RuleError, sentence};
use display::format::span;
use protocol::alerts::{AlertRule, NewRule, RuleChange, RuleChanged, RuleOrigin, RuleStatus};
use protocol::{Action, Actor, AuditEntry, Time};
use std::sync::atomic::Ordering;
use store::{AlertRuleStore, StoreError, StoredRule, UserRule};
use thiserror::Error;

/// Largest number of stored rules.
const MAX_RULES: usize = 200;

/// Why a rule can't be changed.
#[derive(Debug, Error)]
pub enum RuleChangeError {
    #[error("There is no rule named '{0}'. See /api/v1/alerts/rules.")]
    NotFound(String),
    #[error("{0}.")]
    Invalid(#[from] RuleError),
    #[error(
        "The rule in the body is named '{0}', but the path names another rule. A rule keeps its name: to rename \
         it, create a copy and delete the original."
    )]
    OtherName(String),
    #[error("There is already a rule named '{0}'. Choose another name, or change that rule.")]
    NameTaken(String),
    #[error("The rule '{name}' is defined in {file}. Change it there, and restart the server.")]
    InFile { name: String, file: String },
    #[error(
        "The rule '{name}' is built in, so its metric is always '{metric}' and its comparison '{comparison}'. To compare \
         something else, create a rule of your own."
    )]
    BuiltInMetric { name: String, metric: String, comparison: &'static str },
    #[error("The rule '{0}' is built in and unchanged, so it can't be deleted. Switch it off instead.")]
    BuiltIn(String),
    #[error(
        "The rule '{name}' was changed in the meantime ({by}), so your change was not saved. Load the current rule, and \
         repeat your change."
    )]
    Outdated { name: String, by: String },
    #[error(
        "There are already {} user-defined rules, so no other rule can be created. Delete a user-defined rule first.",
        MAX_RULES
    )]
    TooMany,
    #[error("The rule could not be stored: {0}. Nothing was changed; try again.")]
    Store(#[from] StoreError),
}

impl Alerts {
    /// Adds a rule.
    ///
    /// # Errors
    /// [`RuleChangeError`]; then nothing is changed.
    pub async fn add_rule(&self, new: NewRule, by: Actor) -> Result<RuleStatus, RuleChangeError> {
        let _changing = self.shared.changing.lock().await;
        let rule = Rule::new(new.rule)?;
        if let Some(known) = self.shared.rule(&rule.name) {
            return Err(RuleChangeError::NameTaken(known.rule.name.clone()));
        }
        if self.shared.stored_rules.lock().len() >= MAX_RULES {
            return Err(RuleChangeError::TooMany);
        }
        let detail = format!("{}: {}", rule.name, sentence::of_rule(&rule));
        let detail = if new.enabled { detail } else { format!("{detail} Switched off.") };
        self.put(rule, new.enabled, Action::AddAlertRule, detail, by).await
    }

    /// Replaces a rule of users, or overrides a built-in one.
    ///
    /// # Errors
    /// [`RuleChangeError`]; then nothing is changed.
    pub async fn change_rule(
        &self,
        name: &str,
        change: RuleChange,
        by: Actor,
    ) -> Result<RuleStatus, RuleChangeError> {
        let _changing = self.shared.changing.lock().await;
        if change.rule.name != name {
            return Err(RuleChangeError::OtherName(change.rule.name));
        }
        let known = self.editable(name, change.revision)?;
        let rule = Rule::new(change.rule)?;
        let built_in = match known.origin {
            RuleOrigin::Default => Some(known.rule.spec()),
            _ => known.built_in.as_ref(),
        };
        if let Some(built_in) = built_in
            && (built_in.metric != rule.spec().metric || built_in.comparison != rule.comparison)
        {
            return Err(RuleChangeError::BuiltInMetric {
                name: rule.name.clone(),
                metric: built_in.metric.clone(),
                comparison: built_in.comparison.as_str(),
            });
        }
        let changes = differences(&known, rule.spec(), change.enabled);
        self.put(rule, change.enabled, Action::ChangeAlertRule, format!("{name}: {changes}"), by).await
    }

    /// Deletes a rule of users, or resets a built-in one.
    ///
    /// # Errors
    /// [`RuleChangeError`]; then nothing is changed.
    pub async fn remove_rule(&self, name: &str, revision: u64, by: Actor) -> Result<(), RuleChangeError> {
        let _changing = self.shared.changing.lock().await;
        let known = self.editable(name, revision)?;
        if known.revision == 0 {
            return Err(RuleChangeError::BuiltIn(name.to_owned()));
        }
        let reset = known.built_in.is_some();
        let detail = if reset { format!("{name}: reset to the built-in rule") } else { name.to_owned() };
        let entry = AuditEntry { detail, ..AuditEntry::new(Time::now(), Action::RemoveAlertRule, by) };
        let removed = name.to_owned();
        self.shared.in_store(move |store| store.remove_alert_rule(&removed, &entry)).await?;
        tracing::info!(rule = name, reset, "alert rule removed");
        self.shared.stored_rules.lock().retain(|stored| stored.of.rule.name != name);
        self.shared.rules_changed();
        Ok(())
    }

    /// The rule at the revision that an editor has read.
    fn editable(&self, name: &str, revision: u64) -> Result<RuleInEffect, RuleChangeError> {
        let known = self.shared.rule(name).ok_or_else(|| RuleChangeError::NotFound(name.to_owned()))?;
        if known.origin.is_configured() {
            let file = self.shared.config.file_name();
            return Err(RuleChangeError::InFile { name: name.to_owned(), file });
        }
        if known.revision == revision {
            return Ok(known);
        }
        let by = known.changed.as_ref().map_or_else(
            || "reset to the built-in rule".to_owned(),
            |changed| format!("by {} at {}", display::audit::who(&changed.by), changed.at),
        );
        Err(RuleChangeError::Outdated { name: name.to_owned(), by })
    }

    /// Stores a rule and puts it into effect. The caller holds the lock for changes.
    async fn put(
        &self,
        rule: Rule,
        enabled: bool,
        action: Action,
        detail: String,
        by: Actor,
    ) -> Result<RuleStatus, RuleChangeError> {
        let at = Time::now();
        let name = rule.name.clone();
        let of = UserRule { rule: rule.spec().clone(), enabled, changed: RuleChanged { at, by: by.clone() } };
        tracing::info!(rule = name, change = detail, by = ?by, "alert rule changed");
        let entry = AuditEntry { detail, ..AuditEntry::new(at, action, by) };
        let storing = of.clone();
        let revision = self.shared.in_store(move |store| store.put_alert_rule(&storing, &entry)).await?;
        {
            let mut stored = self.shared.stored_rules.lock();
            stored.retain(|stored| stored.of.rule.name != name);
            stored.push(StoredRule { revision, of });
            stored.sort_by(|a, b| a.of.rule.name.cmp(&b.of.rule.name));
        }
        self.shared.rules_changed();
        let changed = self.shared.rule(&name).ok_or(RuleChangeError::NotFound(name))?;
        Ok(self.shared.status(&changed))
    }
}

impl Shared {
    /// Rule with a name.
    fn rule(&self, name: &str) -> Option<RuleInEffect> {
        self.rules().iter().find(|known| known.rule.name == name).cloned()
    }

    /// Puts the stored rules into effect: they are evaluated at once, and every page is told.
    fn rules_changed(&self) {
        let rules = merge(&self.config.rules, &self.stored_rules.lock());
        *self.in_effect.write() = rules.into();
        self.rules_revision.fetch_add(1, Ordering::SeqCst);
        self.edited.notify_one();
        self.changed.notify_one();
    }

    /// Runs a change of the database, on a thread that may block.
    pub(super) async fn in_store<T: Send + 'static>(
        &self,
        change: impl FnOnce(&dyn AlertRuleStore) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.rule_store.clone();
        blocking(move || change(&*store)).await
    }
}

/// What a change changes, for the audit log: `threshold 95 % → 90 %, off`.
fn differences(before: &RuleInEffect, now: &AlertRule, enabled: bool) -> String {
    let old = before.rule.spec();
    let mut changes = Vec::new();
    let mut compare = |what: &str, before: String, now: String| {
        if before != now {
            changes.push(format!("{what} {before} → {now}"));
        }
    };
    let value = |rule: &AlertRule, value: f64| sentence::value_text(&rule.metric, value);
    compare("metric", old.metric.clone(), now.metric.clone());
    compare("comparison", old.comparison.as_str().to_owned(), now.comparison.as_str().to_owned());
    compare("threshold", value(old, old.threshold), value(now, now.threshold));
    let recovery = |rule: &AlertRule| {
        rule.recovery.map_or_else(|| "the threshold".to_owned(), |recovery| value(rule, recovery))
    };
    compare("recovery", recovery(old), recovery(now));
    compare("for", span(old.for_seconds), span(now.for_seconds));
    compare("recover_for", span(old.recover_for_seconds), span(now.recover_for_seconds));
    compare("no_data_for", span(old.no_data_for_seconds), span(now.no_data_for_seconds));
    compare("severity", old.severity.as_str().to_owned(), now.severity.as_str().to_owned());
    compare("hosts", listed(&old.hosts), listed(&now.hosts));
    compare("kinds", listed(&old.kinds), listed(&now.kinds));
    if old.action != now.action {
        changes.push("action changed".to_owned());
    }
    if before.enabled != enabled {
        changes.push(if enabled { "switched on" } else { "switched off" }.to_owned());
    }
    if changes.is_empty() { "unchanged".to_owned() } else { changes.join(", ") }
}

fn listed<T: ToString>(names: &[T]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    if names.is_empty() { "all".to_owned() } else { names.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerts::defaults;

    #[test]
    fn the_audit_log_names_what_was_changed() {
        let rule = defaults::rules().into_iter().find(|rule| rule.name == "memory-high").unwrap();
        let mut now = rule.spec().clone();
        let before = RuleInEffect {
            rule,
            enabled: true,
            origin: RuleOrigin::Default,
            revision: 0,
            built_in: None,
            changed: None,
        };
        assert_eq!(differences(&before, &now, true), "unchanged");
        now.threshold = 0.92;
        now.hosts = vec!["gpu-1".parse().unwrap(), "gpu-2".parse().unwrap()];
        assert_eq!(
            differences(&before, &now, false),
            "threshold 95 % → 92 %, hosts all → gpu-1 gpu-2, switched off"
        );
    }
}
