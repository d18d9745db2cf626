//! Sweeps in words.

use crate::format;

/// How many of the runs are over, and how many of them have nothing to be ranked by.
pub fn standing(done: u64, all: u64, without: u64) -> String {
    let mut said = match done {
        0 => format!("None of {} runs is over yet.", format::count(all)),
        done if done == all => format!("All {} runs are over.", format::count(all)),
        done => format!("{} of {} runs are over.", format::count(done), format::count(all)),
    };
    if without > 0 {
        said.push_str(&format!(" {} of them have no figure to be ranked by.", format::count(without)));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_how_many_runs_are_over() {
        assert_eq!(standing(0, 4, 0), "None of 4 runs is over yet.");
        assert_eq!(standing(3, 4, 1), "3 of 4 runs are over. 1 of them have no figure to be ranked by.");
        assert_eq!(standing(4, 4, 0), "All 4 runs are over.");
    }
}
