//! Suggestions of the filter field: condition names, their values, and conditions that a plain word may mean. Pure.

use super::typed::{last, pair, written};
use std::collections::{BTreeMap, BTreeSet};

/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 9;
/// Maximum number of known values per parameter.
const VALUES: usize = 400;

/// Known kinds, hosts, parameters and values.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Vocabulary {
    pub states: Vec<String>,
    pub kinds: Vec<String>,
    pub hosts: Vec<String>,
    pub params: BTreeMap<String, BTreeSet<String>>,
}

impl Vocabulary {
    /// Adds a parameter, and optionally one of its values.
    pub fn learn(&mut self, param: &str, value: Option<String>) {
        if !self.params.contains_key(param) {
            self.params.insert(param.to_owned(), BTreeSet::new());
        }
        if let (Some(values), Some(value)) = (self.params.get_mut(param), value)
            && values.len() < VALUES
            && !value.is_empty()
            && value.len() <= 60
        {
            values.insert(value);
        }
    }

    fn values(&self, name: &str) -> Vec<&str> {
        fn all(list: &[String]) -> Vec<&str> {
            list.iter().map(String::as_str).collect()
        }
        match name {
            "state" => all(&self.states),
            "kind" => all(&self.kinds),
            "host" => all(&self.hosts),
            "since" | "until" | "ended_since" | "ended_until" => {
                vec!["15m", "1h", "24h", "today", "yesterday", "7d", "30d"]
            }
            _ => {
                let values = name.strip_prefix("param.").and_then(|param| self.params.get(param));
                values.into_iter().flatten().map(String::as_str).collect()
            }
        }
    }
}

/// A suggestion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Suggestion {
    /// Replacement of the token being typed.
    pub puts: String,
    /// Explanation.
    pub note: &'static str,
    /// It is a complete condition; otherwise a value follows.
    pub whole: bool,
}

fn note(name: &str) -> &'static str {
    match name {
        "state" => "Current state",
        "kind" => "Kind of operation",
        "host" => "Host of the operation",
        "since" => "Created since: 24h, yesterday, 2026-11-01",
        "until" => "Created until: 24h, yesterday, 2026-11-01",
        "ended_since" => "Ended since: 24h, yesterday, 2026-11-01",
        "ended_until" => "Ended until: 24h, yesterday, 2026-11-01",
        _ => "Parameter value",
    }
}

/// Rank of a match: start, start of a word, inside; `None` without a match.
fn fit(candidate: &str, word: &str) -> Option<u8> {
    let candidate = candidate.to_lowercase();
    match candidate.find(word)? {
        0 => Some(0),
        at if !candidate.as_bytes()[at - 1].is_ascii_alphanumeric() => Some(1),
        _ => Some(2),
    }
}

/// Suggestions for the typed text.
pub fn suggest(typed: &str, known: &Vocabulary) -> Vec<Suggestion> {
    let (_, part) = last(typed);
    let mut found: Vec<(u8, Suggestion)> = Vec::new();
    let value_of = |name: &str, value: &str| Suggestion { puts: written(name, value), note: "", whole: true };
    if let Some((name, value)) = pair(part) {
        let word = value.trim_matches('"').to_lowercase();
        for value in known.values(name) {
            if let Some(rank) = fit(value, &word) {
                found.push((rank, value_of(name, value)));
            }
        }
    } else {
        let word = part.trim_matches('"').to_lowercase();
        let name_of = |name: &str| Suggestion { puts: format!("{name}:"), note: note(name), whole: false };
        for name in super::typed::NAMES {
            if let Some(rank) = fit(name, &word).filter(|rank| *rank == 0) {
                found.push((rank, name_of(name)));
            }
        }
        let named = word.starts_with("param.");
        for param in known.params.keys() {
            let name = format!("param.{param}");
            let rank = if named { fit(&name, &word) } else { fit(param, &word) };
            if let Some(rank) = rank.filter(|_| !word.is_empty()) {
                found.push((rank + 1, name_of(&name)));
            }
        }
        if word.is_empty() {
            found.push((9, Suggestion { puts: "param.".to_owned(), note: note("param"), whole: false }));
        } else if !named {
            for name in ["state", "kind", "host"] {
                for value in known.values(name) {
                    if let Some(rank) = fit(value, &word) {
                        found.push((rank + 1, value_of(name, value)));
                    }
                }
            }
            for (param, values) in &known.params {
                for value in values {
                    if let Some(rank) = fit(value, &word).filter(|rank| *rank == 0) {
                        found.push((rank + 3, value_of(&format!("param.{param}"), value)));
                    }
                }
            }
        }
    }
    // Equal ranks keep their order.
    found.sort_by_key(|(rank, _)| *rank);
    found
        .into_iter()
        .map(|(_, suggestion)| suggestion)
        .filter(|s| s.puts != part)
        .take(MAX_SUGGESTIONS)
        .collect()
}

/// Text of the field after a suggestion is chosen.
pub fn chosen(typed: &str, suggestion: &Suggestion) -> String {
    let (begin, _) = last(typed);
    format!("{}{}{}", &typed[..begin], suggestion.puts, if suggestion.whole { " " } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vocabulary {
        let own = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        let mut known = Vocabulary {
            states: own(&["queued", "running", "failed"]),
            kinds: own(&["data.load", "training.run"]),
            hosts: own(&["data-1", "gpu-1"]),
            ..Vocabulary::default()
        };
        for (param, value) in [("symbol", "MSFT"), ("symbol", "AAPL"), ("timeframe", "1h"), ("note", "a b")] {
            known.learn(param, Some(value.to_owned()));
        }
        known
    }

    fn puts(typed: &str) -> Vec<String> {
        suggest(typed, &known()).into_iter().map(|s| s.puts).collect()
    }

    #[test]
    fn an_empty_field_suggests_all_conditions() {
        assert_eq!(
            puts(""),
            ["state:", "kind:", "host:", "since:", "until:", "ended_since:", "ended_until:", "param."]
        );
        assert_eq!(puts("msft "), puts(""));
    }

    #[test]
    fn a_filter_name_suggests_its_values_best_first() {
        assert_eq!(puts("kind:"), ["kind:data.load", "kind:training.run"]);
        assert_eq!(puts("x kind:run"), ["kind:training.run"]);
        assert_eq!(puts("param.s"), ["param.symbol:"]);
        assert_eq!(puts("param.symbol:m"), ["param.symbol:MSFT"]);
        assert_eq!(puts("param.note:\"a"), ["param.note:\"a b\""]);
        assert_eq!(puts("kind:data.load"), Vec::<String>::new());
    }

    #[test]
    fn a_plain_word_suggests_all_its_meanings() {
        assert_eq!(puts("run"), ["state:running", "kind:training.run"]);
        assert_eq!(puts("ms"), ["param.symbol:MSFT"]);
        assert_eq!(puts("sy"), ["param.symbol:"]);
    }

    #[test]
    fn a_chosen_suggestion_replaces_the_part_being_typed() {
        let all = suggest("x kin", &known());
        assert_eq!(chosen("x kin", &all[0]), "x kind:");
        let all = suggest("x kind:da", &known());
        assert_eq!(chosen("x kind:da", &all[0]), "x kind:data.load ");
    }
}
