//! Gap detection on data with known gaps.

use super::*;
use crate::at;
use proptest::prelude::*;

const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Hourly bars on weekdays from a Monday on, from `open` to `close` UTC, for `weeks` weeks.
fn weekdays(weeks: i64, open: i64, close: i64) -> Vec<Time> {
    let monday = at("2024-01-08T00:00:00Z");
    let mut times = Vec::new();
    for day in (0..weeks * 7).filter(|d| d % 7 < 5) {
        for hour in open..close {
            times.push(monday.plus_micros(day * DAY + hour * HOUR));
        }
    }
    times
}

fn told(times: impl IntoIterator<Item = Time>, timeframe: Timeframe) -> (Findings, Option<f64>) {
    let mut calendar = Calendar::default();
    times.into_iter().for_each(|t| calendar.note(t));
    let found = calendar.findings(timeframe, || Ok::<(), ()>(())).unwrap();
    let completeness = calendar.completeness(&found);
    (found, completeness)
}

fn findings(times: impl IntoIterator<Item = Time>, timeframe: Timeframe) -> (Findings, f64) {
    let (found, completeness) = told(times, timeframe);
    (found, completeness.expect("there is enough data to tell"))
}

fn gap(from: &str, to: &str, bars: u64) -> Gap {
    Gap { from: at(from), to: at(to), bars }
}

#[test]
fn complete_data_has_no_gap_over_nights_and_weekends() {
    let (found, completeness) = findings(weekdays(20, 14, 21), Timeframe::H1);
    assert_eq!(found, Findings::default());
    assert_eq!(completeness, 1.0);
}

#[test]
fn missing_hours_of_a_session_are_one_gap() {
    let hole = at("2024-02-14T16:00:00Z")..=at("2024-02-14T18:30:00Z");
    let (found, completeness) =
        findings(weekdays(20, 14, 21).into_iter().filter(|t| !hole.contains(t)), Timeframe::H1);
    assert_eq!(found.gaps, [gap("2024-02-14T16:00:00Z", "2024-02-14T18:00:00Z", 3)]);
    assert_eq!(found.missing, 3);
    assert_eq!(completeness, 697.0 / 700.0);
}

#[test]
fn one_or_two_missing_days_are_a_holiday_and_three_a_gap() {
    let without = |from: &str, to: &str| {
        let hole = at(from)..=at(to);
        findings(weekdays(20, 14, 21).into_iter().filter(move |t| !hole.contains(t)), Timeframe::H1).0
    };
    let found = without("2024-02-14T00:00:00Z", "2024-02-14T23:00:00Z");
    assert_eq!((found.gaps.len(), found.closed.as_slice()), (0, [at("2024-02-14T14:00:00Z")].as_slice()));
    // Friday and Monday of Easter.
    let found = without("2024-03-29T00:00:00Z", "2024-04-01T23:00:00Z");
    assert_eq!((found.gaps.len(), found.closed.len()), (0, 2));
    let found = without("2024-02-13T00:00:00Z", "2024-02-15T23:00:00Z");
    assert_eq!(found.gaps, [gap("2024-02-13T14:00:00Z", "2024-02-15T20:00:00Z", 21)]);
    assert!(found.closed.is_empty());
}

#[test]
fn a_missing_day_that_begins_in_the_previous_session_is_a_gap() {
    let hole = at("2024-02-13T19:00:00Z")..at("2024-02-15T00:00:00Z");
    let (found, _) = findings(weekdays(20, 14, 21).into_iter().filter(|t| !hole.contains(t)), Timeframe::H1);
    assert_eq!(found.gaps, [gap("2024-02-13T19:00:00Z", "2024-02-14T20:00:00Z", 2 + 7)]);
    let hole = at("2024-02-14T00:00:00Z")..at("2024-02-15T16:00:00Z");
    let (found, _) = findings(weekdays(20, 14, 21).into_iter().filter(|t| !hole.contains(t)), Timeframe::H1);
    assert_eq!(found.gaps, [gap("2024-02-14T14:00:00Z", "2024-02-15T15:00:00Z", 7 + 2)]);
}

#[test]
fn an_annual_early_close_before_a_holiday_keeps_the_holiday() {
    let quiet = |t: &Time| {
        let holes = [
            ("2024-12-24T18:00:00Z", "2024-12-26T00:00:00Z"),
            ("2025-12-24T18:00:00Z", "2025-12-26T00:00:00Z"),
        ];
        holes.iter().any(|(from, to)| (at(from)..at(to)).contains(t))
    };
    let (found, _) = findings(weekdays(120, 14, 21).into_iter().filter(|t| !quiet(t)), Timeframe::H1);
    assert_eq!(found.closed, [at("2024-12-25T14:00:00Z"), at("2025-12-25T14:00:00Z")]);
    assert_eq!(found.gaps.iter().map(|g| g.bars).collect::<Vec<_>>(), [3, 3], "the early closes themselves");
}

