//! Parameters of `analysis.sweep`, and the runs that they describe.

use form::Form;
use protocol::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sweep_plan::{Plan, settings};

/// Parameters of `analysis.sweep`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct SweepParams {
    /// Kind of operation to sweep.
    #[serde(default)]
    pub run: SweptKind,
    /// Fixed parameters of all runs, separated by semicolons. Example: symbol=MSFT; timeframe=1h; strategy=sma_cross
    #[serde(default)]
    #[schemars(length(max = 2000))]
    pub fixed: String,
    /// Parameters to vary, with values or ranges. Example: fast=5,10,20; slow=50..200:50
    #[schemars(length(min = 3, max = 2000))]
    pub vary: String,
    /// Search method.
    #[serde(default)]
    pub search: Search,
    /// Number of random runs.
    #[serde(default = "samples")]
    #[schemars(range(min = 1, max = 400), extend("x-when" = {"search": "random"}))]
    pub samples: u32,
    /// Random seed. The same seed draws the same runs.
    #[serde(default = "seed")]
    #[schemars(range(min = 0, max = 4294967295_u32), extend("x-when" = {"search": "random"}))]
    #[schemars(extend("x-advanced" = true))]
    pub seed: u32,
    /// Metric to rank runs by, as its path in the result. Empty: performance.sharpe for backtests, test.accuracy for
    /// training runs.
    #[serde(default)]
    pub rank_by: Option<String>,
    /// Maximize or minimize the metric.
    #[serde(default)]
    pub best: Best,
    /// Maximum number of parallel runs, limited by free slots on the hosts.
    #[serde(default = "at_once")]
    #[schemars(range(min = 1, max = 32))]
    #[schemars(extend("x-advanced" = true))]
    pub at_once: u32,
}

fn samples() -> u32 {
    20
}

fn seed() -> u32 {
    1
}

fn at_once() -> u32 {
    4
}

/// Kinds that can be swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SweptKind {
    /// Backtests
    #[default]
    #[serde(rename = "backtest.run")]
    Backtest,
    /// Training runs
    #[serde(rename = "training.run")]
    Training,
}

impl SweptKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Backtest => "backtest.run",
            Self::Training => "training.run",
        }
    }

    fn figure(self) -> &'static str {
        match self {
            Self::Backtest => "performance.sharpe",
            Self::Training => "test.accuracy",
        }
    }
}

/// Search method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Search {
    /// Grid: all combinations
    #[default]
    #[schemars(title = "Grid")]
    Grid,
    /// Random: a sample of the combinations
    #[schemars(title = "Random")]
    Random,
}

/// Optimization direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Best {
    /// Maximize
    #[default]
    #[schemars(title = "Highest")]
    Highest,
    /// Minimize
    #[schemars(title = "Lowest")]
    Lowest,
}

impl SweepParams {
    /// Plan of the runs.
    ///
    /// # Errors
    /// What is wrong with `vary`.
    pub fn plan(&self) -> Result<Plan, FieldError> {
        let sample = (self.search == Search::Random).then_some((self.samples, u64::from(self.seed)));
        Plan::read(&self.vary, sample).map_err(|why| FieldError::new("vary", why))
    }

    /// Path of the ranking metric.
    pub fn rank_by(&self) -> &str {
        let given = self.rank_by.as_deref().map(str::trim).filter(|path| !path.is_empty());
        given.unwrap_or_else(|| self.run.figure())
    }

    /// Parameters of each run, parsed by the form of its kind.
    ///
    /// # Errors
    /// What is wrong with `fixed` or `vary`: each parameter once, at its first invalid run.
    pub fn runs(&self, plan: &Plan, form: &Form) -> Result<Vec<Value>, Vec<FieldError>> {
        let wrong = |field: &str, why: String| vec![FieldError::new(field, why)];
        let fixed = settings(&self.fixed).map_err(|why| wrong("fixed", why))?;
        if let Some((name, _)) = fixed.iter().find(|(name, _)| plan.names.contains(name)) {
            return Err(wrong("fixed", format!("'{name}' is varied, so it can't also have a fixed value.")));
        }
        let read = |field: &str, name: &str, text: &str| {
            let Some(found) = form.fields.iter().find(|f| f.name == name) else {
                let known: Vec<_> = form.fields.iter().map(|f| f.name.as_str()).collect();
                let kind = self.run.name();
                return Err(wrong(
                    field,
                    format!("{kind} has no parameter '{name}'. Its parameters: {}.", known.join(", ")),
                ));
            };
            if found.secret {
                return Err(wrong(field, format!("'{name}' is secret, so a sweep can't set it.")));
            }
            found.read(text).map_err(|why| wrong(field, format!("{name}={text}: {why}")))
        };
        let mut base = Map::new();
        for (name, text) in &fixed {
            if let Some(value) = read("fixed", name, text)? {
                base.insert(name.clone(), value);
            }
        }
        let mut runs = Vec::with_capacity(plan.runs.len());
        for run in 0..plan.runs.len() {
            let mut params = base.clone();
            for (name, text) in plan.run(run) {
                if let Some(value) = read("vary", name, text)? {
                    params.insert(name.to_owned(), value);
                }
            }
            let params = form.check(&Value::Object(params)).map_err(|errors| {
                let explained = errors.into_iter().map(|error| {
                    let field = if plan.names.contains(&error.field) { "vary" } else { "fixed" };
                    FieldError::new(field, format!("{}: {}", error.field, error.message))
                });
                explained.collect::<Vec<_>>()
            })?;
            runs.push(params);
        }
        Ok(runs)
    }
}

