//! Promises of the state machine and of the grouping.

mod changed_rule;

use crate::group::Active;
use crate::metric::NOT_FILLING_HOURS;
use crate::{AlertGroups, AlertKey, Memory, Metric, Phase, Rule, RuleError, Transition, defaults, sentence};
use proptest::prelude::*;
use protocol::Time;
use protocol::alerts::{AlertRule, AlertState, AlertSubject};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

fn rule(for_seconds: f64, recover_for_seconds: f64, no_data_for_seconds: f64) -> Rule {
    let spec = json!({"name": "busy", "metric": "cpu.busy_ratio", "threshold": 0.8, "recovery": 0.6,
        "for_seconds": for_seconds, "recover_for_seconds": recover_for_seconds,
        "no_data_for_seconds": no_data_for_seconds});
    Rule::new(serde_json::from_value::<AlertRule>(spec).unwrap()).unwrap()
}

fn at(second: f64) -> Time {
    Time::from_micros((second * 1e6) as i64)
}

/// Value and seconds until it: bad, in between, good or unknown.
fn steps() -> impl Strategy<Value = Vec<(Option<f64>, f64)>> {
    let value = prop_oneof![
        3 => Just(Some(0.9)), 1 => Just(Some(0.7)), 2 => Just(Some(0.1)), 1 => Just(None), 1 => Just(Some(f64::NAN))
    ];
    proptest::collection::vec((value, 0.0..30.0_f64), 1..120)
}

/// Steps of a run with the transition of each.
fn run(rule: &Rule, steps: &[(Option<f64>, f64)]) -> Vec<(Memory, Option<Transition>)> {
    let (mut memory, mut now) = (Memory::new(at(0.0)), 0.0);
    let each = steps.iter().map(|(value, elapsed)| {
        now += elapsed;
        let transition = memory.step(rule, *value, *elapsed, at(now));
        (memory.clone(), transition)
    });
    each.collect()
}

