//! Fuzzy match of the palette: score and matched letters. Pure.
//!
//! The text is split into words, and each must match: best at the start of the name, then at the start of a word, then
//! inside, then as a subsequence (`slm` matches "Start: Load market data"). Secondary text counts less and matches only
//! literally.

/// A match: score (higher is better), and positions of the matched letters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fit {
    pub score: i32,
    /// In characters, sorted and unique.
    pub marks: Vec<usize>,
}

/// Maximum gap between two letters of a subsequence.
const WIDEST_GAP: usize = 12;

/// Words of the text in lower case. "…" separates words, as in a shortened id.
pub fn words(typed: &str) -> Vec<String> {
    typed
        .split(|c: char| c.is_whitespace() || c == '…')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Match of an entry; `None` when a word does not match. `beside` is in lower case.
pub fn fit(words: &[String], name: &str, beside: &str) -> Option<Fit> {
    // One per character of the name, so that positions stay valid.
    let letters: Vec<char> = name.chars().map(lower).collect();
    let mut marks = Vec::new();
    let mut score = 0;
    for word in words {
        let wanted: Vec<char> = word.chars().collect();
        let found = together(&wanted, &letters).or_else(|| {
            let within = beside.find(word.as_str()).map(|at| (if at == 0 { 45 } else { 35 }, Vec::new()));
            within.or_else(|| in_order(&wanted, &letters))
        });
        let (worth, places) = found?;
        score += worth;
        marks.extend(places);
    }
    marks.sort_unstable();
    marks.dedup();
    // Shorter names rank higher.
    let length = i32::try_from(letters.len().min(80)).unwrap_or(80);
    Some(Fit { score: score * 10 / words.len().max(1) as i32 - length / 4, marks })
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Whether a letter starts a word.
fn begins(letters: &[char], at: usize) -> bool {
    at == 0 || (!letters[at - 1].is_alphanumeric() && letters[at].is_alphanumeric())
}

/// The word as a substring, at its best position.
fn together(wanted: &[char], letters: &[char]) -> Option<(i32, Vec<usize>)> {
    let places = letters.windows(wanted.len()).enumerate().filter(|(_, part)| *part == wanted);
    let worth = |at: usize| match at {
        0 => 100,
        at if begins(letters, at) => 80,
        _ => 50,
    };
    let best = places.map(|(at, _)| (worth(at), at)).max_by_key(|(worth, at)| (*worth, usize::MAX - at))?;
    Some((best.0, (best.1..best.1 + wanted.len()).collect()))
}

/// The word as a subsequence: its first letter starts a word, further ones come as early as possible, word starts
/// preferred.
fn in_order(wanted: &[char], letters: &[char]) -> Option<(i32, Vec<usize>)> {
    if wanted.len() < 2 {
        return None;
    }
    let mut places: Vec<usize> = Vec::with_capacity(wanted.len());
    let mut worth = 30;
    for letter in wanted {
        let from = places.last().map_or(0, |at| at + 1);
        let reach = letters.len().min(if places.is_empty() { letters.len() } else { from + WIDEST_GAP });
        let mut here = (from..reach).filter(|at| letters[*at] == *letter);
        let first = here.clone().find(|at| begins(letters, *at));
        let at = match (places.is_empty(), first) {
            (_, Some(at)) => at,
            (true, None) => return None,
            (false, None) => here.next()?,
        };
        if !begins(letters, at) && at != from {
            worth -= 5;
        }
        places.push(at);
    }
    (worth > 0).then_some((worth, places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(typed: &str, name: &str) -> Option<Fit> {
        fit(&words(typed), name, "")
    }

    fn marked(typed: &str, name: &str) -> String {
        let marks = of(typed, name).unwrap().marks;
        name.chars()
            .enumerate()
            .map(|(i, c)| if marks.contains(&i) { c.to_ascii_uppercase() } else { c })
            .collect()
    }

    /// Matching names, best first.
    fn ranked<'a>(typed: &str, names: &[&'a str]) -> Vec<&'a str> {
        let mut found: Vec<_> =
            names.iter().filter_map(|name| Some((of(typed, name)?.score, *name))).collect();
        found.sort_by_key(|(score, _)| -score);
        found.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn matches_at_the_start_of_a_name_rank_before_starts_of_words_and_middles() {
        let names = ["A reload", "Start load", "Load market data", "Hosts"];
        assert_eq!(ranked("load", &names), ["Load market data", "Start load", "A reload"]);
    }

    #[test]
    fn all_words_must_match_in_any_order() {
        assert!(of("1h msft", "MSFT 1h · full").is_some());
        assert!(of("1h aapl", "MSFT 1h · full").is_none());
        assert_eq!(marked("1h msft", "msft 1h"), "MSFT 1H");
    }

    #[test]
    fn first_letters_find_a_name_and_are_marked() {
        assert_eq!(marked("slm", "start: load market data"), "Start: Load Market data");
        assert_eq!(marked("oper", "operations"), "OPERations");
        assert!(of("tdl", "start data load").is_none(), "it begins at the beginning of a word");
        assert!(of("x", "start data load").is_none());
    }

    #[test]
    fn details_beside_a_name_match_without_marks() {
        let found = fit(&words("0199c2…4f1a"), "MSFT 1h", "data.load 0199c2d4-7f3a-4f1a").unwrap();
        assert_eq!(found.marks, Vec::<usize>::new());
        let by_name = fit(&words("msft"), "MSFT 1h", "").unwrap();
        assert!(by_name.score > found.score);
    }

    #[test]
    fn of_equal_matches_the_shorter_is_first() {
        assert_eq!(ranked("ho", &["Hosts of the other rack, all of them", "Hosts"])[0], "Hosts");
    }

    proptest! {
        #[test]
        fn whatever_is_typed_the_marks_are_letters_of_the_name(typed: String, name: String, beside: String) {
            if let Some(found) = fit(&words(&typed), &name, &beside) {
                prop_assert!(found.marks.windows(2).all(|w| w[0] < w[1]));
                prop_assert!(found.marks.iter().all(|at| *at < name.chars().count()));
            }
        }

        #[test]
        fn a_name_matches_by_any_of_its_words(name in "[a-zA-Z0-9 ·.]{1,40}") {
            for word in words(&name) {
                prop_assert!(of(&word, &name).is_some(), "{} in {}", word, name);
            }
        }
    }
}
