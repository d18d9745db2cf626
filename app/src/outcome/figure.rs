//! Figure of a result: name, definition, format, and the comparison with the same figure of other results.

use display::format::{self, Digits, Write};
use serde_json::Value;

/// Direction in which a figure is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Better {
    Higher,
    Lower,
    /// Neither direction is better.
    Neither,
}

/// Definition of a figure of results of type `T`.
pub struct Line<T: 'static> {
    pub name: &'static str,
    /// Definition for a tooltip; empty if the name is enough.
    pub means: &'static str,
    pub better: Better,
    /// Reads the value; `None` if the result does not have it.
    pub of: fn(&T) -> Option<f64>,
    /// Formats the value with its unit, with more digits if it must be distinguished from others.
    pub shown: Write,
}

/// Figure of one result.
#[derive(Clone, Debug)]
pub struct Figure {
    pub name: String,
    pub means: &'static str,
    pub better: Better,
    pub value: Option<f64>,
    /// Value with its unit, or a dash.
    pub text: String,
    /// Formats the value with more digits.
    pub shown: Write,
}

impl<T> Line<T> {
    /// The figure of a result.
    pub fn figure(&self, result: &T) -> Figure {
        let value = (self.of)(result).filter(|n| n.is_finite());
        let text = value.map_or_else(|| format::NO_FIGURE.to_owned(), |n| (self.shown)(n, Digits::default()));
        Figure {
            name: self.name.to_owned(),
            means: self.means,
            better: self.better,
            value,
            text,
            shown: self.shown,
        }
    }
}

/// The figures of a result.
pub fn all<T>(lines: &[Line<T>], result: &T) -> Vec<Figure> {
    lines.iter().map(|line| line.figure(result)).collect()
}

/// Top-level numbers of a result of unknown kind. Their better direction is unknown.
pub fn of_json(document: &Value) -> Vec<Figure> {
    let numbers = document.as_object().into_iter().flatten();
    numbers
        .filter_map(|(name, value)| {
            let number = value.as_f64()?;
            Some(Figure {
                name: name.replace('_', " "),
                means: "",
                better: Better::Neither,
                value: Some(number),
                text: format::value(value),
                shown: format::figure_to,
            })
        })
        .collect()
}

/// Texts of one figure across several results: enough digits to distinguish the values, a dash for missing ones.
pub fn distinct_texts(figures: &[Option<&Figure>]) -> Vec<String> {
    let texts: Vec<String> =
        figures.iter().map(|f| f.map_or(format::NO_FIGURE, |f| f.text.as_str()).to_owned()).collect();
    let values: Vec<_> = figures.iter().map(|f| f.and_then(|f| f.value)).collect();
    match figures.iter().flatten().next() {
        Some(of) if !format::are_told_apart(&values, &texts) => format::tell_apart(&values, of.shown),
        _ => texts,
    }
}

