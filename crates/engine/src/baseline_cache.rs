//! Baselines: selects the past runs, reads their series from the store, and caches the latest baselines, so that the
//! baseline of a run stays the same while the run is watched.

use crate::baseline::{MAX_PAST_RUNS, band};
use parking_lot::Mutex;
use protocol::band::{Like, NEEDED};
use protocol::{Baseline, Operation, OperationId};
use std::collections::VecDeque;
use std::sync::Arc;
use store::{PastRunsQuery, Store, StoreError};
use tokio::sync::Semaphore;

/// Number of cached baselines.
const MAX_CACHED: usize = 64;

/// Reads the baseline of a series. Blocking: reads the runs twice.
///
/// # Errors
/// If the store can't be read.
pub(crate) fn baseline(store: &dyn Store, of: &Operation, series: &str) -> Result<Baseline, StoreError> {
    let wanted =
        PastRunsQuery { kind: &of.kind, title: Some(&of.title), before: of.id, series, limit: MAX_PAST_RUNS };
    let mut like = Like::SameTitle;
    let mut runs = store.earlier(wanted)?;
    if runs.len() < NEEDED {
        like = Like::SameKind;
        runs = store.earlier(PastRunsQuery { title: None, ..wanted })?;
    }
    let made = if runs.len() < NEEDED {
        None
    } else {
        band(runs.len(), |run, take| {
            let (id, attempt) = runs[run];
            store.curve(id, attempt, series, take)
        })?
    };
    let why = match (&made, runs.len()) {
        (Some(_), _) => String::new(),
        (None, n) if n < NEEDED => {
            let there = match n {
                0 => "there are none".to_owned(),
                1 => "there is 1".to_owned(),
                n => format!("there are {n}"),
            };
            format!("A baseline needs {NEEDED} past successful runs; {there}.")
        }
        (None, n) => {
            format!(
                "A baseline needs {NEEDED} runs with a value at the same x (step, epoch or time); too few of the {n} \
                 past runs have one."
            )
        }
    };
    Ok(Baseline {
        series: series.to_owned(),
        like,
        runs: runs.into_iter().map(|(id, _)| id).collect(),
        needed: NEEDED as u32,
        band: made,
        why,
    })
}

/// Series of an attempt.
pub(crate) type Key = (OperationId, u32, String);

/// Cache of the latest baselines.
pub(crate) struct BaselineCache {
    kept: Mutex<VecDeque<(Key, Arc<Baseline>)>>,
    /// Allows one read at a time; waiting requests for the same baseline then find it here.
    pub(crate) turn: Semaphore,
}

impl Default for BaselineCache {
    fn default() -> Self {
        Self { kept: Mutex::default(), turn: Semaphore::new(1) }
    }
}

impl BaselineCache {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Baseline>> {
        self.kept.lock().iter().find(|(known, _)| known == key).map(|(_, baseline)| baseline.clone())
    }

    pub(crate) fn keep(&self, key: Key, baseline: Arc<Baseline>) {
        let mut kept = self.kept.lock();
        kept.retain(|(known, _)| *known != key);
        kept.push_back((key, baseline));
        while kept.len() > MAX_CACHED {
            kept.pop_front();
        }
    }
}