proptest! {
    #[test]
    fn an_alert_never_fires_before_its_time_has_passed(steps in steps(), hold in 0.0..90.0_f64) {
        let rule = rule(hold, 0.0, 20.0);
        let (mut bad_since, mut now) = (None, 0.0);
        for ((value, elapsed), (_, transition)) in steps.iter().zip(run(&rule, &steps)) {
            now += elapsed;
            match value.filter(|value| !value.is_nan()) {
                Some(value) if value > 0.8 => { bad_since.get_or_insert(now); }
                Some(_) => bad_since = None,
                None => {}
            }
            if transition == Some(Transition::Fired) {
                let held = bad_since.map(|since| now - since);
                prop_assert!(held.is_some_and(|held| held >= hold - 1e-6), "{held:?} of {hold}");
            }
        }
    }

    #[test]
    fn unknown_values_never_fire_or_resolve(steps in steps()) {
        for ((value, _), (memory, transition)) in steps.iter().zip(run(&rule(5.0, 5.0, 20.0), &steps)) {
            if value.is_none_or(f64::is_nan) {
                prop_assert_eq!(transition, None);
            }
            if memory.state == AlertState::Unknown {
                prop_assert_eq!(transition, None);
            }
        }
    }

    #[test]
    fn an_alert_fires_and_is_resolved_in_turn(steps in steps(), hold in 0.0..40.0_f64) {
        let mut active = false;
        for (memory, transition) in run(&rule(hold, hold, 20.0), &steps) {
            if let Some(transition) = transition {
                prop_assert_eq!(transition == Transition::Fired, !active);
                active = !active;
            }
            prop_assert_eq!(memory.is_active(), active);
            let fits = match memory.state {
                AlertState::Inactive | AlertState::Pending => !active,
                AlertState::Firing | AlertState::Recovering => active,
                AlertState::Unknown => true,
            };
            prop_assert!(fits, "{:?}", memory.state);
        }
    }

    #[test]
    fn values_that_stay_above_the_recovery_threshold_end_no_alert(
        values in proptest::collection::vec((prop_oneof![Just(Some(0.61)), Just(Some(0.8)), Just(Some(0.95)), Just(None)], 0.0..100.0_f64), 1..60)
    ) {
        let steps: Vec<_> = [(Some(0.9), 0.0)].into_iter().chain(values).collect();
        let transitions: Vec<_> = run(&rule(0.0, 0.0, 20.0), &steps).into_iter().filter_map(|(_, t)| t).collect();
        prop_assert_eq!(transitions, [Transition::Fired]);
    }

    #[test]
    fn a_restart_changes_nothing(steps in steps(), restart in 0_usize..120) {
        let rule = rule(20.0, 10.0, 20.0);
        let (mut memory, mut now) = (Memory::new(at(0.0)), 0.0);
        let whole = run(&rule, &steps);
        for (number, ((value, elapsed), (expected, transition))) in steps.iter().zip(whole).enumerate() {
            if number == restart {
                memory = serde_json::from_str(&serde_json::to_string(&memory).unwrap()).unwrap();
            }
            now += elapsed;
            prop_assert_eq!(memory.step(&rule, *value, *elapsed, at(now)), transition);
            prop_assert_eq!(memory.state, expected.state);
        }
    }

    #[test]
    fn a_group_sends_one_notification_and_one_for_its_end(
        sets in proptest::collection::vec((proptest::collection::btree_set(0_usize..6, 0..6), 0.0..8.0_f64), 1..80),
        silenced in proptest::collection::btree_set(0_usize..6, 0..2),
        restart in 0_usize..80,
    ) {
        let mut groups = AlertGroups::default();
        let mut open: BTreeMap<u64, Vec<AlertKey>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut now = 0.0;
        let idle = std::iter::repeat_n((BTreeSet::new(), 10.0), 2);
        for (number, (set, elapsed)) in sets.into_iter().chain(idle).enumerate() {
            if number == restart {
                groups = serde_json::from_str(&serde_json::to_string(&groups).unwrap()).unwrap();
            }
            now += elapsed;
            let active: Vec<Active> =
                set.iter().map(|n| Active { key: key(*n), silenced: silenced.contains(n) }).collect();
            for notification in groups.step(&active, 10.0, elapsed, at(now)) {
                prop_assert!(!notification.alerts.is_empty());
                prop_assert!(silenced.iter().all(|n| !notification.alerts.contains(&key(*n))), "{notification:?}");
                match notification.phase {
                    Phase::Firing => {
                        prop_assert!(seen.insert(notification.group), "each group is published once");
                        let published = open.values().flatten();
                        prop_assert!(published.clone().all(|published| !notification.alerts.contains(published)), "published twice");
                        open.insert(notification.group, notification.alerts);
                    }
                    Phase::Resolved => {
                        prop_assert!(open.remove(&notification.group).is_some());
                        prop_assert!(active.iter().all(|active| !notification.alerts.contains(&active.key)));
                    }
                }
            }
        }
        prop_assert!(open.is_empty(), "each group ends: {open:?}");
    }
}

/// Three rules on two hosts.
fn key(number: usize) -> AlertKey {
    let host = Some(format!("host-{}", number % 2).parse().unwrap());
    AlertKey {
        rule: format!("rule-{}", number / 2),
        subject: AlertSubject { host, ..AlertSubject::default() },
    }
}

fn active(keys: &[usize]) -> Vec<Active> {
    keys.iter().map(|number| Active { key: key(*number), silenced: false }).collect()
}

#[test]
fn a_hundred_hosts_that_fail_together_are_one_notification() {
    let mut groups = AlertGroups::default();
    let all: Vec<Active> = (0..100)
        .map(|n| {
            let host = Some(format!("gpu-{n}").parse().unwrap());
            let subject = AlertSubject { host, ..AlertSubject::default() };
            Active { key: AlertKey { rule: "host-unreachable".into(), subject }, silenced: false }
        })
        .collect();
    assert!(groups.step(&all[..40], 10.0, 0.0, at(0.0)).is_empty(), "others may follow");
    let published = groups.step(&all, 10.0, 10.0, at(10.0));
    assert_eq!((published.len(), published[0].alerts.len()), (1, 100));
    assert!(groups.step(&all[99..], 10.0, 10.0, at(20.0)).is_empty(), "one is still away");
    let over = groups.step(&[], 10.0, 10.0, at(30.0));
    assert_eq!((over.len(), over[0].phase, over[0].alerts.len()), (1, Phase::Resolved, 100));
}

#[test]
fn an_alert_that_flaps_within_a_group_sends_no_second_notification() {
    let mut groups = AlertGroups::default();
    groups.step(&active(&[0, 1]), 0.0, 0.0, at(0.0));
    for second in 1..20 {
        let flapping: &[usize] = if second % 2 == 0 { &[0, 1] } else { &[0] };
        assert!(groups.step(&active(flapping), 0.0, 1.0, at(f64::from(second))).is_empty());
    }
    assert_eq!(groups.step(&[], 0.0, 1.0, at(20.0)).len(), 1);
}

