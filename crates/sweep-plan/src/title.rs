//! Parameters of a sweep in words, for its title: `16 runs: fast 5–20, slow 50–200`. Pure.

use crate::{settings, values};
use serde_json::Value;

/// Number of values up to which all of them are named.
const MAX_NAMED: usize = 3;

/// Values of a parameter: a range of numbers, a few texts, or their number.
fn range(values: &[String]) -> String {
    let numbers: Option<Vec<f64>> =
        values.iter().map(|value| json::float(value).filter(|n| n.is_finite())).collect();
    let by_value = |a: &(&String, f64), b: &(&String, f64)| a.1.total_cmp(&b.1);
    let numbered = || values.iter().zip(numbers.iter().flatten().copied());
    match (numbered().min_by(by_value), numbered().max_by(by_value)) {
        (Some((low, least)), Some((high, most))) if least < most => format!("{low}–{high}"),
        _ if values.len() <= MAX_NAMED => values.join("/"),
        _ => format!("{} values", values.len()),
    }
}

/// What a sweep varies, and how many runs that makes. `None` if the parameters make no plan.
pub fn words(params: &Value) -> Option<String> {
    let mut varied = Vec::new();
    let mut all = 1_usize;
    for (name, list) in settings(params.get("vary")?.as_str()?).ok()? {
        let values = values(&list).ok()?;
        all = all.checked_mul(values.len())?;
        varied.push(format!("{} {}", name.replace('_', " "), range(&values)));
    }
    let random = params.get("search").and_then(Value::as_str) == Some("random");
    let samples = params.get("samples").and_then(Value::as_u64).filter(|_| random);
    let runs = samples.map_or(all, |samples| all.min(samples as usize));
    let runs = if runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
    (!varied.is_empty()).then(|| format!("{runs}: {}", varied.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_title_says_what_varies_and_how_many_runs_that_makes() {
        let of = |params: Value| words(&params);
        assert_eq!(
            of(json!({"vary": "fast=5..20:5; slow=50..200:50", "search": "grid", "samples": 3})).as_deref(),
            Some("16 runs: fast 5–20, slow 50–200")
        );
        assert_eq!(
            of(json!({"vary": "learning_rate=0.1,0.001; mode=a,b", "search": "random", "samples": 3}))
                .as_deref(),
            Some("3 runs: learning rate 0.001–0.1, mode a/b")
        );
        assert_eq!(of(json!({"vary": "mode=a,b,c,d; n=7"})).as_deref(), Some("4 runs: mode 4 values, n 7"));
        assert_eq!(of(json!({"vary": "n=7"})).as_deref(), Some("1 run: n 7"));
        assert_eq!((of(json!({"vary": "fast"})), of(json!({}))), (None, None));
    }
}
