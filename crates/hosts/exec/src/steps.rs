//! Steps that a program numbers on lines of their own: `[12/60] CXX foo.o` of ninja, `Epoch 3/10` of training scripts,
//! `Step 2/5 : RUN …` of docker.
//!
//! Any program can print such a line once, or print what another tool printed, so a line counts only as part of a
//! sequence: numbers from 1 on, each one after the last, with the same total. A program may print a step when it begins
//! or when it is done. So the step of a line counts as begun, and only the ones before it as done.

use regex::Regex;
use std::sync::LazyLock;

static STEP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^ (?: \[ (?<a>\d{1,9}) / (?<b>\d{1,9}) \] \s+ \S
          | (?<epoch>Epoch):? \s+ \[? (?<c>\d{1,9}) \s? / \s? (?<d>\d{1,9}) \]? (?: [\s:,;.|-] | $ )
          | Step \s (?<e>\d{1,9}) / (?<f>\d{1,9}) \s : \s )",
    )
    .expect("the expression is well formed")
});

/// Consecutive steps after which a sequence is certain.
const CERTAIN: u32 = 3;
/// Lines after the last step that are still a summary of it, and not more work.
const MAX_SUMMARY_LINES: u32 = 3;

/// Kind of a numbered line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Bracket,
    Epoch,
    Docker,
}

/// Numbered line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Step {
    kind: Kind,
    n: u64,
    total: u64,
}

impl Step {
    fn read(line: &str) -> Option<Self> {
        let found = STEP.captures(line)?;
        let pairs = [("a", "b", Kind::Bracket), ("c", "d", Kind::Epoch), ("e", "f", Kind::Docker)];
        let (n, total, kind) = pairs.into_iter().find_map(|(n, total, kind)| {
            Some((found.name(n)?.as_str().parse().ok()?, found.name(total)?.as_str().parse().ok()?, kind))
        })?;
        (1..=total).contains(&n).then_some(Self { kind, n, total })
    }

    fn follows(self, before: Self) -> bool {
        self.kind == before.kind && self.n == before.n + 1
    }
}

/// Progress by numbered lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Counted {
    Of {
        done: u64,
        total: u64,
        unit: &'static str,
    },
    /// It was known, but is not any more.
    Unknown,
}

/// Numbered lines of one command.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    last: Option<Step>,
    /// Newest of consecutive steps with another total, and their number: the total changes once they are certain.
    other: Option<(Step, u32)>,
    /// Number of consecutive steps.
    run: u32,
    /// Lines do not form one sequence.
    unclear: bool,
    /// Lines after the last step of all.
    after_end: u32,
}

impl Steps {
    /// Handles a complete line. The outer `None`: it is no numbered line.
    pub fn take(&mut self, line: &str) -> Option<Option<Counted>> {
        let Some(step) = Step::read(line) else {
            return self.other_line().map(Some);
        };
        Some(if self.unclear { None } else { self.step(step) })
    }

    fn step(&mut self, step: Step) -> Option<Counted> {
        let Some(last) = self.last else {
            if step.n == 1 {
                (self.last, self.run) = (Some(step), 1);
            }
            return None;
        };
        if step == last {
            return None;
        }
        if step.follows(last) && step.total == last.total {
            (self.last, self.other) = (Some(step), None);
            self.run += 1;
            return self.certain().then(|| Self::counted(step));
        }
        let goes_on = |(other, _): &(Step, u32)| step.follows(*other) && step.total == other.total;
        if let Some((_, run)) = self.other.filter(goes_on) {
            self.other = Some((step, run + 1));
            if run + 1 < CERTAIN {
                return None;
            }
            (self.last, self.other) = (Some(step), None);
            self.run = self.run.max(CERTAIN);
            return Some(Self::counted(step));
        }
        if step.follows(last) {
            self.other = Some((step, 1));
            return None;
        }
        // Another sequence begins: within an uncertain one, or after the end of the last one. Otherwise it is output of
        // a step.
        let rival = step.n == 1 && (!self.certain() || step.kind == last.kind && last.n == last.total);
        rival.then(|| self.give_up()).flatten()
    }

    /// Whether the lines are a sequence beyond doubt.
    pub fn certain(&self) -> bool {
        self.run >= CERTAIN
    }

    fn counted(step: Step) -> Counted {
        let unit = if step.kind == Kind::Epoch { "epochs" } else { "steps" };
        Counted::Of { done: step.n - 1, total: step.total, unit }
    }