#[test]
fn a_short_peak_before_the_notification_sends_none() {
    let mut groups = AlertGroups::default();
    assert!(groups.step(&active(&[0]), 10.0, 0.0, at(0.0)).is_empty());
    assert!(groups.step(&[], 10.0, 5.0, at(5.0)).is_empty());
    assert!(groups.step(&[], 10.0, 50.0, at(55.0)).is_empty());
}

#[test]
fn an_alert_whose_silence_ends_is_told_if_it_still_fires() {
    let mut groups = AlertGroups::default();
    let mut one = active(&[0]);
    one[0].silenced = true;
    assert!(groups.step(&one, 0.0, 100.0, at(100.0)).is_empty());
    one[0].silenced = false;
    assert_eq!(groups.step(&one, 0.0, 1.0, at(101.0)).len(), 1);
}

#[test]
fn a_disk_that_fills_steadily_is_full_when_its_trend_says_so() {
    let Some(Metric::History(full)) = Metric::parse("folder.data.full_in_hours") else { panic!() };
    let free = |per_minute: f64| {
        let minutes = (0..400).map(|minute| Some(1e9 - per_minute * f64::from(minute))).collect();
        full.values(&BTreeMap::from([("folder.data.free_bytes".to_owned(), minutes)]))
    };
    let filling = free(1e6);
    assert_eq!(filling[10], None, "too few values for a trend");
    let hours = filling[399].unwrap();
    assert!((hours - (1e9 - 399e6) / 1e6 / 60.0).abs() < 1e-6, "{hours}");
    assert_eq!(free(0.0)[399], Some(NOT_FILLING_HOURS));
    assert_eq!(free(-1e6)[399], Some(NOT_FILLING_HOURS));
}

#[test]
fn a_share_is_unknown_where_a_part_is() {
    let Some(Metric::History(share)) = Metric::parse("memory.used_ratio") else { panic!() };
    let inputs = BTreeMap::from([
        ("memory.used_bytes".to_owned(), vec![Some(3.0), None, Some(3.0)]),
        ("memory.total_bytes".to_owned(), vec![Some(4.0), Some(4.0), Some(0.0)]),
    ]);
    assert_eq!(share.values(&inputs), [Some(0.75), None, None]);
}

#[test]
fn an_invalid_rule_is_named_with_the_correct_form() {
    let read = |change: serde_json::Value| {
        let mut spec = json!({"name": "busy", "metric": "cpu.busy_ratio", "threshold": 0.8});
        spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Rule::new(serde_json::from_value::<AlertRule>(spec).unwrap())
    };
    assert!(read(json!({})).is_ok());
    assert!(matches!(read(json!({"name": "Busy host"})), Err(RuleError::Name(_))));
    assert!(matches!(read(json!({"metric": "cpu"})), Err(RuleError::Metric { .. })));
    assert!(matches!(read(json!({"metric": "disk.*.busy_ratio"})), Err(RuleError::Metric { .. })));
    assert!(matches!(read(json!({"recovery": 0.9})), Err(RuleError::RecoveryAbove { .. })));
    assert!(matches!(
        read(json!({"comparison": "below", "recovery": 0.7})),
        Err(RuleError::RecoveryBelow { .. })
    ));
    assert!(matches!(read(json!({"for_seconds": -1.0})), Err(RuleError::Number { key: "for_seconds", .. })));
    assert!(matches!(read(json!({"kinds": ["data.load"]})), Err(RuleError::Scope { key: "kinds", .. })));
}

