//! Filters of the operations list, parsed from a query string. Used by the page for the operations that it has, and by
//! the store for all; both match the same operations.

mod param;
mod when;

pub use param::{ParamIs, plain};
pub use when::{Unit, When};

use crate::access::KindScope;
use crate::{HostName, KindName, Operation, OperationId, State, Time};
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// Filter with order and position. Empty lists match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    pub states: Vec<State>,
    pub kinds: Vec<KindName>,
    /// Only kinds of this scope. No part of a query string: the server sets it to what the sender may see.
    pub scope: Option<KindScope>,
    pub hosts: Vec<HostName>,
    /// Values of parameters. Several values of one name match any of them; all names must match.
    pub params: Vec<ParamIs>,
    /// Only children of this operation.
    pub parent: Option<OperationId>,
    /// Only operations accepted at or after this time, to the millisecond.
    pub since: Option<When>,
    /// Only operations accepted before this time, to the millisecond.
    pub until: Option<When>,
    /// Only operations that ended at or after this time. Matches no active operation.
    pub ended_since: Option<When>,
    /// Only operations that ended before this time. Matches no active operation.
    pub ended_until: Option<When>,
    /// Text whose words must all occur in title, kind, host, ID or tags, or begin the name of the
    /// state (4 letters or more), ignoring case.
    pub text: String,
    pub order: Order,
    /// Only operations after this one, the last of the previous page.
    pub after: Option<OperationId>,
    /// Page size, 1 to 500.
    pub limit: u32,
}

/// Order of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Newest,
    Oldest,
}

/// Invalid filter.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FilterError {
    #[error("{0}")]
    Word(String),
    #[error("limit must be from 1 to 500, not {0}")]
    Limit(String),
}

/// Searchable parts of an operation.
pub struct Seen<'a> {
    pub id: OperationId,
    pub state: State,
    pub kind: &'a KindName,
    pub host: Option<&'a HostName>,
    pub parent: Option<OperationId>,
    /// When its last attempt ended, if the operation has ended.
    pub ended_at: Option<Time>,
    pub params: &'a Value,
    /// Its text, as [`words`] returns it; called only if the filter has text.
    pub words: &'a dyn Fn() -> String,
}

/// All searchable text of an operation, in lower case.
pub fn words(
    kind: &KindName,
    title: &str,
    id: OperationId,
    host: Option<&HostName>,
    tags: &[String],
) -> String {
    let mut words = format!("{kind} {title} {id}");
    for word in host.map(HostName::as_str).into_iter().chain(tags.iter().map(String::as_str)) {
        words.push(' ');
        words.push_str(word);
    }
    words.to_lowercase()
}

impl Operation {
    /// All searchable text, in lower case.
    pub fn words(&self) -> String {
        words(&self.kind, &self.title, self.id, self.host.as_ref(), &self.tags)
    }
}

/// Longest text; the rest is ignored.
const MAX_TEXT_CHARS: usize = 200;
/// Shortest beginning of a state's name that means the state: `fail`, but not `run`.
const MIN_STATE_CHARS: usize = 4;

fn is_meant(state: State, word: &str) -> bool {
    word.len() >= MIN_STATE_CHARS && state.as_str().starts_with(word)
}

/// States that a word of the text means, by its name or its beginning: `fail`, `failed`. The word is in lower case.
pub fn states_meant(word: &str) -> impl Iterator<Item = State> + '_ {
    State::ALL.into_iter().filter(move |state| is_meant(*state, word))
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

fn add<T: std::str::FromStr<Err: std::fmt::Display> + PartialEq>(
    list: &mut Vec<T>,
    text: &str,
) -> Result<(), FilterError> {
    for word in text.split(',').map(str::trim).filter(|w| !w.is_empty()) {
        let one = word.parse().map_err(|e: T::Err| FilterError::Word(e.to_string()))?;
        if !list.contains(&one) {
            list.push(one);
        }
    }
    Ok(())
}

fn when(name: &str, text: &str) -> Result<Option<When>, FilterError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|e| FilterError::Word(format!("{name}: {e}")))
}

fn id(name: &str, text: &str) -> Result<Option<OperationId>, FilterError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|e| FilterError::Word(format!("{name}: {e}")))
}

