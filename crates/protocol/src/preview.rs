//! What a kind would do with params, shown before it is started.

use crate::Failure;
use serde::{Deserialize, Serialize};

/// The key at the root of a kind's schema of params that says that the kind gives previews.
pub const PREVIEW_KEY: &str = "x-preview";

/// A preview: facts, warnings and a table, in words for a person.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preview {
    /// What was found out, in the order in which it is shown.
    pub facts: Vec<PreviewFact>,
    /// What should be looked at before the start.
    pub warnings: Vec<String>,
    /// A sample of what would be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<PreviewTable>,
    /// Why a start with these params would fail, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// One thing that was found out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewFact {
    /// Such as `Time zone`.
    pub label: String,
    pub value: String,
}

/// A few rows, as text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewTable {
    /// What the rows are.
    pub title: String,
    pub columns: Vec<String>,
    /// Each with a text for each column.
    pub rows: Vec<Vec<String>>,
}

impl Preview {
    /// Adds a fact.
    pub fn fact(&mut self, label: &str, value: impl Into<String>) {
        self.facts.push(PreviewFact { label: label.to_owned(), value: value.into() });
    }
}
