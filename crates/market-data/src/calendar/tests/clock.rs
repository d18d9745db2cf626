//! Clock changes, currencies and short data.

use super::*;

fn new_york(day: Time) -> i64 {
    let summer = (at("2024-03-10T00:00:00Z")..at("2024-11-03T00:00:00Z")).contains(&day);
    if summer { -240 } else { -300 }
}

fn london(day: Time) -> i64 {
    let summer = (at("2024-03-31T00:00:00Z")..at("2024-10-27T00:00:00Z")).contains(&day);
    if summer { 60 } else { 0 }
}

fn sydney(day: Time) -> i64 {
    let winter = (at("2024-04-07T00:00:00Z")..at("2024-10-06T00:00:00Z")).contains(&day);
    if winter { 600 } else { 660 }
}

/// Currency hours: Sunday 17:00 to Friday 17:00 in New York.
fn currency(first: &str, days: i64, step: i64) -> Vec<Time> {
    let open = |t: &Time| {
        let local = t.plus_micros(new_york(*t) * MINUTE).micros();
        let minute_of_week = (local / MINUTE + 3 * 1440).rem_euclid(7 * 1440);
        !(4 * 1440 + 17 * 60..6 * 1440 + 17 * 60).contains(&minute_of_week)
    };
    let all = (0..days * 1440 / step).map(|i| at(first).plus_micros(i * step * MINUTE));
    all.filter(open).collect()
}

#[test]
fn a_clock_change_makes_no_gap_with_any_amount_of_data_around_it() {
    for (timeframe, step) in [(Timeframe::H1, 60), (Timeframe::M5, 5)] {
        for (first, days) in [
            ("2024-03-06T00:00:00Z", 7),
            ("2024-03-08T00:00:00Z", 9),
            ("2024-02-05T00:00:00Z", 45),
            ("2024-01-08T00:00:00Z", 71),
            ("2024-10-28T00:00:00Z", 10),
            ("2024-09-02T00:00:00Z", 66),
            ("2024-01-01T00:00:00Z", 366),
        ] {
            let (found, completeness) = findings(sessions(first, days, step, 570..960, new_york), timeframe);
            assert_eq!(
                (found.gaps, completeness),
                (vec![], 1.0),
                "New York, {timeframe}, {days} days from {first}"
            );
        }
        for (first, days) in [
            ("2024-03-27T00:00:00Z", 7),
            ("2024-03-01T00:00:00Z", 40),
            ("2024-10-01T00:00:00Z", 30),
            ("2024-01-01T00:00:00Z", 366),
        ] {
            let (found, completeness) = findings(sessions(first, days, step, 480..990, london), timeframe);
            assert_eq!(
                (found.gaps, completeness),
                (vec![], 1.0),
                "London, {timeframe}, {days} days from {first}"
            );
        }
        let (found, _) = findings(sessions("2024-03-01T00:00:00Z", 50, step, 600..960, sydney), timeframe);
        assert_eq!(found.gaps, [], "Sydney, {timeframe}");
    }
}

#[test]
fn a_session_change_near_an_end_of_the_data_makes_no_gap() {
    for days in [36, 38, 40, 43, 45, 60] {
        let moves = |day: Time| if day >= at("2024-06-03T00:00:00Z") { -240 } else { -180 };
        let times = sessions("2024-04-29T00:00:00Z", days, 60, 600..1020, moves);
        assert_eq!(findings(times, Timeframe::H1).0.gaps, [], "{days} days");
    }
    let moves = |day: Time| if day >= at("2024-06-07T00:00:00Z") { -240 } else { -180 };
    let times = sessions("2024-06-04T00:00:00Z", 8, 60, 600..1020, moves);
    assert_eq!(findings(times, Timeframe::H1).0.gaps, [], "few days");
}

#[test]
fn a_gap_next_to_a_clock_change_is_found() {
    let lost = [at("2024-03-11T15:30:00Z"), at("2024-03-11T16:30:00Z")];
    for (first, days) in [("2024-03-04T00:00:00Z", 14), ("2024-01-08T00:00:00Z", 90)] {
        let times = sessions(first, days, 60, 570..960, new_york);
        let (found, _) = findings(times.into_iter().filter(|t| !lost.contains(t)), Timeframe::H1);
        assert_eq!(found.gaps, [gap("2024-03-11T15:30:00Z", "2024-03-11T16:30:00Z", 2)], "{days} days");
    }
}

#[test]
fn the_weekend_of_a_currency_is_never_a_gap() {
    for (timeframe, step) in [(Timeframe::H1, 60), (Timeframe::M5, 5), (Timeframe::M1, 1)] {
        let all = [2, 5, 7, 8, 9, 10, 12, 15, 20, 21, 29, 36, 60];
        for days in if step == 60 { &all[..] } else { &[8, 15][..] }.iter().copied() {
            for first in [
                "2024-01-01T00:00:00Z",
                "2024-01-03T00:00:00Z",
                "2024-01-07T22:00:00Z",
                "2024-03-04T00:00:00Z",
            ] {
                let (found, completeness) = findings(currency(first, days, step), timeframe);
                assert_eq!(
                    (found.gaps, completeness),
                    (vec![], 1.0),
                    "{timeframe}, {days} days from {first}"
                );
            }
        }
    }
}

#[test]
fn a_gap_in_two_weeks_of_a_currency_is_found() {
    let hole = at("2024-01-10T08:00:00Z")..=at("2024-01-10T13:00:00Z");
    let times = currency("2024-01-03T00:00:00Z", 13, 60);
    let (found, _) = findings(times.into_iter().filter(|t| !hole.contains(t)), Timeframe::H1);
    assert_eq!(found.gaps, [gap("2024-01-10T08:00:00Z", "2024-01-10T13:00:00Z", 6)]);
}

#[test]
fn a_gap_in_two_days_is_found_but_one_day_is_too_short() {
    let hole = at("2024-02-06T11:00:00Z")..at("2024-02-06T13:00:00Z");
    let days = |n| {
        let times = sessions("2024-02-06T00:00:00Z", n, 1, 480..1020, |_| 0);
        findings_of(times.into_iter().filter(|t| !hole.contains(t)), Timeframe::M1)
    };
    let (found, completeness) = days(2);
    assert_eq!(found.gaps, [gap("2024-02-06T11:00:00Z", "2024-02-06T12:59:00Z", 120)]);
    assert_eq!(completeness, Some(960.0 / 1080.0));
    let (found, completeness) = days(1);
    assert!(found.too_little && found.gaps.is_empty() && completeness.is_none());
    // A day and a half around the clock: nothing else covers that hour.
    let hours = (0..36).filter(|h| *h != 20).map(|h| at("2024-02-06T00:00:00Z").plus_micros(h * HOUR));
    assert_eq!(findings_of(hours, Timeframe::H1).1, None);
}

#[test]
fn a_daily_noon_break_is_no_gap_and_a_few_thin_days_are_not_judged() {
    let noon = |t: &Time| !(180..240).contains(&(t.micros() / MINUTE).rem_euclid(1440));
    let tokyo = sessions("2024-02-05T00:00:00Z", 4, 5, 0..360, |_| 0);
    let (found, completeness) = findings(tokyo.into_iter().filter(noon), Timeframe::M5);
    assert_eq!((found.gaps, completeness), (vec![], 1.0));
    let thin = sessions("2024-02-05T00:00:00Z", 2, 1, 480..960, |_| 0);
    let thin = thin.into_iter().filter(|t| (t.micros() / MINUTE * 7919 / 13) % 3 != 0);
    assert!(findings_of(thin, Timeframe::M1).0.too_little);
}
