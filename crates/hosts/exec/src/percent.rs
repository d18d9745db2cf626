//! Progress from percentages in redrawn lines, for programs without a bar.
//!
//! A single rising percentage is the total progress. If another one starts (the next stage or file), the total is
//! unknown from then on.

use regex::Regex;
use std::sync::LazyLock;

static PERCENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?<percent>\d+(?:\.\d+)?)\s?%").expect("the expression is well formed"));

/// Maximum decrease of a percentage that still counts as the same one, as a share.
const MAX_CORRECTION: f64 = 0.05;

/// Percentages of one command.
#[derive(Debug, Default)]
pub(crate) struct Percentages {
    /// Label and value of the first percentage.
    first: Option<(String, f64)>,
    /// Whether another one followed.
    several: bool,
}

/// Total progress of a line.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Share {
    Of(f64),
    /// It was known, but is not any more.
    Unknown,
}

impl Percentages {
    /// Handles a state of a line; `stays` means it is not overwritten.
    pub fn take(&mut self, line: &str, stays: bool) -> Option<Share> {
        if self.several || line.trim().is_empty() {
            return None;
        }
        let found = percentage(line);
        match (&mut self.first, found) {
            (first @ None, Some((label, share))) if !stays => {
                *first = Some((label, share));
                Some(Share::Of(share))
            }
            (Some((of, far)), Some((label, share))) if *of == label && share >= *far - MAX_CORRECTION => {
                *far = far.max(share);
                (!stays).then_some(Share::Of(*far))
            }
            (Some(_), Some(_)) if !stays => self.end(),
            // More output after 100 %: it was not the total.
            (Some((_, far)), _) if stays && *far >= 1.0 => self.end(),
            _ => None,
        }
    }

    fn end(&mut self) -> Option<Share> {
        self.several = true;
        Some(Share::Unknown)
    }
}

/// Percentage in a line as a share, and its label: the letters before it.
fn percentage(line: &str) -> Option<(String, f64)> {
    let found = PERCENT.captures(line)?.name("percent")?;
    let percent: f64 = found.as_str().parse().ok()?;
    let label = line[..found.start()].chars().filter(|c| c.is_alphabetic()).collect();
    Some((label, percent / 100.0)).filter(|(_, share)| *share <= 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(lines: &[&str]) -> Vec<Option<Share>> {
        let mut percentages = Percentages::default();
        lines.iter().map(|line| percentages.take(line.trim_end_matches('$'), line.ends_with('$'))).collect()
    }

    #[test]
    fn one_percentage_that_rises_is_the_share() {
        let of = |share| Some(Share::Of(share));
        assert_eq!(shares(&["a.bin  0% 1MB/s", "a.bin 50% 2MB/s", "a.bin 49%"]), [of(0.0), of(0.5), of(0.5)]);
        assert_eq!(shares(&["450%", "none", "99% of all is dark$"]), [None; 3]);
    }

    #[test]
    fn another_stage_or_file_makes_the_whole_unknown() {
        let stages =
            ["Counting: 50% (4/8)", "Counting: 100% (8/8)", "Counting: 100% (8/8), done.$", "Packing: 2%"];
        assert_eq!(shares(&stages)[3], Some(Share::Unknown));
        assert_eq!(shares(&["file-1  90%", "file-2   0%", "file-2  50%"])[1..], [Some(Share::Unknown), None]);
        assert_eq!(shares(&["Lists... 100%", "Lists... Done$", "Unpacking x$"])[1], Some(Share::Unknown));
        assert_eq!(shares(&["Get 40%", "a line between$", "Get 41%"])[2], Some(Share::Of(0.41)));
    }
}
