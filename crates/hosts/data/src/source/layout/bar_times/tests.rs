//! Files whose times are the ends of their bars, and what only looks like them.

use super::super::About;
use super::super::tests::{Read, about, read_as};
use super::*;

fn read(text: &str, timeframe: Timeframe, zone: Option<&str>, chosen: Option<BarTime>) -> Read {
    let about = about(timeframe, None, zone);
    let options = crate::options::TextOptions { bar_time: chosen, ..about.options };
    read_as(text, About { options, ..about }).unwrap()
}

fn times(read: &Read) -> Vec<String> {
    read.bars().iter().map(|bar| bar.split(' ').next().unwrap().to_owned()).collect()
}

const TRADESTATION: &str = "\"Date\",\"Time\",\"Open\",\"High\",\"Low\",\"Close\",\"Up\",\"Down\"\n03/14/2024,15:30,100,103,99.5,101.5,2000,500\n03/14/2024,16:00,100,103,99.5,101.5,2000,500\n";
const BITMEX: &str = "timestamp,symbol,open,high,low,close,trades,volume,vwap,lastSize,turnover,homeNotional,foreignNotional\n2024-03-14T15:00:00.000Z,MSFT,100,103,99.5,101.5,7,2500,101,1,9,9,9\n";

#[test]
fn bar_ends_of_tradestation_and_bitmex_become_starts() {
    let tradestation = read(TRADESTATION, Timeframe::M30, Some("America/New_York"), None);
    assert_eq!(times(&tradestation), ["2024-03-14T19:00:00Z", "2024-03-14T19:30:00Z"]);
    assert_eq!(tradestation.layout.bar_times.described(), "the end of each bar (TradeStation)");
    let bitmex = read(BITMEX, Timeframe::H1, None, None);
    assert_eq!(times(&bitmex), ["2024-03-14T14:00:00Z"]);
    assert_eq!(bitmex.layout.bar_times.described(), "the end of each bar (BitMEX)");
    assert!(bitmex.layout.warnings.is_empty(), "{:?}", bitmex.layout.warnings);
    let midnight = BITMEX.replace("T15:00", "T00:00");
    assert_eq!(times(&read(&midnight, Timeframe::D1, None, None)), ["2024-03-13T00:00:00Z"]);
}

#[test]
fn a_column_named_as_the_end_is_the_end() {
    let text = "close_time,open,high,low,close\n1709564399999,1,2,1,1\n";
    let read_end = read(&text.replace("399999", "400000"), Timeframe::H1, None, None);
    assert_eq!(times(&read_end), ["2024-03-04T14:00:00Z"]);
    assert_eq!(read_end.layout.bar_times.described(), "the end of each bar (column 'close_time')");
    let both = "open_time,open,high,low,close,close_time\n1709560800000,1,2,1,1,1709564399999\n";
    let read_start = read(both, Timeframe::H1, None, None);
    assert_eq!(times(&read_start), ["2024-03-04T14:00:00Z"]);
    assert_eq!(read_start.layout.bar_times.described(), "the start of each bar (assumed)");
}

#[test]
fn a_chosen_option_overrides_detection() {
    let start = read(BITMEX, Timeframe::H1, None, Some(BarTime::Start));
    assert_eq!(times(&start), ["2024-03-14T15:00:00Z"]);
    assert_eq!(start.layout.bar_times.described(), "the start of each bar (selected)");
    let plain = "time,open,high,low,close\n2024-03-14T15:00:00Z,1,2,1,1\n";
    assert_eq!(times(&read(plain, Timeframe::H1, None, Some(BarTime::End))), ["2024-03-14T14:00:00Z"]);
}

#[test]
fn the_short_last_bar_of_a_session_starts_at_the_end_of_the_previous_one() {
    let text = "time,open,high,low,close\n2024-03-14 14:30,1,2,1,1\n2024-03-14 15:30,1,2,1,1\n2024-03-14 16:00,1,2,1,1\n";
    let read = read(text, Timeframe::H1, Some("UTC"), Some(BarTime::End));
    assert_eq!(times(&read), ["2024-03-14T13:30:00Z", "2024-03-14T14:30:00Z", "2024-03-14T15:30:00Z"]);
}

#[test]
fn a_daily_bar_that_ends_at_midnight_belongs_to_the_day_before() {
    let day = |text: &str, zone: Option<&str>| {
        let text = format!("time,open,high,low,close\n{text},1,2,1,1\n");
        times(&read(&text, Timeframe::D1, zone, Some(BarTime::End))).remove(0)[..10].to_owned()
    };
    assert_eq!(day("2024-03-14", None), "2024-03-14", "a date is a day");
    assert_eq!(day("2024-03-14 16:00", None), "2024-03-14");
    assert_eq!(day("2024-03-15 00:00", None), "2024-03-14");
    assert_eq!(day("2024-03-15 00:00:00+01:00", None), "2024-03-14");
    assert_eq!(day("2024-03-15T00:00:00Z", None), "2024-03-14");
    assert_eq!(day("2024-03-14T23:59:59.999Z", None), "2024-03-14");
    assert_eq!(day("2024-03-14T21:00:00Z", None), "2024-03-14", "17:00 in New York");
    assert_eq!(day("2024-03-14T20:00:00Z", Some("America/New_York")), "2024-03-14");
    assert_eq!(day("2024-03-15T04:00:00Z", Some("America/New_York")), "2024-03-14");
}

#[test]
fn uncertain_bar_ends_are_stored_unchanged_with_a_warning() {
    let multicharts = "\"Date\",\"Time\",\"Open\",\"High\",\"Low\",\"Close\",\"Vol\",\"OI\"\n03/14/2024,15:30,1,2,1,1,5,0\n";
    let ninja = "20240314 143000;1;2;1;1;5\n";
    let row = |hour: &str| format!("2024-03-14 {hour}:00,1,2,1,1,5\n");
    let header = "time,open,high,low,close,volume\n";
    let session = format!("{header}{}{}{}", row("10:00"), row("12:00"), row("16:00"));
    for text in [multicharts, ninja, session.as_str()] {
        let read = read(text, Timeframe::M30, Some("UTC"), None);
        assert_eq!(read.layout.bar_times.bar_time, BarTime::Start);
        let warnings = &read.layout.warnings;
        assert!(warnings.iter().any(|warning| warning.contains("set bar_time to end")), "{warnings:?}");
    }
    let starts = format!("{header}{}{}{}", row("09:30"), row("12:00"), row("15:30"));
    let after_hours = format!("{header}{}{}{}", row("10:00"), row("16:00"), row("17:00"));
    for text in [starts, after_hours] {
        let warnings = read(&text, Timeframe::M30, Some("UTC"), None).layout.warnings;
        assert!(warnings.is_empty(), "{warnings:?}");
    }
    assert!(read(multicharts, Timeframe::D1, None, None).layout.warnings.is_empty(), "a date is a day");
}
