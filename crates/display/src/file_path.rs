//! Long file paths within a sentence, shortened so that the sentence is read to its end. Pure.

/// Minimum length of a path that is shortened, characters.
const MIN_CHARS: usize = 24;
/// Minimum number of separators of a path that is shortened.
const MIN_SEPARATORS: usize = 3;

fn is_separator(c: char) -> bool {
    matches!(c, '/' | '\\')
}

/// Whether a path from the root of a file system begins here: `/srv`, `~/data`, `C:\data`.
fn begins(text: &str) -> bool {
    let drive = |text: &str| {
        let mut letters = text.chars();
        letters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && letters.next() == Some(':')
            && letters.next().is_some_and(is_separator)
    };
    (text.starts_with('/') && !text.starts_with("//")) || text.starts_with("~/") || drive(text)
}

/// Characters before or after a path.
fn is_around(c: char) -> bool {
    c.is_whitespace() || matches!(c, '`' | '\'' | '"' | '(' | ')' | '[' | ']' | ',' | ';' | '=')
}

/// The path with only its last name: `…/MSFT_1h.csv`. `None` if it is short already.
fn shortened(path: &str) -> Option<String> {
    let whole = path.trim_end_matches(is_separator);
    let long = path.chars().count() >= MIN_CHARS;
    if !long || !begins(path) || whole.matches(is_separator).count() < MIN_SEPARATORS {
        return None;
    }
    let at = whole.rfind(is_separator)?;
    Some(format!("…{}", &path[at..]))
}

/// A text with its long paths shortened to their last names: `/srv/market/bars/MSFT_1h.csv was not found` is
/// `…/MSFT_1h.csv was not found`.
pub fn short_paths(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    for piece in text.split_inclusive(is_around) {
        let word = piece.trim_end_matches(is_around);
        match shortened(word) {
            Some(path) => {
                short.push_str(&path);
                short.push_str(&piece[word.len()..]);
            }
            None => short.push_str(piece),
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_path_leaves_room_for_what_is_wrong_with_it() {
        let short = [
            ("/srv/market/bars/nasdaq/MSFT_1h.csv was not found.", "…/MSFT_1h.csv was not found."),
            ("`/srv/market/bars/nasdaq/a.csv`, line 4: no close", "`…/a.csv`, line 4: no close"),
            ("Cannot read /home/trader/signalbox/data/x.csv: EIO.", "Cannot read …/x.csv: EIO."),
            (r"C:\Users\trader\market\bars\MSFT_1h.csv was not found.", r"…\MSFT_1h.csv was not found."),
            ("/srv/market/bars/nasdaq/all/ is a folder", "…/all/ is a folder"),
            ("--model=/srv/models/of/trader/a.onnx: bad", "--model=…/a.onnx: bad"),
        ];
        for (whole, expected) in short {
            assert_eq!(short_paths(whole), expected);
        }
    }

    #[test]
    fn short_paths_urls_and_other_texts_stay() {
        for text in [
            "/srv/bars is a folder",
            "https://example.com/a/very/long/path/of/a/source answered 404",
            "1/2 of the rows, and/or/none/of/them/at/all",
            "RuntimeError: CUDA out of memory",
            "",
        ] {
            assert_eq!(short_paths(text), text);
        }
    }

    proptest! {
        #[test]
        fn a_shortened_text_is_stable_and_not_longer(text in "[a-zé/ :`~\\\\.]{0,80}") {
            let once = short_paths(&text);
            prop_assert!(once.chars().count() <= text.chars().count());
            prop_assert_eq!(short_paths(&once), once);
        }
    }
}
