//! Event log of the driver: each of its actions with its time, and the processes it ended.

use crate::journal::Death;
use parking_lot::Mutex;
use protocol::Time;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Event log of a run; clones write to the same file.
#[derive(Clone)]
pub struct EventLog {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    file: File,
    deaths: Vec<Death>,
    faults: BTreeMap<String, u64>,
}

impl EventLog {
    /// Opens an event log in a file, with one JSON document per line.
    ///
    /// # Errors
    /// If the file can't be created.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let inner = Inner { file, deaths: Vec::new(), faults: BTreeMap::new() };
        Ok(Self { inner: Arc::new(Mutex::new(inner)) })
    }

    /// Writes an action. If that fails, evidence is lost, but the run continues.
    pub fn note(&self, what: &str, more: Value) {
        let line = json!({"at": Time::now(), "what": what, "more": more});
        if let Err(error) = writeln!(self.inner.lock().file, "{line}") {
            eprintln!("soak: cannot write the event log: {error}");
        }
    }

    /// Writes a fault and counts it by name.
    pub fn fault(&self, name: &str, more: Value) {
        *self.inner.lock().faults.entry(name.to_owned()).or_default() += 1;
        self.note(name, more);
    }

    /// Writes that a process has ended, and certainly ran until `at`.
    pub fn death(&self, death: Death) {
        self.inner.lock().deaths.push(death);
        self.note("death", json!({"pid": death.pid, "lived_until": death.at}));
    }

    /// Ended processes so far.
    pub fn deaths(&self) -> Vec<Death> {
        self.inner.lock().deaths.clone()
    }

    /// Number of faults by name.
    pub fn faults(&self) -> BTreeMap<String, u64> {
        self.inner.lock().faults.clone()
    }
}
