//! The driver's own record: each thing it did, with the moment, and the deaths it caused.

use crate::journal::Death;
use parking_lot::Mutex;
use protocol::Time;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Shared by everybody who does something; clones write to the same file.
#[derive(Clone)]
pub struct Diary {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    file: File,
    deaths: Vec<Death>,
    faults: BTreeMap<String, u64>,
}

impl Diary {
    /// A diary in a file of its own, one JSON document a line.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let inner = Inner { file, deaths: Vec::new(), faults: BTreeMap::new() };
        Ok(Self { inner: Arc::new(Mutex::new(inner)) })
    }

    /// Notes what was done. A diary that can't be written costs evidence, not the run.
    pub fn note(&self, what: &str, more: Value) {
        let line = json!({"at": Time::now(), "what": what, "more": more});
        if let Err(error) = writeln!(self.inner.lock().file, "{line}") {
            eprintln!("soak: the diary can't be written: {error}");
        }
    }

    /// Notes a fault and counts it under its name.
    pub fn fault(&self, name: &str, more: Value) {
        *self.inner.lock().faults.entry(name.to_owned()).or_default() += 1;
        self.note(name, more);
    }

    /// Notes that a process certainly lived until `at` and is dead now.
    pub fn death(&self, death: Death) {
        self.inner.lock().deaths.push(death);
        self.note("death", json!({"pid": death.pid, "lived_until": death.at}));
    }

    /// All deaths so far.
    pub fn deaths(&self) -> Vec<Death> {
        self.inner.lock().deaths.clone()
    }

    /// How many faults of each name there were.
    pub fn faults(&self) -> BTreeMap<String, u64> {
        self.inner.lock().faults.clone()
    }
}
