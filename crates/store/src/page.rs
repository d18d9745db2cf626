//! Pages of operations.

use protocol::{Operation, OperationId};

/// A page, in the order that its filter wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub operations: Vec<Operation>,
    /// Give as [`Filter::after`](crate::Filter::after) for the next page.
    pub next: Option<OperationId>,
}
