//! Bars as tqdm draws them: `Fit:  40%|████      | 4/10 [00:02<00:03, 2.0batch/s, loss=0.31]`.
//!
//! The outermost bar is the progress. A bar that begins anew in its place (one per epoch, say) makes the whole
//! unknown: nobody can tell how many will follow. Bars below it are told in the message. What stands behind the
//! rate and is a number is a curve over the bar's count.

use crate::said::{Said, count};
use regex::Regex;
use std::sync::LazyLock;

/// Bars below each other are followed down to here.
const DEEPEST: usize = 16;

static BAR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^ \s* (?:(?<desc>\S.*?): \s+)?
        (?: (?<percent>\d{1,3})%\|[^|]*\| \s* (?<n>[\d.]+[kMGTPEZ]?)/(?<total>[\d.]+[kMGTPEZ]?)
          | (?<alone>[\d.]+[kMGTPEZ]?)(?<unit>[^\s\[\]/|\d.]*) )
        \s \[ [\d:.]+ (?:<[^,\]]*)? , \s* (?<rate>[^,\]]+) (?:, \s* (?<postfix>.*))? \] \s* $",
    )
    .expect("the expression is well formed")
});
static PERCENT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?<percent>\d+(?:\.\d+)?)\s?%").expect("the expression is well formed"));

/// One drawing of a bar.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Bar {
    desc: String,
    n: f64,
    total: Option<f64>,
    unit: String,
    postfix: Vec<(String, f64)>,
    text: String,
}

impl Bar {
    /// Reads a line without control sequences; `None` when it is no bar.
    pub fn read(line: &str) -> Option<Self> {
        let found = BAR.captures(line)?;
        let text = |name: &str| found.name(name).map(|m| m.as_str().trim()).unwrap_or_default();
        let alone = text("alone");
        let (n, total) = if alone.is_empty() {
            (scaled(text("n"))?, Some(scaled(text("total"))?))
        } else {
            (scaled(alone)?, None)
        };
        let postfix = text("postfix").split(", ").filter_map(|pair| {
            let (name, y) = pair.split_once('=')?;
            Some((name.trim().to_owned(), y.trim().parse().ok()?))
        });
        let unit = if text("unit").is_empty() { unit_of(text("rate")) } else { text("unit") };
        Some(Self {
            desc: text("desc").to_owned(),
            n,
            total,
            unit: if unit == "it" { "iterations".to_owned() } else { unit.to_owned() },
            postfix: postfix.filter(|(name, _): &(String, f64)| !name.is_empty()).collect(),
            text: line.trim().to_owned(),
        })
    }

    /// For the message: where a bar is that is not the whole.
    fn in_words(&self) -> String {
        let of = self.total.map_or(String::new(), |total| format!("/{total}"));
        [self.desc.as_str(), &format!("{}{of}", self.n), self.unit.as_str()].join(" ").trim().to_owned()
    }

    fn complete(&self) -> bool {
        self.total.is_some_and(|total| self.n >= total)
    }
}

/// The share that a line tells as a percentage, for programs that draw no bar.
pub(crate) fn percentage(line: &str) -> Option<f64> {
    let found = PERCENT.captures(line)?;
    let percent: f64 = found.name("percent")?.as_str().parse().ok()?;
    Some(percent / 100.0).filter(|share| *share <= 1.0)
}

/// `1.23M` → 1,230,000.
fn scaled(text: &str) -> Option<f64> {
    let (number, factor) = match text.char_indices().last() {
        Some((at, c)) if c.is_ascii_alphabetic() => {
            let power = "kMGTPEZ".find(c)? + 1;
            (&text[..at], 1000f64.powi(i32::try_from(power).ok()?))
        }
        _ => (text, 1.0),
    };
    number.parse::<f64>().ok().map(|n| n * factor)
}

/// What is counted, from a rate: `2.0batch/s`, `3.1s/it`, `?it/s`.
fn unit_of(rate: &str) -> &str {
    let (left, right) = rate.split_once('/').unwrap_or((rate, ""));
    let left = left.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '?' | ' '));
    if right == "s" { left.trim_start_matches(|c| "kMGTPEZ".contains(c)) } else { right }
}

/// The bars of one stream.
#[derive(Debug, Default)]
pub(crate) struct Bars {
    /// By how far below the outermost.
    slots: Vec<Option<Slot>>,
    /// There was a bar below another: what is only half drawn can't be told apart.
    nested: bool,
}

