//! Events reach the store here. The store holds some reported values for a moment ([`pacing`](crate::model::pacing)); a
//! timer shows them.

use super::{Handle, now};
use leptos::prelude::*;
use protocol::Event;
use std::time::Duration;

impl Handle {
    /// Applies an event of the feed.
    pub(super) fn apply(&self, event: &Event) {
        let store = self.0.borrow().store.clone();
        store.apply(event, now());
        self.show_later();
    }

    /// Sets the timer, unless one is set for the same time or before.
    fn show_later(&self) {
        let Some(due) = self.0.borrow().store.next_reports() else { return };
        if self.0.borrow().shows_at.is_some_and(|at| at <= due) {
            return;
        }
        self.0.borrow_mut().shows_at = Some(due);
        let handle = self.clone();
        let after = Duration::from_millis((due - now()).max(0.0) as u64);
        set_timeout(move || handle.show_reports(due), after);
    }

    fn show_reports(&self, due: f64) {
        let store = {
            let mut driver = self.0.borrow_mut();
            if driver.shows_at == Some(due) {
                driver.shows_at = None;
            }
            driver.store.clone()
        };
        store.show_reports(due, now());
        self.show_later();
    }
}
