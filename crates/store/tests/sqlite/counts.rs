//! Counts of states, ends and filters.

use super::*;

#[test]
fn counts_follow_every_change_of_state() {
    let (_folder, store) = open();
    let count = |state| store.counts().unwrap().into_iter().find(|(s, _)| *s == state).unwrap().1;
    let (mut operation, attempt) = operation(State::Queued, "a");
    store.apply(&[Change::Operation { operation: operation.clone(), attempt: attempt.clone() }]).unwrap();
    put(&store, State::Queued, "b");
    assert_eq!((count(State::Queued), count(State::Running)), (2, 0));
    operation.state = State::Running;
    store.apply(&[Change::Operation { operation: operation.clone(), attempt: attempt.clone() }]).unwrap();
    store.apply(&[Change::Operation { operation, attempt }]).unwrap();
    assert_eq!((count(State::Queued), count(State::Running)), (1, 1));
    let kind = KindName::new("data.load").unwrap();
    let mut by_kind = store.counts_by_kind().unwrap();
    by_kind.sort();
    assert_eq!(by_kind, [(kind.clone(), State::Queued, 1), (kind, State::Running, 1)]);
}

#[test]
fn ends_are_tallied_by_the_hour_once_each() {
    let (_folder, store) = open();
    let begin = Time::from_micros(7_200_000_000);
    let end = |state, seconds: i64| {
        let (mut operation, attempt) = operation(state, "MSFT 1h");
        operation.started_at = Some(begin);
        operation.ended_at = state.ended().then(|| begin.plus_micros(seconds * 1_000_000 + 500_000));
        (operation, attempt)
    };
    let put = |(operation, attempt): &(Box<Operation>, Box<Attempt>)| {
        store.apply(&[Change::Operation { operation: operation.clone(), attempt: attempt.clone() }]).unwrap();
    };
    let mut one = end(State::Running, 0);
    put(&one);
    assert_eq!(store.tallies(0).unwrap(), []);
    one.0.state = State::Succeeded;
    one.0.ended_at = Some(begin.plus_micros(90_500_000));
    put(&one);
    // Stored again, it has not ended again.
    put(&one);
    put(&end(State::Succeeded, 29));
    put(&end(State::Failed, 3_600));
    let tallied: Vec<_> = store.tallies(2).unwrap();
    let short: Vec<_> = tallied.iter().map(|t| (t.hour, t.state, t.count)).collect();
    assert_eq!(short, [(2, State::Succeeded, 2), (3, State::Failed, 1)]);
    assert!((tallied[0].seconds - 120.0).abs() < 0.01, "{tallied:?}");
    assert_eq!(store.tallies(3).unwrap().len(), 1);
    store.apply(&[Change::Forget { ids: vec![one.0.id] }]).unwrap();
    assert_eq!(store.tallies(2).unwrap(), tallied, "what is forgotten has ended all the same");
}

#[test]
fn a_day_counts_operations_by_their_last_end_without_deleted_ones() {
    let (_folder, store) = open();
    let now = Time::now();
    let put = |(operation, attempt): &(Box<Operation>, Box<Attempt>)| {
        store.apply(&[Change::Operation { operation: operation.clone(), attempt: attempt.clone() }]).unwrap();
    };
    let counted = || -> Vec<_> {
        let tallied = store.tallies(0).unwrap();
        tallied.iter().map(|t| (t.state, t.count, (t.seconds * 10.0).round() / 10.0)).collect()
    };
    let end = |of: &mut (Box<Operation>, Box<Attempt>), state, seconds: i64| {
        of.0.state = state;
        of.0.started_at = Some(now.plus_micros(-seconds * 1_000_000));
        of.0.ended_at = Some(now);
    };
    let (mut one, mut other) = (operation(State::Queued, "one"), operation(State::Queued, "other"));
    end(&mut one, State::Failed, 3);
    end(&mut other, State::Failed, 4);
    put(&one);
    put(&other);
    assert_eq!(counted(), [(State::Failed, 2, 7.0)]);
    one.0.state = State::Queued;
    put(&one);
    assert_eq!(counted(), [(State::Failed, 1, 4.0)], "it is tried again: it has not ended");
    end(&mut one, State::Succeeded, 5);
    put(&one);
    assert_eq!(counted(), [(State::Failed, 1, 4.0), (State::Succeeded, 1, 5.0)]);
    store.apply(&[Change::Forget { ids: vec![other.0.id] }]).unwrap();
    assert_eq!(counted(), [(State::Succeeded, 1, 5.0)]);
}

#[test]
fn a_filter_counts_matches_in_each_state() {
    let (_folder, store) = open();
    for (state, title) in [
        (State::Failed, "MSFT 1h"),
        (State::Failed, "MSFT 1d"),
        (State::Running, "MSFT 5m"),
        (State::Failed, "AAPL 1h"),
    ] {
        let (operation, attempt) = operation(state, title);
        store.apply(&[Change::Operation { operation, attempt }]).unwrap();
    }
    let counts = |words: &[(&str, &str)]| {
        let filter = Filter::parse(words.iter().copied()).unwrap();
        let found = store.counts_of(&filter).unwrap();
        found.into_iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>()
    };
    assert_eq!(counts(&[("q", "msft"), ("limit", "1")]), [(State::Running, 1), (State::Failed, 2)]);
    assert_eq!(counts(&[("q", "msft"), ("state", "failed")]), [(State::Failed, 2)]);
    assert_eq!(counts(&[]), [(State::Running, 1), (State::Failed, 3)]);
    assert_eq!(counts(&[("q", "nothing")]), []);
}
