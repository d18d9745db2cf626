//! Parser of the filter field: words, and conditions like `kind:data.load`. Pure.
//!
//! Quotes belong to the word they are in. Only after the colon of a condition they enclose its value, which may then
//! contain blanks; `\"` and `\\` escape a quote and a backslash there.

/// Names of conditions.
pub const NAMES: [&str; 7] = ["state", "kind", "host", "since", "until", "ended_since", "ended_until"];
/// Prefix of parameter conditions.
const PARAM: &str = "param.";

/// A token with the blanks before it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Part {
    /// Blanks before it.
    gap: String,
    what: What,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum What {
    Word(String),
    Pair { name: String, value: String },
}

/// The parsed text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Typed {
    parts: Vec<Part>,
    /// The last token may still be edited: nothing follows it.
    pub open: bool,
}

/// A token as in the text.
struct Token<'a> {
    begin: usize,
    raw: &'a str,
    what: What,
    /// Its value starts with a quote that is not closed.
    unclosed: bool,
}

/// Tokens of a text, separated by blanks outside of quoted values.
fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let begin = text.len() - rest.len();
        let blank = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let quoted = pair(&rest[..blank]).filter(|(_, value)| value.starts_with('"'));
        let (len, what, unclosed) = match quoted {
            Some((name, _)) => {
                let from = name.len() + 2;
                let (value, len, closed) = unquoted(&rest[from..]);
                (from + len, What::Pair { name: name.to_owned(), value }, !closed)
            }
            None => {
                let raw = &rest[..blank];
                let what = match pair(raw) {
                    Some((name, value)) => What::Pair { name: name.to_owned(), value: value.to_owned() },
                    None => What::Word(raw.to_owned()),
                };
                (blank, what, false)
            }
        };
        all.push(Token { begin, raw: &rest[..len], what, unclosed });
        rest = rest[len..].trim_start();
    }
    all
}

/// Value after an opening quote, its length with the closing quote, and whether that exists.
fn unquoted(text: &str) -> (String, usize, bool) {
    let (mut value, mut escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '"' if !escaped => return (value, at + 1, true),
            '"' | '\\' => {}
            _ if escaped => value.push('\\'),
            _ => {}
        }
        escaped = false;
        value.push(c);
    }
    if escaped {
        value.push('\\');
    }
    (value, text.len(), false)
}

/// Name and value of a condition; `None` for a word, whatever its colons.
pub fn pair(part: &str) -> Option<(&str, &str)> {
    let (name, value) = part.split_once(':')?;
    let param = name.strip_prefix(PARAM).is_some_and(|param| !param.is_empty());
    (param || NAMES.contains(&name)).then_some((name, value))
}

/// Text of a condition.
pub fn written(name: &str, value: &str) -> String {
    if value.contains(char::is_whitespace) || value.starts_with('"') {
        format!("{name}:\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("{name}:{value}")
    }
}

impl Typed {
    pub fn read(text: &str) -> Self {
        let mut end = 0;
        let mut parts = Vec::new();
        let mut unclosed = false;
        for token in tokens(text) {
            parts.push(Part { gap: text[end..token.begin].to_owned(), what: token.what });
            end = token.begin + token.raw.len();
            unclosed = token.unclosed;
        }
        Self { open: !parts.is_empty() && (unclosed || end == text.len()), parts }
    }

    /// The name of a parameter is being typed: not yet a search word.
    fn is_half(&self, at: usize) -> bool {
        let last = self.open && at + 1 == self.parts.len();
        last && matches!(&self.parts[at].what, What::Word(word) if word.starts_with(PARAM))
    }

    /// The plain words with the blanks between them, as the filter takes them.
    pub fn words(&self) -> String {
        let mut words = String::new();
        let mut follows = false;
        for (at, part) in self.parts.iter().enumerate() {
            let What::Word(word) = &part.what else {
                follows = false;
                continue;
            };
            if self.is_half(at) {
                continue;
            }
            if !words.is_empty() {
                words.push_str(if follows { &part.gap } else { " " });
            }
            words.push_str(word);
            follows = true;
        }
        words
    }

    /// All conditions, complete or not.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts.iter().filter_map(|part| match &part.what {
            What::Pair { name, value } => Some((name.as_str(), value.as_str())),
            What::Word(_) => None,
        })
    }

    /// Removes and returns complete conditions: those followed by something, or all with `all`.
    pub fn take(&mut self, all: bool) -> Vec<(String, String)> {
        let count = if self.open && !all { self.parts.len().saturating_sub(1) } else { self.parts.len() };
        let mut taken = Vec::new();
        let mut at = 0;
        self.parts.retain(|part| {
            at += 1;
            match &part.what {
                What::Pair { name, value } if at <= count && !value.is_empty() => {
                    taken.push((name.clone(), value.clone()));
                    false
                }
                _ => true,
            }
        });
        taken
    }

    /// Adds a rejected condition back.
    pub fn put(&mut self, name: &str, value: &str) {
        let what = What::Pair { name: name.to_owned(), value: value.to_owned() };
        self.parts.push(Part { gap: " ".to_owned(), what });
    }

    /// Text of the field.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            if !text.is_empty() {
                text.push_str(if part.gap.is_empty() { " " } else { &part.gap });
            }
            match &part.what {
                What::Word(word) => text.push_str(word),
                What::Pair { name, value } => text.push_str(&written(name, value)),
            }
        }
        text
    }
}