#[test]
fn a_missing_quarter_is_found_and_counted() {
    let hole = at("2024-03-04T00:00:00Z")..at("2024-06-03T00:00:00Z");
    let (found, _) = findings(weekdays(40, 14, 21).into_iter().filter(|t| !hole.contains(t)), Timeframe::H1);
    assert_eq!(found.gaps, [gap("2024-03-04T14:00:00Z", "2024-05-31T20:00:00Z", 13 * 35)]);
}

#[test]
fn a_gap_that_begins_in_a_session_and_spans_days_is_one_gap() {
    let hole = at("2024-02-12T18:00:00Z")..at("2024-02-16T16:00:00Z");
    let (found, _) = findings(weekdays(20, 14, 21).into_iter().filter(|t| !hole.contains(t)), Timeframe::H1);
    assert_eq!(found.gaps, [gap("2024-02-12T18:00:00Z", "2024-02-16T15:00:00Z", 3 + 21 + 2)]);
}

#[test]
fn a_session_that_follows_daylight_saving_has_no_gap() {
    let moved = weekdays(30, 14, 21).into_iter().map(|t| {
        let summer = t >= at("2024-03-10T00:00:00Z");
        t.plus_micros(if summer { -HOUR } else { 0 })
    });
    let (found, _) = findings(moved.clone(), Timeframe::H1);
    assert_eq!(found, Findings::default());
    // A gap in the third week after the change is still found.
    let hole = at("2024-03-28T13:00:00Z")..=at("2024-03-28T14:00:00Z");
    let (found, _) = findings(moved.filter(|t| !hole.contains(t)), Timeframe::H1);
    assert_eq!(found.gaps, [gap("2024-03-28T13:00:00Z", "2024-03-28T14:00:00Z", 2)]);
}

#[test]
fn permanently_added_hours_make_no_gap_before_them() {
    let times = weekdays(15, 14, 21)
        .into_iter()
        .chain(weekdays(30, 8, 24).into_iter().filter(|t| *t >= at("2024-04-22T00:00:00Z")));
    assert_eq!(findings(times, Timeframe::H1).0, Findings::default());
}

#[test]
fn an_overnight_session_stays_whole_and_its_holiday_is_one() {
    // 21:00 to 04:00 of the next day: Monday has fewer bars than Tuesday, and Saturday fewer still.
    let night = |weeks| weekdays(weeks, 21, 28);
    assert_eq!(findings(night(20), Timeframe::H1).0, Findings::default());
    assert_eq!(findings(night(2), Timeframe::H1).0, Findings::default());
    let holiday = at("2024-02-14T12:00:00Z")..at("2024-02-15T12:00:00Z");
    let (found, _) = findings(night(20).into_iter().filter(|t| !holiday.contains(t)), Timeframe::H1);
    assert_eq!((found.gaps.len(), found.closed.as_slice()), (0, [at("2024-02-14T21:00:00Z")].as_slice()));
}

#[test]
fn with_too_few_weeks_days_are_compared() {
    let hole = [at("2024-01-10T16:00:00Z"), at("2024-01-10T17:00:00Z"), at("2024-01-12T14:00:00Z")];
    let (found, _) = findings(weekdays(1, 14, 21).into_iter().filter(|t| !hole.contains(t)), Timeframe::H1);
    let expected = [
        gap("2024-01-10T16:00:00Z", "2024-01-10T17:00:00Z", 2),
        gap("2024-01-12T14:00:00Z", "2024-01-12T14:00:00Z", 1),
    ];
    assert_eq!(found.gaps, expected);
}

#[test]
fn continuous_trading_has_no_holidays() {
    let monday = at("2024-01-08T00:00:00Z");
    let days = (0..200).filter(|d| *d != 100).map(|d| monday.plus_micros(d * DAY));
    let (found, _) = findings(days, Timeframe::D1);
    assert_eq!(found.gaps, [gap("2024-04-17T00:00:00Z", "2024-04-17T00:00:00Z", 1)]);
}

