//! Previews of loads.

use super::*;

#[tokio::test]
async fn a_preview_says_whether_a_zone_is_needed_and_counts_rows() {
    let bench = Bench::new();
    let row = "1,2,1,1,5\n";
    for (text, zone, expected) in [
        (
            format!("time,open,high,low,close,volume\n1709562600,{row}"),
            "",
            "not needed: times since 1970 are UTC",
        ),
        (
            format!("time,open,high,low,close,volume\n1709562600,{row}"),
            "Asia/Tokyo",
            "Asia/Tokyo (selected) is not used: times since 1970 are UTC",
        ),
        (
            format!("time,open,high,low,close,volume\n2024-03-04T09:30:00-05:00,{row}"),
            "",
            "not needed: each time has its zone",
        ),
        (
            format!("time,open,high,low,close,volume\n2024-03-04 09:30,{row}"),
            "Asia/Tokyo",
            "Asia/Tokyo (selected)",
        ),
    ] {
        bench.csv("A_30m.csv", &text);
        let request = bench.request(params(json!({"timeframe": "30m", "time_zone": zone})));
        let preview = source::preview(&request).await;
        let fact = |label: &str| preview.facts.iter().find(|f| f.label == label).unwrap().value.as_str();
        assert_eq!((fact("Time zone"), fact("Rows")), (expected, "1 row"));
    }
}

/// CSV with one bar an hour, the newest first.
fn newest_first(bars: i64) -> String {
    let start = at("2023-01-01T00:00:00Z");
    let row = |i: i64| format!("{},{i}.5,{i}.75,{i}.25,{i}.5,7\n", start.plus_micros(i * 3_600_000_000));
    HEADER.to_owned() + &(1..=bars).rev().map(row).collect::<String>()
}

#[tokio::test]
async fn a_preview_of_a_newest_first_file_shows_its_oldest_bars() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &newest_first(6_000));
    let request = bench.request(params(json!({})));
    let table = source::preview(&request).await.table.unwrap();
    assert_eq!(table.title, "Oldest bars as they will be stored, in this order");
    let times: Vec<&str> = table.rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(times[..2], ["2023-01-01T01:00:00Z", "2023-01-01T02:00:00Z"]);
    assert_eq!(times.len(), 8);
    // The load stores them in this order.
    bench.load(params(json!({}))).await;
    let stored = bench.bars("files/A/1h");
    let first: Vec<String> = stored[..8].iter().map(|bar| bar.time.timestamp().to_string()).collect();
    assert_eq!(first, times);
}

#[tokio::test]
async fn a_preview_says_whether_times_are_starts_or_ends_of_bars() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", "close_time,open,high,low,close\n1709564400000,1,2,1,1\n");
    let shown = async |params: Value| {
        let preview = source::preview(&bench.request(params)).await;
        let times = preview.facts.iter().find(|fact| fact.label == "Times").unwrap().value.clone();
        (times, preview.table.unwrap().rows[0][0].clone())
    };
    let end = ("the end of each bar (column 'close_time')".to_owned(), "2024-03-04T14:00:00Z".to_owned());
    assert_eq!(shown(params(json!({}))).await, end);
    let start = ("the start of each bar (selected)".to_owned(), "2024-03-04T15:00:00Z".to_owned());
    assert_eq!(shown(params(json!({"bar_time": "start"}))).await, start);
}

#[tokio::test]
async fn a_load_stores_bar_starts_and_ignores_the_footer_of_barchart() {
    let bench = Bench::new();
    let rows: String = (10..14).map(|hour| format!("03/14/2024 {hour}:00,1,2,1,1,5\n")).collect();
    let footer = "\"Downloaded from Barchart.com as of 03-15-2024 06:00am CDT\"\n";
    bench.csv("A_1h.csv", &format!("Time,Open,High,Low,Latest,Volume\n{rows}{footer}"));
    let result = bench.load(params(json!({"time_zone": "UTC", "bar_time": "end"}))).await;
    assert_eq!((result.rows, result.rejected_count), (4, 0));
    assert_eq!(bench.bars("files/A/1h")[0].time, at("2024-03-14T09:00:00Z"));
}

#[tokio::test]
async fn a_preview_counts_the_rows_that_a_load_would_read() {
    let bench = Bench::new();
    let rows = async |text: &str| {
        bench.csv("A_1h.csv", text);
        let preview = source::preview(&bench.request(params(json!({})))).await;
        preview.facts.iter().find(|fact| fact.label == "Rows").unwrap().value.clone()
    };
    assert_eq!(rows(&text(0..3).replace('\n', "\n\n")).await, "3 rows");
    assert_eq!(rows(&text(0..20_000)).await, "about 20,000 lines");
}
