//! Pages of operations: the filter and the keyset.

use protocol::{HostName, KindName, Operation, OperationId, State};
use thiserror::Error;

/// Which operations, and from where. Empty lists mean all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub states: Vec<State>,
    pub kinds: Vec<KindName>,
    pub hosts: Vec<HostName>,
    /// Only those that this one started.
    pub parent: Option<OperationId>,
    /// Text that the title, kind or id contains, whatever its case.
    pub text: String,
    /// Only those older than this one: the last of the page before.
    pub after: Option<OperationId>,
    /// At most so many, 1 to 500.
    pub limit: u32,
}

/// A page, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub operations: Vec<Operation>,
    /// Give as [`Filter::after`] for the next page.
    pub next: Option<OperationId>,
}

/// A filter that can't be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PageError {
    #[error("{0}")]
    Word(String),
    #[error("limit must be from 1 to 500, not {0}")]
    Limit(String),
}

impl Filter {
    /// Reads a filter from the words of a query; lists are separated by commas.
    ///
    /// # Errors
    /// Names the word that is wrong and what would be right.
    pub fn parse<'a>(words: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, PageError> {
        fn list<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Vec<T>, PageError> {
            text.split(',')
                .map(str::trim)
                .filter(|w| !w.is_empty())
                .map(|w| w.parse::<T>().map_err(|e| PageError::Word(e.to_string())))
                .collect()
        }
        let mut filter = Filter { limit: 50, ..Filter::default() };
        for (name, value) in words {
            match name {
                "state" => filter.states = list(value)?,
                "kind" => filter.kinds = list(value)?,
                "host" => filter.hosts = list(value)?,
                "parent" if value.is_empty() => {}
                "parent" => {
                    filter.parent = Some(value.parse().map_err(|e| PageError::Word(format!("parent: {e}")))?);
                }
                "q" => filter.text = value.trim().chars().take(200).collect(),
                "after" if value.is_empty() => {}
                "after" => {
                    filter.after = Some(value.parse().map_err(|e| PageError::Word(format!("after: {e}")))?)
                }
                "limit" => {
                    filter.limit = value
                        .parse()
                        .ok()
                        .filter(|n| (1..=500).contains(n))
                        .ok_or_else(|| PageError::Limit(value.chars().take(20).collect()))?;
                }
                other => {
                    let other: String = other.chars().take(40).collect();
                    return Err(PageError::Word(format!(
                        "there is no filter '{other}'; filters are state, kind, host, parent, q, after and limit"
                    )));
                }
            }
        }
        Ok(filter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_lists_and_names_what_is_wrong() {
        let f = Filter::parse([("state", "running, failed"), ("q", " msft "), ("limit", "10")]).unwrap();
        assert_eq!(f.states, [State::Running, State::Failed]);
        assert_eq!((f.text.as_str(), f.limit), ("msft", 10));
        assert!(
            Filter::parse([("state", "runing")]).unwrap_err().to_string().contains("'runing' is not a state")
        );
        assert!(Filter::parse([("limit", "0")]).is_err());
        assert!(Filter::parse([("colour", "red")]).unwrap_err().to_string().contains("filters are"));
    }
}
