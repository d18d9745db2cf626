//! The history through restarts, repetition, damage and time.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use signalbox_history::{Anchor, Batch, Buckets, Query, Source, Store, Tallied, Tally, Tier};
use std::collections::BTreeMap;
use std::path::Path;

/// Noon of a day, in seconds since 1970.
const NOON: i64 = 1_795_000_000 / 86_400 * 86_400 + 43_200;
const METRIC: &str = "cpu.busy_ratio";

fn batch(seconds: impl IntoIterator<Item = i64>, value: impl Fn(i64) -> Option<f64>) -> Batch {
    let seconds: Vec<i64> = seconds.into_iter().collect();
    let values = seconds.iter().map(|second| value(*second)).collect();
    let metrics = BTreeMap::from([(METRIC.to_owned(), values)]);
    Batch { source: "host/a".into(), seconds, metrics, anchor: None }
}

fn open(folder: &Path) -> Store {
    Store::open(&folder.join("history.db")).unwrap()
}

fn read(store: &Store, from: i64, to: i64, width: usize) -> Buckets {
    let sources = vec![Source::always("host/a")];
    store.query(&Query { sources, metrics: vec![METRIC], from, to, width, now: to }).unwrap()
}

/// Values that a scale of thousandths represents.
fn value(second: i64) -> f64 {
    (second * 7 % 1000) as f64 / 1000.0
}

#[test]
fn samples_that_are_written_again_after_a_kill_leave_no_hole_and_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.write(&[batch(NOON..NOON + 90, |s| Some(value(s)))]).unwrap();
    assert_eq!(store.newest("host/a").unwrap(), Some(NOON + 89));
    // Killed: not closed. The next process reads what the host still has, from before the end.
    std::mem::forget(store);
    let mut store = open(folder.path());
    store
        .write(&[batch(NOON + 30..NOON + 200, |s| Some(if s < NOON + 90 { 0.999 } else { value(s) }))])
        .unwrap();
    assert_eq!(store.refused(), 60, "known seconds keep their values");
    let seconds = read(&store, NOON, NOON + 200, 200);
    assert_eq!((seconds.tier, seconds.count, seconds.bucket_seconds), (Tier::Second, 200, 1));
    for (n, mean) in seconds.metrics[METRIC].mean.iter().enumerate() {
        assert!((mean.unwrap() - value(NOON + n as i64)).abs() < 0.0006, "second {n}");
    }
}

#[test]
fn a_gap_is_unknown_and_not_0() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.write(&[batch((NOON..NOON + 10).chain(NOON + 20..NOON + 30), |_| Some(0.5))]).unwrap();
    let buckets = read(&store, NOON, NOON + 30, 30);
    let mean = &buckets.metrics[METRIC].mean;
    assert_eq!(
        mean.iter().map(Option::is_some).collect::<Vec<_>>(),
        [[true; 10], [false; 10], [true; 10]].concat()
    );
    assert_eq!(read(&store, NOON + 100, NOON + 130, 30).metrics.len(), 0);
}

#[test]
fn impossible_values_are_refused_and_the_rest_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let odd = [f64::NAN, -1.0, f64::INFINITY, 0.25];
    store.write(&[batch(NOON..NOON + 4, |s| Some(odd[(s - NOON) as usize]))]).unwrap();
    assert_eq!(store.refused(), 3);
    assert_eq!(read(&store, NOON, NOON + 4, 4).metrics[METRIC].max, [None, None, None, Some(0.25)]);
}

