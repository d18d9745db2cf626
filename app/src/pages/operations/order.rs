//! Sort order and grouping of rows.

use super::freeze::Placed;
use app_state::address::columns::Column;
use app_state::address::list::{Group, Sort};
use live::OperationSignals;
use live::OperationStore;
use protocol::{OperationId, Time};
use serde_json::Value;
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
    Number(i64),
    Text(String),
    TextDown(Reverse<String>),
    /// Unknown: sorted last.
    Last,
}

/// Integer with the order of a number.
fn ordered(number: f64) -> i64 {
    // As in `f64::total_cmp`; 0 and -0 are the same.
    let bits = (number + 0.0).to_bits() as i64;
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// Rank by the value in a column: numbers before texts.
fn rank_by(cell: &OperationSignals, column: &Column, down: bool) -> Rank {
    let number = |number: f64| {
        let number = ordered(number);
        // Unlike a minus, `!` reverses the order of all integers.
        Rank::Number(if down { !number } else { number })
    };
    let text = |text: &str| match text.to_lowercase() {
        text if down => Rank::TextDown(Reverse(text)),
        text => Rank::Text(text),
    };
    match column {
        Column::Attempt => number(cell.attempt().into()),
        Column::Kind => text(cell.fixed().kind.as_str()),
        Column::Host => cell.host().map_or(Rank::Last, |host| text(host.as_str())),
        Column::Figure(name) => cell.figure(name).map_or(Rank::Last, number),
        Column::Param(name) => match cell.fixed().params.get(name) {
            None | Some(Value::Null) => Rank::Last,
            Some(Value::Number(n)) => n.as_f64().map_or(Rank::Last, number),
            Some(other) => text(&display::format::param(other)),
        },
        _ => Rank::Id,
    }
}

fn rank(cell: Option<&OperationSignals>, sort: &Sort, now: Time) -> Rank {
    let Some(cell) = cell else { return Rank::Last };
    match sort {
        Sort::Newest | Sort::Oldest => Rank::Id,
        Sort::Up(column) => rank_by(cell, column, false),
        Sort::Down(column) => rank_by(cell, column, true),
        Sort::Title | Sort::TitleDown => Rank::Text(cell.fixed().title.to_lowercase()),
        Sort::Longest => cell.took(now).map_or(Rank::Last, |took| Rank::Micros(-took)),
        Sort::Shortest => cell.took(now).map_or(Rank::Last, Rank::Micros),
        Sort::MostCpu | Sort::LeastCpu => {
            let sign = if *sort == Sort::MostCpu { -1 } else { 1 };
            let cpu = cell.usage(|usage| usage.cpu_seconds);
            cpu.map_or(Rank::Last, |seconds| Rank::Micros(sign * (seconds * 1e6) as i64))
        }
        Sort::MostMemory | Sort::LeastMemory => {
            let sign = if *sort == Sort::MostMemory { -1 } else { 1 };
            let memory =
                cell.usage(|usage| usage.peak_memory_bytes.and_then(|bytes| i64::try_from(bytes).ok()));
            memory.map_or(Rank::Last, |bytes| Rank::Number(sign * bytes))
        }
        Sort::Soonest | Sort::Latest => {
            let sign = if *sort == Sort::Soonest { 1 } else { -1 };
            match (cell.ended_at(), cell.ends_at(now)) {
                (Some(ended), _) => Rank::Micros(-sign * ended.micros()),
                (None, Some(ends)) => Rank::Micros(sign * ends.micros()),
                (None, None) => Rank::Last,
            }
        }
    }
}

/// Group, rank, ID (newest first) and parent of a row.
type Ranked = (Arc<str>, Rank, Reverse<OperationId>, Option<OperationId>);

/// Sorts rows by group, then by the sort order. Not tracked.
pub fn place(
    live: &OperationStore,
    ids: impl Iterator<Item = OperationId>,
    sort: &Sort,
    group: Option<Group>,
    now: Time,
) -> Vec<Placed> {
    let none: Arc<str> = "".into();
    // One shared string per group name.
    let mut names: HashSet<Arc<str>> = HashSet::new();
    let mut rows: Vec<Ranked> = ids
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
            (name, rank(cell, sort, now), Reverse(id), cell.and_then(|cell| cell.fixed().parent))
        })
        .collect();
    rows.sort_unstable();
    let mut placed: Vec<Placed> =
        rows.into_iter().map(|(group, _, Reverse(id), parent)| Placed { id, group, parent }).collect();
    if matches!(sort, Sort::Oldest | Sort::TitleDown) {
        // Reverses each group on its own.
        for group in placed.chunk_by_mut(|a, b| a.group == b.group) {
            group.reverse();
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::super::freeze::Lists;
    use super::super::tree::Tree;
    use super::*;
    use crate::fixtures::operation;
    use protocol::{HostName, KeyFigure, KindName, State};
    use serde_json::json;

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
        let placed = place(&live, ids.into_iter(), &sort, group, Time::from_micros(100));
        let lists = Lists { active: placed, ended: Vec::new() };
        let items = Tree::of(&lists).items(&lists.active, &[], &HashSet::new());
        items
            .into_iter()
            .map(|item| match item {
                Item::Head(name) => format!("[{name}]"),
                Item::Row(id) => live.operation(id).unwrap().fixed().title.clone(),
            })
            .collect()
    }

    #[test]
    fn rows_have_the_requested_order() {
        assert_eq!(titles(Sort::Newest, None), "cab");
        assert_eq!(titles(Sort::Oldest, None), "bac");
        assert_eq!(titles(Sort::Title, None), "abc");
        assert_eq!(titles(Sort::TitleDown, None), "cba");
        assert_eq!(titles(Sort::Longest, None), "acb");
        assert_eq!(titles(Sort::Shortest, None), "bca");
        // None has a known end.
        assert_eq!(titles(Sort::Soonest, None), "cab");
    }

    #[test]
    fn operations_of_unknown_cost_are_last_in_either_direction() {
        let (live, ids) = live();
        for (n, (id, cpu)) in ids.iter().zip([Some(2.0), None, Some(30.0)]).enumerate() {
            let mut op = operation(State::Succeeded, 1);
            op.id = *id;
            op.title = ["b", "a", "c"][n].to_owned();
            op.usage = cpu.map(|seconds| {
                let usage =
                    serde_json::json!({"measured": "threads", "wall_seconds": 1, "cpu_seconds": seconds});
                serde_json::from_value(usage).unwrap()
            });
            live.adopt(&op, 2);
        }
        let order = |sort| {
            let placed = place(&live, ids.iter().copied(), &sort, None, Time::from_micros(100));
            placed.iter().map(|row| ids.iter().position(|id| *id == row.id).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!((order(Sort::MostCpu), order(Sort::LeastCpu)), (vec![2, 0, 1], vec![0, 2, 1]));
    }

    #[test]
    fn rows_are_sorted_by_the_values_of_a_column() {
        let (live, ids) = live();
        let params = [json!({"epochs": 10, "note": "b"}), json!({"epochs": -2.5}), json!({"note": "A"})];
        let figures = [Some(0.5), Some(-1.0), None];
        // With IDs of their own: parameters never change.
        let ids: Vec<OperationId> = ids
            .iter()
            .zip(params.into_iter().zip(figures))
            .map(|(id, (params, figure))| {
                let mut op = operation(State::Succeeded, 1);
                op.id = id.to_string().replace("0199c2d4", "0199c2d5").parse().unwrap();
                op.params = params;
                op.figures = figure.map(|value| KeyFigure::new("Sharpe", value, "")).into_iter().collect();
                live.adopt(&op, 2);
                op.id
            })
            .collect();
        let order = |sort: Sort| {
            let placed = place(&live, ids.iter().copied(), &sort, None, Time::from_micros(100));
            placed.iter().map(|row| ids.iter().position(|id| *id == row.id).unwrap()).collect::<Vec<_>>()
        };
        let (epochs, note) = (Column::Param("epochs".to_owned()), Column::Param("note".to_owned()));
        let sharpe = Column::Figure("Sharpe".to_owned());
        // Operations without a value are last in either direction.
        assert_eq!(
            (order(Sort::Up(epochs.clone())), order(Sort::Down(epochs))),
            (vec![1, 0, 2], vec![0, 1, 2])
        );
        assert_eq!((order(Sort::Up(note.clone())), order(Sort::Down(note))), (vec![2, 0, 1], vec![0, 2, 1]));
        assert_eq!(
            (order(Sort::Up(sharpe.clone())), order(Sort::Down(sharpe))),
            (vec![1, 0, 2], vec![0, 1, 2])
        );
    }

    #[test]
    fn integers_have_the_order_of_their_numbers() {
        let numbers = [f64::NEG_INFINITY, -2.0, -1e-300, 0.0, 1e-300, 1.5, 1e300];
        assert!(numbers.windows(2).all(|two| ordered(two[0]) < ordered(two[1])));
        assert_eq!(ordered(-0.0), ordered(0.0));
    }

    #[test]
    fn groups_are_sorted_by_name_with_their_rows_in_order() {
        assert_eq!(titles(Sort::Oldest, Some(Group::Kind)), "[data.load]bc[x.y]a");
        assert_eq!(titles(Sort::Title, Some(Group::Host)), "[gpu-1]ac[no host yet]b");
    }
}
