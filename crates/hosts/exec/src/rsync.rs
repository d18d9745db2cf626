//! Progress of rsync. `--info=progress2` prints the percentage of all files, `--progress` that of each file, in the
//! same form. Which one it is, and whether rsync still lists files, is known from the end of the first file on.

use crate::percent::Share;
use regex::Regex;
use std::sync::LazyLock;

static ROW: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^ \s* [\d,.]+[KMGTP]? \s+ (?<percent>\d{1,3})% \s+ [\d.,]+[kKMGTP]?B/s \s+ \d+:\d\d:\d\d
        (?: \s+ \( xf(?:e)?r\#\d+, \s (?<listing>ir|to)-ch(?:k|eck)=(?<left>\d+)/\d+ \) )? \s* $",
    )
    .expect("the expression is well formed")
});

/// What a percentage belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Whole {
    /// No file has ended yet, or more files are being listed.
    #[default]
    Unclear,
    All,
    OneFile,
}

/// Output of rsync in a command.
#[derive(Debug, Default)]
pub(crate) struct Rsync {
    whole: Whole,
}

impl Rsync {
    /// Handles a state of a line. The outer `None`: it is not one of rsync's.
    pub fn take(&mut self, line: &str) -> Option<Option<Share>> {
        let found = ROW.captures(line)?;
        let percent: u32 = found["percent"].parse().ok().filter(|percent| *percent <= 100)?;
        if let (Some(listing), Some(left)) = (found.name("listing"), found.name("left")) {
            let complete = percent == 100;
            self.whole = match self.whole {
                Whole::OneFile => Whole::OneFile,
                _ if complete && left.as_str() != "0" => Whole::OneFile,
                _ if listing.as_str() == "ir" => Whole::Unclear,
                _ => Whole::All,
            };
            if complete && left.as_str() == "0" && listing.as_str() == "to" {
                return Some(Some(Share::Of(1.0)));
            }
        }
        Some((self.whole == Whole::All).then(|| Share::Of(f64::from(percent) / 100.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(lines: &[&str]) -> Vec<Option<Share>> {
        let mut rsync = Rsync::default();
        lines.iter().map(|line| rsync.take(line).unwrap_or_else(|| panic!("{line}"))).collect()
    }

    #[test]
    fn the_percentage_of_all_files_is_the_fraction_once_all_are_listed() {
        let of = |share| Some(Share::Of(share));
        let progress2 = [
            "         32,768   0%    0.00kB/s    0:00:00  ",
            "        400,000   5%    3.30MB/s    0:00:00 (xfr#1, ir-chk=1011/1215)",
            "        800,000  10%    3.40MB/s    0:00:00 (xfr#2, to-chk=10/15)",
            "      3,332,768  42%    2.93MB/s    0:00:01  ",
            "      7,800,000 100%    3.01MB/s    0:00:02 (xfr#12, to-chk=0/15)",
        ];
        assert_eq!(shares(&progress2), [None, None, of(0.1), of(0.42), of(1.0)]);
    }

    #[test]
    fn the_percentage_of_one_file_is_not_the_fraction() {
        let progress = [
            "         32,768   8%    0.00kB/s    0:00:00  ",
            "        400,000 100%    3.30MB/s    0:00:00 (xfr#1, to-chk=11/15)",
            "         32,768   8%  301.89kB/s    0:00:01  ",
            "        900,000 100%  682.91kB/s    0:00:01 (xfr#8, to-chk=0/15)",
        ];
        assert_eq!(shares(&progress), [None, None, None, Some(Share::Of(1.0))]);
        assert_eq!(Rsync::default().take("400,000 100% done"), None);
    }
}
