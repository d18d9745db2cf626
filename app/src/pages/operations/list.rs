//! Rows of a list, as its table needs them.

use super::freeze::Placed;
use super::frozen_lists::Still;
use super::order::Item;
use super::tree::Tree;
use super::virtual_table::Kin;
use super::window::PLAIN;
use app_state::address::list::Asked;
use leptos::prelude::*;
use protocol::OperationId;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Parents and children of both lists, and the opened parents.
#[derive(Clone, Copy)]
pub struct Family {
    tree: Memo<Tree>,
    open: RwSignal<HashSet<OperationId>>,
}

impl Family {
    /// The family of the displayed lists; all parents are closed.
    pub fn new(still: Still) -> Self {
        let tree = Memo::new(move |_| still.shown.with(|shown| Tree::of(&shown.lists)));
        Self { tree, open: RwSignal::new(HashSet::new()) }
    }

    /// For the rows of a list with this many operations.
    fn kin(self, len: Memo<usize>) -> Kin {
        let Self { tree, open } = self;
        let branches = Memo::new(move |_| tree.with(|tree| open.with(|open| tree.branches(open))));
        let fold = Callback::new(move |id: OperationId| {
            open.update(|open| {
                if !open.remove(&id) {
                    open.insert(id);
                }
            });
        });
        Kin { branches, fold, len }
    }
}

/// Rows of one list, as its table needs them.
#[derive(Clone, Copy)]
pub struct List {
    pub items: Memo<Vec<Item>>,
    /// Rows only, without group headings.
    pub ids: Memo<Vec<OperationId>>,
    /// Number of rows per group.
    pub counts: Memo<HashMap<Arc<str>, usize>>,
    /// Number of rows, including those of collapsed groups and closed parents.
    pub len: Memo<usize>,
    pub kin: Kin,
}

impl List {
    /// The list of these rows, which parents are opened or closed in.
    pub fn new(asked: Memo<Asked>, rows: Memo<Vec<Placed>>, family: Family, ready: RwSignal<bool>) -> Self {
        let items = Memo::new(move |_| {
            let Family { tree, open } = family;
            let mut items = rows.with(|rows| {
                tree.with(|tree| asked.with(|a| open.with(|open| tree.items(rows, &a.folded, open))))
            });
            // Without a script there is no virtual scrolling.
            if !ready.get() {
                items.truncate(PLAIN);
            }
            items
        });
        let ids = Memo::new(move |_| {
            items.with(|items| {
                let rows = items.iter();
                rows.filter_map(|item| if let Item::Row(id) = item { Some(*id) } else { None }).collect()
            })
        });
        let counts = Memo::new(move |_| {
            rows.with(|rows| {
                let mut counts: HashMap<Arc<str>, usize> = HashMap::new();
                rows.iter().for_each(|row| *counts.entry(row.group.clone()).or_default() += 1);
                counts
            })
        });
        let len = Memo::new(move |_| rows.with(Vec::len));
        Self { items, ids, counts, len, kin: family.kin(len) }
    }
}
