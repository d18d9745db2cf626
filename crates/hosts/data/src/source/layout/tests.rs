//! CSV variants of spreadsheets and hand-edited files.

use super::super::csv_text::CsvText;
use super::*;
use crate::at;
use crate::validate::Row;
use protocol::Failure;

pub(super) struct Read {
    pub(super) rows: Vec<Row>,
    pub(super) layout: Layout,
}

impl Read {
    /// Time, open, high, low, close, volume of each bar.
    pub(super) fn bars(&self) -> Vec<String> {
        let bars = self.rows.iter().map(|row| match &row.bar {
            Ok(b) => {
                let volume = b.volume.map_or_else(|| "?".to_owned(), |volume| volume.to_string());
                format!(
                    "{} {} {} {} {} {volume}",
                    market_data::wording::moment(b.time),
                    b.open,
                    b.high,
                    b.low,
                    b.close
                )
            }
            Err(reject) => format!("line {}: {}", row.line, reject.reason.as_str()),
        });
        bars.collect()
    }
}

pub(super) fn about(timeframe: Timeframe, format: Option<Format>, zone: Option<&str>) -> About {
    let time_zone = zone.map(|zone| Zone::parse(zone).unwrap());
    About {
        options: TextOptions { format, time_zone, ..TextOptions::default() },
        ..About::of_test("x.csv", timeframe)
    }
}

pub(super) fn read_as(text: &str, about: About) -> Result<Read, Failure> {
    let mut csv = CsvText::new(about);
    let mut rows = Vec::new();
    csv.push(text.as_bytes(), &mut rows)?;
    csv.finish(&mut rows)?;
    Ok(Read { rows, layout: csv.layout().unwrap().clone() })
}

fn hourly(text: &str) -> Read {
    read_as(text, about(Timeframe::H1, None, None)).unwrap()
}

fn refused(text: &str) -> String {
    match read_as(text, about(Timeframe::H1, None, None)) {
        Ok(read) => panic!("{:?}", read.bars()),
        Err(failure) => failure.message,
    }
}

const BARS: [&str; 2] = ["2024-03-04T09:00:00Z 10.5 11 9 10 1200", "2024-03-04T10:00:00Z 10 12.25 9.5 12 7"];
const PLAIN: &str = "time,open,high,low,close,volume\n2024-03-04T09:00:00Z,10.5,11,9,10,1200\n2024-03-04T10:00:00Z,10,12.25,9.5,12,7\n";

#[test]
fn a_header_that_begins_with_a_hash_is_no_comment() {
    assert_eq!(hourly(&format!("#{PLAIN}")).bars(), BARS);
    assert_eq!(hourly(&format!("# bars, of today\n{PLAIN}")).bars(), BARS);
    assert_eq!(hourly(&format!("# one, two, three, four, five, six\n{PLAIN}")).bars(), BARS);
}

#[test]
fn an_unnamed_average_price_is_not_taken_for_the_volume() {
    // Kraken's API: time, open, high, low, close, vwap, volume, count.
    let row = |hour: i64, rest: &str| format!("{},100.5,102,100,101,{rest}\n", 1_709_510_400 + hour * 3_600);
    let kraken: String = (0..6).map(|hour| row(hour, "100.93,38.25,412")).collect();
    let read = hourly(&kraken);
    assert!(read.bars().iter().all(|bar| bar.ends_with(" 100.5 102 100 101 38.25")), "{:?}", read.bars());
    let without_volume: String = (0..6).map(|hour| row(hour, "100.93")).collect();
    assert!(hourly(&without_volume).bars().iter().all(|bar| bar.ends_with(" 101 ?")));
    // In a few rows it may be a volume all the same, and so may one that leaves the range.
    let short: String = (0..2).map(|hour| row(hour, "101")).collect();
    assert!(hourly(&short).bars().iter().all(|bar| bar.ends_with(" 101 101")));
    let volumes: String = (0..6).map(|hour| row(hour, if hour == 3 { "99" } else { "101" })).collect();
    assert!(hourly(&volumes).bars()[3].ends_with(" 101 99"));
}

