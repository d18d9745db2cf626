//! Options of a sweep as a form: search, metric, parallel runs. The metric is a list of the swept kind's figures.

use app_state::kinds::TRAINING;
use form::{FILLS_KEY, Form};
use serde_json::{Map, Value, json};

/// Figures of a kind: path in the result, title, and whether less is better. The first one is the default.
type Metrics = &'static [(&'static str, &'static str, bool)];

const OF_BACKTESTS: Metrics = &[
    ("performance.sharpe", "Sharpe", false),
    ("performance.total_return", "Total return", false),
    ("performance.annual_return", "CAGR", false),
    ("performance.sortino", "Sortino", false),
    ("performance.calmar", "Calmar", false),
    ("performance.max_drawdown", "Max. drawdown", false),
    ("performance.volatility", "Volatility", true),
    ("performance.win_rate", "Win rate", false),
    ("performance.profit_factor", "Profit factor", false),
];
const OF_TRAININGS: Metrics = &[
    ("test.accuracy", "Test accuracy", false),
    ("test.loss", "Test loss", true),
    ("validation.accuracy", "Validation accuracy", false),
    ("validation.loss", "Validation loss", true),
];

/// Parameters of a sweep that the form of the swept kind stands for.
const OWN: [&str; 3] = ["run", "fixed", "vary"];

/// The form of a sweep's options. `metric` is a path that a link asks for.
///
/// # Errors
/// If the schema is not that of a sweep.
pub fn form(schema: &Value, swept: &str, metric: Option<&str>) -> Result<Form, String> {
    let metrics = if swept == TRAINING { OF_TRAININGS } else { OF_BACKTESTS };
    let mut schema = schema.clone();
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    let properties = properties.ok_or("the parameters of a sweep are missing")?;
    for name in OWN {
        properties.shift_remove(name);
    }
    let mut choices: Vec<Value> =
        metrics.iter().map(|(path, title, _)| json!({"const": path, "title": title})).collect();
    if let Some(other) = metric.filter(|path| metrics.iter().all(|(known, ..)| known != path)) {
        choices.push(json!({"const": other}));
    }
    let best = |lowest: bool| if lowest { "lowest" } else { "highest" };
    let fills: Map<String, Value> = metrics
        .iter()
        .map(|(path, _, lowest)| ((*path).to_owned(), json!({"best": best(*lowest)})))
        .collect();
    let (default, ..) = metrics[0];
    let listed = json!({"title": "Metric", "description": "Ranks the runs.", "oneOf": choices, "default": default, FILLS_KEY: fills});
    properties.insert("rank_by".to_owned(), listed);
    if let Some(root) = schema.as_object_mut() {
        root.remove("required");
    }
    Form::from_schema(&schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use form::FieldKind;

    fn schema() -> Value {
        json!({"type": "object", "required": ["vary"], "properties": {
            "run": {"type": "string"}, "fixed": {"type": "string"}, "vary": {"type": "string"},
            "search": {"enum": ["grid", "random"], "default": "grid"},
            "rank_by": {"type": ["string", "null"]},
            "best": {"enum": ["highest", "lowest"], "default": "highest"}
        }})
    }

    #[test]
    fn the_metric_is_chosen_from_the_figures_of_the_kind_and_sets_the_direction() {
        let form = form(&schema(), TRAINING, None).unwrap();
        let names: Vec<_> = form.fields.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["search", "rank_by", "best"]);
        let FieldKind::Choice { options } = &form.fields[1].kind else { panic!("a list") };
        assert_eq!(options[1].title, "Test loss");
        assert_eq!(form.fields[1].fills.of("test.loss"), [("best".to_owned(), "lowest".to_owned())]);
    }

    #[test]
    fn a_metric_of_a_link_is_kept() {
        let form = form(&schema(), "backtest.run", Some("trade_count")).unwrap();
        assert!(form.check(&json!({"rank_by": "trade_count"})).is_ok());
        assert!(form.check(&json!({"rank_by": "other"})).is_err());
    }
}
