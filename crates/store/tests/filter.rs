//! The store finds the same operations as the page does in memory, for the same filters.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use proptest::prelude::*;
use protocol::access::KindScope;
use protocol::operation::AttemptOrigin;
use protocol::{Attempt, HostName, KindName, Operation, OperationId, State, Time};
use serde_json::json;
use signalbox_store::{Change, Filter, Sqlite, Store};

/// A minute of 2026, for ranges of time.
fn minute(n: i64) -> Time {
    Time::parse("2026-11-23T10:00:00Z").unwrap().plus_micros(n * 60_000_000)
}

fn operation(n: usize, drawn: (usize, usize, usize, usize, usize, i64)) -> Operation {
    let (state, kind, host, title, param, at) = drawn;
    let mut bytes = *OperationId::earliest(minute(at)).0.as_bytes();
    bytes[14..].copy_from_slice(&(n as u16).to_be_bytes());
    let id = OperationId(uuid::Uuid::from_bytes(bytes));
    let kind = KindName::new(["data.load", "training.run", "exec.a_b", "analysis.sweep"][kind]).unwrap();
    let title = ["MSFT 1h", "100% real", "Überlauf a_b", "msft 1d"][title];
    let params = [
        json!({"symbol": "MSFT", "rows": 50}),
        json!({"symbol": "aapl", "rows": 50.0, "dry": true}),
        json!({}),
    ];
    let queued = Operation::queued(id, kind, title.to_owned(), params[param].clone(), minute(at));
    let host = [None, Some("gpu-1"), Some("gpu-2")][host].map(|h| HostName::new(h).unwrap());
    let state = State::ALL[state];
    // Some end in the minute of the start, some later, beyond the microsecond of a bound.
    let ended_at = state.ended().then(|| minute(at + i64::from(param == 1) * 3).plus_micros(param as i64));
    Operation { state, host, ended_at, seq: 1, ..queued }
}

fn held(filter: &Filter, operations: &[Operation], now: Time) -> Vec<OperationId> {
    let mut ids: Vec<_> =
        operations.iter().filter(|op| filter.takes_operation(op, now)).map(|op| op.id).collect();
    ids.sort_unstable();
    ids
}

/// All operations that the store finds, page by page.
fn stored(store: &Sqlite, filter: &Filter) -> Vec<OperationId> {
    let mut filter = Filter { limit: 7, ..filter.clone() };
    let mut ids = Vec::new();
    loop {
        let page = store.page(&filter).unwrap();
        ids.extend(page.operations.iter().map(|op| op.id));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return ids,
        }
    }
}

fn word() -> impl Strategy<Value = (String, String)> {
    let of = |name: &'static str, values: &'static [&'static str]| {
        (0..values.len()).prop_map(move |n| (name.to_owned(), values[n].to_owned()))
    };
    prop_oneof![
        of("state", &["running", "failed,queued", "succeeded", "cancelled,cancelling,failed"]),
        of("kind", &["data.load", "training.run,exec.a_b", "exec.none"]),
        of("host", &["gpu-1", "gpu-1,gpu-2", "gpu-9"]),
        of("param.symbol", &["msft", "AAPL", "nosuch"]),
        of("param.rows", &["50", "50.0", "5e1", "51"]),
        of("param.dry", &["true", "false"]),
        of("since", &["2026-11-23T10:07:00Z", "2026-11-23", "30000w", "2026-11-24"]),
        of("until", &["2026-11-23T10:07:00Z", "2026-11-23", "2026-11-22"]),
        of("ended_since", &["2026-11-23T10:07:00Z", "2026-11-23T10:07:00.000001Z", "2026-11-23", "1s"]),
        of("ended_until", &["2026-11-23T10:07:00Z", "2026-11-23T10:07:00.000001Z", "2026-11-23"]),
        of(
            "q",
            &[
                "failed",
                "fail",
                "canc",
                "run",
                "Running load",
                "msft",
                "MSFT 1",
                "0%",
                "a_b",
                "über",
                "load 1h",
                "gpu-2",
                "zzz",
                "0199"
            ]
        ),
    ]
}

/// Scope of a sender, or none.
fn scope() -> impl Strategy<Value = Option<KindScope>> {
    let scopes = ["training.*", "*.*a*", "data.load,exec.a_b", "exec.a?b", "exec.aXb", "*"];
    let valid: Vec<KindScope> = scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
    prop::option::of(prop::sample::select(valid))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn page_and_store_filter_alike(
        drawn in proptest::collection::vec((0usize..7, 0usize..4, 0usize..3, 0usize..4, 0usize..3, 0i64..15), 1..40),
        queries in proptest::collection::vec((proptest::collection::vec(word(), 0..5), scope()), 12),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
        let operations: Vec<Operation> = drawn.into_iter().enumerate().map(|(n, d)| operation(n, d)).collect();
        for op in &operations {
            let attempt = Attempt {
                number: 1, origin: AttemptOrigin::Start, state: op.state, host: None, instance: None,
                created_at: op.created_at, started_at: None, ended_at: None, failure: None, receipt: None,
                resumed_from: None,
                usage: None,
            };
            let change = Change::Operation { operation: Box::new(op.clone()), attempt: Box::new(attempt) };
            store.apply(&[change]).unwrap();
        }
        for (query, scope) in queries {
            let words: Vec<_> = query.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let mut filter = Filter { scope, ..Filter::parse(words).unwrap() };
            filter.word("order", "oldest").unwrap();
            let mut expected = held(&filter, &operations, Time::now());
            prop_assert_eq!(&stored(&store, &filter), &expected, "{:?}", query);
            filter.word("order", "newest").unwrap();
            expected.reverse();
            prop_assert_eq!(&stored(&store, &filter), &expected, "{:?}", query);
        }
    }
}
