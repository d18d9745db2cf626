//! Children below their parents: hidden until their parent is opened. Pure.

use super::freeze::{Lists, Placed};
use super::order::Item;
use components::row::Branch;
use protocol::OperationId;
use std::collections::{HashMap, HashSet};

/// Which listed operations are children of listed ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    /// Children of each parent, in the order of their list.
    children: HashMap<OperationId, Vec<OperationId>>,
    all: HashSet<OperationId>,
}

impl Tree {
    /// The tree of both lists. A child whose parent is not listed stands for itself, so that a search finds it.
    pub fn of(lists: &Lists) -> Self {
        let rows = || lists.active.iter().chain(&lists.ended);
        let listed: HashSet<OperationId> = rows().map(|row| row.id).collect();
        let mut tree = Self::default();
        for row in rows() {
            if let Some(parent) = row.parent.filter(|parent| listed.contains(parent)) {
                tree.children.entry(parent).or_default().push(row.id);
                tree.all.insert(row.id);
            }
        }
        tree
    }

    /// Whether it stands below a listed parent.
    pub fn is_child(&self, id: OperationId) -> bool {
        self.all.contains(&id)
    }

    /// Position of each row that is a child or has some.
    pub fn branches(&self, open: &HashSet<OperationId>) -> HashMap<OperationId, Branch> {
        let mut branches: HashMap<OperationId, Branch> = HashMap::new();
        for (parent, children) in &self.children {
            let branch = branches.entry(*parent).or_default();
            (branch.children, branch.open) = (children.len(), open.contains(parent));
            children.iter().for_each(|child| branches.entry(*child).or_default().child = true);
        }
        branches
    }

    fn push(&self, id: OperationId, open: &HashSet<OperationId>, items: &mut Vec<Item>) {
        items.push(Item::Row(id));
        if open.contains(&id) {
            // A parent is older than its children, so there is no circle.
            self.children.get(&id).into_iter().flatten().for_each(|child| self.push(*child, open, items));
        }
    }

    /// Rows with group headings in between, without the rows of collapsed groups and of closed parents.
    pub fn items(&self, placed: &[Placed], folded: &[String], open: &HashSet<OperationId>) -> Vec<Item> {
        let mut items = Vec::with_capacity(placed.len());
        for group in placed.chunk_by(|a, b| a.group == b.group) {
            let mut tops = group.iter().filter(|row| !self.is_child(row.id)).peekable();
            if tops.peek().is_none() {
                continue;
            }
            let name = &group[0].group;
            if !name.is_empty() {
                items.push(Item::Head(name.clone()));
            }
            if !folded.iter().any(|folded| **folded == **name) {
                tops.for_each(|row| self.push(row.id, open, &mut items));
            }
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u32) -> OperationId {
        format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap()
    }

    fn row(n: u32, parent: Option<u32>) -> Placed {
        Placed { id: id(n), group: "".into(), parent: parent.map(id) }
    }

    fn rows(items: &[Item]) -> Vec<OperationId> {
        let row = |item: &Item| if let Item::Row(id) = item { Some(*id) } else { None };
        items.iter().filter_map(row).collect()
    }

    /// A running sweep with ended runs, and a run of a sweep that is not listed.
    fn lists() -> Lists {
        Lists { active: vec![row(1, None)], ended: vec![row(4, Some(1)), row(3, Some(1)), row(2, Some(9))] }
    }

    #[test]
    fn children_are_below_their_parent_only_when_it_is_open() {
        let (lists, mut open) = (lists(), HashSet::new());
        let tree = Tree::of(&lists);
        assert_eq!(rows(&tree.items(&lists.active, &[], &open)), [id(1)]);
        assert_eq!(rows(&tree.items(&lists.ended, &[], &open)), [id(2)], "its parent is not listed");
        open.insert(id(1));
        assert_eq!(rows(&tree.items(&lists.active, &[], &open)), [id(1), id(4), id(3)]);
        assert_eq!(rows(&tree.items(&lists.ended, &[], &open)), [id(2)]);
    }

    #[test]
    fn a_parent_says_how_many_children_it_has() {
        let branches = Tree::of(&lists()).branches(&HashSet::from([id(1)]));
        assert_eq!(branches[&id(1)], Branch { child: false, children: 2, open: true });
        assert_eq!(branches[&id(3)], Branch { child: true, ..Branch::default() });
        assert!(!branches.contains_key(&id(2)));
    }

    #[test]
    fn a_folded_group_is_only_its_head_and_a_group_of_children_has_none() {
        let group = |n, name: &str, parent| Placed { group: name.into(), ..row(n, parent) };
        let active = vec![group(1, "a", None), group(2, "a", None), group(3, "b", Some(1))];
        let lists = Lists { active, ended: Vec::new() };
        let items = Tree::of(&lists).items(&lists.active, &["a".to_owned()], &HashSet::new());
        assert_eq!(items, [Item::Head("a".into())]);
    }
}
