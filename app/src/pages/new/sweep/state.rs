//! A sweep while it is edited: the fields of the swept kind, which of them vary, and the sweep's options.

use super::super::address::{Given, Mirror, Pairs};
use super::super::options::StartOptions;
use components::form::typed::Typed;
use components::form::{Varied, can_vary, values_of};
use leptos::prelude::*;
use protocol::{KindName, Problem};
use serde_json::Value;
use sweep_plan::{Plan, settings, write};

/// The sweep.
#[derive(Clone, Copy)]
pub struct Sweep {
    /// Kind of the runs.
    pub run: StoredValue<KindName>,
    /// Fields of the runs. A varied one has its first value.
    pub typed: Typed,
    /// Fields that can vary, by name.
    pub varied: StoredValue<Vec<(String, Varied)>>,
    /// Search, metric and parallel runs.
    pub options: Typed,
}

/// Fixed value of a run, or the first of its varied values.
pub fn given_of(given: &Given, name: &str) -> Option<String> {
    let of = |text: &str| settings(&given(text).unwrap_or_default()).unwrap_or_default();
    let find =
        |pairs: Vec<(String, String)>| pairs.into_iter().find(|(known, _)| known == name).map(|(_, v)| v);
    let first = |list: String| sweep_plan::values(&list).ok()?.into_iter().next();
    find(of("vary")).and_then(first).or_else(|| find(of("fixed")))
}

impl Sweep {
    /// The sweep of an address.
    pub fn new(run: KindName, typed: Typed, options: Typed, given: &Given) -> Self {
        let wanted = settings(&given("vary").unwrap_or_default()).unwrap_or_default();
        let fields = typed.fields().into_iter().filter(|(field, _)| can_vary(&field.kind));
        let varied = fields.map(|(field, _)| {
            let list = wanted.iter().find(|(name, _)| *name == field.name).map(|(_, list)| list.clone());
            (field.name, RwSignal::new(list))
        });
        Self { run: StoredValue::new(run), typed, varied: StoredValue::new(varied.collect()), options }
    }

    /// Varied fields with their values, in the order of the form; only applicable ones. Tracked.
    fn lists(self) -> Vec<(String, String)> {
        let fields = self.typed.fields();
        let applies = |name: &str| {
            fields.iter().position(|(field, _)| field.name == name).is_some_and(|at| self.typed.is_shown(at))
        };
        self.varied.with_value(|varied| {
            let lists = varied.iter().filter_map(|(name, list)| Some((name.clone(), list.get()?)));
            lists.filter(|(name, _)| applies(name)).collect()
        })
    }

    /// Fixed values: all that differ from their defaults and do not vary.
    fn fixed(self, texts: &[String], lists: &[(String, String)]) -> Vec<(String, String)> {
        let pairs = self.typed.pairs_of(texts).into_iter();
        pairs.filter(|(name, _)| lists.iter().all(|(varied, _)| varied != name)).collect()
    }

    fn pairs(self, texts: &[String], lists: &[(String, String)], options: &[String]) -> Pairs {
        let mut pairs = vec![("run".to_owned(), self.run.get_value().to_string())];
        for (name, settings) in [("fixed", self.fixed(texts, lists)), ("vary", lists.to_vec())] {
            // A value that can't be written stands in the form only.
            pairs.extend(
                write(&settings).ok().filter(|text| !text.is_empty()).map(|text| (name.to_owned(), text)),
            );
        }
        pairs.extend(self.options.pairs_of(options));
        pairs
    }

    /// Form and address, each from the other.
    pub fn mirror(self, start: StartOptions) -> Mirror {
        let now = move || {
            let mut pairs = self.pairs(&self.typed.texts(), &self.lists(), &self.options.texts());
            pairs.extend(start.words());
            pairs
        };
        let wording = move |given: &Given| {
            let texts = self.typed.with(&|name| given_of(given, name));
            let lists = settings(&given("vary").unwrap_or_default()).unwrap_or_default();
            let mut pairs = self.pairs(&texts, &lists, &self.options.with(given));
            pairs.extend(start.words_of(given));
            pairs
        };
        let fill = move |given: &Given| {
            self.typed.refill(&|name| given_of(given, name));
            self.options.refill(given);
            start.fill(given);
            let lists = settings(&given("vary").unwrap_or_default()).unwrap_or_default();
            self.varied.with_value(|varied| {
                for (name, list) in varied {
                    list.set(lists.iter().find(|(known, _)| known == name).map(|(_, list)| list.clone()));
                }
            });
        };
        Mirror { now: Box::new(now), wording: Box::new(wording), fill: Box::new(fill) }
    }