impl Filter {
    /// Parses the pairs of a query string; lists are comma-separated or repeated.
    ///
    /// # Errors
    /// Names the invalid part and the correct form.
    pub fn parse<'a>(words: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, FilterError> {
        let mut filter = Filter { limit: 50, ..Filter::default() };
        for (name, value) in words {
            filter.word(name, value)?;
        }
        Ok(filter)
    }

    /// Adds a pair of a query string.
    ///
    /// # Errors
    /// Like [`Filter::parse`]; the filter is unchanged, except for valid items of a list.
    pub fn word(&mut self, name: &str, value: &str) -> Result<(), FilterError> {
        let value = value.trim();
        match name {
            "state" => add(&mut self.states, value)?,
            "kind" => add(&mut self.kinds, value)?,
            "host" => add(&mut self.hosts, value)?,
            "parent" => self.parent = id(name, value)?,
            "since" => self.since = when(name, value)?,
            "until" => self.until = when(name, value)?,
            "ended_since" => self.ended_since = when(name, value)?,
            "ended_until" => self.ended_until = when(name, value)?,
            "q" => {
                let end = value.char_indices().nth(MAX_TEXT_CHARS).map_or(value.len(), |(end, _)| end);
                value[..end].trim_end().clone_into(&mut self.text);
            }
            "order" => {
                self.order = match value {
                    "" | "newest" => Order::Newest,
                    "oldest" => Order::Oldest,
                    other => {
                        let other = short(other);
                        return Err(FilterError::Word(format!(
                            "order must be newest or oldest, not '{other}'"
                        )));
                    }
                }
            }
            "after" => self.after = id(name, value)?,
            "limit" => {
                let limit = value.parse().ok().filter(|n| (1..=500).contains(n));
                self.limit = limit.ok_or_else(|| FilterError::Limit(value.chars().take(20).collect()))?;
            }
            _ => match name.strip_prefix("param.") {
                Some(param) if !param.is_empty() => {
                    let param = ParamIs { name: param.to_owned(), value: value.to_owned() };
                    if !value.is_empty() && !self.params.contains(&param) {
                        self.params.push(param);
                    }
                }
                _ => {
                    return Err(FilterError::Word(format!(
                        "unknown filter '{}'; filters are state, kind, host, param.NAME, parent, since, \
                         until, ended_since, ended_until, q, order, after and limit",
                        short(name)
                    )));
                }
            },
        }
        Ok(())
    }

    /// Pairs of a query string for this filter, in a fixed order. Parsing them returns the same filter.
    pub fn words(&self) -> Vec<(String, String)> {
        fn list<T: ToString>(list: &[T]) -> String {
            list.iter().map(T::to_string).collect::<Vec<_>>().join(",")
        }
        let text = |when: Option<When>| when.map(|w| w.to_string()).unwrap_or_default();
        let first = [("state", list(&self.states)), ("kind", list(&self.kinds)), ("host", list(&self.hosts))];
        let last = [
            ("parent", self.parent.map(|id| id.to_string()).unwrap_or_default()),
            ("since", text(self.since)),
            ("until", text(self.until)),
            ("ended_since", text(self.ended_since)),
            ("ended_until", text(self.ended_until)),
            ("q", self.text.trim().to_owned()),
        ];
        let params = self.params.iter().map(|p| (format!("param.{}", p.name), p.value.clone()));
        let own = |(name, value): (&str, String)| (name.to_owned(), value);
        let all = first.into_iter().map(own).chain(params).chain(last.into_iter().map(own));
        all.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Parameters by name: for each name, any of the values matches.
    pub fn params_by_name(&self) -> BTreeMap<&str, Vec<&ParamIs>> {
        let mut by_name: BTreeMap<&str, Vec<&ParamIs>> = BTreeMap::new();
        for param in &self.params {
            by_name.entry(&param.name).or_default().push(param);
        }
        by_name
    }

    /// IDs of its range of time: from the first up to, but excluding, the second.
    pub fn ids(&self, now: Time) -> (Option<OperationId>, Option<OperationId>) {
        let earliest = OperationId::earliest;
        (self.since.map(|when| earliest(when.from(now))), self.until.map(|when| earliest(when.to(now))))
    }

    /// Its range of ends: from the first time up to, but excluding, the second.
    pub fn ends(&self, now: Time) -> (Option<Time>, Option<Time>) {
        (self.ended_since.map(|when| when.from(now)), self.ended_until.map(|when| when.to(now)))
    }

    /// Whether it depends on when operations ended.
    pub fn asks_for_ends(&self) -> bool {
        self.ended_since.is_some() || self.ended_until.is_some()
    }

    /// Whether one of its times is relative to now, so that the matches change as time passes.
    pub fn moves(&self) -> bool {
        let times = [self.since, self.until, self.ended_since, self.ended_until];
        times.into_iter().flatten().any(When::moves)
    }

    /// Same as [`Filter::takes`], for all of an operation.
    pub fn takes_operation(&self, operation: &Operation, now: Time) -> bool {
        let seen = Seen {
            id: operation.id,
            state: operation.state,
            kind: &operation.kind,
            host: operation.host.as_ref(),
            parent: operation.parent,
            ended_at: operation.ended_at,
            params: &operation.params,
            words: &|| operation.words(),
        };
        self.takes(&seen, now)
    }

    /// Whether it matches an operation; ignores `after` and `limit`.
    pub fn takes(&self, op: &Seen<'_>, now: Time) -> bool {
        fn any<T: PartialEq>(list: &[T], one: Option<&T>) -> bool {
            list.is_empty() || one.is_some_and(|one| list.contains(one))
        }
        let (first, end) = self.ids(now);
        let (earliest, latest) = self.ends(now);
        any(&self.states, Some(&op.state))
            && any(&self.kinds, Some(op.kind))
            && self.scope.as_ref().is_none_or(|scope| scope.covers(op.kind))
            && any(&self.hosts, op.host)
            && self.parent.is_none_or(|parent| op.parent == Some(parent))
            && first.is_none_or(|first| op.id >= first)
            && end.is_none_or(|end| op.id < end)
            && earliest.is_none_or(|earliest| op.ended_at.is_some_and(|at| at >= earliest))
            && latest.is_none_or(|latest| op.ended_at.is_some_and(|at| at < latest))
            && self.params_by_name().values().all(|any| any.iter().any(|param| param.fits(op.params)))
            && (self.text.trim().is_empty() || {
                let words = (op.words)();
                self.text.split_whitespace().all(|word| {
                    let word = word.to_lowercase();
                    words.contains(&word) || is_meant(op.state, &word)
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(query: &[(&str, &str)]) -> Filter {
        Filter::parse(query.iter().copied()).unwrap()
    }

    fn wrong(name: &str, value: &str) -> String {
        Filter::parse([(name, value)]).unwrap_err().to_string()
    }

    #[test]
    fn a_filter_reads_lists_and_names_errors() {
        let f = read(&[("state", "running, failed"), ("q", " msft "), ("limit", "10"), ("state", "failed")]);
        assert_eq!(f.states, [State::Running, State::Failed]);
        assert_eq!((f.text.as_str(), f.limit), ("msft", 10));
        assert!(wrong("state", "runing").contains("'runing' is not a state"));
        assert!(wrong("since", "tomorrow").starts_with("since: 'tomorrow' is not a time"));
        assert!(wrong("order", "longest").contains("newest or oldest"));
        assert!(Filter::parse([("limit", "0")]).is_err());
        for name in ["colour", "param.", "param"] {
            assert!(wrong(name, "red").contains("filters are"), "{name}");
        }
    }

    #[test]
    fn a_filter_parses_back_from_its_text() {
        let f = read(&[
            ("q", "a b"),
            ("param.symbol", "MSFT"),
            ("param.symbol", "AAPL"),
            ("param.x=y", "5,10"),
            ("since", "24h"),
            ("until", "2026-11-01"),
            ("ended_since", "2026-10-31"),
            ("ended_until", "yesterday"),
            ("host", "gpu-1"),
            ("kind", "data.load,training.run"),
            ("state", "failed"),
        ]);
        let words = f.words();
        assert_eq!(words[0], ("state".to_owned(), "failed".to_owned()));
        let again = Filter::parse(words.iter().map(|(n, v)| (n.as_str(), v.as_str()))).unwrap();
        assert_eq!(again, f);
        assert_eq!(Filter::default().words(), []);
        // The text ends with the space between two words.
        let long = format!("{} b", "a".repeat(199));
        assert_eq!(read(&[("q", &long)]).text, "a".repeat(199));
    }

    #[test]
    fn every_name_must_match_one_of_its_values() {
        let kind = KindName::new("data.load").unwrap();
        let now = Time::parse("2026-11-23T10:00:00Z").unwrap();
        let id = OperationId::earliest(now);
        let params = json!({"symbol": "MSFT", "rows": 50});
        let takes_ended = |ended_at: Option<Time>, query: &[(&str, &str)]| {
            let words = || words(&kind, "MSFT 1h · full", id, None, &["synthetic".to_owned()]);
            let params = &params;
            let seen = Seen {
                id,
                state: State::Running,
                kind: &kind,
                host: None,
                parent: None,
                ended_at,
                params,
                words: &words,
            };
            read(query).takes(&seen, now)
        };
        let takes = |query: &[(&str, &str)]| takes_ended(None, query);
        assert!(takes(&[]));
        assert!(takes(&[("param.symbol", "AAPL"), ("param.symbol", "msft"), ("param.rows", "50.0")]));
        assert!(!takes(&[("param.symbol", "msft"), ("param.rows", "51")]));
        assert!(takes(&[("q", "FULL  msft"), ("kind", "data.load"), ("state", "queued,running")]));
        assert!(takes(&[("q", "Running msft")]) && !takes(&[("q", "failed")]), "a state by its name");
        assert!(takes(&[("q", "runn")]) && !takes(&[("q", "run")]), "or by its beginning");
        assert!(takes(&[("q", "synth")]) && !takes(&[("q", "msft tail")]));
        assert!(!takes(&[("host", "gpu-1")]));
        assert!(takes(&[("since", "2026-11-23T10:00:00Z")]) && !takes(&[("until", "2026-11-23T10:00:00Z")]));
        assert!(takes(&[("until", "2026-11-23"), ("since", "1s")]));
        let at = Time::parse("2026-11-23T09:30:00Z").ok();
        assert!(takes_ended(at, &[("ended_since", "2026-11-23T09:30:00Z"), ("ended_until", "today")]));
        assert!(
            !takes_ended(at, &[("ended_until", "2026-11-23T09:30:00Z")]),
            "the end of a range is excluded"
        );
        assert!(!takes_ended(at, &[("ended_since", "29m")]));
        assert!(!takes(&[("ended_until", "today")]), "an active operation has no end");
    }
}