#[test]
fn separators_and_decimal_commas_are_detected() {
    assert_eq!(hourly(PLAIN).bars(), BARS);
    for delimiter in [";", "\t", "|"] {
        assert_eq!(hourly(&PLAIN.replace(',', delimiter)).bars(), BARS);
    }
    let european = PLAIN.replace(',', ";").replace('.', ",");
    let read = hourly(&european);
    assert_eq!(read.bars(), BARS);
    assert!(read.layout.notes.iter().any(|note| note.contains("Decimal comma")));
    let grouped = european.replace("1200", "1.200");
    assert_eq!(hourly(&grouped).bars(), BARS);
    let quoted = "time,open,high,low,close,volume\n2024-03-04T09:00:00Z,\"10,5\",11,9,10,1200\n2024-03-04T10:00:00Z,10,\"12,25\",\"9,5\",12,7\n";
    assert_eq!(hourly(quoted).bars(), BARS);
    let without_names: String = european.lines().skip(1).map(|line| format!("{line}\n")).collect();
    assert_eq!(hourly(&without_names).bars(), BARS);
}

#[test]
fn a_sep_line_sets_the_separator_and_counts_as_a_line() {
    let text = format!("sep=;\n{}x;1;2;1;1;1\n", PLAIN.replace(',', ";"));
    let read = hourly(&text);
    assert_eq!(read.bars()[..2], BARS);
    assert_eq!(read.bars()[2], "line 5: bad_time");
    assert_eq!(hourly(&format!("\"sep=,\"\r\n{}", PLAIN.replace('\n', "\r\n"))).bars(), BARS);
}

#[test]
fn blank_rows_and_trailing_separators_are_ignored() {
    let text = format!("{PLAIN},,,,,\n\n , ,,,,\n");
    assert_eq!(hourly(&text).bars(), BARS);
    let trailing = PLAIN.replace("1200\n", "1200,\n").replace(",7\n", ",7,\n");
    assert_eq!(hourly(&trailing).bars(), BARS);
    let wider = PLAIN.replace("1200\n", "1200,x\n");
    assert_eq!(hourly(&wider).bars()[0], "line 2: wrong_columns");
}

#[test]
fn lines_before_the_header_are_skipped_and_reported() {
    let text = format!("https://example.org/data\n# bars\n\n{PLAIN}x,1,2,1,1,1\n");
    let read = hourly(&text);
    assert_eq!(read.bars()[..2], BARS);
    assert_eq!(read.bars()[2], "line 7: bad_time");
    assert!(read.layout.notes[0].contains("in line 4"), "{:?}", read.layout.notes);
}

#[test]
fn columns_are_found_by_name_in_any_order() {
    let columns = |header: &str| {
        let read = hourly(&format!("{header}\n"));
        let at = match read.layout.columns.time {
            TimeColumns::One(at) => at,
            TimeColumns::Two(..) => panic!("{header}"),
        };
        (at, read.layout.columns.prices, read.layout.columns.volume)
    };
    assert_eq!(columns(",open,high,low,close,volume"), (0, [1, 2, 3, 4], Some(5)));
    assert_eq!(columns("Volume,Close,Adj Close,Low,High,Open,Date"), (6, [5, 4, 3, 1], Some(0)));
    assert_eq!(columns(",timestamp,open,high,low,close,volume").0, 1, "a blank index beside it");
    assert_eq!(columns("Unnamed: 0,open,high,low,close,volume").0, 0);
    assert_eq!(columns("index,Datetime,open,high,low,close,volume").0, 1);
    assert_eq!(columns("t,o,h,l,c,v"), (0, [1, 2, 3, 4], Some(5)));
    assert_eq!(columns("Date,Price,Open,High,Low,Vol.,Change %"), (0, [2, 3, 4, 1], Some(5)));
    assert_eq!(columns("time,open,high,low,close").2, None);
    assert_eq!(columns("unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT").2, Some(7));
}