    /// The runs that this makes, or why there are none. Tracked.
    pub fn plan(self) -> Result<Plan, String> {
        let lists = self.lists();
        if lists.is_empty() {
            return Err("Press Vary beside one or more fields.".to_owned());
        }
        let options = self.options.checked().unwrap_or_default();
        let number = |name: &str| options.get(name).and_then(Value::as_u64);
        let random = options.get("search").and_then(Value::as_str) == Some("random");
        let sample = random.then(|| (number("samples").unwrap_or(1) as u32, number("seed").unwrap_or(1)));
        Plan::read(&write(&lists)?, sample)
    }

    /// Parameters of each run; `base` are those of the form. Values that a field rejects are left out.
    pub fn params_of_runs(self, plan: &Plan, base: &Value) -> Vec<Value> {
        let fields = self.typed.fields();
        let params = |run: usize| {
            let mut params = base.clone();
            for (name, text) in plan.run(run) {
                let field = fields.iter().find(|(field, _)| field.name == name);
                if let Some(value) = field.and_then(|(field, _)| field.read(text).ok().flatten()) {
                    params[name] = value;
                }
            }
            params
        };
        (0..plan.runs.len()).map(params).collect()
    }

    /// Runs at once. Tracked.
    pub fn at_once(self) -> u64 {
        let options = self.options.checked().unwrap_or_default();
        options.get("at_once").and_then(Value::as_u64).unwrap_or(1).max(1)
    }

    /// Parameters of the sweep, if everything is valid; otherwise the fields have their errors. Not tracked.
    pub fn params(self) -> Option<Value> {
        let (base, options) = (self.typed.params(), self.options.params());
        let lists = untrack(|| self.lists());
        let fields = self.typed.fields();
        for (name, list) in &lists {
            let field = fields.iter().find(|(field, _)| field.name == *name);
            if let Some(Err(why)) = field.map(|(field, _)| values_of(field, list)) {
                self.typed.complain(name, &why);
            }
        }
        let fixed = self.fixed(&untrack(|| self.typed.texts()), &lists);
        for (name, value) in &fixed {
            if write(&[(name.clone(), value.clone())]).is_err() {
                self.typed.complain(name, "A value of a sweep can't contain a semicolon or a line break.");
            }
        }
        let (Some(_), Some(mut params), Ok(fixed), Ok(vary)) = (base, options, write(&fixed), write(&lists))
        else {
            return None;
        };
        if !self.typed.errors.with_untracked(Vec::is_empty) {
            return None;
        }
        for (name, value) in [("run", self.run.get_value().to_string()), ("fixed", fixed), ("vary", vary)] {
            params[name] = Value::from(value);
        }
        Some(params)
    }
}

/// Assigns errors of `fixed` and `vary` to the fields that they name: `fast: '0' is not …`, `fast=0: …`.
pub fn place_errors(problem: &mut Problem) {
    for error in &mut problem.fields {
        if error.field != "fixed" && error.field != "vary" {
            continue;
        }
        if let Some((name, why)) = error.message.split_once(": ") {
            let name = name.split('=').next().unwrap_or_default().trim();
            if !name.is_empty() && !name.contains(' ') {
                (error.field, error.message) = (name.to_owned(), why.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{FieldError, ProblemType};

    #[test]
    fn a_field_of_a_link_is_fixed_or_begins_with_its_first_value() {
        let given = |name: &str| match name {
            "fixed" => Some("symbol=MSFT; slow=9".to_owned()),
            "vary" => Some("fast=5..7; slow=50, 60".to_owned()),
            _ => None,
        };
        let of = |name: &str| given_of(&given, name);
        assert_eq!(of("symbol").as_deref(), Some("MSFT"));
        assert_eq!((of("fast").as_deref(), of("slow").as_deref()), (Some("5"), Some("50")));
        assert_eq!(of("other"), None);
    }

    #[test]
    fn a_server_error_is_shown_at_the_field_that_it_names() {
        let mut problem = Problem::new(ProblemType::Internal, "");
        let error = |field: &str, message: &str| FieldError::new(field, message);
        problem.fields = vec![
            error("vary", "fast=0: '0' is not a whole number."),
            error("fixed", "symbol: Symbol is required."),
            error("vary", "'5..1' is empty."),
            error("samples", "a: b"),
        ];
        place_errors(&mut problem);
        let fields: Vec<_> = problem.fields.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(fields, ["fast", "symbol", "vary", "samples"]);
        assert_eq!(problem.fields[1].message, "Symbol is required.");
    }
}
