//! Progress displays of common tools that have no tqdm bar, as far as a single line tells them: stages of git, counts
//! of cargo, click and ctest, percentages of curl, wget, aria2c, cmake and pytest, bytes of dd.

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

/// Row of curl's meter of parallel transfers: percentages of received and sent bytes, their numbers, transfers and
/// those under way, then times and speed.
static CURL_PARALLEL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^\s* (?<received>\d{1,3}|--) \s+ (?<sent>\d{1,3}|--) \s+ [\d.]+[kMGTPE]? \s+ [\d.]+[kMGTPE]?
        \s+ \d+ \s+ \d+ (?: \s+ (?:[\d-]+:[\d-]+:[\d-]+|\d+d\s+\d+h|\d+d) ){3} \s+ [\d.]+[kMGTPE]? \s* $",
    )
    .expect("the expression is well formed")
});

/// `[ 12%] Building CXX object a.o`, each on a line of its own.
static CMAKE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\[ *(?<percent>\d{1,3})%\]\s").expect("the expression is well formed"));

/// ` 12/60 Test #12: parses ....   Passed    0.01 sec`: ended tests.
static CTEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\s*(?<done>\d+)/(?<total>\d+) Test\s+#\d+: ").expect("the expression is well formed")
});

/// `  5% (3 of 60) |#      | Elapsed Time: 0:00:00 ETA: 0:00:01` of progressbar2, without a terminal.
static PROGRESSBAR2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^ *\d{1,3}% \((?<done>\d+) of (?<total>\d+)\) \|.*\| Elapsed Time: ")
        .expect("the expression is well formed")
});

/// `....F..... [ 45%]`, `test_a.py ...... [ 45%]`, `test_a.py::test_b PASSED [ 45%]`, `[gw0] [ 45%] PASSED
/// test_a.py::b`.
static PYTEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^ (?: (?:\S+\.py\ )? [.FEsxX]+ \s+ \[\ *(?<a>\d{1,3})%\]
          | \S+\.py::\S.* \ (?:PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) .* \ \[\ *(?<b>\d{1,3})%\]
          | \[gw\d+\] \s \[\ *(?<c>\d{1,3})%\] \s (?:PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS) \s .* ) \s* $",
    )
    .expect("the expression is well formed")
});

/// `   450K .......... .......... 56%  246K 1s` of wget.
static WGET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^ *\d+K(?: [., ]*)? +(?<percent>\d{1,3})% +[\d.]+[KMGT]?(?:[ =][\d.dhms]+)?$")
        .expect("the expression is well formed")
});

/// `[#9c8891 288KiB/878KiB(32%) CN:1 DL:150KiB ETA:3s]`.
static ARIA2: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\[#(?<gid>[0-9a-f]{6}) \S+/\S+\((?<percent>\d{1,3})%\)(?: \S+)*\]$")
        .expect("the expression is well formed")
});

/// `2253324288 bytes (2.3 GB, 2.1 GiB) copied, 1 s, 2.3 GB/s`.
static DD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?<done>\d+) bytes(?: \([^)]*\))? copied, [\d.e+-]+ s, [\d.]+ \w*B/s\s*$")
        .expect("the expression is well formed")
});

/// State of a display.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Display {
    /// Count of one stage. Others may follow, so it says nothing about the whole.
    Stage { title: String, done: u64, total: u64 },
    /// Count of the whole in a bar, if it is redrawn.
    Count { title: String, done: u64, total: u64 },
    /// Ended tests.
    Tests { done: u64, total: u64 },
    /// Count of progressbar2.
    Items { done: u64, total: u64 },
    /// Copied bytes; how many will follow is unknown.
    Bytes(u64),
    /// Share of the whole, with the name of its tool, or of its download.
    Share { of: String, share: f64 },
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
        if let Some(found) = CTEST.captures(line) {
            let (done, total) = (number(&found, "done")?, number(&found, "total")?);
            return (done <= total).then_some(Self::Tests { done, total });
        }
        if let Some(found) = PROGRESSBAR2.captures(line) {
            let (done, total) = (number(&found, "done")?, number(&found, "total")?);
            return (done <= total && total > 0).then_some(Self::Items { done, total });
        }
        if let Some(found) = DD.captures(line) {
            return number(&found, "done").map(Self::Bytes);
        }
        if let Some(found) = CURL.captures(line) {
            let [all, received, sent] = ["all", "received", "sent"].map(|name| number(&found, name));
            // Without a known size, curl takes the bytes so far for all.
            let known = received? > 0 || sent? > 0;
            return all.filter(|_| known).and_then(|all| share("curl", all));
        }
        if let Some(found) = CURL_PARALLEL.captures(line) {
            // The percentage of sent bytes is 0 if there are none to send.
            return match (number(&found, "received"), number(&found, "sent")) {
                (Some(received), None | Some(0)) => share("curl", received),
                (None | Some(0), Some(sent)) => share("curl", sent),
                _ => None,
            };
        }
        if let Some(found) = PYTEST.captures(line) {
            let percent = ["a", "b", "c"].into_iter().find_map(|name| found.name(name))?;
            return share("pytest", percent.as_str().parse().ok()?);
        }
        if let Some(found) = WGET.captures(line) {
            return share("wget", number(&found, "percent")?);
        }
        if let Some(found) = ARIA2.captures(line) {
            return share(&found["gid"], number(&found, "percent")?);
        }
        share("cmake", number(&CMAKE.captures(line)?, "percent")?)
    }
}

