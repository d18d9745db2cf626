//! Tests of the choice of a host.

use super::*;

fn kind() -> KindName {
    "test.count".parse().unwrap()
}

/// Connected host with two slots.
fn up(name: &str) -> Entry {
    let pool = Pool::new("http://127.0.0.1:1", pool::PoolConfig::default()).unwrap();
    let spec = serde_json::json!({
        "name": "test.count", "title": "", "description": "", "summary": "", "params": {}
    });
    let about = About {
        name: name.into(),
        version: String::new(),
        instance: protocol::InstanceId::new(),
        kinds: vec![serde_json::from_value(spec).unwrap()],
        capacity: 2,
        max_parallel: BTreeMap::new(),
        now: Time::from_micros(0),
    };
    let entry = Entry::new(name.parse().unwrap(), pool, None, LastSeen::default());
    Entry { link: HostLink::Up, about: Some(about), health_asked: true, ..entry }
}

fn health(ready: bool, unready_kinds: Vec<KindName>) -> Health {
    Health {
        ready,
        unready_kinds,
        checks: Vec::new(),
        cpu: None,
        memory_bytes: None,
        network_in: None,
        network_out: None,
        running: 0,
        free: 2,
        now: Time::from_micros(0),
    }
}

fn chosen(entries: Vec<Entry>) -> Result<String, (ConditionKind, String)> {
    let mut host_registry = HostRegistry::default();
    entries.into_iter().for_each(|entry| host_registry.add(entry));
    host_registry.choose(&kind(), None, Time::from_micros(1)).map(|entry| entry.name.to_string())
}

#[test]
fn nothing_is_placed_on_a_host_that_is_not_ready() {
    let sick = |unready| Entry { health: Some(health(false, unready)), ..up("a") };
    let busy = || Entry { assigned: 1, ..up("b") };
    for unready in [vec![], vec![kind()]] {
        assert_eq!(chosen(vec![sick(unready.clone()), busy()]).unwrap(), "b");
        let (condition, text) = chosen(vec![sick(unready)]).unwrap_err();
        assert_eq!(condition, ConditionKind::NoHost);
        assert!(text.contains("Not ready for test.count: a"), "{text}");
    }
    // It can't run another kind.
    assert_eq!(chosen(vec![sick(vec!["test.other".parse().unwrap()]), busy()]).unwrap(), "a");
    // Its health is unknown so far.
    let new = || Entry { health_asked: false, ..up("a") };
    assert_eq!(chosen(vec![new(), busy()]).unwrap(), "b");
    assert_eq!(chosen(vec![new()]).unwrap_err().0, ConditionKind::Waiting);
}

#[test]
fn a_limited_kind_waits_without_taking_slots_of_others() {
    let mut entry = up("a");
    entry.about.as_mut().unwrap().max_parallel.insert(kind(), 1);
    entry.take(&kind());
    let (condition, text) = chosen(vec![entry]).unwrap_err();
    assert_eq!(condition, ConditionKind::Waiting);
    assert!(text.contains("a has reached its limit of parallel test.count operations (1)"), "{text}");
    let mut entry = up("a");
    entry.about.as_mut().unwrap().max_parallel.insert(kind(), 1);
    entry.take(&kind());
    entry.give_back(&kind());
    assert_eq!(chosen(vec![entry]).unwrap(), "a");
}

#[test]
fn a_host_that_rejected_a_kind_is_skipped_briefly_for_that_kind_only() {
    let held = |kind: &str, why| {
        let hold = KindPause { until: Time::from_micros(9), why };
        Entry { paused_kinds: HashMap::from([(kind.parse().unwrap(), hold)]), ..up("a") }
    };
    let busy = || Entry { assigned: 1, ..up("b") };
    assert_eq!(chosen(vec![held("test.count", PauseReason::Undelivered), busy()]).unwrap(), "b");
    assert_eq!(chosen(vec![held("test.other", PauseReason::Full), busy()]).unwrap(), "a");
    let (_, text) = chosen(vec![held("test.count", PauseReason::NotStarted("No.".into()))]).unwrap_err();
    assert!(text.contains("could not start the operation: No."), "{text}");
}

#[test]
fn the_pause_of_a_full_host_is_independent_of_clock_jumps() {
    let t = |seconds: i64| Time::from_micros(1_000_000_000_000 + seconds * 1_000_000);
    let name: HostName = "a".parse().unwrap();
    let pool = Pool::new("http://127.0.0.1:1", pool::PoolConfig::default()).unwrap();
    let mut host_registry = HostRegistry::default();
    host_registry.add(Entry {
        paused_kinds: HashMap::from([(kind(), KindPause { until: t(10), why: PauseReason::Full })]),
        ..Entry::new(name.clone(), pool, None, LastSeen::default())
    });
    host_registry.moved(-3_600_000_000);
    assert_eq!(host_registry.get(&name).unwrap().paused_kinds[&kind()].until, t(10 - 3_600));
}

#[test]
fn silence_is_measured_by_the_monotonic_clock() {
    let word = LastSeen::default();
    assert_eq!((word.get(), word.silent_for(Instant::now())), (None, None));
    word.note();
    let later = Instant::now() + Duration::from_secs(3);
    assert!(word.silent_for(later).unwrap() >= Duration::from_secs(3));
    assert!(word.get().is_some());
}
