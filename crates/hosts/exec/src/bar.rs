//! Parser for a tqdm bar: `Fit:  40%|████      | 4/10 [00:02<00:03, 2.0batch/s, loss=0.31]`.

use crate::divisor::{Divisor, Figures, PREFIXES, Printed};
use regex::Regex;
use std::sync::LazyLock;

static BAR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^ \s* (?:(?<desc>\S.*?): \s+)?
        (?: (?<percent>\d{1,3})%\|[^|]*\| \s* (?<n>[\d.]+[kKMGTPEZY]?)/(?<total>[\d.]+[kKMGTPEZY]?)
            (?<brackets>\s \[)?
          | (?<alone>[\d.]+[kKMGTPEZY]?)(?<unit>[^\s\[\]/|\d.]*) \s \[ )
        (?: (?<elapsed>[\d:.]+) (?:<(?<left>[^,\]]*))? (?:, \s* (?<rate>[^,\]]+) (?:, \s* (?<postfix>.*))? )? \] )? \s* $",
    )
    .expect("the expression is well formed")
});

/// Units that tqdm writes after a prefix.
const PREFIXED_UNITS: [&str; 7] = ["B", "b", "it", "iB", "bit", "bits", "bytes"];

/// Units of bytes, whose numbers may be shortened by 1,024.
const BYTE_UNITS: [&str; 4] = ["B", "Byte", "Bytes", "bytes"];

/// One state of a bar.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Bar {
    pub desc: String,
    /// Number of done items. Numbers of bytes may be shortened by another divisor than the assumed 1,000.
    pub n: f64,
    pub total: Option<f64>,
    pub unit: String,
    /// Numeric values after the rate.
    pub postfix: Vec<(String, f64)>,
    pub text: String,
    /// Whether it has times, as by default, so that it is complete.
    pub timed: bool,
    /// Numbers as printed: `6.00M/30.0M`.
    printed: String,
    /// Printed share of the total.
    pub share: Option<f64>,
    /// Figures of bytes that may be shortened by another divisor.
    bytes: Option<Figures>,
}

impl Bar {
    /// Parses a line without control sequences; `None` if it is not a bar.
    pub fn read(line: &str) -> Option<Self> {
        let found = BAR.captures(line)?;
        let text = |name: &str| found.name(name).map(|m| m.as_str().trim()).unwrap_or_default();
        let bracketed = found.name("brackets").is_some() || found.name("alone").is_some();
        if bracketed != found.name("elapsed").is_some() {
            return None;
        }
        let alone = text("alone");
        let (n, total) = if alone.is_empty() { (text("n"), Some(text("total"))) } else { (alone, None) };
        // Numbers with a prefix or decimals are abbreviated. Then a large rate has a prefix too.
        let short =
            |number: &str| number.contains('.') || number.ends_with(|c: char| c.is_ascii_alphabetic());
        let made_short = short(n) || total.is_some_and(short);
        let average =
            Printed::read(n)?.value(Divisor::Decimal) / seconds(text("elapsed")).unwrap_or_default();
        let unit = match text("unit") {
            "" => unit_of(text("rate"), made_short, average),
            // `3.53MB`: the prefix belongs to the number.
            unit => unit,
        };
        // Bytes use factors of 1,024.
        let (unit, divisor) = if unit == "iB" { ("B", Divisor::Binary) } else { (unit, Divisor::Decimal) };
        let (done, all) = (Printed::read(n)?, total.map(Printed::read));
        let all = match all {
            Some(all) => Some(all?),
            None => None,
        };
        let percent = text("percent").parse::<f64>().ok();
        let rate =
            text("rate").split_once("/s").and_then(|(rate, _)| Printed::read(rate.strip_suffix(unit)?));
        let figures = Figures { n: done, total: all, percent, rate, left: seconds(text("left")) };
        let may_be_binary = made_short && divisor == Divisor::Decimal && BYTE_UNITS.contains(&unit);
        let postfix = text("postfix").split(", ").filter_map(|pair| {
            let (name, y) = pair.split_once('=')?;
            Some((name.trim().to_owned(), y.trim().parse().ok()?))
        });
        Some(Self {
            desc: text("desc").to_owned(),
            n: done.value(divisor),
            total: all.map(|all| all.value(divisor)),
            unit: if unit == "it" { "iterations".to_owned() } else { unit.to_owned() },
            postfix: postfix.filter(|(name, _): &(String, f64)| !name.is_empty()).collect(),
            text: line.trim().to_owned(),
            timed: bracketed,
            printed: match total {
                Some(total) => format!("{n}/{total}"),
                None => n.to_owned(),
            },
            share: percent.map(|percent| percent / 100.0).filter(|share| *share <= 1.0),
            bytes: may_be_binary.then_some(figures),
        })
    }

    /// Whether the divisor of its numbers is not known.
    pub fn is_inexact(&self) -> bool {
        self.bytes.is_some()
    }

    /// The divisor, if its figures prove it.
    pub fn divisor(&self) -> Option<Divisor> {
        self.bytes.and_then(|figures| figures.divisor())
    }