#[test]
fn missing_and_ambiguous_columns_are_named() {
    assert!(refused("timestamp,open,high,close\n").contains("has no column for low"));
    assert!(refused("open,high,low,close,volume\n").contains("has no column for a time"));
    assert!(refused("a,b\n1,2\n").contains("has no column for a time"));
    assert!(refused("time,open,high,low,close,close,volume\n").contains("two columns named 'close'"));
    let two = "date,timestamp,open,high,low,close,volume\n2024-03-04 09:00,2024-03-04 10:00,1,2,1,1,1\n";
    assert!(refused(two).contains("'date' and 'timestamp'"));
    let dates = "date,open,high,low,close\n03/04/2024,1,2,1,1\n04/04/2024,1,2,1,1\n";
    assert!(refused(dates).contains("day 3 of month 4 or day 4 of month 3"));
    let numbers = "time;open;high;low;close\n2024-03-04T09:00:00Z;148,123;149,200;147,100;148,900\n";
    assert!(refused(numbers).contains("148.123 or 148123"));
    let several =
        "time,ticker,open,high,low,close\n2024-03-04T09:00:00Z,A,1,2,1,1\n2024-03-04T09:00:00Z,B,1,2,1,1\n";
    assert!(refused(several).contains("several symbols: A, B"));
    // Close before high: the columns are ambiguous without names.
    let unknown = "2024-03-04T09:00:00Z,10,9.5,11,9,5\n2024-03-04T10:00:00Z,10,9.5,11,9,5\n";
    assert!(refused(unknown).contains("in line 1, the second price is not the highest"));
}

#[test]
fn web_pages_and_json_are_named_but_bracketed_headers_are_read() {
    assert!(refused("<!DOCTYPE html><html>\n").contains("web page"));
    assert!(refused("<html>log in</html>\n").contains("web page"));
    assert!(refused("{\"Note\": \"5 calls a minute\"}\n").contains("JSON: '{\"Note\""));
    assert!(refused("[[1,2,3,4,5,6]]\n").contains("JSON"));
    let brackets = "[time],[open],[high],[low],[close],[volume]\n2024-03-04T09:00:00Z,10.5,11,9,10,1200\n";
    assert_eq!(hourly(brackets).bars(), BARS[..1]);
}

#[test]
fn days_after_the_twelfth_decide_the_date_order() {
    let text =
        |days: [&str; 2]| format!("Date,Open,High,Low,Close\n{},1,2,1,1\n{},1,2,1,1\n", days[0], days[1]);
    let read = |days| read_as(&text(days), about(Timeframe::D1, None, None)).unwrap();
    assert_eq!(read(["03/04/2024", "03/15/2024"]).rows[0].time, Some(at("2024-03-04T00:00:00Z")));
    assert_eq!(read(["03/04/2024", "15/04/2024"]).rows[0].time, Some(at("2024-04-03T00:00:00Z")));
    assert_eq!(read(["03.04.2024", "04.04.2024"]).rows[0].time, Some(at("2024-04-03T00:00:00Z")));
    assert_eq!(read(["2024-04-03", "2024-04-04"]).rows[0].time, Some(at("2024-04-03T00:00:00Z")));
    assert_eq!(read(["03/04/24", "03/15/24"]).rows[0].time, Some(at("2024-03-04T00:00:00Z")));
    assert_eq!(read(["14/04/24", "15/04/24"]).rows[0].time, Some(at("2024-04-14T00:00:00Z")));
}

#[test]
fn a_chosen_date_order_decides_ambiguous_dates() {
    let text = |day: &str| format!("Date,Open,High,Low,Close\n{day},1,2,1,1\n");
    let read = |day: &str, order: Option<DateOrder>| {
        let about = about(Timeframe::D1, None, None);
        let options = TextOptions { date_order: order, ..about.options };
        read_as(&text(day), About { options, ..about }).map(|read| read.bars()[0][..10].to_owned())
    };
    let (day_first, month_first) = (Some(DateOrder::DayFirst), Some(DateOrder::MonthFirst));
    assert_eq!(read("03/04/2024", day_first).unwrap(), "2024-04-03");
    assert_eq!(read("03/04/2024", month_first).unwrap(), "2024-03-04");
    assert_eq!(read("03/04/24", month_first).unwrap(), "2024-03-04");
    let error = read("03/04/2024", None).unwrap_err();
    assert!(error.hint.contains("date_order"), "{}", error.hint);
    let error = read("15/04/2024", month_first).unwrap_err();
    assert!(error.message.contains("'15/04/2024', which can't begin with a month"), "{}", error.message);
    // A short year may stand at the start.
    let error = read("24/03/14", None).unwrap_err();
    assert!(error.message.contains("begin with a day or with a year"), "{}", error.message);
    assert!(error.hint.contains("day_first or year_first"), "{}", error.hint);
    assert_eq!(read("24/03/14", day_first).unwrap(), "2014-03-24");
    assert_eq!(read("24/03/14", Some(DateOrder::YearFirst)).unwrap(), "2024-03-14");
    let error = read("24/03/2014", Some(DateOrder::YearFirst)).unwrap_err();
    assert!(error.message.contains("can't begin with a year"), "{}", error.message);
}

