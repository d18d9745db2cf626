//! Pages that are left: their disposed effects must not stay in memory.
//!
//! A disposed effect or memo stays in the set of readers of each signal that it read, until that signal notifies
//! (`reactive_graph` 0.2). A signal that outlives the page and rarely changes would collect the readers of every visit:
//! 50 to 160 KiB for each visit of a running operation, instead of 27 KiB.

use app_state::Zones;
use leptos::prelude::*;
use live::{ConnectionStatus, Identity, OperationStore};
use protocol::OperationId;
use std::time::Duration;

/// Called by each page: when the page is left, long-lived signals forget its readers.
pub fn forget_readers() {
    let (zones, identity, status) = (Zones::here(), Identity::here(), ConnectionStatus::here());
    after_cleanup(move || {
        zones.forget_disposed_readers();
        identity.forget_disposed_readers();
        status.forget_disposed_readers();
    });
}

/// Called by the page of an operation: when it is left, the operation's signals forget its readers.
pub fn forget_readers_of(id: OperationId) {
    let live = OperationStore::here();
    after_cleanup(move || {
        if let Some(operation) = live.operation(id) {
            operation.forget_disposed_readers();
        }
    });
}

/// Runs after the disposal of the current owner. Nothing happens on the server, where a page lives for one response.
fn after_cleanup(forget: impl Fn() + Clone + Send + Sync + 'static) {
    if cfg!(target_arch = "wasm32") {
        on_cleanup(move || set_timeout(forget, Duration::ZERO));
    }
}