#[test]
fn minutes_and_hours_have_the_extremes_and_the_mean_of_their_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    // Two hours, in the uneven batches of a server that restarts.
    let (mut from, mut length) = (NOON, 1);
    while from < NOON + 7_200 {
        let to = (from + length).min(NOON + 7_200);
        store.write(&[batch(from..to, |s| Some(value(s)))]).unwrap();
        (from, length) = (to, length * 3 % 701 + 1);
    }
    for (now, expected) in [(NOON + 7_200 + 3 * 86_400, Tier::Minute), (NOON + 100 * 86_400, Tier::Hour)] {
        let query = Query {
            sources: vec![Source::always("host/a")],
            metrics: vec![METRIC],
            from: NOON,
            to: NOON + 7_200,
            width: 1_000,
            now,
        };
        let read = store.query(&query).unwrap();
        assert_eq!(read.tier, expected);
        assert_eq!(read.count as i64, 7_200 / expected.slot_seconds());
        let series = &read.metrics[METRIC];
        for bucket in 0..read.count {
            let begin = NOON + bucket as i64 * read.bucket_seconds;
            let exact: Vec<f64> = (begin..begin + read.bucket_seconds).map(value).collect();
            let near = |read: Option<f64>, exact: f64| (read.unwrap() - exact).abs() < 0.0011;
            assert!(near(series.min[bucket], exact.iter().copied().fold(f64::MAX, f64::min)), "{bucket}");
            assert!(near(series.max[bucket], exact.iter().copied().fold(0.0, f64::max)), "{bucket}");
            assert!(near(series.mean[bucket], exact.iter().sum::<f64>() / exact.len() as f64), "{bucket}");
        }
    }
}

#[test]
fn the_minute_that_is_not_over_is_part_of_longer_times() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let of = |second: i64| match second - NOON {
        i64::MIN..0 => 0.2,
        0..15 => 0.6,
        _ => 0.9,
    };
    store.write(&[batch(NOON - 120..NOON + 20, |second| Some(of(second)))]).unwrap();
    let last = |buckets: &Buckets| buckets.metrics[METRIC].mean.last().copied().flatten();
    let is_near = |read: Option<f64>, exact: f64| read.is_some_and(|read| (read - exact).abs() < 0.001);
    for (hours, expected) in [(3, Tier::Minute), (90, Tier::Hour)] {
        // Values from the end on do not count.
        let begun = read(&store, NOON - hours * 3_600, NOON + 15, 90);
        assert_eq!(begun.tier, expected);
        assert!(is_near(last(&begun), 0.6), "{expected:?}: {:?}", last(&begun));
    }
    // Once it is over, its seconds count once.
    store.write(&[batch(NOON + 20..NOON + 60, |_| Some(0.3))]).unwrap();
    let over = read(&store, NOON - 3 * 3_600, NOON + 60, 90);
    assert!(is_near(last(&over), 0.425), "{:?}", last(&over));
}

#[test]
fn old_seconds_are_pruned_and_their_minutes_remain() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    store.write(&[batch(NOON..NOON + 120, |_| Some(0.5))]).unwrap();
    let later = NOON + 3 * 86_400;
    store.prune(later).unwrap();
    assert_eq!(store.newest("host/a").unwrap(), None);
    let query = Query {
        sources: vec![Source::always("host/a")],
        metrics: vec!["cpu.*"],
        from: NOON,
        to: NOON + 120,
        width: 100,
        now: later,
    };
    assert_eq!(store.query(&query).unwrap().metrics[METRIC].mean, [Some(0.5); 2]);
}

/// Tally with these values, each of the first class.
fn tally(seconds: f64, values: impl IntoIterator<Item = f64>) -> Tally {
    let mut tally = Tally { seconds, ..Tally::default() };
    values.into_iter().for_each(|value| tally.values.record(value).unwrap());
    tally.counts = vec![tally.values.count()];
    tally
}

fn add(store: &mut Store, second: i64, tally: Tally) {
    store.add_tallies(&[Tallied { source: "host/a".into(), second, tally }]).unwrap();
}

