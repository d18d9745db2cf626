//! Series, logs and baselines.

use super::*;

#[test]
fn curves_and_logs_read_back_in_order_with_each_line_once() {
    let (_folder, store) = open();
    let id = put(&store, State::Running, "a").id;
    let points = |name: &str, from: u32| Points {
        name: name.into(),
        points: (from..from + 3).map(|x| Point(f64::from(x), f64::from(x) * 0.1)).collect(),
    };
    let line = |n| LogLine { n, at: Time::from_micros(7), level: LogLevel::Warn, text: format!("line {n}") };
    let lines =
        |range: std::ops::Range<u64>| Change::Log { id, attempt: 1, lines: range.map(line).collect() };
    store
        .apply(&[
            Change::Points { id, attempt: 1, series: vec![points("b", 0), points("a", 0)] },
            Change::Points { id, attempt: 1, series: vec![points("a", 3)] },
            lines(1..6),
            lines(4..9),
        ])
        .unwrap();
    assert_eq!(store.series_names(id, 1).unwrap(), ["a", "b"]);
    let stored = |name| {
        let mut found = Vec::new();
        store.curve(id, 1, name, &mut |point| found.push(point)).unwrap();
        found
    };
    assert_eq!((stored("a").len(), stored("a")[4]), (6, Point(4.0, 0.4)));
    assert_eq!(stored("b"), points("b", 0).points);
    assert_eq!(store.series_names(id, 2).unwrap(), Vec::<String>::new());
    let numbers = |before, limit| -> Vec<u64> {
        store.logs(id, 1, before, limit).unwrap().iter().map(|l| l.n).collect()
    };
    assert_eq!(numbers(None, 3), [6, 7, 8]);
    assert_eq!(numbers(Some(6), 100), [1, 2, 3, 4, 5]);
}

#[test]
fn a_log_position_that_is_no_longer_stored_is_reported() {
    let (_folder, store) = open();
    let event = |seq| Change::Event(EventRecord { seq, operation: None, progress: false, json: "{}".into() });
    store.apply(&(11..20).map(event).collect::<Vec<_>>()).unwrap();
    assert_eq!(store.events(3, 10).unwrap(), None);
    assert_eq!(store.events(10, 4).unwrap().unwrap().len(), 4);
    assert_eq!(store.events(19, 4).unwrap().unwrap(), []);
    assert_eq!(store.head().unwrap(), 19);
}

#[test]
fn past_runs_are_earlier_successes_with_the_curve_newest_first() {
    let (_folder, store) = open();
    let tallied = |operation: &Operation, name: &str, points: &[Point]| {
        let series = vec![Points { name: name.into(), points: points.to_vec() }];
        store.apply(&[Change::Points { id: operation.id, attempt: 1, series }]).unwrap();
    };
    let some = [Point(1.0, 0.5), Point(2.0, 0.25)];
    let first = put(&store, State::Succeeded, "MSFT");
    let other = put(&store, State::Succeeded, "NVDA");
    let failed = put(&store, State::Failed, "MSFT");
    let bare = put(&store, State::Succeeded, "MSFT");
    let last = put(&store, State::Succeeded, "MSFT");
    let running = put(&store, State::Running, "MSFT");
    let later = put(&store, State::Succeeded, "MSFT");
    for operation in [&first, &other, &failed, &last, &running, &later] {
        tallied(operation, "loss", &some);
    }
    tallied(&bare, "accuracy", &some);
    let found = |title, limit| -> Vec<OperationId> {
        let kind = &running.kind;
        let wanted = PastRunsQuery { kind, title, before: running.id, series: "loss", limit };
        store
            .earlier(wanted)
            .unwrap()
            .into_iter()
            .map(|(id, attempt)| {
                assert_eq!(attempt, 1);
                id
            })
            .collect()
    };
    assert_eq!(found(Some("MSFT"), 9), [last.id, first.id]);
    assert_eq!(found(None, 9), [last.id, other.id, first.id]);
    assert_eq!(found(None, 1), [last.id]);
    tallied(&first, "loss", &[Point(3.0, 0.125)]);
    let mut points = Vec::new();
    store.curve(first.id, 1, "loss", &mut |point| points.push(point)).unwrap();
    assert_eq!(points, [some[0], some[1], Point(3.0, 0.125)]);
}

#[test]
fn the_band_of_a_rule_reads_back_bit_by_bit_with_its_start() {
    let (folder, store) = open();
    let operation = put(&store, State::Running, "MSFT");
    let series = |points: Vec<Point>| vec![Points { name: "loss".into(), points }];
    let id = operation.id;
    let tallied = |points: Vec<Point>| Change::Points { id, attempt: 1, series: series(points) };
    let band = Band {
        x: vec![0.1 + 0.2, 1e-300],
        p10: vec![Some(1.0 / 3.0), None],
        p50: vec![Some(2.0 / 3.0), None],
        p90: vec![Some(0.1), None],
        runs: vec![5, 4],
    };
    let baseline = Baseline {
        series: "loss".into(),
        like: Like::SameTitle,
        runs: vec![OperationId::new()],
        needed: 5,
        band: Some(band),
        why: String::new(),
    };
    let set = Change::RuleBand { id, attempt: 1, baseline: Arc::new(baseline.clone()) };
    let points = |n: u32| (0..n).map(|x| Point(f64::from(x), 1.0)).collect::<Vec<_>>();
    // Within the batch, too: points before the rule are skipped, points after it are not.
    store.apply(&[tallied(points(2)), tallied(points(1)), set, tallied(points(4))]).unwrap();
    drop(store);
    let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
    let kept = store.rule_band(id).unwrap().unwrap();
    assert_eq!((kept.attempt, kept.skip), (1, 3));
    assert_eq!(kept.baseline, baseline);
    let none = Baseline { band: None, why: "too few".into(), ..baseline };
    store.apply(&[Change::RuleBand { id, attempt: 2, baseline: Arc::new(none.clone()) }]).unwrap();
    let kept = store.rule_band(id).unwrap().unwrap();
    assert_eq!((kept.attempt, kept.skip, kept.baseline), (2, 0, none));
    assert_eq!(store.rule_band(OperationId::new()).unwrap(), None);
    store.apply(&[Change::Forget { ids: vec![id] }]).unwrap();
    assert_eq!(store.rule_band(id).unwrap(), None);
}
