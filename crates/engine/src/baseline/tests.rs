//! Promises of the baseline.

use super::*;
use proptest::prelude::*;
use std::convert::Infallible;

fn of(runs: &[Vec<Point>]) -> Option<Band> {
    let made = band(runs.len(), |run, take| {
        runs[run].iter().for_each(|point| take(*point));
        Ok::<(), Infallible>(())
    });
    made.unwrap()
}

/// Series over whole numbers from 1.
fn steps(ys: impl IntoIterator<Item = f64>) -> Vec<Point> {
    ys.into_iter().enumerate().map(|(i, y)| Point((i + 1) as f64, y)).collect()
}

/// Expected values are the defaults of `numpy.percentile` and R's `quantile`.
#[test]
fn percentiles_follow_definition_seven() {
    let at = |values: &[f64], share| percentile(values, share).unwrap();
    assert_eq!(at(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.5), 3.0);
    assert!((at(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.1) - 1.4).abs() < 1e-12);
    assert!((at(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.9) - 4.6).abs() < 1e-12);
    assert!((at(&[15.0, 20.0, 35.0, 40.0, 50.0, 60.0], 0.1) - 17.5).abs() < 1e-12);
    assert_eq!(at(&[7.0], 0.9), 7.0);
    assert_eq!(percentile(&[], 0.5), None);
}

#[test]
fn a_band_needs_five_runs() {
    let run = |n: u32| steps([f64::from(n), f64::from(n) + 1.0]);
    let four: Vec<_> = (0..4).map(run).collect();
    assert_eq!(of(&four), None);
    assert_eq!(of(&[]), None);
    let five: Vec<_> = (0..5).map(run).collect();
    let band = of(&five).unwrap();
    assert_eq!(band.x, [1.0, 2.0]);
    assert_eq!(band.p50, [Some(2.0), Some(3.0)]);
    assert_eq!(band.runs, [5, 5]);
    let mut empty = four;
    empty.push(Vec::new());
    assert_eq!(of(&empty), None, "one without points is no run");
}

#[test]
fn the_band_ends_where_fewer_than_five_runs_remain() {
    let mut runs: Vec<_> = (0..5).map(|n| steps(vec![f64::from(n); 10])).collect();
    runs.extend((0..3).map(|n| steps(vec![f64::from(n); 20])));
    runs[0].truncate(7);
    let band = of(&runs).unwrap();
    assert_eq!(band.x.last(), Some(&10.0));
    assert_eq!((band.runs[6], band.runs[7]), (8, 7));
    // A resumed run has only the end of its series.
    runs[1].drain(..4);
    runs[2].drain(..4);
    runs[3].drain(..4);
    runs[4].drain(..4);
    let band = of(&runs).unwrap();
    assert_eq!((band.x.first(), band.x.last()), (Some(&5.0), Some(&10.0)));
    // No band across a section that too few runs have.
    let parted: Vec<Vec<Point>> = (0..5)
        .flat_map(|n| [steps(vec![f64::from(n); 3]), steps(vec![f64::from(n); 9]).split_off(6)])
        .chain([steps(vec![1.0; 9])])
        .collect();
    let band = of(&parted).unwrap();
    assert_eq!(band.x, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
    assert_eq!(
        band.p50.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, true, true, false, false, false, true, true, true]
    );
    assert!(band.at(3.5).is_none());
}

#[test]
fn runs_are_interpolated_linearly() {
    let coarse = || vec![Point(0.0, 0.0), Point(10.0, 100.0)];
    let runs =
        vec![coarse(), coarse(), coarse(), coarse(), coarse(), vec![Point(2.5, 25.0), Point(5.0, 50.0)]];
    let band = of(&runs).unwrap();
    assert_eq!(band.x, [0.0, 2.5, 5.0, 10.0]);
    assert_eq!(band.p50, [Some(0.0), Some(25.0), Some(50.0), Some(100.0)]);
    assert_eq!(band.runs, [5, 6, 6, 5]);
}

