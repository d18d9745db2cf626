//! Sources that may be truncated: their last line has no line end.

use super::web::{answers, with_length};
use super::*;

/// Text without its last characters.
fn cut(text: &str) -> &str {
    &text[..text.len() - 2]
}

#[tokio::test]
async fn a_file_without_a_final_newline_removes_no_later_bar() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1_500));
    bench.load(params(json!({}))).await;
    // Cut within the volume of a row in the middle of a segment, with two later segments.
    bench.csv("A_1h.csv", cut(&text(0..500)));
    let notebook = Notebook::new();
    let result = bench.run(&notebook, params(json!({})), None).await.unwrap();
    assert_eq!((result.rows, bench.bars("files/A/1h").len()), (1_500, 1_500));
    assert_eq!(result.warnings.len(), 1, "{:?}", result.warnings);
    assert!(
        result.warnings[0].ends_with(
            "A_1h.csv has no line end: the source may be truncated. The load kept 1,000 stored bars with times after the last row."
        ),
        "{:?}",
        result.warnings
    );
    assert!(notebook.log().contains("the source may be truncated"), "{}", notebook.log());

    // Newest first: the older bars may be lost.
    let rows = text(1_000..1_500);
    let mut lines: Vec<String> = rows.lines().skip(1).map(|line| format!("{line}\n")).collect();
    lines.reverse();
    bench.csv("A_1h.csv", cut(&(HEADER.to_owned() + &lines.concat())));
    let result = bench.load(params(json!({}))).await;
    assert_eq!(result.rows, 1_500);
    assert!(result.warnings[0].contains("1,000 stored bars"), "{:?}", result.warnings);
}

#[tokio::test]
async fn a_complete_file_without_a_final_newline_is_loaded_with_a_warning() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", text(0..400).trim_end());
    let result = bench.load(params(json!({}))).await;
    assert_eq!((result.rows, result.rejected_count, result.warnings.len()), (400, 0, 1));
    assert!(
        result.warnings[0].ends_with("has no line end: the source may be truncated."),
        "{:?}",
        result.warnings
    );
    // Bars within its rows are replaced, and those that it lacks removed.
    let fewer: String =
        text(0..400).lines().filter(|line| !line.ends_with(",7")).collect::<Vec<_>>().join("\n");
    bench.csv("A_1h.csv", &fewer);
    assert_eq!(bench.load(params(json!({}))).await.rows, 399);
    for end in ["\r\n", "\n\n", "\n "] {
        bench.csv("A_1h.csv", &(text(0..400).trim_end().to_owned() + end));
        let result = bench.load(params(json!({}))).await;
        assert!(result.rows == 400 && result.warnings.is_empty(), "{end:?}: {:?}", result.warnings);
    }
}

#[tokio::test]
async fn a_response_cut_within_its_last_number_changes_no_stored_bar() {
    let mut bench = Bench::new();
    let (whole, part) = (text(0..300), text(0..250));
    bench.config.sources.push(answers(vec![with_length(&whole), with_length(cut(&part))]).await);
    assert_eq!(bench.load(params(json!({"source": "web"}))).await.rows, 300);
    let before = bench.bars("web/A/1h");
    let failure = bench.failure_of(params(json!({"source": "web"}))).await;
    assert!(failure.message.contains("its last line has no line end"), "{}", failure.message);
    assert_eq!(bench.bars("web/A/1h"), before);
}

#[tokio::test]
async fn times_skipped_by_a_clock_change_are_a_warning_about_the_zone() {
    let bench = Bench::new();
    let row = |hour: i64| {
        let time = at("2024-03-09T00:00:00Z").plus_micros(hour * 3_600_000_000).timestamp();
        format!("{},1,2,1,1,5\n", time.strftime("%Y-%m-%d %H:%M:%S"))
    };
    bench.csv("A_1h.csv", &(HEADER.to_owned() + &(0..72).map(row).collect::<String>()));
    let result = bench.load(params(json!({"time_zone": "America/New_York"}))).await;
    assert_eq!((result.rejected[0].reason.as_str(), result.rejected[0].rows), ("skipped_hour", 1));
    assert!(result.warnings[0].contains("probably in another zone, such as UTC"), "{:?}", result.warnings);
    let result = bench.load(params(json!({"time_zone": "UTC"}))).await;
    assert!(result.rejected.is_empty() && result.warnings.is_empty(), "{:?}", result.warnings);
}

#[tokio::test]
async fn weekly_or_monthly_bars_loaded_as_daily_are_a_warning_and_not_complete() {
    let bench = Bench::new();
    let every = |days: i64, count: i64| {
        let day = |i: i64| at("2004-01-05T00:00:00Z").plus_micros(i * days * 86_400_000_000).timestamp();
        let row = |i: i64| format!("{},1,2,1,1,5\n", day(i).strftime("%Y-%m-%d"));
        HEADER.to_owned() + &(0..count).map(row).collect::<String>()
    };
    for (days, distance) in [(7, "a week"), (30, "a month"), (91, "a quarter")] {
        bench.csv("A_1d.csv", &every(days, 60));
        let result = bench.load(params(json!({"timeframe": "1d"}))).await;
        let expected = format!("Most bars are {distance} apart, but were loaded as 1d bars.");
        assert_eq!(result.warnings, [expected]);
        assert_eq!((result.gap_count, result.quality.completeness), (0, None), "{distance}");
    }
}
