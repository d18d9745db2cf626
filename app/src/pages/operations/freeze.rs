//! Freezes the lists while the user points at them, has the focus in them or has scrolled down: rows keep their
//! positions, and changes wait. Pure.

use protocol::OperationId;
use std::collections::HashSet;
use std::sync::Arc;

/// A row and its group; the group is empty without grouping.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    pub id: OperationId,
    pub group: Arc<str>,
    pub parent: Option<OperationId>,
}

/// Both lists of the page.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lists {
    pub active: Vec<Placed>,
    pub ended: Vec<Placed>,
}

/// Changes that wait while the lists are frozen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    /// Not shown yet.
    pub new: usize,
    /// Shown at an outdated position.
    pub moved: usize,
}

impl Waiting {
    /// `3 new, 2 updated`; `None` when nothing waits.
    pub fn wording(self) -> Option<String> {
        let count = |n: usize| display::format::count(n as u64);
        match (self.new, self.moved) {
            (0, 0) => None,
            (new, 0) => Some(format!("{} new", count(new))),
            (0, moved) => Some(format!("{} updated", count(moved))),
            (new, moved) => Some(format!("{} new, {} updated", count(new), count(moved))),
        }
    }
}

fn ids(list: &[Placed]) -> HashSet<OperationId> {
    list.iter().map(|row| row.id).collect()
}

/// Lists to show while `shown` is frozen: the same rows in the same order, plus new ended rows below all of them,
/// because these move nothing.
pub fn hold(shown: &Lists, now: &Lists) -> (Lists, Waiting) {
    let (active, ended) = (ids(&now.active), ids(&now.ended));
    let last = shown.ended.iter().rev().find(|row| ended.contains(&row.id)).map(|row| row.id);
    let below = match last {
        Some(last) => now.ended.iter().position(|row| row.id == last).map_or(now.ended.len(), |at| at + 1),
        None if shown.ended.is_empty() && shown.active.is_empty() => 0,
        None => now.ended.len(),
    };
    let (shown_active, shown_ended) = (ids(&shown.active), ids(&shown.ended));
    let known = |id: &OperationId| shown_active.contains(id) || shown_ended.contains(id);
    let added: Vec<Placed> = now.ended[below..].iter().filter(|row| !known(&row.id)).cloned().collect();
    let come: HashSet<OperationId> = added.iter().map(|row| row.id).collect();
    let waits = |row: &&Placed| !known(&row.id) && !come.contains(&row.id);
    // A child of a shown row waits unseen: it would be hidden below its parent.
    let hidden = |row: &Placed| row.parent.is_some_and(|parent| known(&parent));
    let new = now.active.iter().chain(&now.ended).filter(waits).filter(|row| !hidden(row)).count();
    let moved = shown_active.difference(&active).count() + shown_ended.difference(&ended).count();
    let mut held = shown.clone();
    held.ended.extend(added);
    (held, Waiting { new, moved })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn list(ids: &[u32]) -> Vec<Placed> {
        let id = |n: &u32| format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap();
        ids.iter().map(|n| Placed { id: id(n), group: "".into(), parent: None }).collect()
    }

    fn lists(active: &[u32], ended: &[u32]) -> Lists {
        Lists { active: list(active), ended: list(ended) }
    }

    #[test]
    fn new_rows_wait_and_ended_rows_keep_their_position() {
        let (held, waiting) = hold(&lists(&[5, 4], &[3, 2]), &lists(&[7, 6, 5], &[4, 3, 2]));
        assert_eq!(held, lists(&[5, 4], &[3, 2]));
        assert_eq!(waiting, Waiting { new: 2, moved: 1 });
        assert_eq!(waiting.wording().unwrap(), "2 new, 1 updated");
        assert_eq!(Waiting::default().wording(), None);
    }

    #[test]
    fn an_older_page_is_inserted_below_the_rows() {
        let (held, waiting) = hold(&lists(&[5], &[4, 3]), &lists(&[5], &[4, 3, 2, 1]));
        assert_eq!((held, waiting), (lists(&[5], &[4, 3, 2, 1]), Waiting::default()));
    }

    #[test]
    fn a_new_child_of_a_shown_row_is_not_announced() {
        let mut now = lists(&[7, 6, 5], &[3, 2]);
        now.active[0].parent = Some(now.active[2].id);
        let (_, waiting) = hold(&lists(&[5], &[3, 2]), &now);
        assert_eq!(waiting, Waiting { new: 1, moved: 0 });
    }

    #[test]
    fn an_empty_page_shows_new_ended_operations_at_once() {
        let (held, waiting) = hold(&Lists::default(), &lists(&[], &[2, 1]));
        assert_eq!((held, waiting), (lists(&[], &[2, 1]), Waiting::default()));
    }

    proptest! {
        #[test]
        fn shown_rows_keep_their_positions(
            shown in proptest::collection::btree_set(0u32..40, 0..20),
            now in proptest::collection::btree_set(0u32..40, 0..30),
            cut in 0usize..20, cut_now in 0usize..30,
        ) {
            let split = |all: &std::collections::BTreeSet<u32>, cut: usize| {
                let all: Vec<u32> = all.iter().rev().copied().collect();
                let cut = cut.min(all.len());
                lists(&all[..cut], &all[cut..])
            };
            let (shown, now) = (split(&shown, cut), split(&now, cut_now));
            let (held, waiting) = hold(&shown, &now);
            prop_assert_eq!(&held.active, &shown.active);
            prop_assert_eq!(&held.ended[..shown.ended.len()], &shown.ended[..]);
            // No row is shown twice or lost: it is shown or it waits.
            let all: HashSet<_> = held.active.iter().chain(&held.ended).map(|r| r.id).collect();
            prop_assert_eq!(all.len(), held.active.len() + held.ended.len());
            let to_come = now.active.iter().chain(&now.ended).filter(|r| !all.contains(&r.id)).count();
            prop_assert_eq!(to_come, waiting.new);
        }
    }
}
