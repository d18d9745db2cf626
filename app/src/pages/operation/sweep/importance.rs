//! Importance of the parameters of a sweep: the share of the variance between runs that their values explain.

use super::metric;
use display::format;
use leptos::prelude::*;
use protocol::sweep::SweepResult;
use sweep_plan::Plan;

/// Minimum number of runs for each value of a parameter, on average. With fewer, the means of the values follow the
/// runs themselves, and every parameter would look important.
const MIN_RUNS_PER_VALUE: usize = 2;

/// Formula, as a tooltip.
const FORMULA: &str = "η² = Σ n·(m − M)² ÷ Σ (x − M)². First sum: over the values of the parameter, where n is the number and m the \
     mean result of the runs with this value. Second sum: over all runs, where x is the result. M is the mean result of \
     all runs. 0 %: the mean is the same for all values. 100 %: the value alone determines the result.";

/// Share of the variance that each parameter explains, 0 to 1, by name in the order of the plan: η² of a one-way
/// analysis of variance (Fisher, Statistical Methods for Research Workers, 1925). `None` with too few runs, with one
/// value only, and without any variance.
pub fn importance(plan: &Plan, known: &SweepResult) -> Vec<Option<f64>> {
    let run = |ran: &protocol::sweep::Ran| {
        let figure = ran.figure.filter(|figure| figure.is_finite())?;
        Some((plan.runs.get(ran.run as usize)?, figure))
    };
    let runs: Vec<(&Vec<usize>, f64)> = known.ran.iter().filter_map(run).collect();
    let mean = runs.iter().map(|(_, figure)| figure).sum::<f64>() / runs.len() as f64;
    let total: f64 = runs.iter().map(|(_, figure)| (figure - mean).powi(2)).sum();
    let of_param = |place: usize| {
        let mut groups = vec![(0usize, 0.0); plan.values[place].len()];
        for (values, figure) in &runs {
            let (count, sum) = &mut groups[values[place]];
            *count += 1;
            *sum += figure;
        }
        groups.retain(|(count, _)| *count > 0);
        let enough = groups.len() > 1 && runs.len() >= MIN_RUNS_PER_VALUE * groups.len();
        let between: f64 =
            groups.iter().map(|(count, sum)| *count as f64 * (sum / *count as f64 - mean).powi(2)).sum();
        (enough && total > 0.0).then(|| (between / total).clamp(0.0, 1.0))
    };
    (0..plan.names.len()).map(of_param).collect()
}

/// The two parameters that matter most, in the order of the plan; without an importance the first ones. `None` unless
/// two have several values.
pub fn main_two(plan: &Plan, importance: &[Option<f64>]) -> Option<(usize, usize)> {
    let mut places: Vec<usize> =
        (0..plan.names.len()).filter(|place| plan.values[*place].len() > 1).collect();
    let of = |place: usize| importance.get(place).copied().flatten().unwrap_or(0.0);
    places.sort_by(|a, b| of(*b).total_cmp(&of(*a)));
    let [first, second, ..] = places.as_slice() else { return None };
    Some((*first.min(second), *first.max(second)))
}