#[test]
fn three_missing_daily_bars_in_a_row_are_a_gap_but_one_is_not() {
    let monday = at("2024-01-08T00:00:00Z");
    let days = |lost: std::ops::Range<i64>| {
        (0..200).filter(move |d| d % 7 < 5 && !lost.contains(d)).map(move |d| monday.plus_micros(d * DAY))
    };
    let (found, _) = findings(days(100..101), Timeframe::D1);
    assert_eq!((found.gaps.len(), found.closed.len()), (0, 1));
    let (found, _) = findings(days(99..103), Timeframe::D1);
    assert_eq!(found.gaps, [gap("2024-04-16T00:00:00Z", "2024-04-19T00:00:00Z", 4)]);
}

#[test]
fn skipped_minutes_of_a_thinly_traded_symbol_are_no_gaps() {
    // Each slot is present only in every second week.
    let monday = at("2024-01-08T00:00:00Z");
    let times =
        (0..30i64).flat_map(|week| (0..300i64).filter(move |m| (m + week) % 2 == 0).map(move |m| (week, m)));
    let times = times.map(|(week, m)| monday.plus_micros(week * 7 * DAY + 14 * HOUR + m * MINUTE));
    let (found, completeness) = told(times, Timeframe::M1);
    assert_eq!((found.gaps.len(), found.too_little, completeness), (0, true, None));
}

/// Of the times, this share, chosen by a fixed hash.
fn thinned(times: Vec<Time>, percent: u64) -> impl Iterator<Item = Time> {
    let random = |t: &Time| {
        let mut x = (t.micros() / MINUTE) as u64;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % 100
    };
    times.into_iter().filter(move |t| random(t) < percent)
}

#[test]
fn a_symbol_that_trades_at_random_minutes_has_no_gaps() {
    for (timeframe, step) in [(Timeframe::M1, 1), (Timeframe::M5, 5), (Timeframe::M30, 30)] {
        for percent in [20, 35, 50, 65, 84] {
            let times = sessions("2024-01-08T00:00:00Z", 70, step, 840..1260, |_| 0);
            let (found, completeness) = told(thinned(times, percent), timeframe);
            assert!(found.too_little && found.gaps.is_empty(), "{timeframe}, {percent} %");
            assert_eq!(completeness, None, "{timeframe}, {percent} %");
        }
    }
}

#[test]
fn random_minutes_around_a_session_are_no_gaps_but_a_hole_in_it_is() {
    let lost = at("2024-02-14T15:00:00Z")..at("2024-02-14T16:00:00Z");
    let early = sessions("2024-01-08T00:00:00Z", 70, 5, 540..870, |_| 0);
    let late = sessions("2024-01-08T00:00:00Z", 70, 5, 1260..1440, |_| 0);
    let regular = sessions("2024-01-08T00:00:00Z", 70, 5, 870..1260, |_| 0);
    let times: Vec<Time> = regular
        .into_iter()
        .filter(|t| !lost.contains(t))
        .chain(thinned(early, 30))
        .chain(thinned(late, 30))
        .collect();
    let (found, completeness) = findings(times, Timeframe::M5);
    assert_eq!(found.gaps, [gap("2024-02-14T15:00:00Z", "2024-02-14T15:55:00Z", 12)]);
    assert!(completeness > 0.99, "{completeness}");
}

#[test]
fn very_few_bars_are_complete() {
    assert_eq!(findings([], Timeframe::H1).1, 1.0);
    assert_eq!(findings([at("2024-01-08T00:00:00Z")], Timeframe::M1), (Findings::default(), 1.0));
}

/// Bars of local sessions on weekdays, for a number of calendar days from the first day on. `offset` returns the
/// minutes ahead of UTC on a day.
fn sessions(
    first: &str,
    days: i64,
    step: i64,
    minutes: std::ops::Range<i64>,
    offset: impl Fn(Time) -> i64,
) -> Vec<Time> {
    let first = at(first);
    let mut times = Vec::new();
    for day in (0..days).map(|d| first.plus_micros(d * DAY)) {
        let weekday = (day.micros() / DAY + 3).rem_euclid(7);
        if weekday < 5 {
            times.extend(
                minutes.clone().step_by(step as usize).map(|m| day.plus_micros((m - offset(day)) * MINUTE)),
            );
        }
    }
    times
}

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
        told(times.into_iter().filter(|t| !hole.contains(t)), Timeframe::M1)
    };
    let (found, completeness) = days(2);
    assert_eq!(found.gaps, [gap("2024-02-06T11:00:00Z", "2024-02-06T12:59:00Z", 120)]);
    assert_eq!(completeness, Some(960.0 / 1080.0));
    let (found, completeness) = days(1);
    assert!(found.too_little && found.gaps.is_empty() && completeness.is_none());
    // A day and a half around the clock: nothing else covers that hour.
    let hours = (0..36).filter(|h| *h != 20).map(|h| at("2024-02-06T00:00:00Z").plus_micros(h * HOUR));
    assert_eq!(told(hours, Timeframe::H1).1, None);
}

