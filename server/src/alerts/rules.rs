//! Rules in effect: built-in rules, rules of the configuration file, and rules that users created or changed.

use super::settings::ConfiguredRule;
use alerts::Rule;
use protocol::alerts::{AlertRule, RuleChanged, RuleOrigin};
use store::StoredRule;

/// Rule in effect.
#[derive(Clone, Debug)]
pub(super) struct RuleInEffect {
    pub rule: Rule,
    pub enabled: bool,
    pub origin: RuleOrigin,
    /// Revision of what is stored of it; 0 if nothing is.
    pub revision: u64,
    /// The built-in rule that it overrides.
    pub built_in: Option<AlertRule>,
    /// Last change by a user.
    pub changed: Option<RuleChanged>,
}

/// Merges built-in rules, rules of the file and rules of users. A rule of the file replaces a stored rule of the same
/// name. A stored rule that this version can't evaluate is left out; it stays stored.
pub(super) fn merge(configured: &[ConfiguredRule], stored: &[StoredRule]) -> Vec<RuleInEffect> {
    let mut rules: Vec<RuleInEffect> = configured.iter().map(of_configuration).collect();
    for StoredRule { revision, of } in stored {
        let known = rules.iter().position(|known| known.rule.name == of.rule.name);
        if known.is_some_and(|at| rules[at].origin.is_configured()) {
            continue;
        }
        let Ok(rule) = Rule::new(of.rule.clone()) else { continue };
        let built_in = known.map(|at| rules[at].rule.spec().clone());
        let changed = RuleInEffect {
            rule,
            enabled: of.enabled,
            origin: if built_in.is_some() { RuleOrigin::Overridden } else { RuleOrigin::Page },
            revision: *revision,
            built_in,
            changed: Some(of.changed.clone()),
        };
        match known {
            Some(at) => rules[at] = changed,
            None => rules.push(changed),
        }
    }
    rules
}

/// Logs stored rules that are not in effect.
pub(super) fn warn_of_unused(rules: &[RuleInEffect], stored: &[StoredRule]) {
    for StoredRule { revision, of } in stored {
        let name = of.rule.name.as_str();
        if rules.iter().any(|rule| rule.revision == *revision) {
            continue;
        }
        match Rule::new(of.rule.clone()) {
            Ok(_) => tracing::warn!(
                rule = name,
                "the user-defined rule of this name is ignored, because the configuration file has a rule with the same name"
            ),
            Err(error) => {
                tracing::error!(rule = name, %error, "a stored alert rule is invalid and is not evaluated")
            }
        }
    }
}

fn of_configuration(configured: &ConfiguredRule) -> RuleInEffect {
    RuleInEffect {
        rule: configured.rule.clone(),
        enabled: configured.enabled,
        origin: configured.origin,
        revision: 0,
        built_in: None,
        changed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::alerts::Comparison;
    use protocol::{Actor, Time};
    use store::UserRule;

    fn configured(name: &str, origin: RuleOrigin) -> ConfiguredRule {
        let spec = AlertRule::new(name, "cpu.busy_ratio", Comparison::Above, 0.9);
        ConfiguredRule { rule: Rule::new(spec).unwrap(), enabled: true, origin }
    }

    fn stored(revision: u64, name: &str, metric: &str) -> StoredRule {
        let rule = AlertRule::new(name, metric, Comparison::Above, 0.5);
        let changed = RuleChanged { at: Time::from_micros(1), by: Actor::signalbox() };
        StoredRule { revision, of: UserRule { rule, enabled: false, changed } }
    }

    #[test]
    fn users_change_built_in_rules_and_add_their_own_but_those_of_the_file_stay() {
        let configured = [
            configured("built-in", RuleOrigin::Default),
            configured("changed", RuleOrigin::Changed),
            configured("file", RuleOrigin::Configuration),
        ];
        let stored = [
            stored(3, "built-in", "cpu.busy_ratio"),
            stored(4, "file", "cpu.busy_ratio"),
            stored(5, "own", "cpu.busy_ratio"),
            stored(6, "of-another-version", "tomorrow.ratio"),
        ];
        let rules = merge(&configured, &stored);
        let of = |rule: &RuleInEffect| (rule.rule.name.clone(), rule.origin, rule.revision, rule.enabled);
        assert_eq!(
            rules.iter().map(of).collect::<Vec<_>>(),
            [
                ("built-in".to_owned(), RuleOrigin::Overridden, 3, false),
                ("changed".to_owned(), RuleOrigin::Changed, 0, true),
                ("file".to_owned(), RuleOrigin::Configuration, 0, true),
                ("own".to_owned(), RuleOrigin::Page, 5, false),
            ]
        );
        assert_eq!(rules[0].built_in.as_ref().map(|rule| rule.threshold), Some(0.9));
        assert_eq!(merge(&configured, &[])[0].origin, RuleOrigin::Default, "reset");
    }
}
