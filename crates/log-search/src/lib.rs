//! Log search: the server searches all lines and the page those that it has, with the same rules. Compiles to
//! native code and to WebAssembly.

#[cfg(any(test, fuzzing))]
pub mod fuzzing;

use protocol::LogLevel;
use std::ops::Range;

/// Whether a line has at least a level and contains a text, ignoring colours and case; `words` are in lower case.
pub fn takes(level: LogLevel, text: &str, least: LogLevel, words: &str) -> bool {
    level >= least && (words.is_empty() || !ranges(&ansi::plain(text), words, 1).is_empty())
}

/// Positions of a lower-case text in another text, at most `most`.
pub fn ranges(text: &str, words: &str, most: usize) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    if words.is_empty() {
        return found;
    }
    let plain = words.is_ascii();
    while at < text.len() && found.len() < most {
        let len = if plain {
            // ASCII bytes are never part of another character.
            let here = text.as_bytes().get(at..at + words.len());
            here.filter(|here| here.eq_ignore_ascii_case(words.as_bytes())).map(<[u8]>::len)
        } else if text.is_char_boundary(at) {
            begins(&text[at..], words)
        } else {
            None
        };
        match len {
            Some(len) => {
                found.push(at..at + len);
                at += len;
            }
            None => at += 1,
        }
    }
    found
}

/// Length of the match, if the text begins with `words`.
fn begins(text: &str, words: &str) -> Option<usize> {
    let mut wanted = words.chars();
    let mut next = wanted.next();
    for (at, c) in text.char_indices() {
        for lower in c.to_lowercase() {
            if next != Some(lower) {
                return None;
            }
            next = wanted.next();
        }
        if next.is_none() {
            return Some(at + c.len_utf8());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_found_in_any_case_and_script() {
        assert_eq!(ranges("Loss, loss and LOSS", "loss", 9), [0..4, 6..10, 15..19]);
        assert_eq!(ranges("Loss, loss", "loss", 1).len(), 1);
        assert_eq!(ranges("Größe GRÖSSE größe", "größe", 9), [0..7, 16..23]);
        assert!(ranges("aaa", "aa", 9).into_iter().eq(std::iter::once(0..2)));
        assert!(ranges("abc", "", 9).is_empty());
    }

    proptest! {
        #[test]
        fn matches_are_the_searched_words(text in "[a-cA-CäÄ ]{0,30}", words in "[a-cä]{1,2}") {
            let found = ranges(&text, &words, usize::MAX);
            prop_assert!(found.iter().all(|r| text[r.clone()].to_lowercase() == words));
            prop_assert_eq!(found.is_empty(), !text.to_lowercase().contains(&words));
        }
    }
}
