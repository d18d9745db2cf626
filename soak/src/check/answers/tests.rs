//! Hand-made responses and lists, each with one contradiction.

use super::super::made::{at, attempt, event, failure, operation};
use super::*;
use protocol::{FailureReason, Receipt, State};

fn detail(id: OperationId, attempts: Vec<Attempt>) -> BTreeMap<OperationId, OperationDetail> {
    let last = attempts.last().unwrap();
    let operation = operation(id, last.state, last.number);
    BTreeMap::from([(
        id,
        OperationDetail { operation, attempts, result: None, series: vec![], audit: vec![], seq: 1 },
    )])
}

fn none() -> Deletions {
    Deletions::new()
}

fn promises(found: Vec<Violation>) -> Vec<Promise> {
    found.into_iter().map(|v| v.promise).collect()
}

#[test]
fn an_accepted_start_that_is_not_listed_is_found() {
    let id = OperationId::new();
    let start_requests =
        [StartRequest { mark: "m".into(), answers: vec![id, id], ..StartRequest::default() }];
    assert_eq!(starts(&start_requests, &[operation(id, State::Queued, 1)], &none()), []);
    assert_eq!(promises(starts(&start_requests, &[], &none())), [Promise::NoneLost]);
    // Without a response it may be listed or not.
    assert_eq!(starts(&[StartRequest { mark: "m".into(), ..StartRequest::default() }], &[], &none()), []);
}

#[test]
fn one_key_with_two_operations_is_found() {
    let (one, two) = (OperationId::new(), OperationId::new());
    let listed = [operation(one, State::Queued, 1), operation(two, State::Queued, 1)];
    let start_requests = |answers| [StartRequest { mark: "m".into(), answers, gone: 0 }];
    assert_eq!(promises(starts(&start_requests(vec![one, two]), &listed, &none())), [Promise::KeyedOnce]);
    // Although at most one of them was named in a response.
    assert_eq!(promises(starts(&start_requests(vec![one]), &listed, &none())), [Promise::KeyedOnce]);
    assert_eq!(promises(starts(&start_requests(vec![]), &listed, &none())), [Promise::KeyedOnce]);
}

#[test]
fn an_accepted_request_without_a_trace_is_found() {
    let id = OperationId::new();
    let mut cancelled = attempt(1, State::Cancelled);
    let request = |attempt, what| [Request { id, attempt, what }];
    let plain = detail(id, vec![cancelled.clone()]);
    assert_eq!(
        promises(requests(&request(1, RequestKind::Cancel), &plain, &none())),
        [Promise::RequestsKept]
    );
    assert_eq!(
        promises(requests(&request(0, RequestKind::Cancel), &plain, &none())),
        [Promise::RequestsKept]
    );
    assert_eq!(
        promises(requests(&request(2, RequestKind::NewAttempt), &plain, &none())),
        [Promise::RequestsKept]
    );
    assert_eq!(
        promises(requests(&request(1, RequestKind::Cancel), &BTreeMap::new(), &none())),
        [Promise::NoneLost]
    );
    cancelled.receipt = Some(Receipt::requested(1, String::new(), at(1)));
    let again = detail(id, vec![cancelled, attempt(2, State::Succeeded)]);
    assert_eq!(requests(&request(1, RequestKind::Cancel), &again, &none()), []);
    assert_eq!(requests(&request(2, RequestKind::NewAttempt), &again, &none()), []);
    // The receipt of the first attempt does not count for the second.
    assert_eq!(
        promises(requests(&request(2, RequestKind::Cancel), &again, &none())),
        [Promise::RequestsKept]
    );
}