/// Marks the best values. Nothing is marked if fewer than two values exist or all read the same. Values with the same
/// text share the mark, so hidden digits never decide.
pub fn best_of(values: &[Option<f64>], texts: &[String], better: Better) -> Vec<bool> {
    let there = || values.iter().zip(texts).filter_map(|(value, text)| Some(((*value)?, text)));
    let by_value = |a: &(f64, &String), b: &(f64, &String)| a.0.total_cmp(&b.0);
    let (least, most) = (there().min_by(by_value), there().max_by(by_value));
    let best = match (better, least, most) {
        // Also covers a single value and no values.
        (_, Some(least), Some(most)) if format::reads_same(least.1, most.1) => None,
        (Better::Higher, _, most) => most,
        (Better::Lower, least, _) => least,
        (Better::Neither, ..) => None,
    };
    let reads = |text: &String| best.is_some_and(|(_, best)| format::reads_same(best, text));
    values.iter().zip(texts).map(|(value, text)| value.is_some() && reads(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn marked(values: &[Option<f64>], better: Better) -> Vec<bool> {
        best_of(values, &format::tell_apart(values, format::figure_to), better)
    }

    #[test]
    fn the_best_is_highest_or_lowest_depending_on_the_figure() {
        let three = [Some(0.2), Some(-0.1), Some(0.1)];
        assert_eq!(marked(&three, Better::Higher), [true, false, false]);
        assert_eq!(marked(&three, Better::Lower), [false, true, false]);
        assert_eq!(marked(&three, Better::Neither), [false; 3]);
    }

    #[test]
    fn a_missing_figure_is_never_best_and_a_single_figure_is_not_marked() {
        assert_eq!(marked(&[None, Some(1.0), Some(2.0)], Better::Lower), [false, true, false]);
        assert_eq!(marked(&[None, Some(1.0)], Better::Higher), [false, false]);
        assert_eq!(marked(&[None, None], Better::Higher), [false, false]);
    }

    #[test]
    fn equal_best_figures_are_all_marked_unless_all_figures_are_equal() {
        assert_eq!(marked(&[Some(2.0), Some(1.0), Some(2.0)], Better::Higher), [true, false, true]);
        assert_eq!(marked(&[Some(2.0), Some(2.0)], Better::Higher), [false, false]);
    }

    #[test]
    fn an_unknown_document_shows_its_top_level_numbers() {
        let figures = of_json(&json!({"best_score": 0.5, "rows": 20_758, "name": "a", "more": {"deep": 1}}));
        let compared: Vec<_> = figures.iter().map(|f| (f.name.as_str(), f.text.as_str())).collect();
        assert_eq!(compared, [("best score", "0.5"), ("rows", "20,758")]);
    }

    fn compared(text: fn(f64, Digits) -> String, values: &[f64]) -> (Vec<String>, Vec<bool>) {
        let line = |n: &f64| {
            Line { name: "loss", means: "", better: Better::Lower, of: |n| Some(*n), shown: text }.figure(n)
        };
        let figures: Vec<Figure> = values.iter().map(line).collect();
        let texts = distinct_texts(&figures.iter().map(Some).collect::<Vec<_>>());
        let values: Vec<_> = figures.iter().map(|f| f.value).collect();
        let best = best_of(&values, &texts, Better::Lower);
        (texts, best)
    }

    #[test]
    fn the_best_of_two_near_equal_figures_shows_the_digits_by_which_it_is() {
        let (texts, best) = compared(format::figure_to, &[1.072_400_04, 1.072_400_01]);
        assert_eq!((texts[0].as_str(), texts[1].as_str()), ("1.07240004", "1.07240001"));
        assert_eq!(best, [false, true]);
        let (texts, best) = compared(format::span_to, &[1.04, 1.01]);
        assert_eq!((texts[0].as_str(), texts[1].as_str(), best), ("1.04 s", "1.01 s", vec![false, true]));
    }

    #[test]
    fn figures_that_differ_by_rounding_noise_are_a_tie() {
        assert_eq!(compared(format::figure_to, &[0.3, 0.1 + 0.2]).1, [false, false]);
        assert_eq!(compared(format::figure_to, &[0.3, 0.1 + 0.2, 1.0]).1, [true, true, false]);
    }

    proptest! {
        #[test]
        fn figures_with_the_same_text_are_equally_good(base in 0.1f64..100.0, ulps in proptest::collection::vec(0u64..2_000_000, 2..6)) {
            let values: Vec<_> = ulps.iter().map(|n| Some(f64::from_bits(base.to_bits() + n))).collect();
            let texts = format::tell_apart(&values, format::figure_to);
            for better in [Better::Higher, Better::Lower] {
                let best = best_of(&values, &texts, better);
                for (a, a_best) in texts.iter().zip(&best) {
                    for (b, b_best) in texts.iter().zip(&best) {
                        prop_assert!(a != b || a_best == b_best, "{} and {}", a, b);
                    }
                }
            }
        }

        #[test]
        fn no_figure_beats_one_that_is_marked(values in proptest::collection::vec(proptest::option::of(-9i8..9), 0..8)) {
            let values: Vec<_> = values.into_iter().map(|v| v.map(f64::from)).collect();
            let best = marked(&values, Better::Higher);
            prop_assert_eq!(best.len(), values.len());
            for (value, _) in values.iter().zip(&best).filter(|(_, marked)| **marked) {
                prop_assert!(values.iter().flatten().all(|other| other <= &value.unwrap()));
            }
        }
    }
}
