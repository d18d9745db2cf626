//! Feeds of scopes, and what their readers see of operations, hosts and kinds.

mod feed;
mod feeds;
pub(crate) mod redact;

pub(crate) use feed::ScopedFeed;
pub(crate) use feeds::{ScopedFeeds, Sources};
