//! Status of the page's connection, as signals.

use crate::connection::state::Connectivity;
use crate::model::operation_signals::set;
use crate::tabs::leader_election::Role;
use leptos::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Whether and how the page is connected. Cheap to clone; one per page, from the context. The driver updates it.
#[derive(Clone)]
pub struct ConnectionStatus(Arc<Inner>);

struct Inner {
    connectivity: ArcRwSignal<Connectivity>,
    fresh: ArcRwSignal<bool>,
    latency: ArcRwSignal<Option<f64>>,
    retry: ArcTrigger,
    role: Mutex<Role>,
    awake: AtomicBool,
}

impl Default for ConnectionStatus {
    fn default() -> Self {
        Self(Arc::new(Inner {
            connectivity: ArcRwSignal::new(Connectivity::Idle),
            fresh: ArcRwSignal::new(true),
            latency: ArcRwSignal::new(None),
            retry: ArcTrigger::new(),
            role: Mutex::new(Role::Alone),
            awake: AtomicBool::new(false),
        }))
    }
}

impl ConnectionStatus {
    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<ConnectionStatus>()
    }

    /// State of the badge.
    pub fn connectivity(&self) -> RwSignal<Connectivity> {
        (&self.0.connectivity).into()
    }

    /// Whether the page's data is current.
    pub fn fresh(&self) -> RwSignal<bool> {
        (&self.0.fresh).into()
    }

    /// Removes disposed readers from the signals that rarely change. Existing readers read again.
    pub fn forget_disposed_readers(&self) {
        self.0.fresh.notify();
    }

    /// Latency from the server to this page, milliseconds.
    pub fn latency(&self) -> RwSignal<Option<f64>> {
        (&self.0.latency).into()
    }

    /// Asks the connection to retry now.
    pub fn retry_now(&self) {
        self.0.retry.notify();
    }

    /// Role of this tab. Not tracked.
    pub fn role(&self) -> Role {
        *self.0.role.lock().expect("lock is not poisoned")
    }

    /// Whether the page stays connected while hidden, because of pending notifications.
    pub fn keep_awake(&self, on: bool) {
        self.0.awake.store(on, Ordering::Relaxed);
    }

    pub(crate) fn set_role(&self, role: Role) {
        *self.0.role.lock().expect("lock is not poisoned") = role;
    }

    pub(crate) fn stays_awake(&self) -> bool {
        self.0.awake.load(Ordering::Relaxed)
    }

    /// Tracks requests to retry now.
    pub(crate) fn track_retry(&self) {
        self.0.retry.track();
    }

    pub(crate) fn set_latency(&self, latency: Option<f64>) {
        set(&self.0.latency, &latency.map(f64::round));
    }

    pub(crate) fn show(&self, connectivity: Connectivity, fresh: bool) {
        set(&self.0.connectivity, &connectivity);
        set(&self.0.fresh, &fresh);
    }
}
