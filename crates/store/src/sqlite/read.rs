//! Queries of the store, by subject.

pub(super) mod feed;
pub(super) mod logs;
pub(super) mod operations;
pub(super) mod past_runs;
pub(super) mod series;
pub(super) mod server;
