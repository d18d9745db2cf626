//! The index changes how fast a search is, never what it finds.

use super::*;
use crate::sqlite::read::operations::page_by;
use crate::{Change, Filter, Sqlite, Store, Weight};
use proptest::prelude::*;
use protocol::filter::Order;
use protocol::operation::AttemptOrigin;
use protocol::{Attempt, HostName, KindName, Operation, OperationId, State, Time};
use serde_json::json;
use std::collections::BTreeMap;

/// Titles with characters that mean something in a query of FTS5, or that change their length in lower case.
const TITLES: [&str; 8] = [
    "MSFT 1h · full",
    "say \"hi\" AND (bye)",
    "100% real* ^first",
    "Überlauf a_b",
    "İstanbul STRASSE straße",
    "nul\0between 'quotes' -minus",
    "日本語の題 😀😀😀",
    "x",
];
const HOSTS: [&str; 3] = ["gpu-1", "gpu-2", "failed-over"];
const KINDS: [&str; 3] = ["data.load", "training.run", "exec.a_b"];

/// What happens to the stored operations.
#[derive(Clone, Debug)]
enum Step {
    Start {
        title: usize,
        kind: usize,
        state: usize,
    },
    /// Changes host and state of an operation.
    Place {
        which: usize,
        host: usize,
        state: usize,
    },
    Delete {
        which: usize,
    },
    /// Deletes the newest operation, so that its number is used again.
    DeleteNewest,
    Index {
        slice: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..TITLES.len(), 0..KINDS.len(), 0..State::ALL.len())
            .prop_map(|(title, kind, state)| Step::Start { title, kind, state }),
        2 => (any::<usize>(), 0..HOSTS.len(), 0..State::ALL.len())
            .prop_map(|(which, host, state)| Step::Place { which, host, state }),
        1 => any::<usize>().prop_map(|which| Step::Delete { which }),
        1 => Just(Step::DeleteNewest),
        2 => (1u32..6).prop_map(|slice| Step::Index { slice }),
    ]
}

/// Text of a search: parts of stored texts, and words that mean something elsewhere.
fn text() -> impl Strategy<Value = String> {
    let part = (0..TITLES.len() + HOSTS.len() + KINDS.len(), any::<usize>(), 1usize..12, any::<bool>())
        .prop_map(|(which, start, length, upper)| {
            let all: Vec<&str> = TITLES.into_iter().chain(HOSTS).chain(KINDS).collect();
            let chars: Vec<char> = all[which].chars().collect();
            let start = start % chars.len();
            let part: String = chars[start..chars.len().min(start + length)].iter().collect();
            if upper { part.to_uppercase() } else { part }
        });
    let word = prop_oneof![
        6 => part,
        1 => prop::sample::select(vec!["fail", "failed", "running", "run", "canc", "queue"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["zzz", "\"\"\"", "AND", "NEAR(", "about:", "019", "-7000-", "***"])
            .prop_map(str::to_owned),
    ];
    proptest::collection::vec(word, 1..3).prop_map(|words| words.join(" "))
}

fn id(n: u16) -> OperationId {
    let mut bytes = *OperationId::earliest(Time::from_micros(1_790_000_000_000_000)).0.as_bytes();
    // IDs in another order than the operations are stored.
    bytes[13..15].copy_from_slice(&n.reverse_bits().to_be_bytes());
    OperationId(uuid::Uuid::from_bytes(bytes))
}

fn put(store: &Sqlite, operation: &Operation) {
    let attempt = Attempt {
        number: 1,
        origin: AttemptOrigin::Start,
        state: operation.state,
        host: None,
        instance: None,
        created_at: operation.created_at,
        started_at: None,
        ended_at: None,
        failure: None,
        receipt: None,
        resumed_from: None,
        usage: None,
    };
    let change = Change::Operation { operation: Box::new(operation.clone()), attempt: Box::new(attempt) };
    store.apply(&[change]).unwrap();
}

fn run(store: &Sqlite, steps: &[Step]) -> BTreeMap<OperationId, Operation> {
    let mut all: BTreeMap<OperationId, Operation> = BTreeMap::new();
    let mut in_order: Vec<OperationId> = Vec::new();
    let now = Time::from_micros(1_790_000_000_000_000);
    for (n, step) in steps.iter().enumerate() {
        let nth = |which: usize| in_order.get(which % in_order.len().max(1)).copied();
        match *step {
            Step::Start { title, kind, state } => {
                let kind = KindName::new(KINDS[kind]).unwrap();
                let params = json!({"rows": title});
                let queued = Operation::queued(id(n as u16), kind, TITLES[title].to_owned(), params, now);
                let operation = Operation { state: State::ALL[state], seq: 1, ..queued };
                put(store, &operation);
                in_order.push(operation.id);
                all.insert(operation.id, operation);
            }
            Step::Place { which, host, state } => {
                if let Some(operation) = nth(which).and_then(|id| all.get_mut(&id)) {
                    operation.host = Some(HostName::new(HOSTS[host]).unwrap());
                    operation.state = State::ALL[state];
                    put(store, operation);
                }
            }
            Step::Delete { .. } | Step::DeleteNewest => {
                let which =
                    if let Step::Delete { which } = step { nth(*which) } else { in_order.last().copied() };
                if let Some(id) = which {
                    store.apply(&[Change::Forget { ids: vec![id] }]).unwrap();
                    all.remove(&id);
                    in_order.retain(|other| *other != id);
                }
            }
            Step::Index { slice } => store.change(Weight::Light, |t| index(t, slice)).unwrap(),
        }
    }
    all
}

fn expected(all: &BTreeMap<OperationId, Operation>, filter: &Filter) -> Vec<OperationId> {
    let takes = |op: &&Operation| filter.takes_operation(op, Time::now());
    let mut ids: Vec<OperationId> = all.values().filter(takes).map(|op| op.id).collect();
    if filter.order == Order::Newest {
        ids.reverse();
    }
    ids
}

/// All pages, with at most this number of candidates read from the index.
fn pages(store: &Sqlite, filter: &Filter, candidates: u32) -> Vec<OperationId> {
    let mut filter = Filter { limit: 4, ..filter.clone() };
    let mut ids = Vec::new();
    loop {
        let page = store.readers.read(|c| page_by(c, &filter, candidates)).unwrap();
        ids.extend(page.operations.iter().map(|op| op.id));
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return ids,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_search_finds_the_same_with_and_without_the_index(
        steps in proptest::collection::vec(step(), 1..60),
        queries in proptest::collection::vec((text(), any::<bool>(), any::<bool>(), prop::option::of(0..KINDS.len())), 8),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = Sqlite::open(&folder.path().join("a.db")).unwrap();
        let all = run(&store, &steps);
        for (text, oldest, rows, kind) in queries {
            let mut filter = Filter { text: text.clone(), limit: 50, ..Filter::default() };
            filter.order = if oldest { Order::Oldest } else { Order::Newest };
            if rows {
                filter.word("param.rows", "1").unwrap();
            }
            filter.kinds.extend(kind.map(|kind| KindName::new(KINDS[kind]).unwrap()));
            let expected = expected(&all, &filter);
            for candidates in [0, 3, MAX_CANDIDATES] {
                prop_assert_eq!(&pages(&store, &filter, candidates), &expected, "{:?}, {}", filter, candidates);
            }
            let counted: u64 = store.counts_of(&filter).unwrap().iter().map(|(_, n)| n).sum();
            prop_assert_eq!(counted, expected.len() as u64);
        }
    }
}

/// The plan must not read the list, or anything else that grows with the number of operations.
#[test]
fn a_rare_word_reads_only_its_candidates() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("a.db")).unwrap();
    let steps: Vec<Step> = (0..40).map(|n| Step::Start { title: n % 4, kind: n % 3, state: 0 }).collect();
    run(&store, &steps);
    store.change(Weight::Light, |t| index(t, 40)).unwrap();
    let plan = store.readers.read(|c| {
        let candidates = candidates(c, "überlauf", MAX_CANDIDATES)?.expect("the index has the word");
        let filter = Filter { text: "überlauf".to_owned(), limit: 50, ..Filter::default() };
        let (sql, values) = crate::sqlite::query::ids(&filter, Time::now(), Some(&candidates));
        let mut statement = c.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let lines = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3))?;
        Ok(lines.collect::<rusqlite::Result<Vec<_>>>()?)
    });
    let plan = plan.unwrap();
    let reads = |what: &str| plan.iter().any(|line| line.contains(what));
    assert!(reads("SCAN search VIRTUAL TABLE INDEX"), "{plan:#?}");
    assert!(reads("SEARCH o USING INTEGER PRIMARY KEY (rowid=?)"), "{plan:#?}");
    assert!(!reads("operations_to_find") && !reads("SCAN o") && !reads("SCAN operations"), "{plan:#?}");
}

