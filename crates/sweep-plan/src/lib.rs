//! Plan of a sweep: the parameters that vary, their values, and the combinations to run. Pure; used by the host that
//! runs the sweep and by the page. Compiles to native code and to WebAssembly.

mod spread;
mod text;
mod title;

pub use spread::spread;
pub use text::{names, settings, values, write};
pub use title::words;

use protocol::sweep::Ran;

/// Maximum number of runs of a sweep.
pub const MAX_RUNS: usize = 400;

/// Runs of a sweep, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    /// Names of the parameters that vary.
    pub names: Vec<String>,
    /// Values of each parameter, as text.
    pub values: Vec<Vec<String>>,
    /// For each run, the index of its value for each parameter.
    pub runs: Vec<Vec<usize>>,
}

/// Sorts runs: best first; runs without a metric last, in the order of the plan.
pub fn rank(ran: &mut [Ran], lowest: bool) {
    ran.sort_by(|a, b| {
        let key = |r: &Ran| r.figure.filter(|f| f.is_finite()).map(|f| if lowest { f } else { -f });
        match (key(a), key(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => std::cmp::Ordering::Equal,
        }
        .then(a.run.cmp(&b.run))
    });
}

impl Plan {
    /// Parses `fast=5,10,20; slow=50..200:50`. The plan has every combination, with the last parameter varying fastest.
    /// With `sample` (count and seed), it has a random sample without duplicates, in the order of the grid.
    ///
    /// # Errors
    /// A message that names the invalid part or the exceeded limit, and the correct form.
    pub fn read(text: &str, sample: Option<(u32, u64)>) -> Result<Self, String> {
        let named = settings(text)?;
        if named.is_empty() {
            return Err("Enter the parameters to vary, such as fast=5,10,20; slow=50,100.".to_owned());
        }
        let mut plan = Self::default();
        for (name, list) in named {
            plan.values.push(values(&list).map_err(|why| format!("{name}: {why}"))?);
            plan.names.push(name);
        }
        let sizes: Vec<usize> = plan.values.iter().map(Vec::len).collect();
        let all = sizes.iter().try_fold(1_usize, |all, size| all.checked_mul(*size)).unwrap_or(usize::MAX);
        let wanted = sample.map_or(all, |(count, _)| all.min(count as usize));
        if wanted > MAX_RUNS {
            return Err(format!(
                "{all} combinations exceed the limit of {MAX_RUNS} runs. Use fewer values, or a random search."
            ));
        }
        let mut picked: Vec<usize> = match sample {
            Some((_, seed)) if wanted < all => draw(all, wanted, seed),
            _ => (0..all).collect(),
        };
        picked.sort_unstable();
        let positions = |mut n: usize| {
            let mut run = vec![0; sizes.len()];
            for (position, size) in run.iter_mut().zip(&sizes).rev() {
                (*position, n) = (n % size, n / size);
            }
            run
        };
        plan.runs = picked.into_iter().map(positions).collect();
        Ok(plan)
    }

    /// Names and values of a run.
    pub fn run(&self, run: usize) -> impl Iterator<Item = (&str, &str)> {
        let positions = self.runs.get(run).map(Vec::as_slice).unwrap_or_default();
        let values = self.values.iter().zip(positions).map(|(values, position)| values[*position].as_str());
        self.names.iter().map(String::as_str).zip(values)
    }
}

/// Draws `wanted` different numbers below `all` with a seed: Floyd's algorithm (Bentley, Communications of the ACM
/// 30/9, 1987) with SplitMix64 random numbers (Steele, Lea, Flood 2014).
fn draw(all: usize, wanted: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let mut picked = std::collections::BTreeSet::new();
    for top in all - wanted..all {
        let n = (next() % (top as u64 + 1)) as usize;
        if !picked.insert(n) {
            picked.insert(top);
        }
    }
    picked.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::{OperationId, State};

    fn runs(plan: &Plan) -> Vec<String> {
        let words = |n| plan.run(n).map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        (0..plan.runs.len()).map(|n| words(n).join(" ")).collect()
    }

    #[test]
    fn a_grid_is_every_combination_in_order() {
        let plan = Plan::read(" fast = 5, 10 ;slow=50..100:50;", None).unwrap();
        assert_eq!(plan.names, ["fast", "slow"]);
        let all = ["fast=5 slow=50", "fast=5 slow=100", "fast=10 slow=50", "fast=10 slow=100"];
        assert_eq!(runs(&plan), all);
    }

    #[test]
    fn errors_of_a_plan_are_named() {
        let wrong = |text| Plan::read(text, None).unwrap_err();
        assert!(wrong("").contains("parameters to vary"));
        assert!(wrong("fast").contains("has no '='"));
        assert!(wrong("fast=").contains("no name or no value"));
        assert!(wrong("fast=1;fast=2").contains("twice"));
        assert!(wrong("fast=5..1").contains("must go up"));
        assert!(wrong("fast=a..b").contains("not a range"));
        assert!(wrong("fast=1..9999999").contains("larger step"));
        assert!(wrong("fast=1..40;slow=1..40").contains("1600 combinations"));
        assert!(
            wrong("a=1..300;b=1..300;c=1..300;d=1..300;e=1..300;f=1..300;g=1..300;h=1..300")
                .contains("exceed the limit")
        );
    }

    #[test]
    fn the_best_is_first_and_missing_values_are_last() {
        let operation: OperationId = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap();
        let ran = |run, figure| Ran { run, operation, state: State::Succeeded, figure };
        let mut all =
            [ran(0, None), ran(1, Some(1.0)), ran(2, Some(f64::NAN)), ran(3, Some(2.0)), ran(4, Some(1.0))];
        rank(&mut all, false);
        assert_eq!(all.iter().map(|r| r.run).collect::<Vec<_>>(), [3, 1, 4, 0, 2]);
        rank(&mut all, true);
        assert_eq!(all.iter().map(|r| r.run).collect::<Vec<_>>(), [1, 4, 3, 0, 2]);
    }

    proptest! {
        #[test]
        fn a_sample_is_a_part_of_the_grid_without_duplicates_and_fixed_by_its_seed(seed: u64, count in 1u32..100) {
            let text = "a=1..8; b=1..8";
            let plan = Plan::read(text, Some((count, seed))).unwrap();
            prop_assert_eq!(plan.runs.len(), 64.min(count as usize));
            let mut seen = plan.runs.clone();
            seen.dedup();
            prop_assert_eq!(&seen, &plan.runs);
            prop_assert!(plan.runs.is_sorted());
            prop_assert!(plan.runs.iter().flatten().all(|position| *position < 8));
            prop_assert_eq!(Plan::read(text, Some((count, seed))).unwrap(), plan);
        }
    }
}
