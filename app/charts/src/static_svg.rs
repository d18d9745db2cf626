//! Static SVG of a chart, rendered by the server: shown before uPlot is loaded, and without scripts. Pure.

use super::data::{ABSENT, Shape, Sheet, Spec};
use super::range::{self, Range, ends};
use super::writing::Writing;
use std::fmt::Write;

/// Column of candles that is drawn.
const CLOSE: usize = 3;

/// Maximum number of points per curve, about the width of a phone.
const POINTS: usize = 240;
/// Size of the drawing in SVG units; it is stretched to its place.
const WIDE: f64 = 1_000.0;
const HIGH: f64 = 200.0;

/// SVG of a chart, and its ranges as text for pages without scripts.
pub fn html_of(spec: &Spec, sheet: &Sheet) -> String {
    let columns = || {
        let all = sheet.columns.iter().enumerate();
        // Of candles only the close.
        all.filter(|(n, _)| spec.shape == Shape::Lines || *n == CLOSE)
    };
    let x = ends(sheet.x.iter().copied());
    let y = ends(columns().flat_map(|(_, column)| column.iter().copied()));
    let (Some(x), Some(y)) = (x, y) else {
        return "<p class=\"no-script muted\">Charts need JavaScript, which is off.</p>".into();
    };
    let (along, up) = (range::fit_x(x), range::fit(Some(y), spec.zero));
    let place = |x: f64, y: f64| (share(x, along) * WIDE, (1.0 - share(y, up)) * HIGH);
    let mut html = format!(
        "<svg viewBox=\"0 0 {WIDE} {HIGH}\" preserveAspectRatio=\"none\" aria-hidden=\"true\" class=\"still-lines\">"
    );
    for (n, column) in columns() {
        let drawn = path(&sheet.x, column, place);
        let faint = spec.faint.get(n).copied().unwrap_or_default();
        let dotted = if faint { " stroke-dasharray=\"1.5 3\"" } else { "" };
        let _ = write!(html, "<path class=\"still-{}\"{dotted} d=\"{drawn}\"/>", spec.style(n) % 8 + 1);
    }
    let writing = Writing::of(spec, sheet);
    let from_to = if spec.time {
        String::new()
    } else {
        format!("{} {} to {}, ", escaped(&spec.x), writing.x(x.0), writing.x(x.1))
    };
    let _ = write!(
        html,
        "</svg><p class=\"no-script muted\">{from_to}values {} to {}. Enable JavaScript to read single values.</p>",
        writing.y(0, y.0),
        writing.y(0, y.1)
    );
    html
}

/// SVG path of a curve. Anything but a number is a gap, and a single point between two gaps is a dot.
fn path(x: &[f64], column: &[f64], place: impl Fn(f64, f64) -> (f64, f64)) -> String {
    let points: Vec<(f64, f64)> =
        x.iter().copied().zip(column.iter().copied()).filter(|(_, y)| *y != ABSENT).collect();
    let every = points.len().div_ceil(POINTS).max(1);
    let mut path = String::new();
    for stretch in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
        for (i, (x, y)) in stretch.iter().enumerate() {
            if i % every == 0 || i + 1 == stretch.len() {
                let (left, top) = place(*x, *y);
                let _ = write!(path, "{}{left:.0} {top:.0}", if i == 0 { "M" } else { "L" });
            }
        }
        if stretch.len() == 1 {
            path.push_str("h0");
        }
    }
    path
}

/// Position on an axis: 0 at its start, 1 at its end.
fn share(n: f64, (from, to): Range) -> f64 {
    // Halved, because the difference of two large floats may overflow.
    let width = to / 2.0 - from / 2.0;
    if width > 0.0 { ((n / 2.0 - from / 2.0) / width).clamp(0.0, 1.0) } else { 0.5 }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(columns: &[&[f64]]) -> Sheet {
        let x = (0..columns[0].len()).map(|x| x as f64).collect();
        Sheet { x, columns: columns.iter().map(|c| c.to_vec()).collect(), ..Sheet::default() }
    }

    fn paths(html: &str) -> Vec<&str> {
        html.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn each_curve_goes_from_the_left_to_the_right_between_the_lowest_and_the_highest() {
        let spec = Spec { x: "epoch".into(), ..Spec::default() };
        let html = html_of(&spec, &sheet(&[&[3.0, 1.0], &[2.0, 2.0]]));
        assert_eq!(paths(&html), ["M0 14L1000 186", "M0 100L1000 100"]);
        assert!(html.contains("epoch 0 to 1, values 1 to 3."), "{html}");
        let zero = Spec { zero: true, ..spec };
        assert_eq!(paths(&html_of(&zero, &sheet(&[&[4.0, 2.0]]))), ["M0 15L1000 107"]);
    }

    #[test]
    fn gaps_are_kept_except_between_points_of_other_curves() {
        let read =
            |middle: f64| paths(&html_of(&Spec::default(), &sheet(&[&[1.0, middle, 1.0]])))[0].to_owned();
        assert_eq!(read(f64::NAN), "M0 100h0M1000 100h0");
        assert_eq!(read(ABSENT), "M0 100L1000 100");
    }

    #[test]
    fn nothing_unusual_is_drawn_as_no_number() {
        let unusual: [&[f64]; 6] = [
            &[f64::NAN, f64::NEG_INFINITY],
            &[-1e308, 1.7e308],
            &[1e300, 2e300],
            &[1e-12, 2e-12],
            &[1.000_000_1, 1.000_000_2],
            &[7.0, 7.0],
        ];
        for column in unusual {
            for zero in [false, true] {
                let spec = Spec { zero, ..Spec::default() };
                let html = html_of(&spec, &sheet(&[column, &[f64::NAN, 5.0]]));
                assert!(!html.contains("NaN") && !html.contains("inf"), "{html}");
                let alone = html_of(&spec, &sheet(&[column]));
                assert!(!alone.contains("NaN") && !alone.contains("inf"), "{alone}");
            }
        }
        let tiny = html_of(&Spec::default(), &sheet(&[&[1e-12, 2e-12]]));
        assert!(paths(&tiny)[0].starts_with("M0 186L1000 14"), "{tiny}");
        assert!(tiny.contains("values 1e-12 to 2e-12."), "{tiny}");
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_end() {
        let long: Vec<f64> = (0..10_000).map(f64::from).collect();
        let html = html_of(&Spec::default(), &sheet(&[&long]));
        let path = paths(&html)[0];
        assert!(path.matches('L').count() <= POINTS && path.ends_with("L1000 15"), "{path}");
    }

    #[test]
    fn without_values_there_is_nothing_but_the_reason() {
        let html = html_of(&Spec::default(), &Sheet::default());
        assert!(html.contains("JavaScript, which is off") && !html.contains("<svg"));
        let named = Spec { x: "<b>&".into(), ..Spec::default() };
        assert!(html_of(&named, &sheet(&[&[1.0]])).contains("&lt;b&gt;&amp; 0 to 0"));
    }
}
