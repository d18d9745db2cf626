//! Resources of the machine, of this process, and of single operations.
//!
//! Knows: the files of /proc, cgroups, and which of their values are impossible. May not know: hosts, HTTP, tokio.
//!
//! Names of metrics end with their unit: `_ratio` (0 to 1), `_bytes`, `_bytes_per_second`, `_per_second`, `_seconds`,
//! `_cores`; others are counts. docs/monitoring.md describes each of them. A value that the system does not provide is
//! `None`, never 0.
//!
//! Own parsers: those of the crate `procfs` allocate for each line, reject a whole file for one odd field, and omit
//! the numbers of the cores, so that a core that goes offline would shift the others.

mod cgroup;
mod last_hour;
mod parse;
mod proc_file;
mod rates;
mod sampler;
pub mod usage;

pub use last_hour::{LastHour, Part};
pub use sampler::{Folder, Sampler};
pub use usage::Reading;

use std::collections::BTreeMap;

/// Values of one second by metric; `None` is unknown.
pub type Sample = BTreeMap<String, Option<f64>>;
