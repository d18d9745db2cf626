//! Exec host: each configured command is a kind `exec.<name>`.
//!
//! This crate knows how a table becomes a kind with a form, how an argument vector is filled, how output is parsed,
//! and how all processes of a command are ended. It does not know a shell, what a command does, or that there is a
//! server.
//!
//! `docs/exec.md` documents the tables. A host with them:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let text = r#"
//!     [exec.size]
//!     title = "Size of a folder"
//!     command = ["du", "-sk", "."]
//! "#;
//! let config = signalbox_exec_host::ExecConfig::from_toml(text)?;
//! let mut host = host_kit::Host::builder("exec", "1.0").capacity(8);
//! let folder = std::path::Path::new("/srv");
//! for work in signalbox_exec_host::works(&config, folder, Default::default(), Default::default())? {
//!     host = host.work(work);
//! }
//! let host = host.build()?;
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

mod bar;
mod command;
mod config;
mod curves;
mod display;
mod displays;
mod divisor;
mod escape;
mod exact;
mod ffmpeg;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod group;
mod json;
mod keeper;
mod lines;
mod listen;
mod log;
mod metrics;
mod outcome;
mod output_parser;
mod owner;
mod param;
mod pattern;
mod percent;
mod procs;
mod program;
mod progress_sink;
mod rate_limit;
mod report;
mod row;
mod rsync;
mod sandbox;
mod steps;
mod stream;
mod template;
mod tqdm;
mod usage;
mod watchdog;
mod work;

pub use config::{ConfigError, ExecConfig};
pub use owner::Owner;
pub use sandbox::Launcher;
pub use work::{ExecParams, ExecWork, works};
