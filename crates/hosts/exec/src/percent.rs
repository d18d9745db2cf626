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

/// Number of lines after 100 % that are still a summary of it, and not more work.
const MAX_SUMMARY_LINES: u32 = 3;

/// Percentages of one command.
#[derive(Debug, Default)]
pub(crate) struct Percentages {
    /// Label and lowest value of a percentage that has not risen yet. One that fell never counts.
    waiting: Option<(String, f64)>,
    /// Label and value of the first percentage.
    first: Option<(String, f64)>,
    /// Whether another one followed, or other output after 100 %.
    several: bool,
    /// Number of lines after 100 %, while there was no other percentage.
    after_end: Option<u32>,
}

/// Total progress of a line.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Share {
    Of(f64),
    /// It was known, but is not any more.
    Unknown,
}

impl Percentages {
    /// Handles a state of a line. `drawn` means that the line is redrawn, or is the last state of such a line.
    pub fn take(&mut self, line: &str, drawn: bool) -> Option<Share> {
        if line.trim().is_empty() {
            return None;
        }
        match percentage(line).filter(|_| drawn) {
            Some((label, share)) => self.bare(label, share),
            None => self.other_line(),
        }
    }

    /// Whether there was a percentage.
    pub fn any(&self) -> bool {
        self.first.is_some()
    }

    /// Handles a percentage that no known tool printed: it counts once it rises.
    fn bare(&mut self, label: String, share: f64) -> Option<Share> {
        if self.several || self.first.is_some() {
            return self.share(&label, share);
        }
        match &mut self.waiting {
            None => {
                self.waiting = Some((label, share));
                None
            }
            Some((of, low)) if *of == label => {
                if share > *low {
                    return self.share(&label, share);
                }
                if share < *low - MAX_CORRECTION {
                    *low = f64::INFINITY;
                }
                None
            }
            Some(_) => self.end(),
        }
    }

    /// Handles a percentage with a label.
    pub fn share(&mut self, label: &str, share: f64) -> Option<Share> {
        match &mut self.first {
            // The same 100 % again belongs to the summary: `[100%] Linking …`, then `[100%] Built target …`.
            Some((of, _)) if self.several && self.after_end.is_some() && of == label && share >= 1.0 => {
                self.after_end = Some(0);
                None
            }
            _ if self.several => {
                self.after_end = None;
                None
            }
            None => {
                self.first = Some((label.to_owned(), share));
                Some(Share::Of(share))
            }
            Some((of, far)) if of == label && share >= *far - MAX_CORRECTION => {
                *far = far.max(share);
                Some(Share::Of(*far))
            }
            Some(_) => self.end(),
        }
    }

    /// Handles a line without a percentage, or a redrawn state of one: more output after 100 % may mean more work.
    fn other_line(&mut self) -> Option<Share> {
        if let Some(lines) = &mut self.after_end {
            *lines = lines.saturating_add(1);
            return None;
        }
        let complete = !self.several && self.first.as_ref().is_some_and(|(_, far)| *far >= 1.0);
        if complete {
            self.after_end = Some(1);
        }
        complete.then(|| self.end()).flatten()
    }

    /// Ignores percentages from here on: the total is unknown.
    pub fn end(&mut self) -> Option<Share> {
        self.several = true;
        Some(Share::Unknown)
    }

    /// Label of the only percentage so far.
    pub fn only(&self) -> Option<&str> {
        self.first.as_ref().filter(|_| !self.several).map(|(label, _)| label.as_str())
    }

    /// Share at the end of the output: 100 % if only a summary followed it.
    pub fn finish(&self) -> Option<f64> {
        self.after_end.filter(|lines| *lines <= MAX_SUMMARY_LINES).map(|_| 1.0)
    }
}

/// Words beside percentages that are not progress.
const OTHER_WORDS: [&str; 48] = [
    "rate",
    "rates",
    "loss",
    "losses",
    "error",
    "errors",
    "return",
    "returns",
    "drawdown",
    "pnl",
    "profit",
    "gain",
    "win",
    "wins",
    "change",
    "coverage",
    "sparsity",
    "vram",
    "precision",
    "recall",
    "score",
    "volatility",
    "utilization",
    "utilisation",
    "hit",
    "hits",
    "miss",
    "misses",
    "dropout",
    "exposure",
    "cpu",
    "gpu",
    "mem",
    "memory",
    "ram",
    "disk",
    "swap",
    "load",
    "usage",
    "used",
    "util",
    "battery",
    "accuracy",
    "acc",
    "confidence",
    "remaining",
    "left",
    "free",
];

