//! The exec host over HTTP, with real programs.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

mod cost;
mod endings;
mod examples;
mod piped;
mod real;
mod rig;
#[cfg(target_os = "linux")]
mod sandbox;
mod stopping;