    /// The same bar, with its divisor.
    pub fn with(self, divisor: Divisor) -> Self {
        match self.bytes {
            Some(Figures { n, total, .. }) => {
                let total = total.map(|total| total.value(divisor));
                Self { n: n.value(divisor), total, bytes: None, ..self }
            }
            None => self,
        }
    }

    /// Position as printed, for the message.
    pub fn in_words(&self) -> String {
        [self.desc.as_str(), self.printed.as_str(), self.unit.as_str()].join(" ").trim().to_owned()
    }

    pub fn complete(&self) -> bool {
        self.total.is_some_and(|total| self.n >= total)
    }
}

/// Parses `01:02:03` to seconds.
fn seconds(text: &str) -> Option<f64> {
    let parts = text.split(':').map(|part| part.parse::<f64>().ok());
    parts.reduce(|all, part| Some(all? * 60.0 + part?)).flatten()
}

/// Unit of a rate: `2.0batch/s`, `3.1s/it`, `?it/s`. `M` in `4.00MB` can be a prefix or part of the unit. Unabbreviated
/// numbers have no prefix; otherwise the reading closer to the average rate wins.
fn unit_of(rate: &str, made_short: bool, average: f64) -> &str {
    let (left, right) = rate.split_once('/').unwrap_or((rate, ""));
    let digits = left.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ' '))).unwrap_or(left.len());
    let (value, unit) = left.split_at(digits);
    if let Some(unknown) = unit.strip_prefix('?') {
        return if right == "s" { unknown } else { right };
    }
    if right != "s" {
        return right;
    }
    let Some(prefix) = unit.chars().next().filter(|c| made_short && PREFIXES.contains(*c) && unit.len() > 1)
    else {
        return unit;
    };
    let rest = &unit[1..];
    let large = Printed::read(&format!("{}{prefix}", value.trim())).map(|n| n.value(Divisor::Decimal));
    let prefixed = match (value.trim().parse::<f64>(), large) {
        (Ok(bare), Some(large)) if average.is_finite() && average > 0.0 && bare > 0.0 => {
            (large / average).ln().abs() < (bare / average).ln().abs()
        }
        _ => PREFIXED_UNITS.contains(&rest),
    };
    if prefixed { rest } else { unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(line: &str) -> Bar {
        Bar::read(line).unwrap_or_else(|| panic!("no bar: {line}"))
    }

    #[test]
    fn common_progress_bars_are_recognized() {
        let b = bar("a: b:  12%|█▏        | 1.20k/10.0k [00:01<00:07, 3.05s/doc, loss=nan, m=x]");
        assert_eq!((b.desc.as_str(), b.n, b.total, b.unit.as_str()), ("a: b", 1200.0, Some(10_000.0), "doc"));
        assert!(b.postfix.len() == 1 && b.postfix[0].1.is_nan());
        let b = bar("load: 5it [00:00, ?it/s]");
        assert_eq!((b.n, b.total, b.unit.as_str()), (5.0, None, "iterations"));
        assert_eq!(bar("3.53MB [00:00, 11.7MB/s]").n, 3.53e6);
        let b = bar(" 40%|####      | 4/10");
        assert_eq!((b.n, b.total, b.unit.as_str()), (4.0, Some(10.0), ""), "a format without times");
        for no in
            ["", "40%", "4/10", "see [00:01, x]", "100%|", "a: 1/2 [x]", "5%|#| 1/20 [", "5%|#| 1/20 [x]"]
        {
            assert_eq!(Bar::read(no), None, "{no}");
        }
    }

    #[test]
    fn a_unit_keeps_all_its_letters() {
        for unit in ["MB", "keys", "Epoch", "Tokens", "Zeilen", "k"] {
            assert_eq!(bar(&format!("Run: 25%|##| 12/48 [00:03<00:09, 4.05{unit}/s]")).unit, unit);
            assert_eq!(bar(&format!("Run:  0%|  | 0/48 [00:00<?, ?{unit}/s]")).unit, unit);
        }
        // With abbreviated numbers the rate decides whether a letter is part of the unit.
        assert_eq!(bar("50%|##| 1.50k/3.00k [00:30<00:30, 50.1keys/s]").unit, "keys");
        assert_eq!(bar("50%|##| 90.0k/180k [00:30<00:30, 3.01kB/s]").unit, "B");
        assert_eq!(bar("50%|##| 1.50M/3.00M [00:30<00:30, 50.1kB/s]").unit, "B");
        assert_eq!(bar("50%|##| 1.50M/3.00M [00:00<00:00, 50.1MB/s]").unit, "B");
    }

    #[test]
    fn binary_prefixes_count_by_1024() {
        let b = bar("20%|##| 6.00M/30.0M [00:02<00:08, 3.00MiB/s]");
        assert_eq!((b.unit.as_str(), b.n, b.total), ("B", 6.0 * 1048576.0, Some(30.0 * 1048576.0)));
        let b = bar("6.00MiB [00:02, 3.00MiB/s]");
        assert_eq!((b.unit.as_str(), b.n), ("B", 6.0 * 1048576.0));
    }
}