/// Number at a path of keys and indices in a result document.
pub fn figure(document: &Value, path: &str) -> Option<f64> {
    let pointer = format!("/{}", path.replace('.', "/"));
    document.pointer(&pointer).and_then(Value::as_f64).filter(|figure| figure.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn params(more: Value) -> SweepParams {
        let mut all = json!({"fixed": "symbol=MSFT", "vary": "fast=5,10; slow=50"});
        let Value::Object(more) = more else { panic!("an object") };
        all.as_object_mut().unwrap().extend(more);
        serde_json::from_value(all).unwrap()
    }

    fn form() -> Form {
        let schema = json!({"type": "object", "required": ["symbol"], "properties": {
            "symbol": {"type": "string"},
            "fast": {"type": "integer", "minimum": 1, "maximum": 9, "default": 2},
            "slow": {"type": "integer", "default": 3},
        }});
        Form::from_schema(&schema).unwrap()
    }

    fn wrong(more: Value) -> (String, String) {
        let params = params(more);
        let errors = params.runs(&params.plan().unwrap(), &form()).unwrap_err();
        (errors[0].field.clone(), errors[0].message.clone())
    }

    #[test]
    fn each_run_has_params_parsed_by_the_form_of_its_kind() {
        let params = params(json!({"vary": "fast=5,7; slow=50"}));
        let runs = params.runs(&params.plan().unwrap(), &form()).unwrap();
        let all = [
            json!({"symbol": "MSFT", "fast": 5, "slow": 50}),
            json!({"symbol": "MSFT", "fast": 7, "slow": 50}),
        ];
        assert_eq!(runs, all);
    }

    #[test]
    fn an_invalid_sweep_is_rejected_before_anything_starts() {
        let (field, explanation) = wrong(json!({}));
        assert!(field == "vary" && explanation.contains("fast"), "{field}: {explanation}");
        assert!(wrong(json!({"vary": "fats=1"})).1.contains("has no parameter 'fats'"));
        assert!(wrong(json!({"vary": "slow=x"})).1.contains("slow=x"));
        assert_eq!(wrong(json!({"vary": "slow=1", "fixed": ""})).0, "fixed");
        assert!(
            wrong(json!({"vary": "slow=1", "fixed": "symbol=A;slow=2"}))
                .1
                .contains("can't also have a fixed value")
        );
    }

    #[test]
    fn a_secret_param_is_neither_fixed_nor_varied() {
        let schema = json!({"type": "object", "properties": {
            "token": {"type": "string", "format": "password"}, "slow": {"type": "integer"}
        }});
        let form = Form::from_schema(&schema).unwrap();
        for (field, more) in [
            ("fixed", json!({"fixed": "token=hunter2", "vary": "slow=1,2"})),
            ("vary", json!({"fixed": "slow=1", "vary": "token=hunter2,hunter3"})),
        ] {
            let params = params(more.clone());
            let errors = params.runs(&params.plan().unwrap(), &form).unwrap_err();
            assert_eq!(errors, [FieldError::new(field, "'token' is secret, so a sweep can't set it.")]);
            let mut sweep = more;
            sweep["run"] = "exec.push".into();
            let set = super::super::sets(&"analysis.sweep".parse().unwrap(), &sweep).unwrap();
            assert_eq!(set.kind.as_str(), "exec.push");
            assert!(set.params.contains(&("token".to_owned(), field)), "{set:?}");
        }
        assert_eq!(super::super::sets(&"exec.push".parse().unwrap(), &json!({})), None);
    }

    #[test]
    fn a_figure_is_found_by_its_path() {
        let document = json!({"performance": {"sharpe": 1.5, "calmar": null}, "scores": [{"f1": 0.5}]});
        assert_eq!(figure(&document, "performance.sharpe"), Some(1.5));
        assert_eq!(figure(&document, "scores.0.f1"), Some(0.5));
        assert_eq!(figure(&document, "performance.calmar"), None);
        assert_eq!(figure(&document, "performance"), None);
    }
}