/// The token being typed, with its position.
pub fn last(text: &str) -> (usize, &str) {
    match tokens(text).pop() {
        Some(token) if token.unclosed || token.begin + token.raw.len() == text.len() => {
            (token.begin, token.raw)
        }
        _ => (text.len(), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn own((name, value): (&str, &str)) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn conditions_are_distinguished_from_words() {
        let mut typed = Typed::read("msft kind:data.load  10:41 param.note:\"a b\" state:ru");
        assert_eq!(typed.words(), "msft 10:41");
        let taken = typed.take(false);
        assert_eq!(taken, [own(("kind", "data.load")), own(("param.note", "a b"))]);
        assert_eq!(typed.text(), "msft  10:41 state:ru");
        assert_eq!(typed.take(true), [own(("state", "ru"))]);
        assert_eq!(Typed::read("kind: ").take(true), []);
    }

    #[test]
    fn a_search_text_with_quotes_and_double_spaces_is_kept() {
        for text in [r#"say "hi" \ there"#, "a  b", "\"", "\"a", r"\", "say \"a  b\""] {
            let typed = Typed::read(text);
            assert_eq!((typed.words().as_str(), typed.text().as_str()), (text, text));
        }
        assert_eq!(Typed::read("a  b  kind:x  c ").words(), "a  b c");
    }

    #[test]
    fn a_quoted_value_round_trips() {
        for value in [r#"say "hi" \ there"#, r#""quoted""#, r"C:\dir", "a  b", "\" ", r"ends with \ "] {
            let mut typed = Typed::read(&format!("x {}", written("param.note", value)));
            assert_eq!(typed.take(true), [own(("param.note", value))], "{value}");
            assert_eq!(typed.text(), "x");
        }
        assert_eq!(Typed::read("param.note:it\"s").take(true), [own(("param.note", "it\"s"))]);
        assert_eq!(Typed::read("param.note:\"a ").take(false), [], "the quote is not closed yet");
    }

    #[test]
    fn a_partly_typed_param_name_is_not_searched_for() {
        for half in ["param.", "param.sym"] {
            let typed = Typed::read(&format!("msft {half}"));
            assert_eq!((typed.words(), typed.text()), ("msft".to_owned(), format!("msft {half}")));
        }
        assert_eq!(Typed::read("param.sym ").words(), "param.sym", "it was meant so");
    }

    #[test]
    fn the_part_being_typed_is_the_last_one() {
        assert_eq!(last("msft kin"), (5, "kin"));
        assert_eq!(last("msft "), (5, ""));
        assert_eq!(last("param.note:\"a b"), (0, "param.note:\"a b"));
        assert_eq!(last("param.note:\"a b\" "), (17, ""));
    }

    proptest! {
        #[test]
        fn a_joined_filter_text_splits_into_the_same_parts(text in "([ a-c\"\\\\é]|kind:|param.x:){0,24}") {
            let typed = Typed::read(&text);
            let again = Typed::read(&typed.text());
            prop_assert_eq!(again.words(), typed.words());
            prop_assert_eq!(again.pairs().collect::<Vec<_>>(), typed.pairs().collect::<Vec<_>>());
            let (begin, part) = last(&text);
            prop_assert!(text[begin..].starts_with(part));
        }
    }
}
