//! A number of a result: what it is called and means, how it is written, and which of several is the best.

use crate::format;
use serde_json::Value;

/// Which of several figures is the best one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    Higher,
    Lower,
    /// None is better, they are only different.
    Neither,
}

/// How one number of a result of type `T` is told.
pub struct Line<T: 'static> {
    pub name: &'static str,
    /// What it means; empty where its name says it.
    pub means: &'static str,
    pub better: Better,
    /// The number; a figure that can't be had is absent.
    pub of: fn(&T) -> Option<f64>,
    /// The number with its unit.
    pub shown: fn(f64) -> String,
}

/// One number, told.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    pub name: String,
    pub means: &'static str,
    pub better: Better,
    pub value: Option<f64>,
    /// With its unit; a dash where there is none.
    pub text: String,
}

impl<T> Line<T> {
    /// What it tells of a result.
    pub fn figure(&self, result: &T) -> Figure {
        let value = (self.of)(result).filter(|n| n.is_finite());
        let text = value.map_or_else(|| "–".to_owned(), self.shown);
        Figure { name: self.name.to_owned(), means: self.means, better: self.better, value, text }
    }
}

/// What each line tells of a result.
pub fn all<T>(lines: &[Line<T>], result: &T) -> Vec<Figure> {
    lines.iter().map(|line| line.figure(result)).collect()
}

/// The numbers at the top of a document that no page knows. Nobody can say which of them should be high.
pub fn of_json(document: &Value) -> Vec<Figure> {
    let numbers = document.as_object().into_iter().flatten();
    numbers
        .filter_map(|(name, value)| {
            let number = value.as_f64()?;
            let text = if value.is_f64() { format::figure(number) } else { format::value(value) };
            let name = name.replace('_', " ");
            Some(Figure { name, means: "", better: Better::Neither, value: Some(number), text })
        })
        .collect()
}

/// Which of these are the best: for each, whether it is one of them. None is where fewer than two can be compared
/// or all are the same; equals share it.
pub fn best_of(values: &[Option<f64>], better: Better) -> Vec<bool> {
    let there = || values.iter().copied().flatten();
    let (least, most) = there().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), n| (a.min(n), b.max(n)));
    let best = match better {
        // One alone is its own least and most, and nothing is neither.
        _ if there().count() < 2 || least == most => None,
        Better::Higher => Some(most),
        Better::Lower => Some(least),
        Better::Neither => None,
    };
    values.iter().map(|value| value.is_some() && *value == best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_best_is_the_highest_or_the_lowest_as_its_meaning_has_it() {
        let three = [Some(0.2), Some(-0.1), Some(0.1)];
        assert_eq!(best_of(&three, Better::Higher), [true, false, false]);
        assert_eq!(best_of(&three, Better::Lower), [false, true, false]);
        assert_eq!(best_of(&three, Better::Neither), [false; 3]);
    }

    #[test]
    fn what_is_not_there_is_not_the_best_and_leaves_nobody_alone_with_the_prize() {
        assert_eq!(best_of(&[None, Some(1.0), Some(2.0)], Better::Lower), [false, true, false]);
        assert_eq!(best_of(&[None, Some(1.0)], Better::Higher), [false, false]);
        assert_eq!(best_of(&[None, None], Better::Higher), [false, false]);
    }

    #[test]
    fn equals_share_it_and_where_all_are_equal_nobody_is_best() {
        assert_eq!(best_of(&[Some(2.0), Some(1.0), Some(2.0)], Better::Higher), [true, false, true]);
        assert_eq!(best_of(&[Some(2.0), Some(2.0)], Better::Higher), [false, false]);
    }

    #[test]
    fn of_an_unknown_document_the_numbers_at_its_top_are_told() {
        let figures = of_json(&json!({"best_score": 0.5, "rows": 20_758, "name": "a", "more": {"deep": 1}}));
        let told: Vec<_> = figures.iter().map(|f| (f.name.as_str(), f.text.as_str())).collect();
        assert_eq!(told, [("best score", "0.5000"), ("rows", "20,758")]);
    }

    proptest! {
        #[test]
        fn no_figure_beats_one_that_is_marked(values in proptest::collection::vec(proptest::option::of(-9i8..9), 0..8)) {
            let values: Vec<_> = values.into_iter().map(|v| v.map(f64::from)).collect();
            let marked = best_of(&values, Better::Higher);
            prop_assert_eq!(marked.len(), values.len());
            for (value, _) in values.iter().zip(&marked).filter(|(_, marked)| **marked) {
                prop_assert!(values.iter().flatten().all(|other| other <= &value.unwrap()));
            }
        }
    }
}
