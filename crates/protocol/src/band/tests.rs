//! Promises of the baseline and the rule.

use super::*;
use proptest::prelude::*;

/// From 0 to 10, between 1 and 3, with none from 20 on.
fn band() -> Band {
    Band {
        x: vec![0.0, 10.0, 20.0],
        p10: vec![Some(1.0), Some(1.0), None],
        p50: vec![Some(2.0), Some(2.0), None],
        p90: vec![Some(3.0), Some(5.0), None],
        runs: vec![7, 6, 4],
    }
}

#[test]
fn the_band_is_interpolated_linearly_and_ends_with_its_points() {
    let band = band();
    assert_eq!(band.at(5.0), Some(Slice { p10: 1.0, p50: 2.0, p90: 4.0, runs: 6 }));
    assert_eq!(band.at(10.0).map(|s| s.p90), Some(5.0));
    for nowhere in [-0.1, 10.1, 20.0, 21.0, f64::NAN] {
        assert_eq!(band.at(nowhere), None, "{nowhere}");
    }
    assert_eq!(Band::default().at(0.0), None);
}

#[test]
fn the_edge_of_the_band_is_inside() {
    let band = band();
    assert_eq!(band.place(Point(0.0, 3.0)), Some(Place::Inside));
    assert_eq!(band.place(Point(0.0, 3.000_001)), Some(Place::Above));
    assert_eq!(band.place(Point(0.0, 0.9)), Some(Place::Below));
    assert_eq!(band.place(Point(0.0, f64::NAN)), None);
    let out = [Point(0.0, 2.0), Point(1.0, 9.0), Point(2.0, 9.0), Point(15.0, 2.0)];
    assert_eq!(band.standing(&out), Some((Place::Above, 2)), "where there is no band nothing is judged");
    assert_eq!(band.standing(&[Point(15.0, 2.0)]), None);
}

#[test]
fn a_rule_describes_itself_and_why_it_cancelled() {
    let baseline = Baseline {
        series: "train_loss".into(),
        like: Like::SameTitle,
        runs: (0..23).map(|_| "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse().unwrap()).collect(),
        needed: 5,
        band: Some(band()),
        why: String::new(),
    };
    let wanted = SetRule { series: "train_loss".into(), side: Side::Above, points: 10 };
    let rule = BandRule::new(wanted.clone(), &baseline, Actor::signalbox(), Time::from_micros(0));
    assert_eq!(
        rule.sentence(),
        "cancel when 10 points in a row of train_loss are above the P90 of 23 past runs with the same title"
    );
    assert_eq!(
        rule.reason("step", 340.0),
        "train_loss was above the P90 of 23 past runs for 10 points, from step 340"
    );
    assert!(rule.reason("seconds since start", 1.23456).ends_with("from 1.235 seconds since start"));
    assert_eq!(rule.wanted(), wanted);
    assert!(rule.is_armed());
    let fields = |rule: SetRule| rule.check().into_iter().map(|e| e.field).collect::<Vec<_>>();
    assert!(fields(wanted.clone()).is_empty());
    assert_eq!(fields(SetRule { points: 2, series: String::new(), ..wanted.clone() }), ["series", "points"]);
    assert_eq!(fields(SetRule { points: 1_001, ..wanted }), ["points"]);
}

#[test]
fn a_rule_needs_ten_points_by_default() {
    let rule: SetRule = serde_json::from_str(r#"{"series": "loss", "side": "outside"}"#).unwrap();
    assert_eq!((rule.points, rule.side), (10, Side::Outside));
    assert!(serde_json::from_str::<SetRule>(r#"{"series": "loss", "side": "beside"}"#).is_err());
}

/// Points outside of the band, inside of it, or where there is none.
fn points() -> impl Strategy<Value = Vec<Point>> {
    let x = prop_oneof![3 => 0.0f64..10.0, 1 => 11.0f64..30.0];
    let y = prop_oneof![3 => Just(9.0), 1 => Just(2.0), 1 => Just(0.5)];
    proptest::collection::vec((x, y).prop_map(|(x, y)| Point(x, y)), 0..80)
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Above), Just(Side::Below), Just(Side::Outside)]
}

proptest! {
    /// The expectation is computed again at each point, without state.
    #[test]
    fn a_rule_fires_once_after_the_given_number_of_consecutive_points(points in points(), side in side(), n in 1u32..9) {
        let band = band();
        let judged: Vec<(f64, bool)> = points
            .iter()
            .filter_map(|p| Some((p.0, side.takes(band.place(*p)?))))
            .collect();
        let first = (0..judged.len()).find(|i| {
            let from = (i + 1).checked_sub(n as usize);
            from.is_some_and(|from| judged[from..=*i].iter().all(|(_, out)| *out))
        });
        let mut watch = Watch::new(side, n);
        let fired: Vec<bool> = points.iter().map(|p| watch.judge(&band, *p)).collect();
        prop_assert_eq!(fired.iter().filter(|f| **f).count(), usize::from(first.is_some()));
        if let Some(last) = first {
            prop_assert_eq!(watch.in_a_row(), n);
            prop_assert_eq!(watch.from_x(), judged[last + 1 - n as usize].0);
        } else {
            let row = judged.iter().rev().take_while(|(_, out)| *out).count();
            prop_assert_eq!(watch.in_a_row() as usize, row);
        }
    }

    /// As after a restart: first the stored points, then new ones.
    #[test]
    fn the_batching_of_points_does_not_matter(points in points(), side in side(), n in 1u32..9, cut in 0usize..80) {
        let band = band();
        let count = |parts: &[&[Point]]| {
            let mut watch = Watch::new(side, n);
            let fired: Vec<bool> = parts.iter().flat_map(|part| part.iter()).map(|p| watch.judge(&band, *p)).collect();
            (fired, watch.in_a_row())
        };
        let (stored, live) = points.split_at(cut.min(points.len()));
        prop_assert_eq!(count(&[&points]), count(&[stored, live]));
    }

    #[test]
    fn a_band_is_ordered_everywhere_and_downsampling_keeps_positions(
        rows in proptest::collection::vec((-1e9f64..1e9, 0.0f64..1e9, 0.0f64..1e9), 2..40),
        at in 0.0f64..1.0,
        wanted in 2usize..20,
    ) {
        let column = |of: fn(&(f64, f64, f64)) -> f64| rows.iter().map(|r| Some(of(r))).collect();
        let band = Band {
            x: (0..rows.len()).map(|x| x as f64).collect(),
            p10: column(|r| r.0),
            p50: column(|r| r.0 + r.1),
            p90: column(|r| r.0 + r.1 + r.2),
            runs: vec![5; rows.len()],
        };
        let x = at * (rows.len() - 1) as f64;
        let slice = band.at(x).unwrap();
        prop_assert!(slice.p10 <= slice.p50 && slice.p50 <= slice.p90, "{:?}", slice);
        let thin = band.thinned(wanted);
        prop_assert_eq!(thin.x.len(), wanted.min(rows.len()));
        prop_assert_eq!((thin.x.first(), thin.x.last()), (band.x.first(), band.x.last()));
        for x in &thin.x {
            prop_assert_eq!(thin.at(*x), band.at(*x));
        }
    }
}