#[test]
fn many_positions_become_an_even_grid() {
    let run = |n: usize| -> Vec<Point> {
        (0..4_000).map(|i| Point(i as f64 * 0.25 + n as f64 * 1e-3, i as f64)).collect()
    };
    let runs: Vec<_> = (0..6).map(run).collect();
    let band = of(&runs).unwrap();
    assert_eq!(band.x.len(), MAX_GRID_POINTS);
    assert_eq!(band.x[0], 0.004, "the fifth to begin");
    assert_eq!(band.x[MAX_GRID_POINTS - 1], 999.751, "the fifth from the last to end");
    assert!(band.x.windows(2).all(|w| w[0] < w[1]));
    assert!(band.p50.iter().all(Option::is_some));
}

#[test]
fn decreasing_and_non_numeric_points_are_excluded() {
    let run = vec![
        Point(1.0, 1.0),
        Point(f64::NAN, 9.0),
        Point(2.0, f64::INFINITY),
        Point(0.5, 9.0),
        Point(3.0, 3.0),
    ];
    let band = of(&vec![run; 5]).unwrap();
    assert_eq!(band.x, [1.0, 3.0]);
    assert_eq!(band.p90, [Some(1.0), Some(3.0)]);
}

#[test]
fn percentiles_are_correct_where_a_difference_overflows() {
    let big = 1e308;
    let values = [-big, -big, -big, big, big, big];
    assert_eq!(percentile(&values, 0.5), Some(0.0));
    assert_eq!(percentile(&values, 0.1), Some(-big));
    // Values and x alike, on a line through zero.
    let wide = vec![Point(-big, -big), Point(big, big)];
    let shifted = |x: f64| vec![Point(-big, -big), Point(x, x), Point(big, big)];
    let mut runs = vec![wide; 5];
    runs.extend([-0.5 * big, 0.0, 0.25 * big].map(shifted));
    let band = of(&runs).unwrap();
    assert_eq!(band.x, [-big, -0.5 * big, 0.0, 0.25 * big, big]);
    for (x, y) in band.x.iter().zip(&band.p50) {
        assert!((y.unwrap() - x).abs() <= 1e-12 * big, "{y:?} at {x}");
    }
    assert!((band.at(0.6 * big).unwrap().p50 - 0.6 * big).abs() <= 1e-12 * big);
}

fn curve() -> impl Strategy<Value = Vec<Point>> {
    proptest::collection::vec((0u16..40, -1e6f64..1e6), 0..30).prop_map(|mut points| {
        points.sort_by_key(|(x, _)| *x);
        points.dedup_by_key(|(x, _)| *x);
        points.into_iter().map(|(x, y)| Point(f64::from(x) / 4.0, y)).collect()
    })
}

proptest! {
    #[test]
    fn a_band_is_ordered_and_within_its_runs_and_counts_them(runs in proptest::collection::vec(curve(), 0..12)) {
        let Some(band) = of(&runs) else { return Ok(()) };
        prop_assert!(band.x.windows(2).all(|w| w[0] < w[1]));
        for i in 0..band.x.len() {
            let x = band.x[i];
            let reach = runs.iter().filter(|run| {
                run.first().is_some_and(|p| p.0 <= x) && run.last().is_some_and(|p| p.0 >= x)
            }).count();
            prop_assert_eq!(reach, band.runs[i] as usize);
            prop_assert_eq!(band.p50[i].is_some(), reach >= NEEDED);
            let (Some(low), Some(middle), Some(high)) = (band.p10[i], band.p50[i], band.p90[i]) else { continue };
            let ys = || runs.iter().flatten().map(|p| p.1);
            prop_assert!(ys().fold(f64::MAX, f64::min) <= low);
            prop_assert!(low <= middle && middle <= high);
            prop_assert!(high <= ys().fold(f64::MIN, f64::max));
        }
    }

    #[test]
    fn the_order_of_runs_does_not_matter(
        runs in proptest::collection::vec(curve(), 5..12).prop_flat_map(|runs| (Just(runs.clone()), Just(runs).prop_shuffle()))
    ) {
        prop_assert_eq!(of(&runs.0), of(&runs.1));
    }

    #[test]
    fn identical_runs_are_their_own_band(run in curve(), times in 5usize..9) {
        let Some(band) = of(&vec![run.clone(); times]) else {
            prop_assert!(run.is_empty());
            return Ok(());
        };
        let column: Vec<_> = run.iter().map(|p| Some(p.1)).collect();
        prop_assert_eq!(&band.p10, &column);
        prop_assert_eq!(&band.p90, &column);
    }
}
