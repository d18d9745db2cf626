//! Progress displays of common tools that have no tqdm bar: stages of git, counts of cargo and click, percentages of
//! curl and cmake.

use regex::Regex;
use std::sync::LazyLock;

/// `remote: Counting objects:  50% (4/8), done.`
static STAGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:remote: )?(?<title>[A-Za-z][A-Za-z ]{0,60}):\s+\d{1,3}% \((?<done>\d+)/(?<total>\d+)\)")
        .expect("the expression is well formed")
});

/// `    Building [====>    ] 12/60: serde` and `Label  [####----]  45/100  00:00:05`.
static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?<title>[^\[\]|]*)\[[#=>.~ -]+\]\s+(?<done>\d+)/(?<total>\d+)(?:[:\s]|$)")
        .expect("the expression is well formed")
});

/// Row of curl's meter: percentages of all, received and sent bytes, then speeds and times.
static CURL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^\s* (?<all>\d{1,3}) \s+ [\d.]+[kMGTP]? \s+ (?<received>\d{1,3}) \s+ [\d.]+[kMGTP]? \s+ (?<sent>\d{1,3})
        \s+ [\d.]+[kMGTP]? \s+ [\d.]+[kMGTP]? \s+ [\d.]+[kMGTP]? \s+ (?:[\d-]+:[\d-]+:[\d-]+|\d+[hd]\s\d+[mh])\s",
    )
    .expect("the expression is well formed")
});

/// `[ 12%] Building CXX object a.o`, each on a line of its own.
static CMAKE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\[ *(?<percent>\d{1,3})%\]\s").expect("the expression is well formed"));

/// State of a display.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Display {
    /// Count of one stage. Others may follow, so it says nothing about the whole.
    Stage { title: String, done: u64, total: u64 },
    /// Count of the whole in a redrawn bar.
    Count { title: String, done: u64, total: u64 },
    /// Share of the whole, with the name of its tool.
    Share { tool: &'static str, share: f64 },
}

impl Display {
    /// Parses a line without control sequences; `None` if it is none of these displays.
    pub fn read(line: &str) -> Option<Self> {
        let number = |found: &regex::Captures, name: &str| found[name].parse::<u64>().ok();
        if let Some(found) = STAGE.captures(line) {
            let (done, total) = (number(&found, "done")?, number(&found, "total")?);
            return Some(Self::Stage { title: found["title"].to_owned(), done, total });
        }
        if let Some(found) = COUNT.captures(line) {
            let (done, total) = (number(&found, "done")?, number(&found, "total")?);
            return Some(Self::Count { title: found["title"].trim().to_owned(), done, total });
        }
        let share = |tool, percent: u64| Self::Share { tool, share: percent as f64 / 100.0 };
        if let Some(found) = CURL.captures(line) {
            let [all, received, sent] = ["all", "received", "sent"].map(|name| number(&found, name));
            // Without a known size, curl takes the bytes so far for all.
            let known = received? > 0 || sent? > 0;
            return all.filter(|all| known && *all <= 100).map(|all| share("curl", all));
        }
        let percent = number(&CMAKE.captures(line)?, "percent")?;
        (percent <= 100).then(|| share("cmake", percent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_displays_of_common_tools() {
        let stage = |title: &str, done, total| Some(Display::Stage { title: title.into(), done, total });
        let count = |title: &str, done, total| Some(Display::Count { title: title.into(), done, total });
        let share = |tool, share| Some(Display::Share { tool, share });
        let known = [
            ("remote: Counting objects:  50% (4/8)", stage("Counting objects", 4, 8)),
            (
                "Receiving objects: 100% (302/302), 9.1 MiB | 1.6 MiB/s, done.",
                stage("Receiving objects", 302, 302),
            ),
            ("    Building [=====>        ] 12/60: serde, tokio", count("Building", 12, 60)),
            ("Click  [####----]  45/100  00:00:05", count("Click", 45, 100)),
            ("[####] 4/4", count("", 4, 4)),
            (
                " 25 8000k   25 2000k    0     0   976k      0  0:00:08  0:00:02  0:00:06  976k",
                share("curl", 0.25),
            ),
            (
                "  7 1000M    0     0    7 70.0M      0  1024k 12:00:08  0:00:02 11:00:06  1024k",
                share("curl", 0.07),
            ),
            ("[  2%] Building CXX object a.o", share("cmake", 0.02)),
            ("[100%] Built target a", share("cmake", 1.0)),
        ];
        for (line, expected) in known {
            assert_eq!(Display::read(line), expected, "{line}");
        }
        let others = [
            "100 5000k    0 5000k    0     0   976k      0 --:--:--  0:00:05 --:--:--  976k",
            "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0",
            "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current",
            "Note: 50% of (4/8)",
            "[info] 3/4 done",
            "[12/60] Building",
            "[101%] odd",
            "Lists... 50%",
        ];
        for line in others {
            assert_eq!(Display::read(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(near in "[ab: 0-9.%/\\[\\]()#=>k-]{0,60}", digits in "[1-9]{20,24}") {
            let _ = Display::read(&near);
            prop_assert_eq!(Display::read(&format!("A: 1% ({digits}99/1)")), None);
        }
    }
}