#[test]
fn tallies_are_those_of_their_minute_for_a_week_and_of_ten_minutes_for_90_days() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    // NOON begins ten minutes. Parts of the first minute come with a kill between them, which loses nothing.
    add(&mut store, NOON + 3, tally(5.0, (1..=50).map(f64::from)));
    std::mem::forget(store);
    let mut store = open(folder.path());
    add(&mut store, NOON + 8, tally(5.0, (51..=100).map(f64::from)));
    add(&mut store, NOON + 65, tally(60.0, (101..=200).map(f64::from)));
    let read = |store: &Store, now: i64| store.tallies("host/a", NOON, NOON + 600, now).unwrap();
    let recent = read(&store, NOON + 600);
    let starts: Vec<i64> = recent.slots.iter().map(|(start, _)| *start).collect();
    assert_eq!((recent.slot_seconds, starts), (60, vec![NOON, NOON + 60]));
    let (_, first) = &recent.slots[0];
    assert_eq!((first.seconds, first.counts.as_slice()), (10.0, [100].as_slice()));
    let error = |tally: &Tally, exact: f64| (tally.values.quantile(0.95).unwrap() / exact - 1.0).abs();
    assert!(error(first, 95.0) < 0.011);
    let later = NOON + 8 * 86_400;
    store.prune(later).unwrap();
    assert!(read(&store, NOON + 600).slots.is_empty(), "minutes are gone");
    let old = read(&store, later);
    assert_eq!((old.slot_seconds, old.slots.len()), (600, 1));
    let (start, all) = &old.slots[0];
    assert_eq!((*start, all.seconds, all.counts.as_slice()), (NOON, 70.0, [200].as_slice()));
    assert!(error(all, 190.0) < 0.045, "of all values, not a mean of percentiles");
    store.prune(NOON + 91 * 86_400).unwrap();
    assert!(read(&store, NOON + 91 * 86_400).slots.is_empty());
}

#[test]
fn a_corrupt_database_is_set_aside_and_a_new_one_begins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("history.db"),
        "this is not a database, but it is long enough for a header",
    )
    .unwrap();
    let mut store = open(folder.path());
    store.write(&[batch(NOON..NOON + 5, |_| Some(0.5))]).unwrap();
    assert!(folder.path().join("history.db.corrupt").exists());
    assert_eq!(read(&store, NOON, NOON + 5, 5).metrics.len(), 1);
}

#[test]
fn a_deleted_database_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let store = Store::open(&path).unwrap();
    assert!(store.is_file(&path));
    std::fs::remove_file(&path).unwrap();
    assert!(!store.is_file(&path));
}

#[test]
fn anchors_and_machines_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let anchor = Anchor { instance: "i1".into(), base: NOON };
    let mut store = open(folder.path());
    store.write(&[Batch { anchor: Some(anchor.clone()), ..batch(NOON..NOON + 1, |_| None) }]).unwrap();
    for (machine, since) in [("m1", NOON), ("m1", NOON + 5), ("m2", NOON + 9)] {
        store.on_machine("a", machine, since).unwrap();
    }
    drop(store);
    let store = open(folder.path());
    assert_eq!(store.anchor("host/a").unwrap(), Some(anchor));
    assert_eq!(store.anchor("host/b").unwrap(), None);
    assert_eq!(store.machines("a").unwrap(), [("m1".to_owned(), NOON), ("m2".to_owned(), NOON + 9)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn however_samples_arrive_the_history_has_the_first_value_of_each_second(
        batches in proptest::collection::vec((0i64..400, 1i64..120, 1u32..1000), 1..12)
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let mut expected: BTreeMap<i64, f64> = BTreeMap::new();
        for (from, length, thousandths) in batches {
            let value = f64::from(thousandths) / 1000.0;
            store.write(&[batch(NOON + from..NOON + from + length, |_| Some(value))]).unwrap();
            for second in from..from + length {
                expected.entry(second).or_insert(value);
            }
        }
        let buckets = read(&store, NOON, NOON + 600, 600);
        let mean = &buckets.metrics[METRIC].mean;
        for second in 0..600 {
            let read = mean[second as usize];
            match expected.get(&second) {
                Some(value) => prop_assert!((read.unwrap() - value).abs() < 0.0006),
                None => prop_assert_eq!(read, None),
            }
        }
    }
}
