//! The training host over HTTP, with bars loaded by the data host.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

mod rig;
mod runs;
mod stopping;
