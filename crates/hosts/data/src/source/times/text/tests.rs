//! Tests of times as text.

use super::*;
use crate::at;
use jiff::civil::date;
use proptest::prelude::*;
use protocol::Time;

fn moment(text: &str) -> Option<Time> {
    match parse(text, DateOrder::DayFirst)? {
        Moment::At(timestamp, _) => Some(Time::from_micros(timestamp.as_microsecond())),
        Moment::Day(_) | Moment::Wall(_) => None,
    }
}

#[test]
fn time_formats_of_real_files_are_read() {
    let time = at("2013-12-31T00:30:00Z");
    for text in [
        "2013-12-31 00:30:00+00:00",
        "2013-12-31T00:30:00+00:00",
        "2013-12-31T00:30:00Z",
        "2013-12-31 00:30:00 UTC",
        "2013-12-31 00:30Z",
        "2013-12-31T00:30:00.000000Z",
        " 2013-12-31 00:30:00+0000 ",
        "2013-12-31 00:30:00+00",
        "2013-12-30 19:30:00-05:00",
        "2013-12-31 06:00:00+05:30",
        "31.12.2013 01:30:00.000 GMT+0100",
        "20131230 19:30:00 US/Eastern",
        "20131231-00:30:00",
        "1388449800",
        "1388449800.0",
        "1388449800000",
        "1388449800000000",
        "1388449800000000000",
    ] {
        assert_eq!(moment(text), Some(time), "{text}");
    }
    assert_eq!(moment("2013-12-31T00:30:00.25Z"), Some(time.plus_micros(250_000)));
}

#[test]
fn dates_and_local_times_are_read_in_the_formats_of_vendors() {
    let day = date(2024, 3, 1);
    for text in [
        "2024-03-01",
        "2024/03/01",
        "2024.03.01",
        "20240301",
        "20240301T",
        "01.03.2024",
        "1/3/2024",
        "01-Mar-2024",
        "1 March 2024",
        "Mar 1, 2024",
        "01-Mar-24",
        "01/03/24",
        "Fri, Mar 1, 2024",
        "Friday 1 March 2024",
        "2024. 3. 1",
        "2024年3月1日",
    ] {
        assert_eq!(parse(text, DateOrder::DayFirst), Some(Moment::Day(day)), "{text}");
    }
    assert_eq!(parse("03/01/2024", DateOrder::MonthFirst), Some(Moment::Day(day)));
    assert_eq!(parse("01.03.2024", DateOrder::MonthFirst), Some(Moment::Day(day)), "dots: the day first");
    let wall = Moment::Wall(day.at(14, 30, 0, 0));
    for text in [
        "2024-03-01 14:30",
        "2024.03.01 14:30:00",
        "20240301 143000",
        "20240301  14:30:00",
        "20240301143000",
        "202403011430",
        "01.03.2024 14:30:00.000",
        "01/03/2024 2:30 PM",
        "01/03/2024, 14:30",
        "01/03/2024 2:30 p.m.",
        "01/03/24 14:30",
    ] {
        assert_eq!(parse(text, DateOrder::DayFirst), Some(wall), "{text}");
    }
}

#[test]
fn invalid_times_are_rejected() {
    for text in [
        "",
        "x",
        "2013-02-30 00:30:00Z",
        "31/13/2013",
        "2013-12-31 25:00:00Z",
        "2013-12-31 00:30:00+0x",
        "2013-12-31 00:30:00 EST",
        "2013-12-31 00:30:00+99:00",
        "2013-12-31 00:30:00Zulu",
        "12345",
        "1.2.3",
        "13:30 PM",
    ] {
        assert_eq!(parse(text, DateOrder::DayFirst), None, "{text}");
    }
}

#[test]
fn a_time_of_day_alone_is_read() {
    for text in ["09:30", "9:30", "09:30:00", "093000", "93000", "0930", "9:30 AM"] {
        assert_eq!(clock(text), Some(jiff::civil::time(9, 30, 0, 0)), "{text}");
    }
    for text in ["", "930", "25:00", "9", "09:30x", "2024-03-01"] {
        assert_eq!(clock(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn times_printed_by_a_calendar_library_are_read(micros in -2_000_000_000_000_000i64..4_000_000_000_000_000) {
        let time = Time::from_micros(micros);
        prop_assert_eq!(moment(&time.to_string()), Some(time));
        prop_assert_eq!(moment(&time.to_string().replace('T', " ").replace('Z', "+00:00")), Some(time));
    }

    #[test]
    fn no_text_panics(text in "[0-9TZ:+./APM -]{0,30}|.{0,20}") {
        let _ = parse(&text, DateOrder::DayFirst);
        let _ = parse(&text, DateOrder::MonthFirst);
        let _ = clock(&text);
    }

    #[test]
    fn it_accepts_the_same_times_as_a_calendar_library(text in "20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-][01][0-9]:[0-5][0-9])") {
        let ours = moment(&text);
        let theirs = Time::parse(&text.replace(' ', "T")).ok();
        prop_assert_eq!(ours, theirs);
    }
}