#[test]
fn a_rule_about_failures_is_a_sentence_for_each_threshold() {
    let of = |change: serde_json::Value| {
        let mut spec = json!({"name": "failures", "metric": "operations.failed.15m"});
        spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        sentence::of_rule(&Rule::new(serde_json::from_value::<AlertRule>(spec).unwrap()).unwrap())
    };
    let exact = json!({"threshold": 0.0, "recovery": 0.0, "for_seconds": 0.0, "recover_for_seconds": 0.0});
    assert_eq!(
        of(exact),
        "Fires when an operation fails; resolves when no operation of this kind has failed in the last 15 m."
    );
    let held = json!({"threshold": 0.0, "recovery": 0.0, "for_seconds": 60.0, "recover_for_seconds": 120.0});
    assert_eq!(
        of(held),
        "Fires when an operation has failed in the last 15 m, and this stays true for 1 m; resolves when no operation \
         of this kind has failed in the last 15 m, and this stays true for 2 m."
    );
    let two = json!({"threshold": 1.0, "recovery": 1.0, "for_seconds": 0.0, "recover_for_seconds": 0.0});
    assert_eq!(
        of(two),
        "Fires when 2 or more operations of the same kind fail within 15 m; resolves when at most 1 operation of this \
         kind has failed in the last 15 m."
    );
    let many = json!({"threshold": 9.0, "recovery": 4.0, "for_seconds": 60.0, "recover_for_seconds": 0.0});
    assert_eq!(
        of(many),
        "Fires when 10 or more operations of the same kind have failed in the last 15 m, and this stays true for 1 m; \
         resolves when at most 4 operations of this kind have failed in the last 15 m."
    );
    let rare =
        json!({"comparison": "below", "threshold": 1.0, "for_seconds": 0.0, "recover_for_seconds": 0.0});
    assert_eq!(
        of(rare),
        "Fires when the number of failures in 15 m per kind is below 1; resolves when it is at least 1."
    );
    let waits = json!({"metric": "queue.wait_seconds", "threshold": 600.0, "recovery": 300.0, "for_seconds": 0.0,
        "recover_for_seconds": 0.0});
    assert_eq!(
        of(waits),
        "Fires when the longest queue wait of an operation is above 10 m; resolves when it is at most 5 m."
    );
}

#[test]
fn each_built_in_rule_says_what_it_means_and_what_to_do() {
    let rules = defaults::rules();
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    assert_eq!(names.len(), rules.len());
    for rule in &rules {
        assert!(!rule.action.is_empty() && sentence::of_rule(rule).starts_with("Fires when "));
    }
    let of = |name: &str| sentence::of_rule(rules.iter().find(|rule| rule.name == name).unwrap());
    assert_eq!(of("host-unreachable"), "Fires when a host is unreachable for 30 s.");
    assert_eq!(
        of("memory-high"),
        "Fires when memory usage of a host is above 95 % for 5 m; resolves when it is at most 90 % for 1 m."
    );
    assert_eq!(
        of("failures"),
        "Fires when 3 or more operations of the same kind fail within 15 m; resolves when at most 1 operation of this \
         kind has failed in the last 15 m, and this stays true for 1 m."
    );
    assert_eq!(
        of("disk-full-soon"),
        "Fires when the predicted time until the host's disk is full is below 1 d for 10 m; resolves when it is at \
         least 1 d 6 h for 1 m."
    );
    assert_eq!(
        of("memory-pressure"),
        "Fires when the share of time in which tasks waited for memory on a host is above 10 % for 2 m; resolves when \
         it is at most 5 % for 1 m."
    );
    assert_eq!(of("operation-stalled"), "Fires when an operation has been stalled for 1 m.");
    assert_eq!(
        of("request-errors"),
        "Fires when the share of failed requests to a host is above 5 % for 2 m; resolves when it is at \
         most 2 % for 1 m."
    );
    assert_eq!(
        of("latency-doubled"),
        "Fires when the p95 latency of requests to a host is above 2 times its usual value for 5 m; resolves when it \
         is at most 1.5 times for 1 m."
    );
    let failures = rules.iter().find(|rule| rule.name == "failures").unwrap();
    let kind = AlertSubject { kind: Some("data.load".parse().unwrap()), ..AlertSubject::default() };
    assert_eq!(
        sentence::of_alert(failures, &kind, Some(4.0)),
        "data.load: 4 operations failed within 15 m (threshold: 3)."
    );
    let host = AlertSubject { host: Some("gpu-1".parse().unwrap()), ..AlertSubject::default() };
    let doubled = rules.iter().find(|rule| rule.name == "latency-doubled").unwrap();
    assert_eq!(
        sentence::of_alert(doubled, &host, Some(2.5)),
        "gpu-1: the p95 latency of requests is 2.5 times its usual value (threshold: above 2 times)."
    );
    let rule = rules.iter().find(|rule| rule.name == "disk-space-low").unwrap();
    assert_eq!(
        sentence::of_alert(rule, &host, Some(0.031)),
        "gpu-1: the free space of the data folder is 3.1 % (threshold: below 5 %)."
    );
}
