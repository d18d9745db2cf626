//! How the meter treats counts, phases and totals.

use super::*;
use proptest::prelude::*;

fn at(start: Instant, millis: u64) -> Instant {
    start + Duration::from_millis(millis)
}

#[test]
fn a_steady_count_gives_its_rate_and_remaining_time() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.items("rows", Some(10_000), start);
    for i in 1..=50 {
        meter.done(i * 100, at(start, i * 100));
    }
    let progress = meter.progress(Time::now());
    assert!((progress.rate.unwrap() - 1000.0).abs() < 1.0, "{progress:?}");
    assert!((progress.eta_seconds.unwrap() - 5.0).abs() < 0.1, "{progress:?}");
    assert_eq!(progress.fraction, Some(0.5));
    assert_eq!(progress.unit, "rows");
}

#[test]
fn the_rate_excludes_earlier_attempts() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.items("rows", Some(10_000), start);
    meter.done(6_000, start);
    meter.done(6_200, at(start, 500));
    let progress = meter.progress(Time::now());
    assert_eq!((progress.rate, progress.eta_seconds), (Some(400.0), Some(9.5)));
}

#[test]
fn the_rate_covers_only_the_last_seconds() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.items("rows", Some(1_000), start);
    let mut now = 0;
    // 800 items at 450/s, then 200 at 20/s.
    for done in 1..=1_000 {
        now += if done <= 800 { 2_222 } else { 50_000 };
        meter.done(done, start + Duration::from_micros(now));
        let slow_for = now.saturating_sub(800 * 2_222);
        let progress = meter.progress(Time::now());
        if slow_for >= 3_100_000 {
            let rate = progress.rate.unwrap();
            assert!((rate / 20.0 - 1.0).abs() < 0.02, "{rate} after {slow_for} µs");
            let left = (1_000 - done) as f64 / 20.0;
            assert!((progress.eta_seconds.unwrap() - left).abs() <= 0.02 * left, "{progress:?}");
        } else if (500_000..800 * 2_222).contains(&now) {
            assert!((progress.rate.unwrap() / 450.0 - 1.0).abs() < 0.02, "{progress:?}");
        }
    }
    meter.items("rows", None, start);
    meter.done(5, at(start, 1_000));
    assert_eq!(meter.progress(Time::now()).eta_seconds, None, "nobody knows the total");
}

#[test]
fn items_longer_than_the_window_have_their_own_rate() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.items("epochs", Some(10), start);
    for done in 1..=4 {
        for repeat in 0..5 {
            // The same count is reported again and again.
            meter.done(done - 1, at(start, done * 10_000 - 5_000 + repeat * 900));
        }
        meter.done(done, at(start, done * 10_000));
        assert_eq!(meter.rate(), Some(0.1));
    }
    assert_eq!(meter.progress(Time::now()).eta_seconds, Some(60.0));
}

#[test]
fn a_new_phase_restarts_the_count_and_the_first_keeps_its_count() {
    let start = Instant::now();
    let mut meter = Meter::new(3, start);
    meter.items("rows", Some(10), start);
    meter.phase(1, "Read", start);
    meter.done(10, start);
    let first = meter.progress(Time::now());
    assert_eq!((first.done, first.total), (10, Some(10)));
    meter.phase(2, "Write", start);
    let second = meter.progress(Time::now());
    assert_eq!((second.done, second.total, second.unit.as_str()), (0, None, ""));
    assert_eq!(second.phase, Some(Phase { index: 2, of: Some(3), name: "Write".into() }));
}

#[test]
fn a_growing_total_lowers_the_fraction_and_the_count_continues() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.items("files", Some(10), start);
    meter.done(10, at(start, 1_000));
    assert_eq!(meter.progress(Time::now()).fraction, Some(1.0));
    meter.revise_items("files", Some(40));
    meter.done(27, at(start, 2_700));
    let progress = meter.progress(Time::now());
    assert_eq!((progress.fraction, progress.done, progress.total), (Some(27.0 / 40.0), 27, Some(40)));
    assert!((progress.rate.unwrap() - 10.0).abs() < 0.5, "{progress:?}");
    // Same, for a host that begins a count with the new total and continues where it was.
    meter.items("files", Some(80), at(start, 2_700));
    assert_eq!(meter.progress(Time::now()).fraction, None, "until the count is told");
    meter.done(28, at(start, 2_800));
    assert_eq!(meter.progress(Time::now()).fraction, Some(28.0 / 80.0));
}

#[test]
fn a_restarted_count_makes_the_fraction_unknown() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.items("batches", Some(20), start);
    for i in 1..=20 {
        meter.done(i, at(start, i * 100));
    }
    meter.done(1, at(start, 2_100));
    let progress = meter.progress(Time::now());
    assert_eq!((progress.fraction, progress.eta_seconds), (None, None));
    assert_eq!((progress.done, progress.total), (1, Some(20)), "the count itself is still told");
    meter.done(20, at(start, 4_000));
    assert_eq!(meter.progress(Time::now()).fraction, None, "nobody knows how many counts follow");
}

#[test]
fn a_count_above_the_total_invalidates_the_total() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.items("files", Some(5), start);
    meter.done(6, at(start, 500));
    let progress = meter.progress(Time::now());
    assert_eq!((progress.fraction, progress.eta_seconds), (None, None));
}

