//! Summary of a sweep: how many runs, of what, and how long they take together.

use super::super::past::Past;
use super::state::Sweep;
use components::reactive::part;
use display::format;
use leptos::prelude::*;
use protocol::KindSpec;
use serde_json::Value;
use sweep_plan::Plan;

/// Number of runs, title of the first one, and duration.
#[component]
pub fn SweepSummary(spec: KindSpec, sweep: Sweep, past: Past) -> impl IntoView {
    let plan = Memo::new(move |_| sweep.plan());
    let params = Memo::new(move |_| sweep.typed.checked());
    let runs = part(move || {
        Some(match plan.get() {
            Ok(plan) => view! { <p class="summary-title num">{runs(&plan)}</p> }.into_any(),
            Err(why) => view! { <p class="muted">{why}</p> }.into_any(),
        })
    });
    let first = part(move || {
        let title = spec.summary.fill(&params.get()?);
        (!title.is_empty()).then(|| view! { <p class="muted">"First run: " {title}</p> }.into_any())
    });
    let long = part(move || {
        let usual = |params: &Value| past.usual(params).map(|(seconds, _)| seconds);
        let each = plan.with(|plan| {
            let base = params.get()?;
            plan.as_ref()
                .ok()
                .map(|plan| sweep.params_of_runs(plan, &base).iter().filter_map(usual).collect::<Vec<_>>())
        })?;
        let at_once = sweep.at_once();
        let (all, longest) = together(&each, at_once)?;
        let of = format!(" · longest run {}, {at_once} in parallel", format::span(longest));
        Some(
            view! {
                <p>
                    "Takes about " <strong class="num">{format::span(all)}</strong>
                    <span class="muted">{of}</span>
                </p>
            }
            .into_any(),
        )
    });
    view! {
        {runs}
        {first}
        {long}
    }
    .into_any()
}

/// Duration of all runs together and of the longest one, in seconds, when so many run at a time.
fn together(each: &[f64], at_once: u64) -> Option<(f64, f64)> {
    let longest = each.iter().copied().reduce(f64::max)?;
    Some(((each.iter().sum::<f64>() / at_once as f64).max(longest), longest))
}

/// `5 × 8 = 40 runs`; of a random search `20 of 40 combinations`.
fn runs(plan: &Plan) -> String {
    let sizes: Vec<String> = plan.values.iter().map(|values| values.len().to_string()).collect();
    let all: usize = plan.values.iter().map(Vec::len).product();
    let count = plan.runs.len();
    let said = format::counted(count as u64, "run", "runs");
    match sizes.as_slice() {
        _ if count < all => format!("{count} of {all} combinations"),
        [] | [_] => said,
        sizes => format!("{} = {said}", sizes.join(" × ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_runs_is_the_product_of_the_values() {
        let of = |text: &str, sample| runs(&Plan::read(text, sample).unwrap());
        assert_eq!(of("fast=1..5; slow=1..8", None), "5 × 8 = 40 runs");
        assert_eq!(of("fast=1..5", None), "5 runs");
        assert_eq!(of("fast=5", None), "1 run");
        assert_eq!(of("fast=1..5; slow=1..8", Some((20, 1))), "20 of 40 combinations");
    }

    #[test]
    fn a_sweep_takes_as_long_as_its_runs_side_by_side_and_no_less_than_the_longest() {
        assert_eq!(together(&[2.0, 2.0, 4.0], 2), Some((4.0, 4.0)));
        assert_eq!(together(&[3.0; 8], 4), Some((6.0, 3.0)));
        assert_eq!(together(&[1.0, 9.0], 4), Some((9.0, 9.0)));
        assert_eq!(together(&[], 4), None);
    }
}
