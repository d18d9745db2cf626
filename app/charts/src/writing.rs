//! Number formats of one chart, shared by its value line, table and static SVG. Pure.

use super::data::{Shape, Sheet, Spec};
use display::format::{self, Digits};
use protocol::Time;

/// Volume column of candles.
const VOLUME: usize = 4;

/// Number formats of one chart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Writing {
    share: bool,
    time: bool,
    candles: bool,
    y: Digits,
    x: Digits,
}

impl Writing {
    pub fn of(spec: &Spec, sheet: &Sheet) -> Self {
        let candles = spec.shape == Shape::Candles;
        let columns =
            if candles { &sheet.columns[..sheet.columns.len().min(VOLUME)] } else { &sheet.columns };
        let steps = sheet.x.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0);
        let (step, last) = (steps.fold(f64::INFINITY, f64::min), sheet.x.last().copied().unwrap_or_default());
        Self {
            share: spec.unit == "share",
            time: spec.time,
            candles,
            y: Digits::of_all(columns.iter().flatten().copied()),
            x: if step.is_finite() { Digits::of_step(last, step) } else { Digits::default() },
        }
    }

    /// Formats a value of a column.
    pub fn y(&self, column: usize, n: f64) -> String {
        match (self.candles && column == VOLUME, self.share) {
            (true, _) => format::figure(n),
            (false, true) => format::share_to(n, self.y),
            (false, false) => format::figure_to(n, self.y),
        }
    }

    /// Formats an x, without its zone.
    pub fn x(&self, n: f64) -> String {
        if self.time {
            format::bar_time(Time::from_millis(n * 1_000.0))
        } else {
            format::figure_to(n, self.x)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis;
    use super::super::range::fit;
    use super::*;
    use proptest::prelude::*;

    fn writing(x: &[f64], column: &[f64]) -> Writing {
        let sheet = Sheet { x: x.to_vec(), columns: vec![column.to_vec()], ..Sheet::default() };
        Writing::of(&Spec::default(), &sheet)
    }

    #[test]
    fn epochs_are_integers_and_losses_have_distinguishing_digits() {
        let of = writing(&[25.0, 26.0], &[1.038_014_9, 1.1]);
        assert_eq!((of.x(26.0).as_str(), of.y(0, 1.038_014_9).as_str()), ("26", "1.03801"));
        let near = writing(&[1.0, 2.0], &[1.000_000_1, 1.000_000_2]);
        assert_eq!(
            (near.y(0, 1.000_000_1), near.y(0, 1.000_000_2)),
            ("1.0000001".into(), "1.0000002".into())
        );
    }

    #[test]
    fn neighbours_on_the_x_axis_read_differently() {
        let of = writing(&[20_758.31, 20_758.34, 20_760.0], &[1.0; 3]);
        assert_eq!((of.x(20_758.31).as_str(), of.x(20_758.34).as_str()), ("20,758.31", "20,758.34"));
    }

    /// Labels without the zeros that make the decimals of an axis equal.
    fn trimmed(labels: &[String]) -> Vec<String> {
        let of = |label: &String| {
            let (number, unit) = label.split_once(' ').unwrap_or((label, ""));
            let number = if number.contains('.') {
                number.trim_end_matches('0').trim_end_matches('.')
            } else {
                number
            };
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            format!("{number}{unit}")
        };
        labels.iter().map(of).collect()
    }

    #[test]
    fn an_axis_label_reads_as_the_same_figure_in_a_tooltip_a_table_and_a_result() {
        let prices = [412.75, 412.8, 412.85];
        let of = writing(&[1.0, 2.0, 3.0], &prices);
        let tooltips = prices.map(|price| of.y(0, price));
        assert_eq!(tooltips, ["412.75", "412.8", "412.85"]);
        assert_eq!(trimmed(&axis::labels(&prices, false)), tooltips);
        assert_eq!(prices.map(format::figure), tooltips);
        let rows = [20_758.0, 20_758.3, 20_758.6];
        let tooltips = rows.map(|n| writing(&[1.0, 2.0, 3.0], &rows).y(0, n));
        assert_eq!(trimmed(&axis::labels(&rows, false)), tooltips);
        assert_eq!(rows.map(format::figure), tooltips);
    }

    proptest! {
        #[test]
        fn every_axis_label_without_a_letter_is_the_text_of_its_figure(
            low in -9_000f64..9_000.0, width in 1e-3f64..900.0, most in 2usize..8, share: bool,
        ) {
            let ticks = axis::ticks(fit(Some((low, low + width)), false), most, false);
            let spec = Spec { unit: if share { "share".into() } else { String::new() }, ..Spec::default() };
            let sheet = Sheet { x: ticks.clone(), columns: vec![ticks.clone()], ..Sheet::default() };
            let of = Writing::of(&spec, &sheet);
            let tooltips: Vec<String> = ticks.iter().map(|n| of.y(0, *n)).collect();
            let labels = trimmed(&axis::labels(&ticks, share));
            let letters = labels.iter().any(|label| label.ends_with('k'));
            prop_assert!(letters || labels == trimmed(&tooltips), "{labels:?} {tooltips:?}");
        }
    }
}
