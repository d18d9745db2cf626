//! What a person typed into the field of the filter: words, and conditions like `kind:data.load`. Pure.

/// Names of conditions that stand alone.
pub const NAMES: [&str; 5] = ["state", "kind", "host", "since", "until"];

/// One part of what was typed, as it stands there.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Word(String),
    Pair { name: String, value: String },
}

/// What was typed, taken apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Typed {
    parts: Vec<Part>,
    /// The last part may still be written on: nothing stands after it.
    pub open: bool,
}

/// Parts are divided by spaces; within quotes a space is a space.
fn split(text: &str) -> (Vec<String>, bool) {
    let (mut parts, mut part, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            c if c.is_whitespace() && !quoted => {
                if any {
                    parts.push(std::mem::take(&mut part));
                    any = false;
                }
            }
            c => {
                part.push(c);
                any = true;
            }
        }
    }
    if any {
        parts.push(part);
    }
    (parts, any)
}

/// A condition's name and value; nothing for a word, whatever its colons.
pub fn pair(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once(':')?;
    let param = name.strip_prefix("param.").is_some_and(|param| !param.is_empty());
    (param || NAMES.contains(&name)).then_some((name, value))
}

/// A condition as it is typed.
pub fn written(name: &str, value: &str) -> String {
    if value.contains(char::is_whitespace) {
        format!("{name}:\"{value}\"")
    } else {
        format!("{name}:{value}")
    }
}

impl Typed {
    pub fn read(text: &str) -> Self {
        let (parts, open) = split(text);
        let part = |text: String| match pair(&text) {
            Some((name, value)) => Part::Pair { name: name.to_owned(), value: value.to_owned() },
            None => Part::Word(text),
        };
        Self { parts: parts.into_iter().map(part).collect(), open }
    }

    /// The plain words, as the filter takes them.
    pub fn words(&self) -> String {
        let words = self.parts.iter().filter_map(|part| match part {
            Part::Word(word) => Some(word.as_str()),
            Part::Pair { .. } => None,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// The conditions, whole or not.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Pair { name, value } => Some((name.as_str(), value.as_str())),
            Part::Word(_) => None,
        })
    }

    /// Takes the conditions out that are whole: those with something after them, or all of them when `all`.
    pub fn take(&mut self, all: bool) -> Vec<(String, String)> {
        let kept = if self.open && !all { self.parts.len().saturating_sub(1) } else { self.parts.len() };
        let mut taken = Vec::new();
        let mut at = 0;
        self.parts.retain(|part| {
            at += 1;
            match part {
                Part::Pair { name, value } if at <= kept && !value.is_empty() => {
                    taken.push((name.clone(), value.clone()));
                    false
                }
                _ => true,
            }
        });
        taken
    }

    /// Puts a condition back that can't be taken.
    pub fn put(&mut self, name: &str, value: &str) {
        self.parts.push(Part::Pair { name: name.to_owned(), value: value.to_owned() });
    }

    /// As it stands in the field.
    pub fn text(&self) -> String {
        let text = self.parts.iter().map(|part| match part {
            Part::Word(word) => word.clone(),
            Part::Pair { name, value } => written(name, value),
        });
        text.collect::<Vec<_>>().join(" ")
    }
}

/// The part that is being typed: the last one, and where it begins.
pub fn last(text: &str) -> (usize, &str) {
    let mut quoted = false;
    let mut begin = 0;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => begin = at + c.len_utf8(),
            _ => {}
        }
    }
    (begin, &text[begin..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn conditions_are_told_from_words() {
        let mut typed = Typed::read("msft kind:data.load  10:41 param.note:\"a b\" state:ru");
        assert_eq!(typed.words(), "msft 10:41");
        let taken = typed.take(false);
        let own = |(n, v): (&str, &str)| (n.to_owned(), v.to_owned());
        assert_eq!(taken, [own(("kind", "data.load")), own(("param.note", "a b"))]);
        assert_eq!(typed.text(), "msft 10:41 state:ru");
        assert_eq!(typed.take(true), [own(("state", "ru"))]);
        assert_eq!(Typed::read("kind: ").take(true), []);
    }

    #[test]
    fn what_is_being_typed_is_the_last_part() {
        assert_eq!(last("msft kin"), (5, "kin"));
        assert_eq!(last("msft "), (5, ""));
        assert_eq!(last("param.note:\"a b"), (0, "param.note:\"a b"));
    }

    proptest! {
        #[test]
        fn what_is_put_together_is_taken_apart_the_same(text in "[ a-c:\"é]{0,24}") {
            let typed = Typed::read(&text);
            let again = Typed::read(&typed.text());
            prop_assert_eq!(again.words().split_whitespace().collect::<Vec<_>>().len(), typed.words().split_whitespace().collect::<Vec<_>>().len());
            prop_assert_eq!(again.pairs().count(), typed.pairs().count());
            let _ = last(&text);
        }
    }
}