#[derive(Debug)]
struct Slot {
    bar: Bar,
    /// What earlier bars in this place counted: curves go on behind it.
    before: f64,
    /// How many bars were in this place before.
    earlier: u32,
    logged: bool,
    /// Where its curves are: a bar is drawn more often than it goes on.
    told: Option<f64>,
}

/// What a drawing of a bar comes to.
#[derive(Debug, Default)]
pub(crate) struct Drawn {
    pub said: Said,
    /// The total is not known any more: leave the whole open.
    pub endless: bool,
    /// The last states of bars that are over, for the log.
    pub log: Vec<String>,
}

impl Bars {
    /// Takes a drawing `up` lines below the outermost; `kept` says that a newline followed.
    pub fn draw(&mut self, bar: Bar, up: usize, kept: bool) -> Drawn {
        let up = up.min(DEEPEST - 1);
        self.nested |= up > 0;
        if self.slots.len() <= up {
            self.slots.resize_with(up + 1, || None);
        }
        let mut drawn = Drawn::default();
        let slot = &mut self.slots[up];
        let (before, earlier, logged, told) = match slot.take() {
            Some(old) if bar.n < old.bar.n || bar.total != old.bar.total => {
                if !old.logged {
                    drawn.log.push(old.bar.text);
                }
                (old.before + old.bar.n, old.earlier + 1, false, old.told)
            }
            Some(old) => (old.before, old.earlier, old.logged, old.told),
            None => (0.0, 0, false, None),
        };
        let over = kept && up == 0 && bar.complete();
        if over && !logged {
            drawn.log.push(bar.text.clone());
        }
        let x = before + bar.n;
        let goes_on = told.is_none_or(|told| x > told);
        let points = if goes_on { bar.postfix.clone() } else { Vec::new() };
        drawn.said = Said { points, step: Some(x), ..Said::default() };
        if up == 0 {
            drawn.said.done = count(bar.n);
            drawn.said.unit = Some(bar.unit.clone());
            drawn.endless = earlier > 0 || bar.total.is_none();
            drawn.said.total = bar.total.filter(|_| !drawn.endless).and_then(count);
        }
        if up > 0 || earlier > 0 {
            drawn.said.message = Some(bar.in_words());
        }
        let told = if goes_on && !bar.postfix.is_empty() { Some(x) } else { told };
        *slot = Some(Slot { bar, before, earlier, logged: logged || over, told });
        drawn
    }

    /// What an unfinished drawing says: only what surely is the outermost bar, going on.
    pub fn glimpse(&mut self, bar: Bar) -> Option<Drawn> {
        let goes_on = match self.slots.first() {
            None => true,
            Some(Some(old)) => old.bar.desc == bar.desc && old.bar.total == bar.total && old.bar.n <= bar.n,
            Some(None) => false,
        };
        (goes_on && !self.nested).then(|| self.draw(bar, 0, false))
    }

    /// The bar there was wiped off, as one below another is when it is done: it leaves no line.
    pub fn wipe(&mut self, up: usize) {
        if let Some(Some(slot)) = self.slots.get_mut(up) {
            slot.logged = true;
        }
    }

