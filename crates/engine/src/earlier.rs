//! Which earlier runs make the band of an operation's curve, read from the store; and the bands that were read last,
//! so that a run's band stays as it is while the run is followed.

use crate::envelope::{MOST, band};
use parking_lot::Mutex;
use protocol::band::{Like, NEEDED};
use protocol::{Envelope, Operation, OperationId};
use std::collections::VecDeque;
use std::sync::Arc;
use store::{Earlier, Store, StoreError};
use tokio::sync::Semaphore;

/// So many bands stay at hand.
const KEPT: usize = 64;

/// Reads the band of a curve. Blocks for as long as it takes to read the runs twice.
///
/// # Errors
/// When the store can't be read.
pub(crate) fn envelope(store: &dyn Store, of: &Operation, series: &str) -> Result<Envelope, StoreError> {
    let wanted = Earlier { kind: &of.kind, title: Some(&of.title), before: of.id, series, limit: MOST };
    let mut like = Like::SameTitle;
    let mut runs = store.earlier(wanted)?;
    if runs.len() < NEEDED {
        like = Like::SameKind;
        runs = store.earlier(Earlier { title: None, ..wanted })?;
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
            format!("A baseline needs {NEEDED} runs that reach the same x; too few of the {n} past runs do.")
        }
    };
    Ok(Envelope {
        series: series.to_owned(),
        like,
        runs: runs.into_iter().map(|(id, _)| id).collect(),
        needed: NEEDED as u32,
        band: made,
        why,
    })
}

/// An attempt's curve.
pub(crate) type Key = (OperationId, u32, String);

/// The bands that were read last.
pub(crate) struct Bands {
    kept: Mutex<VecDeque<(Key, Arc<Envelope>)>>,
    /// One is read at a time: whoever else wants the same finds it then.
    pub(crate) turn: Semaphore,
}

impl Default for Bands {
    fn default() -> Self {
        Self { kept: Mutex::default(), turn: Semaphore::new(1) }
    }
}

impl Bands {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Envelope>> {
        self.kept.lock().iter().find(|(known, _)| known == key).map(|(_, envelope)| envelope.clone())
    }

    pub(crate) fn keep(&self, key: Key, envelope: Arc<Envelope>) {
        let mut kept = self.kept.lock();
        kept.retain(|(known, _)| *known != key);
        kept.push_back((key, envelope));
        while kept.len() > KEPT {
            kept.pop_front();
        }
    }
}