/// Bars of the parameters, most important first. `None` unless several vary.
pub fn bars(plan: &Plan, known: &SweepResult) -> Option<AnyView> {
    if plan.values.iter().filter(|values| values.len() > 1).count() < 2 {
        return None;
    }
    let mut shares: Vec<(&String, Option<f64>)> = plan.names.iter().zip(importance(plan, known)).collect();
    shares.sort_by(|(_, a), (_, b)| b.unwrap_or(-1.0).total_cmp(&a.unwrap_or(-1.0)));
    let unknown = shares.iter().any(|(_, share)| share.is_none());
    let rows = shares.into_iter().map(|(name, share)| {
        let style = format!("--share:{:.3}", share.unwrap_or_default());
        view! {
            <tr>
                <th scope="row">{name.replace('_', " ")}</th>
                <td class="importance-cell" aria-hidden="true">
                    {share.map(|_| view! { <span class="rank-bar" style=style></span> })}
                </td>
                <td class="num">{share.map_or_else(|| "unknown".to_owned(), format::percent)}</td>
            </tr>
        }
        .into_any()
    });
    let rows = rows.collect_view();
    let why = unknown.then(|| {
        let text = format!(
            "Unknown until a parameter has at least {MIN_RUNS_PER_VALUE} runs per value on average, with different results."
        );
        view! { <p class="muted">{text}</p> }
    });
    let about = format!("Share of the variance in {} explained by each parameter", metric(&known.rank_by));
    Some(
        view! {
            <section class="card importance" aria-labelledby="importance-title">
                <header class="result-head">
                    <h2 id="importance-title">"Importance"</h2>
                    <p class="muted">
                        {about} " (" <abbr title=FORMULA>"η²"</abbr> ")"
                    </p>
                </header>
                <table class="plain">
                    <caption class="unseen">{FORMULA}</caption>
                    <tbody>{rows}</tbody>
                </table>
                {why}
            </section>
        }
        .into_any(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::State;
    use protocol::sweep::Ran;

    fn known(figures: &[Option<f64>]) -> SweepResult {
        let operation: protocol::OperationId = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap();
        let ran = |(run, figure): (usize, &Option<f64>)| Ran {
            run: run as u32,
            operation,
            state: State::Succeeded,
            figure: *figure,
        };
        SweepResult {
            rank_by: "performance.sharpe".into(),
            lowest: false,
            names: Vec::new(),
            ran: figures.iter().enumerate().map(ran).collect(),
            runs: figures.len() as u32,
            deleted: 0,
        }
    }

    fn of(vary: &str, figures: &[f64]) -> Vec<Option<f64>> {
        let figures: Vec<_> = figures.iter().copied().map(Some).collect();
        importance(&Plan::read(vary, None).unwrap(), &known(&figures))
    }

    #[test]
    fn a_param_that_decides_alone_explains_all_and_one_without_effect_nothing() {
        // fast 5: 1, 1; fast 10: 3, 3.
        assert_eq!(of("fast=5,10; slow=50,100", &[1.0, 1.0, 3.0, 3.0]), [Some(1.0), Some(0.0)]);
        // Both matter: of the sum of squares 5, fast explains 4 and slow 1.
        let both = of("fast=5,10; slow=50,100", &[0.0, 1.0, 2.0, 3.0]);
        assert_eq!(both, [Some(0.8), Some(0.2)]);
    }

    #[test]
    fn importance_is_unknown_with_too_few_runs_one_value_or_no_variance() {
        assert_eq!(of("fast=5,10,20", &[1.0, 2.0, 3.0]), [None]);
        assert_eq!(of("fast=5,10; slow=50", &[1.0, 2.0]), [None, None]);
        assert_eq!(of("fast=5,10; slow=50,100", &[2.0; 4]), [None, None]);
        let plan = Plan::read("fast=5,10; slow=50,100", None).unwrap();
        assert_eq!(importance(&plan, &known(&[Some(1.0), None, None, Some(2.0)])), [None, None]);
        assert_eq!(importance(&plan, &known(&[])), [None, None]);
    }

    #[test]
    fn the_map_shows_the_two_params_that_matter_most() {
        let plan = Plan::read("a=1,2; b=1,2; c=1,2; d=1", None).unwrap();
        assert_eq!(main_two(&plan, &[Some(0.1), Some(0.5), Some(0.3), None]), Some((1, 2)));
        assert_eq!(main_two(&plan, &[None; 4]), Some((0, 1)));
        assert_eq!(main_two(&Plan::read("a=1,2; d=1", None).unwrap(), &[None; 2]), None);
    }

    proptest! {
        #[test]
        fn the_params_of_a_full_grid_explain_at_most_the_whole_variance(
            figures in proptest::collection::vec(-5.0f64..5.0, 12)
        ) {
            let shares = of("a=1..3; b=1..4", &figures);
            let sum: f64 = shares.iter().flatten().sum();
            prop_assert!(sum <= 1.0 + 1e-9, "{shares:?}");
        }
    }
}
