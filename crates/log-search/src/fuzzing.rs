//! What holds for any search; `make fuzz` searches for one that breaks it.

use crate::ranges;

/// Matches are in order, apart, and whole characters, and each is the searched text. The first line of the input is
/// searched in the rest.
pub fn search(bytes: &[u8]) {
    let all = String::from_utf8_lossy(bytes);
    let (words, text) = all.split_once('\n').unwrap_or_default();
    let words = words.to_lowercase();
    let found = ranges(text, &words, usize::MAX);
    assert!(found.windows(2).all(|two| two[0].end <= two[1].start), "{found:?}");
    for range in &found {
        let part = text.get(range.clone()).unwrap_or_else(|| panic!("{range:?} ends within a character"));
        assert!(part.to_lowercase().starts_with(&words) && !range.is_empty(), "{part:?} is not {words:?}");
    }
    assert_eq!(ranges(text, &words, 1).as_slice(), &found[..found.len().min(1)]);
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("search", search);
}
