//! The host contract, spoken over HTTP to a real host on a free port of loopback.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod access;
mod cancel;
mod checkpoints;
mod endings;
mod feed;
mod rig;
mod shutdown;
mod start;
