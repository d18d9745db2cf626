//! The hash chain of the audit log, and its filters.

use super::open;
use proptest::prelude::*;
use protocol::{Action, Actor, AuditEntry, Outcome, Time};
use rusqlite::Connection;
use signalbox_store::{AuditBreak, AuditCheck, AuditFilter, AuditHead, Change, Sqlite, Store};
use std::path::Path;

fn named(name: &str) -> Actor {
    Actor { name: Some(name.to_owned()), ..Actor::signalbox() }
}

fn entry(at: i64, action: Action, by: Actor) -> AuditEntry {
    AuditEntry::new(Time::from_micros(at), action, by)
}

fn add(store: &Sqlite, entries: impl IntoIterator<Item = AuditEntry>) {
    let changes: Vec<Change> = entries.into_iter().map(|entry| Change::Audit(Box::new(entry))).collect();
    store.apply(&changes).unwrap();
}

fn check(folder: &Path, known: Option<&AuditHead>) -> AuditCheck {
    Sqlite::check_audit(&folder.join("signalbox.db"), known).unwrap()
}

fn change(folder: &Path, sql: &str) {
    assert!(Connection::open(folder.join("signalbox.db")).unwrap().execute(sql, []).unwrap() > 0, "{sql}");
}

#[test]
fn each_filter_finds_its_entries_newest_first() {
    let (_folder, store) = open();
    let refused = AuditEntry { outcome: Outcome::Refused, ..entry(40, Action::SignIn, named("ada")) };
    let all = [
        entry(10, Action::SignIn, named("ada")),
        entry(20, Action::Start, named("bob")),
        entry(30, Action::Start, Actor::signalbox()),
        refused,
    ];
    add(&store, all.clone());
    let found = |filter: AuditFilter| -> Vec<i64> {
        store.audit(&filter, 9).unwrap().iter().map(|(_, entry)| entry.at.micros()).collect()
    };
    let at = |micros| Some(Time::from_micros(micros));
    let any = AuditFilter::default();
    assert_eq!(found(any.clone()), [40, 30, 20, 10]);
    assert_eq!(found(AuditFilter { action: Some(Action::Start), ..any.clone() }), [30, 20]);
    assert_eq!(found(AuditFilter { name: Some("ada".to_owned()), ..any.clone() }), [40, 10]);
    assert_eq!(found(AuditFilter { refused: true, ..any.clone() }), [40]);
    assert_eq!(found(AuditFilter { since: at(20), until: at(40), ..any.clone() }), [30, 20]);
    assert_eq!(found(AuditFilter { before: Some(3), ..any.clone() }), [20, 10]);
    assert_eq!(
        store.audit(&any, 4).unwrap().into_iter().rev().map(|(_, entry)| entry).collect::<Vec<_>>(),
        all
    );
}

#[test]
fn a_noted_head_stays_in_the_chain_and_another_one_does_not_fit() {
    let (folder, store) = open();
    assert_eq!(check(folder.path(), None), AuditCheck::Intact { entries: 0, first: None, head: None });
    add(&store, (1..=3).map(|at| entry(at, Action::Start, named("ada"))));
    let noted = store.audit_head().unwrap().unwrap();
    add(&store, (4..=5).map(|at| entry(at, Action::Cancel, named("ada"))));
    let head = store.audit_head().unwrap();
    assert_eq!(check(folder.path(), Some(&noted)), AuditCheck::Intact { entries: 5, first: Some(1), head });
    for other in [AuditHead { hash: [7; 32], ..noted }, AuditHead { n: 6, ..noted }] {
        let broken = AuditCheck::Broken { n: other.n, why: AuditBreak::OtherHead };
        assert_eq!(check(folder.path(), Some(&other)), broken);
    }
}

#[test]
fn the_columns_that_filters_search_must_fit_their_entry() {
    let (folder, store) = open();
    add(&store, (1..=3).map(|at| entry(at, Action::Start, named("ada"))));
    change(folder.path(), "UPDATE audit SET name = 'bob' WHERE n = 2");
    assert_eq!(check(folder.path(), None), AuditCheck::Broken { n: 2, why: AuditBreak::Columns });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Each way to rewrite history shows at the first entry that it concerns.
    #[test]
    fn a_changed_removed_moved_or_inserted_entry_is_found(
        count in 3_i64..20, which in 1_i64..20, how in 0_usize..4,
    ) {
        let n = which.min(count - 1);
        let (folder, store) = open();
        add(&store, (1..=count).map(|at| entry(at, Action::Start, named("ada"))));
        let (sql, why) = match how {
            0 => (format!("UPDATE audit SET doc = replace(doc, 'ada', 'bob') WHERE n = {n}"), AuditBreak::Changed),
            1 => (format!("DELETE FROM audit WHERE n = {n}"), AuditBreak::Missing),
            2 => (
                format!(
                    "UPDATE audit SET doc = (SELECT doc FROM audit WHERE n = {}) WHERE n = {n}",
                    n + 1
                ),
                AuditBreak::Changed,
            ),
            _ => (
                format!(
                    "UPDATE audit SET hash = (SELECT hash FROM audit WHERE n = {}) WHERE n = {n}",
                    n + 1
                ),
                AuditBreak::Changed,
            ),
        };
        change(folder.path(), &sql);
        prop_assert_eq!(check(folder.path(), None), AuditCheck::Broken { n: n as u64, why });
    }
}

#[test]
fn removed_newest_entries_show_against_a_noted_head_only() {
    let (folder, store) = open();
    add(&store, (1..=3).map(|at| entry(at, Action::Start, named("ada"))));
    let noted = store.audit_head().unwrap().unwrap();
    change(folder.path(), "DELETE FROM audit WHERE n = 3");
    assert!(matches!(check(folder.path(), None), AuditCheck::Intact { entries: 2, .. }));
    let broken = AuditCheck::Broken { n: 3, why: AuditBreak::OtherHead };
    assert_eq!(check(folder.path(), Some(&noted)), broken);
}
