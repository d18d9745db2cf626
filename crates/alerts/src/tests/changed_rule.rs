//! Promises of the state machine when its rule changes.

use super::at;
use crate::{Memory, Rule, Transition};
use proptest::prelude::*;
use protocol::alerts::{AlertRule, AlertState};
use serde_json::json;

const FOR: f64 = 10.0;

fn rule(metric: &str, threshold: f64, recovery: f64) -> Rule {
    let spec = json!({"name": "busy", "metric": metric, "threshold": threshold, "recovery": recovery,
        "for_seconds": FOR, "recover_for_seconds": 5.0, "no_data_for_seconds": 20.0});
    Rule::new(serde_json::from_value::<AlertRule>(spec).unwrap()).unwrap()
}

/// Definitions that an editor switches between: the last one has another metric.
fn definitions() -> [Rule; 4] {
    [
        rule("cpu.busy_ratio", 0.8, 0.6),
        rule("cpu.busy_ratio", 0.95, 0.6),
        rule("cpu.busy_ratio", 0.5, 0.5),
        rule("memory.used_ratio", 0.8, 0.6),
    ]
}

/// Definition, value and seconds until it.
fn steps() -> impl Strategy<Value = Vec<(usize, Option<f64>, f64)>> {
    let value = prop_oneof![
        3 => Just(Some(0.97)), 3 => Just(Some(0.9)), 2 => Just(Some(0.7)), 1 => Just(Some(0.1)), 1 => Just(None)
    ];
    // Most definitions stay for several steps.
    let part = (0_usize..4, proptest::collection::vec((value, 0.0..15.0_f64), 1..12));
    proptest::collection::vec(part, 1..12).prop_map(|parts| {
        let steps = parts.into_iter().flat_map(|(definition, steps)| {
            steps.into_iter().map(move |(value, elapsed)| (definition, value, elapsed))
        });
        steps.collect()
    })
}

proptest! {
    #[test]
    fn a_changed_rule_is_judged_by_its_new_definition(steps in steps(), restart in 0_usize..100) {
        let definitions = definitions();
        let (mut memory, mut now) = (Memory::new(at(0.0)), 0.0);
        let (mut before, mut bad_since): (Option<usize>, Option<f64>) = (None, None);
        // Whether no value was judged by the current definition yet.
        let mut is_new = false;
        for (number, (definition, value, elapsed)) in steps.into_iter().enumerate() {
            if number == restart {
                memory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
            }
            let rule = &definitions[definition];
            now += elapsed;
            let fired_at = memory.fired_at;
            let transition = memory.step(rule, value, elapsed, at(now));
            let is_changed = before.is_some_and(|before| before != definition);
            let other_metric = before.is_some_and(|before| (before == 3) != (definition == 3));
            before = Some(definition);
            if is_changed {
                bad_since = None;
                is_new = true;
            }
            match transition {
                Some(Transition::Fired) => prop_assert!(fired_at.is_none()),
                Some(Transition::Resolved(since)) => prop_assert_eq!(Some(since), fired_at),
                None => prop_assert_eq!(memory.fired_at, fired_at),
            }
            if other_metric {
                prop_assert!(!memory.is_active(), "an alert about another metric is over");
                prop_assert_eq!((memory.state, memory.value), (AlertState::Inactive, None));
                is_new = false;
                continue;
            }
            let Some(value) = value else {
                prop_assert_eq!(transition, None, "nothing is known");
                continue;
            };
            let is_bad = rule.is_bad(value);
            bad_since = if is_bad { bad_since.or(Some(now)) } else { None };
            if transition == Some(Transition::Fired) {
                let held = bad_since.map(|since| now - since);
                prop_assert!(held.is_some_and(|held| held >= FOR - 1e-6), "{:?} by the new definition", held);
            }
            if is_new && fired_at.is_some() {
                let expected = if is_bad { fired_at } else { None };
                prop_assert_eq!(memory.fired_at, expected, "re-evaluated by the first value");
            }
            is_new = false;
        }
    }

    #[test]
    fn a_change_of_other_keys_loses_no_time(held in 0.0..9.0_f64, longer in 0.0..30.0_f64) {
        let first = rule("cpu.busy_ratio", 0.8, 0.6);
        let mut spec = first.spec().clone();
        spec.for_seconds = longer;
        spec.action = "Move some trainings.".into();
        let changed = Rule::new(spec).unwrap();
        let mut memory = Memory::new(at(0.0));
        memory.step(&first, Some(0.9), 0.0, at(0.0));
        memory.step(&first, Some(0.9), held, at(held));
        prop_assert_eq!(memory.state, AlertState::Pending);
        let fires = memory.step(&changed, Some(0.9), 1.0, at(held + 1.0)).is_some();
        prop_assert_eq!(fires, held + 1.0 >= longer);
    }
}

/// Memory of an alert that fired at second 10.
fn firing() -> Memory {
    let rule = rule("cpu.busy_ratio", 0.8, 0.6);
    let mut memory = Memory::new(at(0.0));
    memory.step(&rule, Some(0.9), 0.0, at(0.0));
    assert_eq!(memory.step(&rule, Some(0.9), FOR, at(FOR)), Some(Transition::Fired));
    memory
}

#[test]
fn a_higher_threshold_resolves_an_alert_although_the_value_is_above_the_recovery_threshold() {
    let mut memory = firing();
    let resolved = memory.step(&rule("cpu.busy_ratio", 0.95, 0.6), Some(0.9), 1.0, at(11.0));
    assert_eq!(resolved, Some(Transition::Resolved(at(FOR))));
}

#[test]
fn an_alert_of_a_silent_host_waits_for_a_value() {
    let (mut memory, higher) = (firing(), rule("cpu.busy_ratio", 0.95, 0.6));
    assert_eq!(memory.step(&higher, None, 30.0, at(40.0)), None);
    assert_eq!((memory.state, memory.is_active()), (AlertState::Unknown, true));
    assert_eq!(memory.step(&higher, Some(0.9), 5.0, at(45.0)), Some(Transition::Resolved(at(FOR))));
}

#[test]
fn states_of_earlier_versions_continue() {
    let stored = json!({"state": "firing", "since": at(10.0), "held": 0.0, "silent": 0.0, "fired_at": at(10.0), "value": 0.9});
    let mut memory: Memory = serde_json::from_value(stored).unwrap();
    assert_eq!(memory.step(&rule("cpu.busy_ratio", 0.95, 0.6), Some(0.9), 0.0, at(20.0)), None);
    assert_eq!(memory.fired_at, Some(at(10.0)));
}
