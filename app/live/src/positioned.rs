//! A response with its position in the feed.

use serde::{Deserialize, Serialize};

/// A response with the feed position at which it is valid; later changes are in the feed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Positioned<T> {
    pub seq: u64,
    pub of: T,
}
