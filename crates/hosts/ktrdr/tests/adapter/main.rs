//! The adapters over HTTP, through a real host, with fakes of the ktrdr services that reproduce their observed
//! behaviour.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

mod double;
mod ib;
mod operations;
mod real;
mod served;
mod sessions;
