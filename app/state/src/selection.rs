//! Selected operations. The selection survives updates, filters and page changes until it is cleared or used.

use leptos::prelude::*;
use protocol::OperationId;

/// The selection; from the context.
#[derive(Clone, Copy)]
pub struct Selection {
    /// In order; a set would be much more code.
    ids: RwSignal<Vec<OperationId>>,
    /// Start of a range: the operation that was toggled last.
    anchor: StoredValue<Option<OperationId>>,
}

impl Selection {
    /// Called once, by the app.
    pub fn new() -> Self {
        Self { ids: RwSignal::default(), anchor: StoredValue::new(None) }
    }

    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<Selection>()
    }

    /// Tracked.
    pub fn has(&self, id: OperationId) -> bool {
        self.ids.with(|ids| ids.binary_search(&id).is_ok())
    }

    /// Newest first. Tracked.
    pub fn all(&self) -> Vec<OperationId> {
        self.ids.with(|ids| ids.iter().rev().copied().collect())
    }

    /// Tracked.
    pub fn is_empty(&self) -> bool {
        self.ids.with(Vec::is_empty)
    }

    /// Number of selected ones among `ids`. Tracked.
    pub fn count_of(&self, ids: &[OperationId]) -> usize {
        self.ids.with(|selected| ids.iter().filter(|id| selected.binary_search(id).is_ok()).count())
    }

    /// Toggles an operation; with `range` everything from the last one to it, in the order of `shown`.
    pub fn pick(&self, id: OperationId, on: bool, range: bool, shown: &[OperationId]) {
        match self.anchor.get_value().filter(|_| range) {
            Some(anchor) => self.set_all(between(shown, anchor, id), on),
            None => self.set_all(&[id], on),
        }
        self.anchor.set_value(Some(id));
    }

    /// Selects or deselects all of these.
    pub fn set_all(&self, some: &[OperationId], on: bool) {
        self.ids.update(|ids| {
            for id in some {
                match ids.binary_search(id) {
                    Err(place) if on => ids.insert(place, *id),
                    Ok(place) if !on => drop(ids.remove(place)),
                    _ => {}
                }
            }
        });
    }

    /// Deselects deleted operations.
    pub fn keep(&self, there: impl Fn(OperationId) -> bool) {
        if self.ids.with_untracked(|ids| ids.iter().any(|id| !there(*id))) {
            self.ids.update(|ids| ids.retain(|id| there(*id)));
        }
    }

    /// Clears the selection.
    pub fn clear(&self) {
        self.ids.update(Vec::clear);
        self.anchor.set_value(None);
    }
}

/// Everything from `a` to `b`, inclusive, in either order; only `b` when `a` is not shown.
fn between(shown: &[OperationId], a: OperationId, b: OperationId) -> &[OperationId] {
    let at = |id| shown.iter().position(|shown| *shown == id);
    match (at(a), at(b)) {
        (Some(a), Some(b)) => &shown[a.min(b)..=a.max(b)],
        (None, Some(b)) => &shown[b..=b],
        (_, None) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Vec<OperationId> {
        (1..=5).map(|n| format!("0199c2d4-7f3a-7c11-9e1b-{n:012}").parse().unwrap()).collect()
    }

    #[test]
    fn a_range_starts_at_the_last_selected_row_in_either_direction() {
        let owner = Owner::new();
        owner.set();
        let (shown, selection) = (ids(), Selection::new());
        selection.pick(shown[3], true, false, &shown);
        selection.pick(shown[1], true, true, &shown);
        assert_eq!(selection.all(), [shown[3], shown[2], shown[1]]);
        // From there on, the other way, and off.
        selection.pick(shown[2], false, true, &shown);
        assert_eq!(selection.all(), [shown[3]]);
    }

    #[test]
    fn a_range_from_a_deleted_row_selects_only_the_clicked_one() {
        let shown = ids();
        assert_eq!(between(&shown[1..], shown[0], shown[3]), [shown[3]]);
        assert!(between(&shown[..2], shown[0], shown[3]).is_empty());
    }

    #[test]
    fn a_selection_survives_changes_of_the_list() {
        let owner = Owner::new();
        owner.set();
        let (shown, selection) = (ids(), Selection::new());
        selection.set_all(&shown, true);
        selection.pick(shown[0], false, false, &shown[..2]);
        assert_eq!(selection.count_of(&shown), 4);
        assert_eq!(selection.count_of(&shown[..2]), 1);
        selection.keep(|id| id != shown[2]);
        assert_eq!(selection.all(), [shown[4], shown[3], shown[1]]);
        selection.clear();
        assert!(selection.is_empty());
    }
}