/// Percentage in a line as a share, and its label: the letters before it. Only if it is the only one, and if the line
/// is text and does not say that the percentage is something else.
fn percentage(line: &str) -> Option<(String, f64)> {
    let mut all = PERCENT.captures_iter(line);
    let (found, another) = (all.next()?.name("percent")?, all.next());
    if another.is_some() || line.contains(char::REPLACEMENT_CHARACTER) {
        return None;
    }
    let percent: f64 = found.as_str().parse().ok()?;
    let before = &line[..found.start()];
    let mut words = before.split(|c: char| !c.is_alphabetic());
    if words.any(|word| OTHER_WORDS.contains(&word.to_lowercase().as_str())) {
        return None;
    }
    // A number with a sign is a change.
    let before_sign = before.strip_suffix(['+', '-']);
    if before_sign.is_some_and(|rest| rest.is_empty() || rest.ends_with([' ', '(', '=', ':'])) {
        return None;
    }
    let label = before.chars().filter(|c| c.is_alphabetic()).collect();
    Some((label, percent / 100.0)).filter(|(_, share)| *share <= 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(lines: &[&str]) -> Vec<Option<Share>> {
        let mut percentages = Percentages::default();
        lines.iter().map(|line| percentages.take(line.trim_end_matches('$'), !line.ends_with('$'))).collect()
    }

    #[test]
    fn a_single_rising_percentage_is_the_fraction() {
        let of = |share| Some(Share::Of(share));
        assert_eq!(shares(&["a.bin  0% 1MB/s", "a.bin 50% 2MB/s", "a.bin 49%"]), [None, of(0.5), of(0.5)]);
        assert_eq!(shares(&["450%", "none", "99% of all is dark$"]), [None; 3]);
        assert_eq!(
            shares(&["CPU 30%", "a 3% b 40%", "2 left (33%)", "\u{fffd}a5%"]),
            [None; 4],
            "no progress"
        );
    }

    #[test]
    fn a_percentage_of_something_else_or_one_that_falls_is_no_fraction() {
        for (first, second) in [
            ("win rate 55%", "win rate 56%"),
            ("drawdown 12%", "drawdown 13%"),
            ("return 12.5%", "return 13%"),
            ("pnl +3%", "pnl +4%"),
            ("day 3 +3%", "day 4 +5%"),
            ("error 4%", "error 5%"),
            ("packet loss 3%", "packet loss 5%"),
            ("success rate 95%", "success rate 96%"),
            ("hit rate 99%", "hit rate 99.5%"),
            ("coverage 88%", "coverage 89%"),
            ("sparsity 30%", "sparsity 50%"),
            ("VRAM: 71%", "VRAM: 72%"),
            ("model 55%", "model 55%"),
            ("model 55%", "model 40%"),
        ] {
            assert_eq!(shares(&[first, second]), [None; 2], "{first}");
        }
        assert_eq!(shares(&["model 55%", "model 40%", "model 70%"]), [None; 3], "it fell");
    }

    #[test]
    fn another_stage_or_file_makes_the_fraction_unknown() {
        let stages =
            ["Counting: 50% (4/8)", "Counting: 100% (8/8)", "Counting: 100% (8/8), done.", "Packing: 2%"];
        assert_eq!(shares(&stages)[3], Some(Share::Unknown));
        assert_eq!(
            shares(&["file-1  80%", "file-1  90%", "file-2   0%", "file-2  50%"])[2..],
            [Some(Share::Unknown), None]
        );
        let lists = ["Lists... 99%", "Lists... 100%", "Lists... Done$", "Unpacking x$"];
        assert_eq!(shares(&lists)[2], Some(Share::Unknown));
        assert_eq!(shares(&["Get 40%", "a line between$", "Get 41%"])[2], Some(Share::Of(0.41)));
    }

    #[test]
    fn a_summary_keeps_the_work_complete_but_more_output_does_not() {
        let finished = |lines: &[&str]| {
            let mut percentages = Percentages::default();
            lines.iter().for_each(|line| {
                percentages.take(line.trim_end_matches('$'), !line.ends_with('$'));
            });
            percentages.finish()
        };
        assert_eq!(finished(&["a 99%", "a 100%", "$", "saved$", "total size is 1$"]), Some(1.0));
        assert_eq!(finished(&["a 99%", "a 100%", "1$", "2$", "3$", "4$"]), None, "more work");
        assert_eq!(finished(&["a 99%", "a 100%", "saved$", "b 10%"]), None, "another file");
        assert_eq!(finished(&["a 99%", "saved$"]), None);
        assert_eq!(finished(&["a 99%", "a 100%", "done"]), Some(1.0));
        assert_eq!(
            finished(&["a 99%", "a 100%", "#", " #", "  #", "   #"]),
            None,
            "a redrawn line is more work"
        );
        assert_eq!(shares(&["a 99%", "a 100%", "-=O=-"])[2], Some(Share::Unknown));
        let again = ["a 99%", "a 100%", "1$", "2$", "3$", "a 100%", "1$", "2$", "3$"];
        assert_eq!(finished(&again), Some(1.0), "the same percentage is complete again");
        assert_eq!(finished(&["a 99%", "a 100%", "saved$", "b 100%"]), None, "another file");
    }
}
