//! Responses shared by all pages.

use crate::kinds::Kinds;
use leptos::prelude::*;
use live::{Loaded, api, load};
use protocol::api::Snapshot;
use protocol::{KindName, Problem};

/// Resources shared by all pages; from the context.
#[derive(Clone, Copy)]
pub struct Data {
    pub snapshot: Loaded<Result<Snapshot, Problem>>,
    pub kinds: Kinds,
}

impl Data {
    /// Requests the data. Called once, by the app.
    pub fn load() -> Self {
        Self { snapshot: load(|| (), |()| api::snapshot()), kinds: load(|| (), |()| api::kinds()) }
    }

    /// The page's own, provided by the app.
    pub fn here() -> Self {
        expect_context::<Data>()
    }
}

/// Whether the kind supports resume, as far as the page knows. Not tracked.
pub fn resumable(kind: &KindName) -> bool {
    Data::here().kinds.with_untracked(|kinds| {
        let kinds = kinds.as_ref().and_then(|k| k.as_ref().ok());
        kinds.is_some_and(|k| k.kinds.iter().any(|o| o.spec.name == *kind && o.spec.resumable))
    })
}
