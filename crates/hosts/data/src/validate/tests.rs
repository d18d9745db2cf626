//! Tests of the validation of rows.

use super::*;
use proptest::prelude::*;

fn bar(second: i64, [open, high, low, close, volume]: [f64; 5]) -> Row {
    let time = Time::from_micros(second * 1_000_000);
    Row {
        line: second as u64 + 2,
        offset: 0,
        time: Some(time),
        bar: Ok(Bar { time, open, high, low, close, volume: Some(volume) }),
    }
}

fn reason_of(values: [f64; 5]) -> Option<&'static str> {
    let mut validator = Validator::new(Timeframe::M1, None);
    let taken = validator.take(&bar(1, values));
    let listed = validator.rejected.listed();
    assert_eq!(taken.is_none(), listed.len() == 1);
    listed.first().map(|r| Reason::ALL.into_iter().find(|w| w.as_str() == r.reason).unwrap().as_str())
}

#[test]
fn each_fault_has_its_word() {
    assert_eq!(reason_of([2.0, 3.0, 1.0, 2.5, 0.0]), None);
    assert_eq!(reason_of([2.0, 2.0, 2.0, 2.0, 10.0]), None);
    assert_eq!(reason_of([2.0, 1.0, 3.0, 2.0, 0.0]), Some("high_below_low"));
    assert_eq!(reason_of([4.0, 3.0, 1.0, 2.0, 0.0]), Some("price_outside_range"));
    assert_eq!(reason_of([2.0, 3.0, 1.0, 0.5, 0.0]), Some("price_outside_range"));
    assert_eq!(reason_of([2.0, 3.0, 1.0, 2.0, -7.0]), Some("negative_volume"));
    assert_eq!(reason_of([f64::NAN, 3.0, 1.0, 2.0, 0.0]), Some("not_finite"));
    assert_eq!(reason_of([2.0, f64::INFINITY, 1.0, 2.0, 0.0]), Some("not_finite"));
    assert_eq!(reason_of([2.0, 3.0, 0.0, 2.0, 0.0]), Some("non_positive_price"));
}

#[test]
fn order_is_checked_against_the_latest_accepted_bar() {
    let good = [2.0, 3.0, 1.0, 2.5, 0.0];
    let mut validator = Validator::new(Timeframe::M1, None);
    assert!(validator.take(&bar(600, good)).is_some());
    assert!(validator.take(&bar(6000, [2.0, 1.0, 3.0, 2.0, 0.0])).is_none(), "rejected: it moves nothing");
    assert!(validator.take(&bar(660, good)).is_some());
    assert!(validator.take(&bar(660, good)).is_none());
    assert!(matches!(validator.judge(&bar(300, good)), RowVerdict::Early(_)));
    validator.take(&bar(300, good));
    assert!(matches!(validator.judge(&bar(720, good)), RowVerdict::Bar(_)));
    let listed = validator.rejected.listed();
    let words: Vec<_> = listed.iter().map(|r| r.reason.as_str()).collect();
    assert_eq!(words, ["high_below_low", "duplicate_time"]);
    assert_eq!(listed[0].example, "line 6002: high 1 is below low 3");
    assert_eq!((validator.accepted, validator.early), (3, 1));
}

#[test]
fn a_row_in_the_future_is_rejected_alone() {
    let good = [2.0, 3.0, 1.0, 2.5, 0.0];
    let mut validator = Validator::new(Timeframe::M1, Some(Time::from_micros(1_200_000_000)));
    let taken: Vec<bool> =
        [60, 120, 90_000, 180, 1200].map(|s| validator.take(&bar(s, good)).is_some()).to_vec();
    assert_eq!(taken, [true, true, false, true, true]);
    assert_eq!((validator.early, validator.rejected.listed()[0].reason.as_str()), (0, "in_future"));
}

#[test]
fn a_close_outside_the_range_is_accepted_within_rounding_only() {
    let up = |x: f64, ulps: u64| f64::from_bits(x.to_bits() + ulps);
    let taken = |values: [f64; 5]| {
        let mut validator = Validator::new(Timeframe::M1, None);
        (validator.take(&bar(60, values)), validator.adjusted)
    };
    for ulps in [1, 2, 5] {
        let (bar, adjusted) = taken([41.2, 41.3, 41.1, up(41.3, ulps), 1.0]);
        let bar = bar.unwrap();
        assert_eq!((bar.close, bar.high, adjusted), (up(41.3, ulps), up(41.3, ulps), 1));
        let (bar, adjusted) = taken([41.1, 41.1, up(41.1, ulps), 41.1, 1.0]);
        assert_eq!(bar.map(|b| (b.low, b.high)), Some((41.1, up(41.1, ulps))));
        assert_eq!(adjusted, 1);
    }
    assert_eq!(taken([41.2, 41.3, 41.1, 41.2, 1.0]).1, 0);
    assert_eq!(taken([41.2, 41.3, 41.1, 41.31, 1.0]), (None, 0));
    assert_eq!(taken([41.2, 41.3, 41.1, 41.300_000_001, 1.0]), (None, 0));
}

#[test]
fn the_wire_name_is_the_name_in_the_list() {
    for reason in Reason::ALL {
        assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
    }
}

proptest! {
    #[test]
    fn accepted_bars_are_consistent(
        rows in proptest::collection::vec((0i64..50, any::<[f64; 5]>(), any::<bool>()), 0..60)
    ) {
        let mut validator = Validator::new(Timeframe::M1, None);
        let mut taken = Vec::new();
        for (second, wild, tame) in &rows {
            let values = if *tame { [2.0, 3.0, 1.0, 2.5, 7.0] } else { *wild };
            taken.extend(validator.take(&bar(*second * 60, values)));
        }
        for b in &taken {
            prop_assert!(b.low > 0.0 && b.low <= b.open && b.open <= b.high && b.volume >= Some(0.0));
            prop_assert!(b.low <= b.close && b.close <= b.high && b.high.is_finite());
        }
        prop_assert_eq!(taken.len() as u64 + validator.rejected.count(), rows.len() as u64);
    }
}
