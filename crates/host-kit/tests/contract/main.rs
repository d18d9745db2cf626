//! Host contract over HTTP, with a real host on a free loopback port.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod access;
mod cancel;
mod checkpoints;
mod endings;
mod feed;
mod rig;
mod samples;
mod shutdown;
mod start;
