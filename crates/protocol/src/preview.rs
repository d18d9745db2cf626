//! Preview of an operation, shown before it is started.

use crate::Failure;
use serde::{Deserialize, Serialize};

/// Key at the root of a kind's parameter schema: the kind supports previews.
pub const PREVIEW_KEY: &str = "x-preview";

/// Preview: facts, warnings and a table for the user.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Preview {
    /// Facts, in display order.
    pub facts: Vec<PreviewFact>,
    /// Warnings to check before the start.
    pub warnings: Vec<String>,
    /// Sample of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<PreviewTable>,
    /// Failure that a start with these parameters would cause, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// Fact of a preview.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewFact {
    /// Label, such as `Time zone`.
    pub label: String,
    pub value: String,
}

/// Table of a few rows, as text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewTable {
    /// Title of the table.
    pub title: String,
    pub columns: Vec<String>,
    /// Rows, each with one text per column.
    pub rows: Vec<Vec<String>>,
}

impl Preview {
    /// Adds a fact.
    pub fn fact(&mut self, label: &str, value: impl Into<String>) {
        self.facts.push(PreviewFact { label: label.to_owned(), value: value.into() });
    }
}