#[test]
fn dates_that_begin_with_a_short_year_are_read_where_only_that_is_possible() {
    let text = |days: &[&str]| {
        let rows: String = days.iter().map(|day| format!("{day},1,2,1,1\n")).collect();
        format!("Date,Open,High,Low,Close\n{rows}")
    };
    let read = |days: &[&str], date_order: Option<DateOrder>| {
        let about = about(Timeframe::D1, None, None);
        let options = TextOptions { date_order, ..about.options };
        read_as(&text(days), About { options, ..about })
            .map(|read| read.bars().iter().map(|bar| bar[..10].to_owned()).collect::<Vec<_>>())
    };
    let two_years = ["12/12/27", "12/12/28", "12/12/31", "13/01/02", "13/01/03"];
    let dates = ["2012-12-27", "2012-12-28", "2012-12-31", "2013-01-02", "2013-01-03"];
    assert_eq!(read(&two_years, None).unwrap(), dates);
    assert_eq!(read(&two_years, Some(DateOrder::YearFirst)).unwrap(), dates);
    // Otherwise the rows up to a day that is no year would be stored under wrong dates.
    for wrong in [DateOrder::DayFirst, DateOrder::MonthFirst] {
        let error = read(&two_years, Some(wrong)).unwrap_err();
        assert!(error.message.contains("begin") && !error.hint.is_empty(), "{}", error.message);
    }
    let newest_first: Vec<&str> = two_years.into_iter().rev().collect();
    assert_eq!(read(&newest_first, None).unwrap()[4], "2012-12-27");
    assert_eq!(read(&["99/01/04"], None).unwrap(), ["1999-01-04"], "no month has 99 days");
    // Taiwan counts years from 1912 on.
    assert_eq!(read(&["113/01/02"], None).unwrap(), ["2024-01-02"]);
    let taiwan = "日期,成交股數,開盤價,最高價,最低價,收盤價\n99/01/04,7,1,2,1,1\n";
    let error = read_as(taiwan, about(Timeframe::D1, None, None)).map(|read| read.bars()).unwrap_err();
    assert!(error.message.contains("Taiwan"), "{}", error.message);
    let taiwan = taiwan.replace("99/", "113/");
    let bars = read_as(&taiwan, about(Timeframe::D1, None, None)).unwrap().bars();
    assert_eq!(bars, ["2024-01-04T00:00:00Z 1 2 1 1 7"]);
}

#[test]
fn an_unreadable_time_is_named_and_not_the_number_of_columns() {
    let serial = "Date;Time;Open;High;Low;Close\n45355;0,375000000;170,167;170,382;169,825;170,195\n";
    assert!(refused(serial).contains("'Date' has '45355'") && refused(serial).contains("number of days"));
    let short = "<DATE>;<TIME>;<OPEN>;<HIGH>;<LOW>;<CLOSE>\n090124;100000;1;2;1;1\n";
    assert!(refused(short).contains("'<DATE>' has '090124', which is not a time"), "{}", refused(short));
    let rounded = "Unix,Date,Open,High,Low,Close\n1.70925E+12,2/29/2024 23:00,1,2,1,1\n";
    assert!(refused(rounded).contains("'Unix' has '1.70925E+12'"), "{}", refused(rounded));
    assert!(refused(rounded).contains("rounded"));
}

#[test]
fn column_names_of_more_exchanges_are_known() {
    let nordic = "Date;Opening price;High price;Low price;Closing price;Total volume\n2024-03-04;1;2;1;1;7\n";
    let bars = read_as(nordic, about(Timeframe::D1, None, None)).unwrap().bars();
    assert_eq!(bars, ["2024-03-04T00:00:00Z 1 2 1 1 7"]);
    let trailing = refused("Date,Foo,High,Low,Close,\n2024-03-04,1,2,1,1,\n");
    assert!(trailing.ends_with("not recognized: 'Foo'."), "a separator at the end is no column: {trailing}");
}
