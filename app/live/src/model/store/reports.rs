//! Reported values of operations: shown at once, or held for a moment as [`Pacing`] decides.

use super::{OperationSignals, OperationStore};
use crate::model::pacing::Pacing;
use protocol::OperationId;
use std::sync::MutexGuard;

impl OperationStore {
    pub(super) fn pacing(&self) -> MutexGuard<'_, Pacing> {
        self.0.pacing.lock().expect("lock is not poisoned")
    }

    /// Shows the values that a host reported at `now` for an operation, or holds them.
    pub(super) fn reported(&self, id: OperationId, signals: &OperationSignals, now: f64) {
        let at_once = self.pacing().report(id, now);
        if at_once {
            signals.show();
        }
    }

    /// When held reports must be shown next, by the clock of [`OperationStore::apply`].
    pub fn next_reports(&self) -> Option<f64> {
        self.pacing().next()
    }

    /// Shows at `now` the held reports that are due by `due`.
    pub fn show_reports(&self, due: f64, now: f64) {
        let ids = self.pacing().show(due, now);
        ids.into_iter().filter_map(|id| self.operation(id)).for_each(|signals| signals.show());
    }
}
