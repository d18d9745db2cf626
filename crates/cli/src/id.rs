//! Operation IDs as typed: complete, or a unique prefix.

use anyhow::bail;
use client::{Client, OperationQuery};
use protocol::OperationId;

/// Characters from which on a prefix is looked up.
const MIN_PREFIX_CHARS: usize = 4;

/// Complete ID for a given one.
///
/// # Errors
/// A sentence if it is no ID, none or several have this prefix, or the server does not answer.
pub async fn id_of(client: &Client, given: &str) -> anyhow::Result<OperationId> {
    if let Ok(id) = given.parse() {
        return Ok(id);
    }
    let beginning = given.trim_end_matches('…').to_lowercase();
    if beginning.len() < MIN_PREFIX_CHARS || !beginning.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        bail!(
            "'{given}' is not an operation ID. `signalbox list` shows IDs; the first 4 characters are enough"
        );
    }
    let query = OperationQuery { words: Some(beginning.clone()), limit: 100, ..OperationQuery::default() };
    let page = client.operations(&query).await.map_err(crate::advised)?;
    let ids = page.operations.iter().map(|operation| operation.id);
    let mut fitting = ids.filter(|id| id.to_string().starts_with(&beginning));
    match (fitting.next(), fitting.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => bail!("no operation ID starts with {given}. `signalbox list` shows IDs"),
        (Some(_), Some(_)) => bail!("several operation IDs start with {given}. Give more characters"),
    }
}
