//! A chart before its code runs, and where none does: its curves as the server draws them, once. Pure.

use super::data::{Sheet, Spec};
use crate::format;
use std::fmt::Write;

/// Of a longer curve every so many-th point is drawn: about as many as a phone is wide.
const POINTS: usize = 240;
/// Units of the drawing, which is stretched to its place.
const WIDE: f64 = 1_000.0;
const HIGH: f64 = 200.0;

/// What stands where the chart will be: SVG, and in words where it begins and ends for those who have no script.
pub fn html_of(spec: &Spec, sheet: &Sheet) -> String {
    let numbers = |values: &mut dyn Iterator<Item = f64>| {
        let all = values.filter(|n| n.is_finite());
        all.fold(None, |ends: Option<(f64, f64)>, n| {
            Some(ends.map_or((n, n), |(low, high)| (low.min(n), high.max(n))))
        })
    };
    let x = numbers(&mut sheet.x.iter().copied());
    let y = numbers(&mut sheet.columns.iter().flatten().copied());
    let (Some(x), Some(y)) = (x, y) else {
        return "<p class=\"no-script muted\">Charts are drawn by JavaScript, which is off here.</p>".into();
    };
    let (mut low, mut high) = y;
    if spec.zero {
        (low, high) = (low.min(0.0), high.max(0.0));
    }
    let share = |n: f64, (from, to): (f64, f64)| if to > from { (n - from) / (to - from) } else { 0.5 };
    let every = sheet.x.len().div_ceil(POINTS).max(1);
    let mut html = format!(
        "<svg viewBox=\"0 0 {WIDE} {HIGH}\" preserveAspectRatio=\"none\" aria-hidden=\"true\" class=\"still-lines\">"
    );
    for (n, column) in sheet.columns.iter().enumerate() {
        let mut path = String::new();
        let mut pen_down = false;
        let last = column.iter().rposition(|y| y.is_finite());
        for (i, (at, y)) in sheet.x.iter().zip(column).enumerate() {
            if !y.is_finite() {
                // A gap, unless another curve has its points there.
                pen_down &= spec.joined;
            } else if i % every == 0 || Some(i) == last || spec.joined {
                let (left, top) = (share(*at, x) * WIDE, (1.0 - share(*y, (low, high))) * HIGH);
                let _ = write!(path, "{}{left:.0} {top:.0}", if pen_down { "L" } else { "M" });
                pen_down = true;
            }
        }
        let _ = write!(html, "<path class=\"still-{}\" d=\"{path}\"/>", spec.style(n) % 8 + 1);
    }
    let (unit, value) = match spec.unit.as_str() {
        "share" => (" %", 100.0),
        _ => ("", 1.0),
    };
    let ends =
        |(from, to): (f64, f64), times: f64| format!("{} to {}", written(from * times), written(to * times));
    let along = if spec.time { String::new() } else { format!("{} {}, ", escaped(&spec.x), ends(x, 1.0)) };
    let _ = write!(
        html,
        "</svg><p class=\"no-script muted\">{along}values {}{unit}. With JavaScript they can be read one by one.</p>",
        ends(y, value)
    );
    html
}

fn written(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 1e6 { n.to_string() } else { format::figure(n) }
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
        assert_eq!(paths(&html), ["M0 0L1000 200", "M0 100L1000 100"]);
        assert!(html.contains("epoch 0 to 1, values 1 to 3."), "{html}");
        let zero = Spec { zero: true, ..spec };
        assert_eq!(paths(&html_of(&zero, &sheet(&[&[4.0, 2.0]]))), ["M0 0L1000 100"]);
    }

    #[test]
    fn a_gap_is_a_gap_but_where_curves_do_not_share_their_points() {
        let holes = sheet(&[&[1.0, f64::NAN, 1.0]]);
        assert_eq!(paths(&html_of(&Spec::default(), &holes)), ["M0 100M1000 100"]);
        let joined = Spec { joined: true, ..Spec::default() };
        assert_eq!(paths(&html_of(&joined, &holes)), ["M0 100L1000 100"]);
    }

    #[test]
    fn a_long_curve_is_thinned_and_keeps_its_end() {
        let long: Vec<f64> = (0..10_000).map(f64::from).collect();
        let html = html_of(&Spec::default(), &sheet(&[&long]));
        let path = paths(&html)[0];
        assert!(path.matches('L').count() <= POINTS && path.ends_with("L1000 0"), "{path}");
    }

    #[test]
    fn without_values_there_is_nothing_but_the_reason() {
        let html = html_of(&Spec::default(), &Sheet::default());
        assert!(html.contains("JavaScript, which is off") && !html.contains("<svg"));
        let named = Spec { x: "<b>&".into(), ..Spec::default() };
        assert!(html_of(&named, &sheet(&[&[1.0]])).contains("&lt;b&gt;&amp; 0 to 0"));
    }
}