    /// The last states of the bars that were not logged.
    pub fn finish(&mut self) -> Vec<String> {
        let left = self.slots.drain(..).flatten().filter(|slot| !slot.logged);
        left.map(|slot| slot.bar.text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::{Lines, State, plain};
    use proptest::prelude::*;

    /// Everything that a sample of real output comes to: the drawings, and what stays for the log.
    fn drawn(sample: &[u8], portion: usize) -> (Vec<Drawn>, Vec<String>) {
        let (mut lines, mut bars) = (Lines::default(), Bars::default());
        let (mut all, mut log) = (Vec::new(), Vec::new());
        let mut tell = |piece: crate::lines::Piece| {
            let (text, up) = plain(&piece.text);
            if text.trim().is_empty() {
                if piece.state == State::Redrawn && !text.is_empty() {
                    bars.wipe(up);
                }
                return;
            }
            let bar = Bar::read(&text).unwrap_or_else(|| panic!("no bar: {text}"));
            let one = match piece.state {
                State::Open => bars.glimpse(bar),
                state => Some(bars.draw(bar, up, state == State::Kept)),
            };
            all.extend(one);
        };
        for bytes in sample.chunks(portion) {
            // In portions a bar may be torn; what is open is then no bar.
            lines.push(bytes, |piece| {
                if piece.state != State::Open || Bar::read(&plain(&piece.text).0).is_some() {
                    tell(piece);
                }
            });
        }
        lines.finish(&mut tell);
        log.extend(all.iter().flat_map(|d| d.log.clone()));
        log.extend(bars.finish());
        (all, log)
    }

    #[test]
    fn a_single_bar_counts_to_its_total_and_leaves_one_line() {
        for portion in [1, 7, 64, 1 << 20] {
            let (all, log) = drawn(include_bytes!("../tests/samples/tqdm_single.txt"), portion);
            let last = &all.last().unwrap().said;
            assert_eq!((last.done, last.total, last.unit.as_deref()), (Some(60), Some(60), Some("batch")));
            assert!(all.iter().all(|d| !d.endless && d.said.total == Some(60)));
            assert!(log.len() == 1 && log[0].contains("60/60"), "{log:?}");
            let told = all.iter().rfind(|d| !d.said.points.is_empty()).unwrap();
            let (name, y) = &told.said.points[0];
            assert!(name == "loss" && (y - 1.0 / 60.0).abs() < 1e-4 && told.said.step == Some(60.0));
        }
    }

    #[test]
    fn of_nested_bars_the_outer_one_is_the_progress() {
        for portion in [1, 13, 1 << 20] {
            let (all, log) = drawn(include_bytes!("../tests/samples/tqdm_nested.txt"), portion);
            let outer: Vec<_> = all.iter().filter_map(|d| d.said.done).collect();
            assert!(outer.is_sorted() && outer.first() == Some(&0) && outer.last() == Some(&3), "{outer:?}");
            assert!(all.iter().filter_map(|d| d.said.total).all(|total| total == 3));
            let inner: Vec<_> = all.iter().filter_map(|d| d.said.message.as_deref()).collect();
            assert!(inner.contains(&"Batches 40/40 iterations"), "{inner:?}");
            assert!(log.len() == 1 && log[0].contains("3/3"), "{log:?}");
        }
    }

    #[test]
    fn bars_one_after_another_leave_the_whole_open_and_their_curve_goes_on() {
        let (all, log) = drawn(include_bytes!("../tests/samples/tqdm_several.txt"), 1 << 20);
        assert_eq!(log.len(), 4, "{log:?}");
        assert!(log[0].starts_with("Epoch 1: 100%") && log[1].starts_with("Epoch 2: 100%"), "{log:?}");
        let second =
            all.iter().find(|d| d.said.message.as_deref() == Some("Epoch 2 10/30 iterations")).unwrap();
        assert!(second.endless && second.said.total.is_none());
        assert_eq!(second.said.step, Some(40.0));
        let last = &all.last().unwrap().said;
        assert_eq!((last.done, last.unit.as_deref()), (Some(5_000_000), Some("B")));
    }

    #[test]
    fn the_forms_of_a_bar() {
        let bar = |line| Bar::read(line).unwrap();
        let b = bar("a: b:  12%|█▏        | 1.20k/10.0k [00:01<00:07, 3.05s/doc, loss=nan, m=x]");
        assert_eq!((b.desc.as_str(), b.n, b.total, b.unit.as_str()), ("a: b", 1200.0, Some(10_000.0), "doc"));
        assert!(b.postfix.len() == 1 && b.postfix[0].1.is_nan());
        let b = bar("load: 5it [00:00, ?it/s]");
        assert_eq!((b.n, b.total, b.unit.as_str()), (5.0, None, "iterations"));
        assert_eq!(bar("3.53MB [00:00, 11.7MB/s]").n, 3.53e6);
        for no in ["", "40%", "4/10", "see [00:01, x]", "100%|", "a: 1/2 [x]"] {
            assert_eq!(Bar::read(no), None, "{no}");
        }
        assert_eq!(percentage("  1,234  45% 1.2MB/s"), Some(0.45));
        assert_eq!(percentage("450%"), None);
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,60}", near in "[ab: 0-9.%|█/\\[\\]<,?kMst=]{0,60}") {
            let mut bars = Bars::default();
            for text in [&line, &near] {
                let _ = percentage(text);
                if let Some(bar) = Bar::read(text) {
                    bars.draw(bar, text.len(), true);
                }
            }
            let _ = bars.finish();
        }
    }
}
