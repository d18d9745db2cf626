//! The adapters as the server meets them: over HTTP, through a real host on a port of its own, with doubles of the
//! services of ktrdr that behave as those were seen to.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

mod double;
mod ib;
mod operations;
mod real;
mod served;
mod sessions;
