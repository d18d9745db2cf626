//! The training host as the server meets it: over HTTP, on a port of its own, with bars that the data host loaded.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

mod rig;
mod runs;
mod stopping;
