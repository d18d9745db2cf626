//! String templates with `{param}` placeholders, and argument vectors of them.
//!
//! There is no shell: a value becomes part of one argument and is never split or evaluated.

use std::collections::BTreeMap;

/// Parameter values as text. Absent parameters are not in the map.
pub(crate) type Values = BTreeMap<String, String>;

/// Template. `{{` and `}}` are literal braces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Place(String),
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// What is wrong with its braces.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' | '}' if chars.peek() == Some(&c) => {
                    chars.next();
                    plain.push(c);
                }
                '{' => {
                    let mut name = String::new();
                    loop {
                        match chars.next() {
                            Some('}') => break,
                            Some(c) if c != '{' => name.push(c),
                            _ => {
                                return Err(format!(
                                    "'{text}' has an unclosed brace. Write {{name}}, or {{{{ for a literal brace."
                                ));
                            }
                        }
                    }
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Place(name));
                }
                '}' => {
                    return Err(format!(
                        "'{text}' has an unmatched closing brace. Write }}}} for a literal brace."
                    ));
                }
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Names of its placeholders.
    pub fn places(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Place(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Placeholder at its start.
    pub fn first_place(&self) -> Option<&str> {
        match self.0.first() {
            Some(Part::Place(name)) => Some(name),
            _ => None,
        }
    }

    /// Fills in the values; `None` if a value is absent.
    pub fn fill(&self, values: &Values) -> Option<String> {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Place(name) => out.push_str(values.get(name)?),
            }
        }
        Some(out)
    }
}

/// Argument vector: groups of arguments that are used together or not at all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Vector(pub Vec<Vec<Template>>);

impl Vector {
    /// Fills in the values. Groups with an absent value are omitted.
    pub fn fill(&self, values: &Values) -> Vec<String> {
        let whole = |group: &Vec<Template>| {
            group.iter().map(|argument| argument.fill(values)).collect::<Option<Vec<_>>>()
        };
        self.0.iter().filter_map(whole).flatten().collect()
    }

    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.0.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn vector(groups: &[&[&str]]) -> Vector {
        Vector(groups.iter().map(|g| g.iter().map(|t| Template::parse(t).unwrap()).collect()).collect())
    }

    #[test]
    fn a_placeholder_value_stays_one_argument() {
        let v = vector(&[&["say"], &["{text}"], &["--as={name}.txt"]]);
        let filled = v.fill(&values(&[("text", "a b; rm -rf $HOME '\" {name}"), ("name", "x y")]));
        assert_eq!(filled, ["say", "a b; rm -rf $HOME '\" {name}", "--as=x y.txt"]);
    }

    #[test]
    fn a_missing_value_removes_its_argument_or_group() {
        let v = vector(&[&["fit"], &["{seed}"], &["--seed={seed}"], &["--seed", "{seed}"], &["--n", "{n}"]]);
        assert_eq!(v.fill(&values(&[("n", "3")])), ["fit", "--n", "3"]);
        assert_eq!(v.fill(&values(&[("seed", "")])), ["fit", "", "--seed=", "--seed", ""], "empty is given");
    }

    #[test]
    fn doubled_braces_are_literal_braces() {
        let template = Template::parse("{{print $1}} {n}").unwrap();
        assert_eq!(template.places().collect::<Vec<_>>(), ["n"]);
        assert_eq!(template.fill(&values(&[("n", "7")])).unwrap(), "{print $1} 7");
    }

    #[test]
    fn unbalanced_braces_are_rejected_with_advice() {
        assert!(Template::parse("{n").unwrap_err().contains("unclosed"));
        assert!(Template::parse("{a{b}}").unwrap_err().contains("unclosed"));
        assert!(Template::parse("n}").unwrap_err().contains("unmatched"));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_parsing_keeps_the_text(text in "[a{} ]{0,30}") {
            if let Ok(template) = Template::parse(&text) {
                let all: Values = template.places().map(|p| (p.to_owned(), format!("{{{p}}}"))).collect();
                let filled = template.fill(&all).unwrap();
                prop_assert_eq!(filled.matches('a').count(), text.matches('a').count());
            }
        }
    }
}