#[test]
fn a_rare_word_is_found_without_reading_a_common_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("a.db")).unwrap();
    let steps: Vec<Step> = (0..40).map(|n| Step::Start { title: n % 4, kind: n % 3, state: 0 }).collect();
    run(&store, &steps);
    store.change(Weight::Light, |t| index(t, 40)).unwrap();
    let looked_up = |text: &str, most| {
        let found = store.readers.read(|c| candidates(c, text, most)).unwrap();
        found.map(|candidates| candidates.values)
    };
    // A quarter has the title; all IDs begin alike.
    let common = &id(0).to_string()[..8];
    for text in [format!("überlauf {common}"), format!("{common} überlauf")] {
        assert_eq!(looked_up(&text, 20), looked_up("überlauf", 20), "{text}");
        assert!(looked_up(&text, 20).is_some(), "{text}");
    }
    assert_eq!(looked_up(common, 20), None);
    // More than 9 have one of these words, but few have both.
    assert_eq!((looked_up("überlauf", 9), looked_up("training.run", 9)), (None, None));
    assert!(looked_up("überlauf training.run", 9).is_some());
}

#[test]
fn only_words_of_three_characters_are_looked_up() {
    let terms =
        |text: &str| Candidates::of(text).iter().map(|found| found.values.clone()).collect::<Vec<_>>();
    let values =
        |values: &[&str]| values.iter().map(|value| Sql::Text((*value).to_owned())).collect::<Vec<_>>();
    assert!(terms("").is_empty() && terms("ab 1h").is_empty());
    assert_eq!(terms("Abcd 1h"), [values(&["\"abc\" AND \"bcd\""])]);
    assert_eq!(terms("a\"b"), [values(&["\"a\"\"b\""])]);
    assert_eq!(terms("fail"), [values(&["\"ail\" AND \"fai\"", "failed"])]);
    // A word that may mean a state is looked up only if there is no other.
    assert_eq!(terms("fail msft"), terms("msft"));
    assert_eq!(terms_of(&"x".repeat(200)).len(), 8);
}
