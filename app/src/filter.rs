//! Which operations a list shows: a state and some words, as they stand in the page's address. Pure.

use crate::query;
use protocol::State;

/// What the address asks for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Only this state; all when absent.
    pub state: Option<State>,
    /// Words that must all be found, as typed.
    pub words: String,
}

impl Filter {
    /// From the address; a state that is none is as good as not given.
    pub fn new(state: Option<&str>, words: Option<&str>) -> Self {
        Self { state: state.and_then(|s| s.parse().ok()), words: words.unwrap_or_default().to_owned() }
    }

    /// Nothing is left out.
    pub fn is_open(&self) -> bool {
        self.state.is_none() && self.words.trim().is_empty()
    }

    /// The page's address with this filter.
    pub fn address(&self) -> String {
        let state = self.state.map(State::as_str).unwrap_or_default();
        query::url("/operations", [("state", state), ("q", self.words.trim())])
    }

    /// The same words with another state.
    pub fn with_state(&self, state: Option<State>) -> Self {
        Self { state, words: self.words.clone() }
    }

    /// Whether an operation in `state` is shown; `about` is everything it can be found by, in lower case.
    pub fn takes(&self, state: State, about: &str) -> bool {
        self.state.is_none_or(|wanted| wanted == state)
            && self.words.split_whitespace().all(|word| about.contains(&word.to_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_must_be_found_whatever_its_case() {
        let filter = Filter::new(None, Some("msft  FULL"));
        assert!(filter.takes(State::Running, "data.load msft 1h · full data-1"));
        assert!(!filter.takes(State::Running, "data.load msft 1h · tail"));
        assert!(Filter::default().takes(State::Failed, ""));
    }

    #[test]
    fn a_filter_reads_back_from_its_address() {
        let filter = Filter::new(Some("failed"), Some("a b"));
        assert_eq!(filter.address(), "/operations?state=failed&q=a%20b");
        assert_eq!(filter.with_state(None).address(), "/operations?q=a%20b");
        assert!(Filter::new(Some("nonsense"), None).is_open());
    }
}