#[test]
fn a_deleted_operation_is_not_missed_and_its_key_starts_nothing() {
    let (gone, new) = (OperationId::new(), OperationId::new());
    let deleted = Deletions::from([(gone, (State::Failed, at(9)))]);
    let start_requests = |answers, gone| [StartRequest { mark: "m".into(), answers, gone }];
    assert_eq!(starts(&start_requests(vec![gone], 1), &[], &deleted), []);
    let listed = [operation(new, State::Queued, 1)];
    assert_eq!(
        promises(starts(&start_requests(vec![gone, new], 0), &listed, &deleted)),
        [Promise::KeyedOnce]
    );
    assert_eq!(promises(starts(&start_requests(vec![], 1), &listed, &deleted)), [Promise::KeyedOnce]);
    let request = [Request { id: gone, attempt: 1, what: RequestKind::Cancel }];
    assert_eq!(requests(&request, &BTreeMap::new(), &deleted), []);
}

#[test]
fn a_lost_or_unrequested_deletion_is_found() {
    let id = OperationId::new();
    let gone = |state| Deletions::from([(id, (state, at(9)))]);
    let listed = [operation(id, State::Failed, 1)];
    let requested = Deletes { requested: HashSet::from([id]), ..Deletes::default() };
    let accepted = Deletes { accepted: HashSet::from([id]), ..requested.clone() };
    // Requested without a response: both outcomes are right if list and feed agree.
    assert_eq!(deletes(&requested, &none(), &listed), []);
    assert_eq!(deletes(&requested, &gone(State::Failed), &[]), []);
    assert_eq!(promises(deletes(&requested, &gone(State::Failed), &listed)), [Promise::DeletesKept]);
    assert_eq!(deletes(&accepted, &gone(State::Failed), &[]), []);
    assert_eq!(promises(deletes(&accepted, &none(), &listed)), [Promise::DeletesKept]);
    assert_eq!(promises(deletes(&Deletes::default(), &gone(State::Failed), &[])), [Promise::DeletesKept]);
    let cancelled = Deletes { all_cancelled: true, ..Deletes::default() };
    assert_eq!(deletes(&cancelled, &gone(State::Cancelled), &[]), []);
    assert_eq!(promises(deletes(&cancelled, &gone(State::Failed), &[])), [Promise::DeletesKept]);
}

#[test]
fn a_list_that_differs_from_the_feed_is_found() {
    let id = OperationId::new();
    let reported = |state| {
        let mut history = History::default();
        history.take(&event(1, operation(id, State::Queued, 1)), at(0));
        history.take(&event(2, operation(id, State::Starting, 1)), at(0));
        history.take(&event(3, operation(id, state, 1)), at(0));
        history
    };
    let over = detail(id, vec![attempt(1, State::Failed)]);
    let listed = [operation(id, State::Failed, 1)];
    assert_eq!(agrees(&reported(State::Failed), &listed, &over), []);
    assert!(promises(agrees(&reported(State::Running), &listed, &over)).contains(&Promise::FeedAgrees));
    assert_eq!(promises(agrees(&reported(State::Failed), &[], &over)), [Promise::NoneLost]);
    let other = detail(
        id,
        vec![Attempt { failure: Some(failure(FailureReason::Work)), ..attempt(1, State::Failed) }],
    );
    assert_eq!(promises(agrees(&reported(State::Failed), &listed, &other)), [Promise::EndsStay]);
    assert_eq!(promises(agrees(&History::default(), &listed, &BTreeMap::new())), [Promise::FeedAgrees]);
}

#[test]
fn an_ended_attempt_that_changed_after_a_restart_is_found() {
    let (id, mut kept) = (OperationId::new(), EndedAttempts::default());
    assert_eq!(kept.compare(&detail(id, vec![attempt(1, State::Running)])), []);
    assert_eq!(kept.compare(&detail(id, vec![attempt(1, State::Failed)])), []);
    assert_eq!(kept.compare(&detail(id, vec![attempt(1, State::Failed), attempt(2, State::Queued)])), []);
    let changed = Attempt { ended_at: Some(at(501)), ..attempt(1, State::Failed) };
    assert_eq!(promises(kept.compare(&detail(id, vec![changed]))), [Promise::EndsStay]);
    assert_eq!(promises(kept.compare(&detail(id, vec![attempt(2, State::Queued)]))), [Promise::EndsStay]);
}
