//! Texts about sweeps.

use crate::format;

/// Number of ended runs, and of those without a value to rank by.
pub fn standing(done: u64, all: u64, without: u64) -> String {
    let mut wording = match done {
        0 => format!("0 of {} runs ended.", format::count(all)),
        done if done == all => format!("All {} runs ended.", format::count(all)),
        done => format!("{} of {} runs ended.", format::count(done), format::count(all)),
    };
    if without > 0 {
        wording.push_str(&format!(" Without a value to rank by: {}.", format::count(without)));
    }
    wording
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_finished_runs_is_shown() {
        assert_eq!(standing(0, 4, 0), "0 of 4 runs ended.");
        assert_eq!(standing(3, 4, 1), "3 of 4 runs ended. Without a value to rank by: 1.");
        assert_eq!(standing(4, 4, 0), "All 4 runs ended.");
    }
}
