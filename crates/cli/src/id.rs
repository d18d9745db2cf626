//! Operation IDs as typed: complete, a unique prefix, or a name such as `@last`.

use crate::errors::advised;
use crate::exit::bail_usage;
use crate::target::Target;
use anyhow::bail;
use client::OperationQuery;
use protocol::OperationId;

/// Help of an argument that takes one operation.
pub const ID_HELP: &str = "Operation ID, or a unique prefix of it with at least 4 characters. @last is the operation \
                           of your previous command. @1, @2, ... are the rows of your last `signalbox list`";
/// Help of an argument that takes several operations.
pub const IDS_HELP: &str = "Operation IDs, or unique prefixes of them with at least 4 characters. @last is the \
                            operation of your previous command. @1, @2, ... are the rows of your last `signalbox list`";

/// Characters from which on a prefix is looked up.
const MIN_PREFIX_CHARS: usize = 4;

/// Complete ID for a given one.
///
/// # Errors
/// A sentence if it is no ID, none or several have this prefix, or the server does not answer.
pub async fn id_of(target: &Target, given: &str) -> anyhow::Result<OperationId> {
    if let Ok(id) = given.parse() {
        return Ok(id);
    }
    if let Some(name) = given.strip_prefix('@') {
        return match target.recalled(name) {
            Some(id) => Ok(id),
            None if name == "last" => bail!(
                "@last is not set, because no command has used an operation yet. `signalbox list` shows IDs"
            ),
            None if name.parse::<usize>().is_ok() => {
                bail!(
                    "your last `signalbox list` has no row {given}. Run `signalbox list` again and use its rows"
                )
            }
            None => {
                bail_usage!(
                    "'{given}' is unknown. Use @last, or @1, @2, ... for the rows of your last `signalbox list`"
                )
            }
        };
    }
    let beginning = given.trim_end_matches('…').to_lowercase();
    if beginning.len() < MIN_PREFIX_CHARS || !beginning.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        bail_usage!(
            "'{given}' is not an operation ID. `signalbox list` shows IDs; a unique prefix of at least 4 characters is enough"
        );
    }
    let query = OperationQuery { words: Some(beginning.clone()), limit: 100, ..OperationQuery::default() };
    let page = target.client.operations(&query).await.map_err(advised)?;
    let ids = page.operations.iter().map(|operation| operation.id);
    let mut fitting = ids.filter(|id| id.to_string().starts_with(&beginning));
    match (fitting.next(), fitting.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => bail!("no operation ID starts with {given}. `signalbox list` shows IDs"),
        (Some(_), Some(_)) => bail!("several operation IDs start with {given}. Type more characters"),
    }
}

/// Complete IDs, each once, in the given order.
///
/// # Errors
/// Like [`id_of`].
pub async fn ids_of(target: &Target, given: &[String]) -> anyhow::Result<Vec<OperationId>> {
    let mut ids = Vec::with_capacity(given.len());
    for one in given {
        let id = id_of(target, one).await?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}
