//! Axes of the parallel coordinates: where each run crosses them, and which runs pass through the chosen ranges. Pure.

use super::metric;
use crate::outcome::headline::brief;
use protocol::sweep::SweepResult;
use sweep_plan::Plan;

/// Labels of an axis at most; of more values, every second, third, … is labelled.
const MAX_LABELS: usize = 9;

/// One vertical axis. Places are from 0 at the bottom to 1 at the top.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    pub name: String,
    pub labels: Vec<(f64, String)>,
}

/// A run as a line across all axes.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Place in the ranking.
    pub ran: usize,
    /// Where it crosses each axis.
    pub at: Vec<f64>,
}

/// Axes and lines of the runs that have a figure.
#[derive(Clone, PartialEq, Debug)]
pub struct Lines {
    /// The parameters that vary, and the metric last, with its better end at the top.
    pub axes: Vec<Axis>,
    /// Worst first, so that the best is drawn last.
    pub lines: Vec<Line>,
}

/// Range on an axis; `None` takes all runs.
pub type Range = Option<(f64, f64)>;

/// Place of each value: equal distances in ascending order; values that are no numbers keep their order.
fn places(values: &[String]) -> Vec<f64> {
    let numbers: Option<Vec<f64>> =
        values.iter().map(|value| json::float(value).filter(|n| n.is_finite())).collect();
    let last = (values.len().max(2) - 1) as f64;
    let place = |at: usize| {
        let rank = numbers.as_ref().map_or(at, |all| all.iter().filter(|n| **n < all[at]).count());
        if values.len() == 1 { 0.5 } else { rank as f64 / last }
    };
    (0..values.len()).map(place).collect()
}

fn labels(values: &[String], places: &[f64]) -> Vec<(f64, String)> {
    let mut all: Vec<(f64, String)> = places.iter().copied().zip(values.iter().cloned()).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let step = all.len().div_ceil(MAX_LABELS).max(1);
    all.into_iter().step_by(step).collect()
}

impl Lines {
    /// `None` unless there are two runs with figures and a parameter with several values.
    pub fn of(plan: &Plan, known: &SweepResult) -> Option<Self> {
        let varied: Vec<usize> =
            (0..plan.names.len()).filter(|place| plan.values[*place].len() > 1).collect();
        let figure = |ran: usize| known.ran[ran].figure.filter(|figure| figure.is_finite());
        let runs: Vec<(usize, f64, &Vec<usize>)> = (0..known.ran.len())
            .filter_map(|ran| Some((ran, figure(ran)?, plan.runs.get(known.ran[ran].run as usize)?)))
            .collect();
        if varied.is_empty() || runs.len() < 2 {
            return None;
        }
        let least = runs.iter().map(|(_, figure, _)| *figure).fold(f64::INFINITY, f64::min);
        let most = runs.iter().map(|(_, figure, _)| *figure).fold(f64::NEG_INFINITY, f64::max);
        let height = |figure: f64| {
            let share = if most > least { (figure - least) / (most - least) } else { 0.5 };
            if known.lowest { 1.0 - share } else { share }
        };
        let of_values: Vec<Vec<f64>> = varied.iter().map(|place| places(&plan.values[*place])).collect();
        let mut axes: Vec<Axis> = varied
            .iter()
            .zip(&of_values)
            .map(|(place, places)| Axis {
                name: plan.names[*place].replace('_', " "),
                labels: labels(&plan.values[*place], places),
            })
            .collect();
        let mut ends = vec![(height(least), brief(least))];
        if most > least {
            ends.push((height(most), brief(most)));
        }
        axes.push(Axis { name: metric(&known.rank_by), labels: ends });
        let line = |(ran, figure, values): &(usize, f64, &Vec<usize>)| {
            let of_params = varied.iter().zip(&of_values).map(|(place, places)| places[values[*place]]);
            Line { ran: *ran, at: of_params.chain([height(*figure)]).collect() }
        };
        Some(Self { axes, lines: runs.iter().rev().map(line).collect() })
    }

    /// Place of an axis from left to right, 0 to 1.
    pub fn across(&self, axis: usize) -> f64 {
        axis as f64 / (self.axes.len() - 1) as f64
    }
}

/// Whether a line passes through all ranges.
pub fn passes(line: &Line, ranges: &[Range]) -> bool {
    // A pixel of tolerance, so that a range up to a value has it.
    const NEAR: f64 = 0.01;
    let within =
        |(at, range): (&f64, &Range)| range.is_none_or(|(low, high)| (low - NEAR..=high + NEAR).contains(at));
    line.at.iter().zip(ranges).all(within)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::State;
    use protocol::sweep::Ran;

    fn known(figures: &[(u32, Option<f64>)], lowest: bool) -> SweepResult {
        let operation: protocol::OperationId = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap();
        let ran =
            |&(run, figure): &(u32, Option<f64>)| Ran { run, operation, state: State::Succeeded, figure };
        SweepResult {
            rank_by: "performance.sharpe".into(),
            lowest,
            names: Vec::new(),
            ran: figures.iter().map(ran).collect(),
            runs: 9,
            deleted: 0,
        }
    }

    #[test]
    fn each_run_crosses_the_axes_at_its_values_with_the_better_metric_at_the_top() {
        let plan = Plan::read("slow=100,50,400; mode=a,b; fixed=1", None).unwrap();
        let lines = Lines::of(&plan, &known(&[(0, Some(3.0)), (5, Some(1.0)), (1, None)], false)).unwrap();
        let names: Vec<_> = lines.axes.iter().map(|axis| axis.name.as_str()).collect();
        assert_eq!(names, ["slow", "mode", "Sharpe"]);
        // The best is drawn last.
        assert_eq!(lines.lines[1], Line { ran: 0, at: vec![0.5, 0.0, 1.0] });
        assert_eq!(lines.lines[0], Line { ran: 1, at: vec![1.0, 1.0, 0.0] });
        let lowest = Lines::of(&plan, &known(&[(5, Some(1.0)), (0, Some(3.0))], true)).unwrap();
        assert_eq!(lowest.lines[1].at[2], 1.0);
        assert_eq!(lines.axes[0].labels[0], (0.0, "50".to_owned()));
    }

    #[test]
    fn fewer_than_two_runs_or_values_have_no_lines() {
        let plan = Plan::read("slow=50,100", None).unwrap();
        assert_eq!(Lines::of(&plan, &known(&[(0, Some(1.0)), (1, None)], false)), None);
        let one = Plan::read("slow=50", None).unwrap();
        assert_eq!(Lines::of(&one, &known(&[(0, Some(1.0)), (0, Some(2.0))], false)), None);
    }

    #[test]
    fn a_run_is_chosen_if_it_passes_through_every_range() {
        let line = Line { ran: 0, at: vec![0.5, 1.0] };
        assert!(passes(&line, &[]) && passes(&line, &[None, None]));
        assert!(passes(&line, &[Some((0.5, 0.7)), Some((0.9, 1.0))]));
        assert!(!passes(&line, &[Some((0.5, 0.7)), Some((0.0, 0.9))]));
    }

    #[test]
    fn many_values_have_few_labels() {
        let values: Vec<String> = (1..=40).map(|n| n.to_string()).collect();
        assert!(labels(&values, &places(&values)).len() <= MAX_LABELS);
        assert_eq!(places(&values[..1]), [0.5]);
    }
}
