//! Alert rules.

use super::open;
use protocol::alerts::{AlertRule, Comparison, RuleChanged};
use protocol::{Action, Actor, AuditEntry, Time};
use signalbox_store::{AlertRuleStore, AuditFilter, Sqlite, Store, UserRule};

fn rule(name: &str, threshold: f64) -> UserRule {
    UserRule {
        rule: AlertRule::new(name, "cpu.busy_ratio", Comparison::Above, threshold),
        enabled: true,
        changed: RuleChanged { at: Time::from_micros(5), by: Actor::signalbox() },
    }
}

fn entry(action: Action) -> AuditEntry {
    AuditEntry::new(Time::from_micros(5), action, Actor::signalbox())
}

#[test]
fn a_rule_reads_back_as_it_was_changed_last_and_its_revision_is_never_used_again() {
    let (folder, store) = open();
    let add = entry(Action::AddAlertRule);
    let first = store.put_alert_rule(&rule("b", 0.9), &add).unwrap();
    let other = store.put_alert_rule(&rule("a", 0.5), &add).unwrap();
    let changed = store.put_alert_rule(&rule("b", 0.8), &entry(Action::ChangeAlertRule)).unwrap();
    assert!(first < other && other < changed);
    drop(store);
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    let stored: Vec<_> =
        store.alert_rules().unwrap().into_iter().map(|stored| (stored.revision, stored.of)).collect();
    assert_eq!(stored, [(other, rule("a", 0.5)), (changed, rule("b", 0.8))]);
    store.remove_alert_rule("b", &entry(Action::RemoveAlertRule)).unwrap();
    assert_eq!(store.alert_rules().unwrap().len(), 1);
    let again = store.put_alert_rule(&rule("b", 0.9), &add).unwrap();
    assert!(again > changed, "an editor of the deleted rule can't change the new one");
    let actions: Vec<Action> = store
        .audit(&AuditFilter::default(), 10)
        .unwrap()
        .into_iter()
        .map(|(_, entry)| entry.action)
        .collect();
    assert_eq!(actions.len(), 5);
    assert_eq!(actions[1], Action::RemoveAlertRule);
}
