//! Scope of a role: the kinds that it applies to.

use crate::KindName;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Kinds whose operations start operations of other kinds. They are in no scope: their results name operations of any
/// kind, and starting one starts others.
pub const COMPOSITE_KINDS: [&str; 2] = ["analysis.sweep", "demo.run"];

/// Largest number of patterns of a scope.
pub const MAX_PATTERNS: usize = 20;
/// Longest pattern in characters.
const MAX_PATTERN_CHARS: usize = 81;

/// Pattern of kinds: a kind, or several by `*`, which matches any characters: `training.*`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KindPattern(String);

impl KindPattern {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a kind matches.
    pub fn matches(&self, kind: &KindName) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = kind.as_str().strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

impl FromStr for KindPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_*".contains(c);
        let long = text.chars().count() > MAX_PATTERN_CHARS;
        if text.is_empty() || long || !text.chars().all(allowed) {
            let text: String = text.chars().take(60).collect();
            return Err(format!(
                "'{text}' is not a pattern of kinds. Use a pattern such as training.* or data.load"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for KindPattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<KindPattern> for String {
    fn from(pattern: KindPattern) -> String {
        pattern.0
    }
}

/// Scope: patterns of kinds, at least one. An operation is in the scope if its kind matches one of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<KindPattern>", into = "Vec<KindPattern>")]
pub struct KindScope(Vec<KindPattern>);

impl KindScope {
    /// Patterns, sorted and each once: equal scopes have equal patterns.
    pub fn patterns(&self) -> &[KindPattern] {
        &self.0
    }

    /// Whether a kind is in the scope. [`COMPOSITE_KINDS`] are in none.
    pub fn covers(&self, kind: &KindName) -> bool {
        !COMPOSITE_KINDS.contains(&kind.as_str()) && self.0.iter().any(|pattern| pattern.matches(kind))
    }
}

impl TryFrom<Vec<KindPattern>> for KindScope {
    type Error = String;

    fn try_from(mut patterns: Vec<KindPattern>) -> Result<Self, String> {
        patterns.sort();
        patterns.dedup();
        match patterns.len() {
            0 => Err("The list of kinds is empty. Enter at least one pattern of kinds, or omit the list for all kinds.".to_owned()),
            n if n > MAX_PATTERNS => Err(format!("The list of kinds can have at most {MAX_PATTERNS} patterns, not {n}.")),
            _ => Ok(Self(patterns)),
        }
    }
}

impl From<KindScope> for Vec<KindPattern> {
    fn from(scope: KindScope) -> Self {
        scope.0
    }
}

impl FromStr for KindScope {
    type Err = String;

    /// Parses patterns separated by commas.
    fn from_str(text: &str) -> Result<Self, String> {
        let patterns: Result<Vec<KindPattern>, String> =
            text.split(',').map(|one| one.trim().parse()).collect();
        patterns?.try_into()
    }
}

impl fmt::Display for KindScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, pattern) in self.0.iter().enumerate() {
            f.write_str(if n > 0 { ", " } else { "" })?;
            f.write_str(pattern.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(scope: &str, kind: &str) -> bool {
        scope.parse::<KindScope>().unwrap().covers(&KindName::new(kind).unwrap())
    }

    #[test]
    fn a_star_stands_for_any_characters_and_the_rest_for_itself() {
        for (scope, kind, covered) in [
            ("data.load", "data.load", true),
            ("data.load", "data.loader", false),
            ("data", "data.load", false),
            ("training.*", "training.run", true),
            ("training.*", "retraining.run", false),
            ("*.run", "training.run", true),
            ("*.run", "training.rerun", false),
            ("t*g.*n", "training.run", true),
            ("a*a.b", "a.b", false),
            ("*", "exec.fit", true),
            ("data.load, training.*", "training.run", true),
        ] {
            assert_eq!(covers(scope, kind), covered, "{scope} {kind}");
        }
    }

    #[test]
    fn kinds_that_start_others_are_in_no_scope() {
        for kind in COMPOSITE_KINDS {
            assert!(!covers("*", kind) && !covers(kind, kind), "{kind}");
        }
    }

    #[test]
    fn a_scope_that_means_nothing_is_refused() {
        for text in ["", " ", "data.load,", "Data.*", "data.?", "[a-z]*", "data load", "a'b", &"x".repeat(82)]
        {
            assert!(text.parse::<KindScope>().is_err(), "{text:?}");
        }
        assert!(serde_json::from_str::<KindScope>("[]").is_err());
        let many = (0..=MAX_PATTERNS).map(|n| format!("k{n}.*")).collect::<Vec<_>>().join(",");
        assert!(many.parse::<KindScope>().is_err());
    }

    #[test]
    fn equal_scopes_are_equal_whatever_their_order() {
        let scope: KindScope = serde_json::from_str(r#"["training.*","data.load","training.*"]"#).unwrap();
        assert_eq!(scope, "data.load,training.*".parse().unwrap());
        assert_eq!(scope.to_string(), "data.load, training.*");
    }
}
