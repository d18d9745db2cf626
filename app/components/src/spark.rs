//! Small curve of the newest values of a running operation, for rows. Drawn once a second, from the feed alone.

use crate::reactive::{mark, text};
use leptos::prelude::*;
use live::{OpView, OperationStore};

/// Size of the drawing.
const WIDTH: f64 = 72.0;
const HEIGHT: f64 = 18.0;
/// Distance of the curve from the upper and lower edge.
const EDGE: f64 = 2.0;

/// Path of the values from left to right, lowest at the bottom; empty for fewer than two.
fn path(values: &[f64]) -> String {
    if values.len() < 2 {
        return String::new();
    }
    let (low, high) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), n| (a.min(*n), b.max(*n)));
    // A flat curve is in the middle.
    let (low, span) = if high > low { (low, high - low) } else { (low - 0.5, 1.0) };
    let step = WIDTH / (values.len() - 1) as f64;
    let mut path = String::with_capacity(values.len() * 10);
    for (n, value) in values.iter().enumerate() {
        let y = HEIGHT - EDGE - (value - low) / span * (HEIGHT - 2.0 * EDGE);
        path.push_str(&format!("{}{:.1} {y:.1}", if n == 0 { 'M' } else { 'L' }, n as f64 * step));
    }
    path
}

/// The curve; without space of its own while fewer than two values are known.
#[component]
pub fn Spark(op: OpView) -> impl IntoView {
    let clock = OperationStore::here().clock();
    let drawn = Memo::new(move |_| {
        clock.track();
        let values: Vec<f64> = op.recent().map(|recent| recent.values.into()).unwrap_or_default();
        path(&values)
    });
    view! {
        <svg
            class="spark"
            viewBox="0 0 72 18"
            preserveAspectRatio="none"
            aria-hidden="true"
            data-empty=mark(move || drawn.read().is_empty())
        >
            <path d=text(move || drawn.get())></path>
        </svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_spans_its_box_and_one_value_is_none() {
        assert_eq!(path(&[1.0]), "");
        assert_eq!(path(&[1.0, 3.0, 2.0]), "M0.0 16.0L36.0 2.0L72.0 9.0");
        assert_eq!(path(&[5.0, 5.0]), "M0.0 9.0L72.0 9.0");
    }
}
