//! Pages of operations.

use protocol::{Operation, OperationId};

/// Page, in the order of its filter.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub operations: Vec<Operation>,
    /// Value of [`Filter::after`](crate::Filter::after) for the next page.
    pub next: Option<OperationId>,
}
