//! Key figures of results as text.

use crate::format::{self, Digits};
use protocol::KeyFigure;

/// Value with its unit: `0.854`, `26.3 %`, `20,758 rows`. Lists need few digits.
pub fn value(figure: &KeyFigure) -> String {
    match figure.unit.as_str() {
        "%" => format::share(figure.value / 100.0),
        unit => {
            let number = match figure.value {
                whole if whole.fract() == 0.0 => format::figure(whole),
                other => format::ratio_to(other, Digits::default()),
            };
            format!("{number} {unit}").trim_end().to_owned()
        }
    }
}

/// The first `most` figures with their names: `Sharpe 0.854 · Return 26.3 %`.
pub fn line(figures: &[KeyFigure], most: usize) -> String {
    let texts = figures.iter().take(most).map(|figure| format!("{} {}", figure.name, value(figure)));
    texts.collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_figures_has_names_units_and_few_digits() {
        let figures = [
            KeyFigure::new("Sharpe", 0.854_321, ""),
            KeyFigure::percent("Return", 0.263),
            KeyFigure::new("Rows", 20_758.0, "rows"),
        ];
        assert_eq!(line(&figures, 3), "Sharpe 0.8543 · Return 26.3 % · Rows 20,758 rows");
        assert_eq!(line(&figures, 1), "Sharpe 0.8543");
        assert_eq!(line(&[], 2), "");
    }
}
