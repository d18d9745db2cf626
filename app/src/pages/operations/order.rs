//! Sort order and grouping of rows.

use super::freeze::Placed;
use app_state::address::list::{Group, Sort};
use live::OperationSignals;
use live::OperationStore;
use protocol::{OperationId, Time};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

/// Group name of operations without a host.
pub const NO_HOST: &str = "no host yet";

/// A row or a group heading, in display order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Item {
    Head(Arc<str>),
    Row(OperationId),
}

/// Sort key; smaller comes first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// By id only.
    Id,
    Micros(i64),
    Title(String),
    /// Unknown: sorted last.
    Last,
}

fn rank(cell: Option<&OperationSignals>, sort: Sort, now: Time) -> Rank {
    let Some(cell) = cell else { return Rank::Last };
    match sort {
        Sort::Newest | Sort::Oldest => Rank::Id,
        Sort::Title => Rank::Title(cell.fixed().title.to_lowercase()),
        Sort::Longest => cell.took(now).map_or(Rank::Last, |took| Rank::Micros(-took)),
        Sort::Soonest => match (cell.ended_at(), cell.ends_at(now)) {
            (Some(ended), _) => Rank::Micros(-ended.micros()),
            (None, Some(ends)) => Rank::Micros(ends.micros()),
            (None, None) => Rank::Last,
        },
    }
}

/// Sorts rows by group, then by the sort order. Not tracked.
pub fn place(
    live: &OperationStore,
    ids: impl Iterator<Item = OperationId>,
    sort: Sort,
    group: Option<Group>,
    now: Time,
) -> Vec<Placed> {
    let none: Arc<str> = "".into();
    // One shared string per group name.
    let mut names: HashSet<Arc<str>> = HashSet::new();
    let mut rows: Vec<(Arc<str>, Rank, Reverse<OperationId>)> = ids
        .map(|id| {
            let cell = live.operation(id);
            let cell = cell.as_deref();
            let name = match (group, cell) {
                (Some(Group::Kind), Some(cell)) => cell.fixed().kind.to_string(),
                (Some(Group::Host), Some(cell)) => {
                    cell.host().map_or(NO_HOST.to_owned(), |host| host.to_string())
                }
                _ => String::new(),
            };
            let name = match names.get(name.as_str()) {
                _ if name.is_empty() => none.clone(),
                Some(known) => known.clone(),
                None => {
                    let name: Arc<str> = name.into();
                    names.insert(name.clone());
                    name
                }
            };
            (name, rank(cell, sort, now), Reverse(id))
        })
        .collect();
    rows.sort_unstable();
    let mut placed: Vec<Placed> =
        rows.into_iter().map(|(group, _, Reverse(id))| Placed { id, group }).collect();
    if sort == Sort::Oldest {
        // Reverses each group on its own.
        for group in placed.chunk_by_mut(|a, b| a.group == b.group) {
            group.reverse();
        }
    }
    placed
}

/// Rows with group headings in between, without the rows of collapsed groups.
pub fn items(placed: &[Placed], folded: &[String]) -> Vec<Item> {
    let mut items = Vec::with_capacity(placed.len());
    for group in placed.chunk_by(|a, b| a.group == b.group) {
        let name = &group[0].group;
        if !name.is_empty() {
            items.push(Item::Head(name.clone()));
        }
        if !folded.iter().any(|folded| **folded == **name) {
            items.extend(group.iter().map(|row| Item::Row(row.id)));
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::operation;
    use protocol::{HostName, KindName, State};

    fn live() -> (OperationStore, Vec<OperationId>) {
        let live = OperationStore::default();
        let rows = [
            ("b", "data.load", None, 30),
            ("a", "x.y", Some("gpu-1"), 10),
            ("c", "data.load", Some("gpu-1"), 20),
        ];
        let ops: Vec<_> = (1..)
            .zip(rows)
            .map(|(n, (title, kind, host, started))| {
                let mut op = operation(State::Running, 1);
                op.id = format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap();
                op.title = title.to_owned();
                op.kind = KindName::new(kind).unwrap();
                op.host = host.map(|h| HostName::new(h).unwrap());
                op.started_at = Some(Time::from_micros(started));
                op
            })
            .collect();
        live.adopt_all(ops.iter(), 1);
        (live, ops.iter().map(|op| op.id).collect())
    }

    fn titles(sort: Sort, group: Option<Group>) -> String {
        let (live, ids) = live();
        let placed = place(&live, ids.into_iter(), sort, group, Time::from_micros(100));
        items(&placed, &[])
            .into_iter()
            .map(|item| match item {
                Item::Head(name) => format!("[{name}]"),
                Item::Row(id) => live.operation(id).unwrap().fixed().title.clone(),
            })
            .collect()
    }

    #[test]
    fn rows_stand_in_the_order_that_is_asked_for() {
        assert_eq!(titles(Sort::Newest, None), "cab");
        assert_eq!(titles(Sort::Oldest, None), "bac");
        assert_eq!(titles(Sort::Title, None), "abc");
        assert_eq!(titles(Sort::Longest, None), "acb");
        // None has a known end.
        assert_eq!(titles(Sort::Soonest, None), "cab");
    }

    #[test]
    fn groups_stand_by_name_with_their_rows_in_order() {
        assert_eq!(titles(Sort::Oldest, Some(Group::Kind)), "[data.load]bc[x.y]a");
        assert_eq!(titles(Sort::Title, Some(Group::Host)), "[gpu-1]ac[no host yet]b");
    }

    #[test]
    fn a_folded_group_is_its_head_alone() {
        let (live, ids) = live();
        let placed = place(&live, ids.into_iter(), Sort::Newest, Some(Group::Kind), Time::from_micros(100));
        assert_eq!(items(&placed, &["data.load".to_owned()]).len(), 3);
    }
}
