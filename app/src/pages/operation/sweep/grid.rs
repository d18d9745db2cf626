//! Place of a run in the grid of a sweep: whether it is at an edge, and a finer grid around it. Pure.

use serde_json::Value;
use sweep_plan::Plan;

/// Values of a parameter as numbers, ascending; `None` unless all are numbers.
fn numbers(values: &[String]) -> Option<Vec<f64>> {
    let mut numbers: Vec<f64> =
        values.iter().map(|value| json::float(value).filter(|n| n.is_finite())).collect::<Option<_>>()?;
    numbers.sort_by(f64::total_cmp);
    Some(numbers)
}

/// Parameters of which the run has the smallest or largest value. Two values have no inside, so they have no edge.
pub fn edges(plan: &Plan, run: usize) -> Vec<String> {
    let at_edge = |(name, value): (&str, &str)| {
        let place = plan.names.iter().position(|known| known == name)?;
        let numbers = numbers(&plan.values[place]).filter(|numbers| numbers.len() > 2)?;
        let value = json::float(value)?;
        (value <= numbers[0] || value >= numbers[numbers.len() - 1]).then(|| name.to_owned())
    };
    plan.run(run).filter_map(at_edge).collect()
}

/// Values around one of `numbers`: its neighbours, what is halfway to them, and itself. At an edge, the neighbour
/// beyond is as far as the one inside; it is left out if it is not above zero and all others are.
fn around(numbers: &[f64], value: f64) -> Vec<f64> {
    let place = numbers.iter().position(|n| *n == value).unwrap_or_default();
    let below = place.checked_sub(1).map(|at| numbers[at]);
    let above = numbers.get(place + 1).copied();
    let step = above.map(|n| n - value).or_else(|| below.map(|n| value - n)).unwrap_or_default();
    if step == 0.0 {
        return vec![value];
    }
    let (below, above) = (below.unwrap_or(value - step), above.unwrap_or(value + step));
    let whole = numbers.iter().all(|n| n.fract() == 0.0);
    let positive = numbers.iter().all(|n| *n > 0.0);
    let mut all: Vec<f64> = [below, below.midpoint(value), value, value.midpoint(above), above]
        .into_iter()
        .map(|n| if whole { n.round() } else { (n * 1e9).round() / 1e9 })
        .filter(|n| !positive || *n > 0.0)
        .collect();
    all.dedup();
    all
}

/// Parameters of a sweep around a run: a grid of the values next to its own. `None` if no parameter has numbers.
pub fn refined(plan: &Plan, run: usize, params: &Value) -> Option<Value> {
    let mut finer = false;
    let varied = plan.run(run).enumerate().map(|(place, (name, value))| {
        let number = json::float(value);
        let list = match (numbers(&plan.values[place]), number) {
            (Some(numbers), Some(number)) => {
                let around = around(&numbers, number);
                finer |= around.len() > 1;
                around.iter().map(f64::to_string).collect::<Vec<_>>().join(",")
            }
            _ => value.to_owned(),
        };
        format!("{name}={list}")
    });
    let vary = varied.collect::<Vec<_>>().join("; ");
    let mut params = params.clone();
    let object = params.as_object_mut()?;
    object.insert("vary".to_owned(), Value::from(vary));
    object.insert("search".to_owned(), Value::from("grid"));
    finer.then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn plan(vary: &str) -> Plan {
        Plan::read(vary, None).unwrap()
    }

    #[test]
    fn a_run_at_the_edge_of_the_grid_names_what_to_widen() {
        let plan = plan("fast=5,10,20; slow=50..150:50; mode=a,b,c");
        let at = |run: [usize; 3]| edges(&plan, plan.runs.iter().position(|r| *r == run).unwrap());
        assert_eq!(at([1, 1, 0]), Vec::<String>::new());
        assert_eq!(at([0, 2, 2]), ["fast", "slow"]);
        // Two values have no inside.
        assert!(edges(&self::plan("fast=5,10"), 1).is_empty());
    }

    #[test]
    fn a_refined_sweep_lies_between_the_neighbours_of_the_best() {
        let plan = plan("fast=5,10,20; slow=50..150:50; mode=a,b");
        let vary = |run: [usize; 3]| {
            let run = plan.runs.iter().position(|r| *r == run).unwrap();
            refined(&plan, run, &json!({"run": "backtest.run", "vary": "x", "search": "random"})).unwrap()
        };
        let inside = vary([1, 1, 1]);
        assert_eq!(inside["vary"], "fast=5,8,10,15,20; slow=50,75,100,125,150; mode=b");
        assert_eq!((inside["search"].as_str(), inside["run"].as_str()), (Some("grid"), Some("backtest.run")));
        // Beyond an edge, and never to zero.
        assert_eq!(vary([0, 2, 0])["vary"], "fast=3,5,8,10; slow=100,125,150,175,200; mode=a");
        assert_eq!(refined(&self::plan("mode=a,b"), 0, &json!({})), None);
    }

    proptest! {
        #[test]
        fn a_refined_sweep_is_valid_and_contains_the_best_run(
            steps in proptest::collection::btree_set(1u32..500, 2..8), pick in 0usize..8
        ) {
            let values: Vec<_> = steps.iter().map(u32::to_string).collect();
            let plan = plan(&format!("n={}", values.join(",")));
            let run = pick % values.len();
            if let Some(params) = refined(&plan, run, &json!({})) {
                let again = Plan::read(params["vary"].as_str().unwrap(), None).unwrap();
                prop_assert!(again.values[0].contains(&values[run]));
                prop_assert!(again.runs.len() <= 5);
            }
        }
    }
}
