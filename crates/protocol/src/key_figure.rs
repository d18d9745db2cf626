//! Key figures of a result: what a list shows of it.

use serde::{Deserialize, Serialize};

/// Key figure of a result, such as its accuracy.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KeyFigure {
    /// Name in one to three words: `Test accuracy`.
    pub name: String,
    pub value: f64,
    /// Unit of the value, such as `rows` or `s`; `%` for a value in percent; empty for a plain number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
}

impl KeyFigure {
    /// Maximum number of key figures of an operation; the rest is dropped.
    pub const MAX: usize = 6;
    /// Maximum length of name and unit in characters; longer ones are cut.
    pub const MAX_CHARS: usize = 40;

    /// Key figure with a unit.
    pub fn new(name: &str, value: f64, unit: &str) -> Self {
        Self { name: name.to_owned(), value, unit: unit.to_owned() }
    }

    /// Key figure in percent, from a share: 0.263 is 26.3 %.
    pub fn percent(name: &str, share: f64) -> Self {
        Self::new(name, share * 100.0, "%")
    }

    /// The figures that an operation keeps of a result: finite values, at most [`KeyFigure::MAX`].
    pub fn kept(figures: &[Self]) -> Vec<Self> {
        let cut = |text: &str| text.chars().take(Self::MAX_CHARS).collect();
        let finite = figures.iter().filter(|figure| figure.value.is_finite());
        finite
            .take(Self::MAX)
            .map(|figure| Self { name: cut(&figure.name), value: figure.value, unit: cut(&figure.unit) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_keeps_few_short_finite_figures() {
        let mut figures = vec![KeyFigure::new("no value", f64::NAN, "")];
        figures.extend((0..9).map(|n| KeyFigure::new(&"n".repeat(99), f64::from(n), "rows")));
        let kept = KeyFigure::kept(&figures);
        assert_eq!(kept.len(), KeyFigure::MAX);
        assert_eq!((kept[0].value, kept[0].name.len()), (0.0, KeyFigure::MAX_CHARS));
    }
}