#[test]
fn a_declared_phase_counts_by_its_weight() {
    let start = Instant::now();
    let mut meter = Meter::new(3, start);
    let mut seen = Vec::new();
    for index in 1..=3 {
        meter.phase(index, "", start);
        meter.items("steps", Some(10), start);
        for done in [5, 10] {
            meter.done(done, at(start, done * 100));
            seen.push((meter.progress(Time::now()).fraction.unwrap() * 6.0).round());
        }
    }
    assert_eq!(seen, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let mut meter = Meter::new(3, start);
    meter.phase_weights(&[1.0, 8.0, 1.0]);
    meter.phase(1, "prepare", start);
    assert_eq!(meter.progress(Time::now()).fraction, None, "nothing is known yet");
    meter.phase(2, "work", start);
    meter.items("rows", Some(4), start);
    meter.done(2, at(start, 100));
    assert_eq!(meter.progress(Time::now()).fraction, Some(0.5));
    // After a restart of the count within its phase, the phase is the least that is known.
    meter.done(4, at(start, 200));
    meter.done(1, at(start, 300));
    assert_eq!(meter.progress(Time::now()).fraction, Some(0.1));
}

#[test]
fn undeclared_or_repeated_phases_make_the_fraction_unknown() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.phase(1, "load", start);
    meter.items("steps", Some(10), start);
    meter.done(10, at(start, 500));
    assert_eq!(meter.progress(Time::now()).fraction, None);
    let mut meter = Meter::new(2, start);
    for index in [1, 2, 1, 2] {
        meter.phase(index, "", start);
        meter.items("steps", Some(10), start);
        meter.done(5, at(start, 500));
    }
    assert_eq!(meter.progress(Time::now()).fraction, None);
}

#[test]
fn the_rate_is_correct_from_the_first_item() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.items("iterations", Some(60), start);
    meter.done(0, start);
    for i in 1..=8 {
        meter.done(i, at(start, i * 100));
        let rate = meter.rate().unwrap();
        assert!((rate - 10.0).abs() < 0.2, "after {i}: {rate}");
    }
    let mut slow = Meter::new(0, start);
    slow.items("iterations", Some(6), start);
    for i in 1..30 {
        slow.done(0, at(start, i * 100));
        assert_eq!(slow.rate(), None, "0 iterations a second is not known either");
    }
    slow.done(1, at(start, 3_000));
    assert!((slow.rate().unwrap() - 1.0 / 3.0).abs() < 0.01);
}

proptest! {
    #[test]
    fn the_fraction_stays_within_0_and_1_and_never_falls_within_one_count(
        steps in proptest::collection::vec((0u8..6, 0u64..2_000, proptest::num::f64::ANY), 0..80)
    ) {
        let start = Instant::now();
        let mut meter = Meter::new(2, start);
        let mut before: Option<Progress> = None;
        for (i, (what, n, f)) in steps.into_iter().enumerate() {
            let now = at(start, i as u64 * 37);
            match what {
                0 => meter.items("rows", (n > 500).then_some(n), now),
                1 | 2 => meter.done(n, now),
                3 => meter.phase(1 + (n % 3) as u32, "", now),
                4 => meter.fraction(Some(f)),
                _ => meter.revise_items("rows", (n > 500).then_some(n)),
            }
            let progress = meter.progress(Time::now());
            if let Some(fraction) = progress.fraction {
                prop_assert!((0.0..=1.0).contains(&fraction));
                let stood = before.as_ref().filter(|b| progress.continues(b)).and_then(|b| b.fraction);
                prop_assert!(what == 0 || what == 5 || stood.is_none_or(|stood| fraction >= stood));
            }
            for figure in [progress.rate, progress.eta_seconds].into_iter().flatten() {
                prop_assert!(figure.is_finite() && figure >= 0.0);
            }
            before = Some(progress);
        }
    }
}

proptest! {
    #[test]
    fn the_rate_adapts_within_seconds(
        before in 1u64..2_000,
        after in 1u64..2_000,
        reports_per_second in 4u64..200,
    ) {
        let start = Instant::now();
        let mut meter = Meter::new(0, start);
        meter.items("rows", None, start);
        let (mut done, mut now) = (0.0, 0.0);
        let every = 1.0 / reports_per_second as f64;
        for (rate, seconds) in [(before, 10.0), (after, 4.0)] {
            let until = now + seconds;
            while now < until {
                now += every;
                done += rate as f64 * every;
                meter.done(done as u64, start + Duration::from_secs_f64(now));
            }
        }
        let rate = meter.rate().unwrap();
        // A count is whole: over the window, one item more or less.
        prop_assert!((rate - after as f64).abs() <= after as f64 * 0.02 + 0.7, "{rate} for {after}/s");
    }
}

#[test]
fn an_undeclared_phase_is_not_taken_for_the_last() {
    let start = Instant::now();
    let mut meter = Meter::new(0, start);
    meter.phase(1, "Counting objects", start);
    let counting = meter.progress(Time::now()).phase.unwrap();
    assert_eq!((counting.index, counting.of, counting.is_last()), (1, None, false));
    let mut meter = Meter::new(2, start);
    meter.phase(2, "test", start);
    assert!(meter.progress(Time::now()).phase.unwrap().is_last());
    meter.phase(3, "report", start);
    assert_eq!(meter.progress(Time::now()).phase.unwrap().of, None);
}
