//! Parameters of compared operations as the page shows them. Pure.

use crate::features::params::{Compared, compared};
use display::format;
use serde_json::Value;

/// Maximum number of parameters in a display name.
const MAX_NAMED: usize = 2;

/// Parameter of the compared operations.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    pub name: String,
    /// One value per operation; `None` if its kind does not have the parameter.
    pub values: Vec<Option<String>>,
    /// Whether the values differ.
    pub differs: bool,
}

impl Param {
    /// Whether an operation's value differs from the most frequent one.
    pub fn is_odd(&self, operation: usize) -> bool {
        let count = |of: &Option<String>| self.values.iter().filter(|value| *value == of).count();
        let most = self.values.iter().map(count).max().unwrap_or_default();
        // With a tie there is no most frequent value.
        let rules = self.values.iter().filter(|value| count(value) == most).count() == most;
        self.differs && self.values[operation].is_some() && !(rules && count(&self.values[operation]) == most)
    }
}

/// Parameters known to at least two operations, in the given order. An operation knows every parameter given to any
/// operation of its kind.
pub fn params(of: &[(&str, &Value)]) -> Vec<Param> {
    let shared = compared(of).into_iter().filter(|param| param.values.iter().flatten().nth(1).is_some());
    let param = |param: Compared| Param {
        name: param.name.to_owned(),
        values: param.values.iter().map(|value| value.map(format::param)).collect(),
        differs: param.differs,
    };
    shared.map(param).collect()
}

/// Display names: titles, followed by differing parameters if the title is not unique.
pub fn names(titles: &[&str], params: &[Param]) -> Vec<String> {
    let name = |(i, title): (usize, &&str)| {
        if titles.iter().filter(|other| *other == title).count() < 2 {
            return (*title).to_owned();
        }
        let own = params.iter().filter(|param| param.differs).filter_map(|param| {
            param.values[i].as_ref().map(|value| format!(" · {} {value}", param.name.replace('_', " ")))
        });
        std::iter::once((*title).to_owned()).chain(own.take(MAX_NAMED)).collect()
    };
    titles.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn values(param: &Param) -> Vec<&str> {
        param.values.iter().map(|v| v.as_deref().unwrap_or("none")).collect()
    }

    #[test]
    fn a_param_differs_when_two_operations_have_different_values() {
        let (a, b) = (json!({"fast": 20, "slow": 50}), json!({"fast": 10, "slow": 50}));
        let params = params(&[("backtest.run", &a), ("backtest.run", &b)]);
        assert_eq!(values(&params[0]), ["20", "10"]);
        assert!(params[0].differs && !params[1].differs);
    }

    #[test]
    fn absent_and_null_params_are_equal_and_differ_from_given_ones() {
        let (a, b, c) = (json!({"end": null}), json!({}), json!({"end": "2024-01-01"}));
        let same = params(&[("data.load", &a), ("data.load", &b)]);
        assert_eq!((values(&same[0]), same[0].differs), (vec!["–", "–"], false));
        let other = params(&[("data.load", &b), ("data.load", &c)]);
        assert_eq!((values(&other[0]), other[0].differs), (vec!["–", "2024-01-01"], true));
    }

    #[test]
    fn different_kinds_are_compared_by_their_common_figures() {
        let (load, train) =
            (json!({"symbol": "A", "timeframe": "1h"}), json!({"timeframe": "1h", "epochs": 5}));
        let params = params(&[("data.load", &load), ("training.run", &train)]);
        assert_eq!(params.len(), 1);
        assert_eq!((params[0].name.as_str(), params[0].differs), ("timeframe", false));
    }

    #[test]
    fn an_operation_without_a_param_does_not_make_it_differ() {
        let (a, b, c) = (json!({"symbol": "A"}), json!({"symbol": "A"}), json!({"command": "x"}));
        let params = params(&[("data.load", &a), ("data.load", &b), ("exec.x", &c)]);
        assert_eq!((values(&params[0]), params[0].differs), (vec!["A", "A", "none"], false));
    }

    #[test]
    fn the_differing_operation_is_highlighted() {
        let param = |values: &[&str]| Param {
            name: "fast".into(),
            values: values.iter().map(|v| Some((*v).to_owned())).collect(),
            differs: values.iter().any(|v| v != &values[0]),
        };
        let odd = |p: &Param| (0..p.values.len()).map(|i| p.is_odd(i)).collect::<Vec<_>>();
        assert_eq!(odd(&param(&["20", "10", "20"])), [false, true, false]);
        assert_eq!(odd(&param(&["20", "10"])), [true, true]);
        assert_eq!(odd(&param(&["1", "1", "2", "2"])), [true; 4]);
        assert_eq!(odd(&param(&["20", "20"])), [false, false]);
    }

    #[test]
    fn equal_titles_are_distinguished_by_their_differences() {
        let (a, b, c) =
            (json!({"fast": 10, "slow": 50}), json!({"fast": 20, "slow": 50}), json!({"fast": 5}));
        let params = params(&[("x.y", &a), ("x.y", &b), ("z.z", &c)]);
        assert_eq!(
            names(&["cross", "cross", "other"], &params),
            ["cross · fast 10", "cross · fast 20", "other"]
        );
    }

    proptest! {
        #[test]
        fn params_that_are_the_same_never_differ(
            names in proptest::collection::btree_set("[a-c]", 0..3), n in 2usize..5,
        ) {
            let one = Value::Object(names.into_iter().map(|name| (name, json!(1.5))).collect());
            let all: Vec<_> = std::iter::repeat_n(("a.b", &one), n).collect();
            prop_assert!(params(&all).iter().all(|p| !p.differs && p.values.len() == n));
        }
    }
}