    /// More output after the last step may mean more work.
    fn other_line(&mut self) -> Option<Counted> {
        if self.unclear || !self.certain() || self.last.is_none_or(|last| last.n < last.total) {
            return None;
        }
        self.after_end += 1;
        (self.after_end > MAX_SUMMARY_LINES).then(|| self.give_up()).flatten()
    }

    fn give_up(&mut self) -> Option<Counted> {
        self.unclear = true;
        self.certain().then_some(Counted::Unknown)
    }

    /// Current epoch: its number, and how many there are.
    pub fn epoch(&self) -> Option<(u64, u64)> {
        let last = self.last.filter(|last| last.kind == Kind::Epoch && !self.unclear)?;
        Some((last.n, last.total))
    }

    /// Confirms that lines like `Epoch 3/10` number the epochs of the whole, by another line of the same tool.
    pub fn confirm(&mut self) {
        self.run = self.run.max(CERTAIN);
    }

    /// Number of all steps, if the output ended with the last one.
    pub fn finish(&self) -> Option<u64> {
        self.last
            .filter(|last| !self.unclear && self.certain() && last.n == last.total)
            .map(|last| last.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counts(lines: &[&str]) -> Vec<Option<(u64, u64)>> {
        let mut steps = Steps::default();
        let mut shown = None;
        let counted = lines.iter().map(|line| {
            match steps.take(line).flatten() {
                Some(Counted::Of { done, total, .. }) => shown = Some((done, total)),
                Some(Counted::Unknown) => shown = None,
                None => {}
            }
            shown
        });
        counted.collect()
    }

    #[test]
    fn a_numbered_line_counts_only_in_a_sequence_from_its_first_step() {
        let ninja = ["[1/13] CXX a.o", "[2/13] CXX b.o", "[3/13] CXX c.o", "[4/13] CXX d.o"];
        assert_eq!(counts(&ninja), [None, None, Some((2, 13)), Some((3, 13))]);
        for lone in ["[12/60] test_sum ... ok", "[1/60] a", "[60/60] a", "[0/1] Re-running CMake..."] {
            assert_eq!(counts(&[lone, "more", "[12/61] b", "[14/60] c"]), [None; 4], "{lone}");
            assert_eq!(counts(&[lone, "[13/60] b", "[14/60] c", "[15/60] d"]), [None; 4], "{lone}");
        }
        // Steps of a tool within the first step of a script.
        let nested =
            ["[1/3] Install", "[1/4] Resolve", "[2/4] Fetch", "[3/4] Link", "[2/3] Build", "[3/3] Pack"];
        assert_eq!(counts(&nested), [None; 6]);
    }

    #[test]
    fn the_output_of_a_step_does_not_count() {
        let noise =
            ["[1/13] a", "[2/13] b", "[3/13] c", "[4/5] from a tool", "[1/2] x", "[4/13] d", "[5/13] e"];
        assert_eq!(counts(&noise)[2..], [(2, 13), (2, 13), (2, 13), (3, 13), (4, 13)].map(Some));
        let early = ["[1/13] a", "[3/4] from a tool", "[2/13] b", "[3/4] x", "[4/4] x", "[3/13] c"];
        assert_eq!(counts(&early)[4..], [None, Some((2, 13))]);
        // Ninja corrects its total where outputs did not change.
        let shrinks = ["[1/13] a", "[2/13] b", "[3/13] c", "[4/9] d", "[5/9] e", "[6/9] f"];
        assert_eq!(counts(&shrinks)[3..], [Some((2, 13)), Some((2, 13)), Some((5, 9))]);
    }

    #[test]
    fn the_last_step_is_complete_only_at_the_end() {
        let yarn = ["[1/3] Resolving", "[2/3] Fetching", "[3/3] Building", "a", "b", "c", "d"];
        assert_eq!(counts(&yarn)[2..], [Some((2, 3)), Some((2, 3)), Some((2, 3)), Some((2, 3)), None]);
        let folds = ["Epoch 1/3", "Epoch 2/3", "Epoch 3/3: loss 1", "Epoch 1/3"];
        assert_eq!(counts(&folds)[2..], [Some((2, 3)), None]);
        let docker = ["Step 1/3 : FROM a", "Step 2/3 : RUN b", "Step 3/3 : CMD c"];
        assert_eq!(counts(&docker)[2], Some((2, 3)));
    }

    proptest! {
        #[test]
        fn no_lines_panic(lines in proptest::collection::vec("(\\[|Epoch |Step )[0-3]{1,2}/[0-3]{1,12}(\\]| :)? ?a?", 0..20)) {
            let mut steps = Steps::default();
            for line in &lines {
                let _ = steps.take(line);
            }
            let _ = (steps.finish(), steps.epoch());
        }
    }
}