#[test]
fn a_daily_noon_break_is_no_gap_and_a_few_thin_days_are_not_judged() {
    let noon = |t: &Time| !(180..240).contains(&(t.micros() / MINUTE).rem_euclid(1440));
    let tokyo = sessions("2024-02-05T00:00:00Z", 4, 5, 0..360, |_| 0);
    let (found, completeness) = findings(tokyo.into_iter().filter(noon), Timeframe::M5);
    assert_eq!((found.gaps, completeness), (vec![], 1.0));
    let thin = sessions("2024-02-05T00:00:00Z", 2, 1, 480..960, |_| 0);
    let thin = thin.into_iter().filter(|t| (t.micros() / MINUTE * 7919 / 13) % 3 != 0);
    assert!(told(thin, Timeframe::M1).0.too_little);
}

#[test]
fn a_bar_of_the_year_one_neither_slows_the_search_nor_hides_a_gap() {
    let hole = at("2024-02-14T16:00:00Z")..=at("2024-02-14T18:30:00Z");
    for (weeks, checks_at_most) in [(2, 400), (20, 200)] {
        let mut calendar = Calendar::default();
        calendar.note(at("0001-01-01T00:00:00Z"));
        weekdays(weeks, 14, 21).into_iter().filter(|t| !hole.contains(t)).for_each(|t| calendar.note(t));
        let mut checks = 0;
        let found = calendar.findings(Timeframe::H1, || {
            checks += 1;
            Ok::<(), ()>(())
        });
        let gaps = found.unwrap().gaps;
        assert_eq!(gaps.len(), usize::from(weeks == 20), "{gaps:?}");
        assert!(checks < checks_at_most, "{checks} weeks or days were looked at");
        let stopped = calendar.findings(Timeframe::H1, || Err("stop"));
        assert_eq!(stopped, Err("stop"), "it can be cancelled at once");
    }
}

#[test]
fn a_gap_of_centuries_is_counted_in_few_steps() {
    let day = |text: &str| sessions(text, 56, 60, 840..1260, |_| 0);
    let times = day("1700-01-04T00:00:00Z").into_iter().chain(day("2024-01-08T00:00:00Z"));
    let (found, _) = findings(times, Timeframe::H1);
    assert_eq!(found.gaps.len(), 1);
    // From Monday, 1700-03-01 to Friday, 2024-01-05: 16,898 weeks of 35 bars.
    assert_eq!((found.gaps[0].from, found.gaps[0].bars), (at("1700-03-01T14:00:00Z"), 16_898 * 35));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// In a long run of whole weeks, any gap within one session is found exactly.
    #[test]
    fn a_gap_inside_a_session_is_found_exactly(
        week in 1i64..24, weekday in 0i64..5, from in 14i64..20, length in 1i64..6
    ) {
        let to = (from + length).min(21);
        prop_assume!(!(from == 14 && to == 21));
        let day = at("2024-01-08T00:00:00Z").plus_micros((week * 7 + weekday) * DAY);
        let lost: Vec<Time> = (from..to).map(|h| day.plus_micros(h * HOUR)).collect();
        let (found, _) = findings(weekdays(25, 14, 21).into_iter().filter(|t| !lost.contains(t)), Timeframe::H1);
        prop_assert_eq!(found.gaps, vec![Gap { from: lost[0], to: lost[lost.len() - 1], bars: lost.len() as u64 }]);
    }

    #[test]
    fn gaps_contain_no_bar_and_never_overlap(minutes in proptest::collection::btree_set(0i64..120_000, 0..400)) {
        let start = at("2024-01-08T00:00:00Z");
        let times: Vec<Time> = minutes.iter().map(|m| start.plus_micros(m * MINUTE)).collect();
        let (found, completeness) = told(times.clone(), Timeframe::M1);
        let completeness = completeness.unwrap_or(1.0);
        prop_assert!(found.gaps.windows(2).all(|w| w[0].to < w[1].from));
        prop_assert!(found.gaps.iter().all(|g| g.from <= g.to && g.bars > 0));
        prop_assert!(times.iter().all(|t| found.gaps.iter().all(|g| *t < g.from || *t > g.to)));
        prop_assert!((0.0..=1.0).contains(&completeness));
    }
}