fn share(of: &str, percent: u64) -> Option<Display> {
    (percent <= 100).then(|| Display::Share { of: of.to_owned(), share: percent as f64 / 100.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_displays_of_common_tools_are_recognized() {
        let stage = |title: &str, done, total| Some(Display::Stage { title: title.into(), done, total });
        let count = |title: &str, done, total| Some(Display::Count { title: title.into(), done, total });
        let share = |of: &str, share| Some(Display::Share { of: of.into(), share });
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
            (" 53 --  3125k     0     2     1   0:00:05  0:00:03  0:00:02 1024k      ", share("curl", 0.53)),
            ("[  2%] Building CXX object a.o", share("cmake", 0.02)),
            ("[100%] Built target a", share("cmake", 1.0)),
            (
                "  5/12 Test  #5: parses_dates .....................   Passed    0.01 sec",
                Some(Display::Tests { done: 5, total: 12 }),
            ),
            (
                "  5% (3 of 60) |#                          | Elapsed Time: 0:00:00 ETA: 0:00:01",
                Some(Display::Items { done: 3, total: 60 }),
            ),
            ("2253324288 bytes (2.3 GB, 2.1 GiB) copied, 1 s, 2.3 GB/s", Some(Display::Bytes(2253324288))),
            (
                ".....F.................................................................. [ 95%]",
                share("pytest", 0.95),
            ),
            (
                "test_a.py .............................................................. [ 41%]",
                share("pytest", 0.41),
            ),
            (
                "test_a.py::test_a[3] PASSED                                              [  2%]",
                share("pytest", 0.02),
            ),
            ("[gw1] [ 50%] PASSED test_a.py::test_a[3] ", share("pytest", 0.5)),
            (
                "   250K .......... .......... .......... .......... .......... 34%  333M 2s",
                share("wget", 0.34),
            ),
            (
                "   850K .......... .......... ........                        100%  246K=3.5s",
                share("wget", 1.0),
            ),
            ("[#9c8891 288KiB/878KiB(32%) CN:1 DL:150KiB ETA:3s]", share("9c8891", 0.32)),
        ];
        for (line, expected) in known {
            assert_eq!(Display::read(line), expected, "{line}");
        }
        let others = [
            "100 5000k    0 5000k    0     0   976k      0 --:--:--  0:00:05 --:--:--  976k",
            "  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0",
            "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current",
            "--  --      0     0     2     2  --:--:-- --:--:-- --:--:--     0      ",
            "--  --  1074k     0     2     2  --:--:--  0:00:01 --:--:-- 1034k      ",
            "DL% UL%  Dled  Uled  Xfers  Live Total     Current  Left    Speed",
            "Note: 50% of (4/8)",
            "[info] 3/4 done",
            "[12/60] Building",
            "[101%] odd",
            "Lists... 50%",
            "100 bytes copied",
            "see [ 45%]",
            "... and so on [ 45%]",
            "Downloading 34% 333M 2s",
            "[DL:1.0MiB][#9c8891 288KiB/878KiB(32%)][#1c8891 28KiB/878KiB(3%)]",
        ];
        for line in others {
            assert_eq!(Display::read(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_panics(near in "[ab: 0-9.%/\\[\\]()#=>k-]{0,60}", digits in "[1-9]{20,24}") {
            let _ = Display::read(&near);
            prop_assert_eq!(Display::read(&format!("A: 1% ({digits}99/1)")), None);
        }
    }
}
