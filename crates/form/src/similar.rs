//! Similar names, for "did you mean".

/// Edit distance between two names (Levenshtein), for "did you mean".
pub fn distance(a: &str, b: &str) -> usize {
    strsim::levenshtein(a, b)
}
