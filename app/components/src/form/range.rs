//! Sliders of bounded numbers: which fields get one, and its steps. Pure.

use form::FieldKind;
use form::ungrouped;

/// Wider ranges have no slider: a pixel would be too coarse.
const WIDEST: f64 = 1_000.0;

/// Range of a slider.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Range {
    pub min: f64,
    pub max: f64,
    /// Distance between stops; other numbers can be typed.
    pub step: f64,
}

impl Range {
    /// Slider of a field; `None` when its range is open or too wide.
    pub fn of(kind: &FieldKind) -> Option<Self> {
        match *kind {
            FieldKind::Integer { min: Some(min), max: Some(max) } => {
                let (min, max) = (min as f64, max as f64);
                (max > min && max - min <= WIDEST).then_some(Self { min, max, step: 1.0 })
            }
            FieldKind::Number { min: Some(min), max: Some(max) } => {
                let size = max - min;
                let fits = size > 0.0 && size.is_finite() && (min <= 0.0 || max / min <= WIDEST);
                // Some hundreds of round steps.
                let step = 10f64.powf((size.log10() - 2.0 + 1e-9).floor());
                fits.then_some(Self { min, max, step })
            }
            _ => None,
        }
    }

    /// Text for a slider position, rounded to a step and without floating-point noise.
    pub fn text(&self, at: f64) -> String {
        let on_step = (at / self.step).round() * self.step;
        // The ends are exact, whatever the step.
        if on_step <= self.min || on_step >= self.max {
            return (if on_step <= self.min { self.min } else { self.max }).to_string();
        }
        let decimals = (-self.step.log10()).ceil().clamp(0.0, 12.0) as usize;
        let text = format!("{on_step:.decimals$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }

    /// Slider position for a text; `None` for anything but a number within the range.
    pub fn place(&self, text: &str) -> Option<f64> {
        let n = json::float(&ungrouped(text).ok()?)?;
        (self.min..=self.max).contains(&n).then_some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(min: f64, max: f64) -> Option<Range> {
        Range::of(&FieldKind::Number { min: Some(min), max: Some(max) })
    }

    fn integer(min: i64, max: i64) -> Option<Range> {
        Range::of(&FieldKind::Integer { min: Some(min), max: Some(max) })
    }

    #[test]
    fn an_open_or_very_wide_range_has_no_slider() {
        assert_eq!(integer(1, 500).unwrap().step, 1.0);
        assert_eq!(integer(1, 10_000), None);
        assert_eq!(integer(3, 3), None);
        assert_eq!(number(0.0, 0.5).unwrap().step, 0.001);
        assert_eq!(number(0.0, 100.0).unwrap().step, 1.0);
        assert_eq!(number(0.001, 1.0).unwrap().step, 0.001);
        assert_eq!(number(0.000_001, 1.0), None);
        assert_eq!(number(1.0, 1e15), None);
        assert_eq!(Range::of(&FieldKind::Integer { min: Some(1), max: None }), None);
        assert_eq!(Range::of(&FieldKind::Switch), None);
    }

    #[test]
    fn where_it_is_slid_to_is_a_round_number() {
        let share = number(0.01, 0.5).unwrap();
        assert_eq!([0.150_000_3, 0.01, 0.5, 0.3].map(|at| share.text(at)), ["0.15", "0.01", "0.5", "0.3"]);
        assert_eq!(integer(1, 500).unwrap().text(120.0), "120");
        assert_eq!(number(0.0, 100.0).unwrap().text(30.4), "30");
        assert_eq!(share.place("0.15"), Some(0.15));
        assert_eq!((share.place("0.6"), share.place(""), share.place("x")), (None, None, None));
        assert_eq!(number(0.0, 100.0).unwrap().place(" 33.25 "), Some(33.25));
        // Same parsing as the field's.
        assert_eq!((number(0.0, 100.0).unwrap().place("1,5"), share.place("0,2")), (None, None));
        assert_eq!(number(0.0, 2_000.0).unwrap().place("1,500"), Some(1_500.0));
    }

    proptest! {
        #[test]
        fn field_and_slider_agree(min in -50.0f64..50.0, size in 0.01f64..900.0, share in 0.0f64..=1.0) {
            let range = Range { min, max: min + size, step: 10f64.powf((size.log10() - 2.0).floor()) };
            let text = range.text(min + size * share);
            let n: f64 = text.parse().unwrap();
            prop_assert!((n - (min + size * share)).abs() <= range.step);
        }
    }
}
