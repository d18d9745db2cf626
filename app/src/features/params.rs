//! Parameters of several operations, compared: what is equal, what differs, and who has it. Pure.
//!
//! Lists, comparison and the New form ask here, so that all of them call the same parameters different.

use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Whether two values are equal: numbers by value, so that 2 is 2.0, and null as a parameter that is not set.
pub fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    let set = |value: Option<&Value>| value.is_some_and(|value| !value.is_null());
    match (a, b) {
        _ if !set(a) || !set(b) => set(a) == set(b),
        (Some(Value::Number(a)), Some(Value::Number(b))) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

/// A parameter that differs: its name, and its values before and now; null is none.
pub type Change<'a> = (&'a str, Option<&'a Value>, Option<&'a Value>);

/// Parameters that differ between two sets, in the order of the new one; removed ones last.
pub fn changes<'a>(before: &'a Value, now: &'a Value) -> Vec<Change<'a>> {
    let value = |of: &'a Value, name: &str| of.get(name).filter(|value| !value.is_null());
    let names = |of: &'a Value| of.as_object().into_iter().flat_map(|params| params.keys());
    let removed = names(before).filter(|name| now.get(name.as_str()).is_none());
    let all = names(now).chain(removed).map(|name| (name.as_str(), value(before, name), value(now, name)));
    all.filter(|(_, before, now)| !same(*before, *now)).collect()
}

/// One parameter of several operations.
#[derive(Clone, PartialEq, Debug)]
pub struct Compared<'a> {
    pub name: &'a str,
    /// Value of each operation: `None` if its kind does not have the parameter, and null if it is not set.
    pub values: Vec<Option<&'a Value>>,
    /// Whether the values of the operations that have it differ.
    pub differs: bool,
}

/// All parameters of operations, given with their kinds, in the order in which they occur first. An operation has every
/// parameter that is given to any operation of its kind.
pub fn compared<'a>(of: &[(&str, &'a Value)]) -> Vec<Compared<'a>> {
    let mut names: Vec<&'a str> = Vec::new();
    let mut known: HashSet<&str> = HashSet::new();
    let mut of_kind: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (kind, params) in of {
        let of_kind = of_kind.entry(kind).or_default();
        for name in params.as_object().into_iter().flat_map(|params| params.keys()) {
            of_kind.insert(name);
            if known.insert(name) {
                names.push(name);
            }
        }
    }
    let one = |name: &'a str| {
        let value = |(kind, params): &(&str, &'a Value)| {
            let has = of_kind.get(kind).is_some_and(|names| names.contains(name));
            has.then(|| params.get(name).unwrap_or(&Value::Null))
        };
        let values: Vec<Option<&Value>> = of.iter().map(value).collect();
        let mut held = values.iter().flatten();
        let first = held.next();
        let differs = held.any(|other| !same(first.copied(), Some(other)));
        Compared { name, values, differs }
    };
    names.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn numbers_are_equal_by_value_and_null_is_a_parameter_that_is_not_set() {
        let equal = |a: Value, b: Value| same(Some(&a), Some(&b));
        assert!(
            equal(json!(2), json!(2.0)) && equal(json!(-1), json!(-1.0)) && equal(json!(null), json!(null))
        );
        assert!(
            !equal(json!(2), json!("2")) && !equal(json!(0.1), json!(0.2)) && !equal(json!(null), json!(0))
        );
        assert!(same(None, Some(&Value::Null)) && same(None, None) && !same(None, Some(&json!(""))));
        // Beyond the whole numbers of a float.
        assert!(equal(json!(u64::MAX), json!(u64::MAX)));
    }

    #[test]
    fn changed_added_and_removed_params_are_distinguished_and_null_is_absent() {
        let before = json!({"slow": 40, "fast": 5, "end": null, "start": "2024-01-01"});
        let now = json!({"slow": 50, "fast": 5.0, "fill": "next_open"});
        let found: Vec<_> = changes(&before, &now).into_iter().map(|(name, ..)| name).collect();
        assert_eq!(found, ["slow", "fill", "start"]);
        assert!(changes(&now, &now).is_empty());
    }

    #[test]
    fn a_param_of_one_kind_makes_no_difference_to_another() {
        let (a, b, c) =
            (json!({"symbol": "A", "end": null}), json!({"symbol": "A"}), json!({"command": "x"}));
        let all = compared(&[("data.load", &a), ("data.load", &b), ("exec.x", &c)]);
        let of = |name: &str| all.iter().find(|param| param.name == name).unwrap();
        assert_eq!(of("symbol").values, [Some(&json!("A")), Some(&json!("A")), None]);
        assert_eq!(of("end").values, [Some(&Value::Null), Some(&Value::Null), None]);
        assert!(all.iter().all(|param| !param.differs));
        let d = json!({"symbol": "B"});
        assert!(compared(&[("data.load", &a), ("data.load", &d)])[0].differs);
    }

    proptest! {
        #[test]
        fn two_compared_operations_differ_in_what_changed_between_them(
            a in proptest::collection::btree_map("[a-d]", 0u8..3, 0..4),
            b in proptest::collection::btree_map("[a-d]", 0u8..3, 0..4),
        ) {
            let (a, b) = (json!(a), json!(b));
            let mut changed: Vec<_> = changes(&a, &b).into_iter().map(|(name, ..)| name).collect();
            let all = compared(&[("a.b", &a), ("a.b", &b)]);
            let mut differing: Vec<_> = all.iter().filter(|param| param.differs).map(|param| param.name).collect();
            changed.sort_unstable();
            differing.sort_unstable();
            prop_assert_eq!(changed, differing);
        }
    }
}
