//! Texts about the baseline, the percentile band of past runs, and about auto-cancel rules.

use crate::format::counted;
use protocol::band::{BandRule, Place};
use protocol::{Baseline, Point};

/// Number of points below which a curve is known to be complete, not downsampled.
pub const ALL_THERE: usize = 1_000;

/// Legend of a baseline: `Baseline: P10 to P90 of 23 past runs with the same title`.
pub fn legend(baseline: &Baseline) -> String {
    format!("Baseline: P10 to P90 of {} past runs {}", baseline.runs.len(), baseline.like.as_words())
}

fn points(n: u32) -> String {
    counted(u64::from(n), "point", "points")
}

/// Position of a curve relative to its baseline: `above the baseline for 4 points`. The points are counted only while
/// the curve is not downsampled.
pub fn standing(baseline: &Baseline, curve: &[Point], ended: bool) -> String {
    let Some(band) = &baseline.band else { return String::new() };
    let Some(newest) = curve.last() else { return String::new() };
    if band.at(newest.0).is_none() {
        return format!("not enough past runs at this step (needs {})", baseline.needed);
    }
    let Some((place, row)) = band.standing(curve) else { return String::new() };
    let at_end = if ended { "ended " } else { "" };
    let place = match place {
        Place::Inside => return format!("{at_end}inside the baseline"),
        Place::Above => "above",
        Place::Below => "below",
    };
    match (curve.len() < ALL_THERE, ended) {
        (false, _) => format!("{at_end}{place} the baseline"),
        (true, false) => format!("{place} the baseline for {}", points(row)),
        (true, true) => format!("ended {place} the baseline (last {})", points(row)),
    }
}

/// Progress of a rule: `3 of 10 points above the baseline`.
pub fn how_far(rule: &BandRule, outside: u32) -> String {
    format!("{outside} of {} points {} the baseline", rule.points, rule.side.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Band;
    use protocol::band::Like;

    fn baseline() -> Baseline {
        let flat = |y: f64| vec![Some(y), Some(y)];
        let band =
            Band { x: vec![1.0, 50.0], p10: flat(1.0), p50: flat(2.0), p90: flat(3.0), runs: vec![7, 6] };
        let id = "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap();
        Baseline {
            series: "loss".into(),
            like: Like::SameTitle,
            runs: vec![id; 7],
            needed: 5,
            band: Some(band),
            why: String::new(),
        }
    }

    fn curve(ys: &[f64]) -> Vec<Point> {
        ys.iter().enumerate().map(|(i, y)| Point((i + 1) as f64, *y)).collect()
    }

    #[test]
    fn the_position_against_the_baseline_is_described_as_far_as_it_is_known() {
        let baseline = baseline();
        assert_eq!(legend(&baseline), "Baseline: P10 to P90 of 7 past runs with the same title");
        let wording = |ys: &[f64], ended| standing(&baseline, &curve(ys), ended);
        assert_eq!(wording(&[2.0, 2.5], false), "inside the baseline");
        assert_eq!(wording(&[2.0, 4.0, 5.0], false), "above the baseline for 2 points");
        assert_eq!(wording(&[2.0, 0.0], false), "below the baseline for 1 point");
        assert_eq!(wording(&[2.0, 0.0], true), "ended below the baseline (last 1 point)");
        assert_eq!(wording(&[], false), "");
        assert_eq!(wording(&[2.0; 51], false), "not enough past runs at this step (needs 5)");
        let downsampled: Vec<Point> = (0..1_200).map(|x| Point(1.0 + f64::from(x) / 40.0, 9.0)).collect();
        assert_eq!(standing(&baseline, &downsampled, false), "above the baseline");
    }
}
