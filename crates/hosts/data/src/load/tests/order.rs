//! Rows out of order, in the future and off the grid, and limits of rejected rows.

use super::*;

/// Lines of a text without its header.
fn lines(text: &str) -> Vec<String> {
    text.lines().skip(1).map(str::to_owned).collect()
}

fn of_lines(lines: &[String]) -> String {
    format!("{HEADER}{}\n", lines.join("\n"))
}

#[tokio::test]
async fn unsorted_rows_are_sorted_without_loss() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..3000));
    let whole = bench.load(params(json!({}))).await;
    let bars = bench.bars("files/A/1h");
    let sorted = lines(&text(0..3000));
    let newest_first: Vec<String> = sorted.iter().rev().cloned().collect();
    let halves_swapped = [&sorted[1_400..], &sorted[..1_400]].concat();
    let mut late_swap = sorted.clone();
    late_swap.swap(2_500, 2_600);
    let mut again = sorted.clone();
    again.push(sorted[17].replace(",10,", ",12,"));
    for (what, lines, early, rejected) in [
        ("newest first", newest_first, 2_999, 0),
        ("two halves glued in the wrong order", halves_swapped, 1_400, 0),
        ("two rows swapped after segments were stored", late_swap, 100, 0),
        ("a row again at the end", again, 1, 1),
    ] {
        for mode in ["full", "tail", "backfill"] {
            let bench = Bench::new();
            bench.csv("A_1h.csv", &of_lines(&lines));
            let notebook = Notebook::new();
            let result = bench.run(&notebook, params(json!({"mode": mode})), None).await.unwrap();
            assert_eq!((result.rows, result.rows_written), (3000, 3000), "{what}, {mode}");
            assert_eq!((result.sorted_rows, result.rejected_count), (early, rejected), "{what}, {mode}");
            assert!(notebook.log().contains("The load sorted all rows by time"), "{}", notebook.log());
            assert_eq!(bench.bars("files/A/1h"), bars, "{what}, {mode}");
        }
    }
    assert_eq!((whole.sorted_rows, whole.rows), (0, 3000));
}

#[tokio::test]
async fn a_row_in_the_future_is_rejected_and_does_not_block_a_later_tail_load() {
    let bench = Bench::new();
    let mistyped = text(0..100).replacen("2019-07-03T00", "2942-07-03T00", 1);
    bench.csv("A_1h.csv", &mistyped);
    let result = bench.load(params(json!({}))).await;
    assert_eq!((result.rows, result.rejected_count, result.sorted_rows), (99, 1, 0));
    assert_eq!(result.rejected[0].reason, "in_future");
    bench.csv("A_1h.csv", &text(0..120));
    let result = bench.load(params(json!({"mode": "tail"}))).await;
    assert_eq!((result.rows, result.rows_written), (119, 20));
}

#[tokio::test]
async fn a_stored_bar_in_the_future_does_not_block_a_tail_load() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..100));
    bench.load(params(json!({}))).await;
    let request = bench.request(params(json!({})));
    let set = market_data::DataSet::new(&bench.config.folder, "files", request.symbol, request.timeframe);
    let far =
        Bar { time: at("2942-07-03T00:00:00Z"), open: 1.0, high: 1.0, low: 1.0, close: 1.0, volume: None };
    let label = segment::Label {
        symbol: "A".into(),
        timeframe: request.timeframe,
        source: "files".into(),
        synthetic: false,
    };
    fs::write(set.folder().join("2942.parquet"), segment::encode(&[far], &label).unwrap()).unwrap();
    bench.csv("A_1h.csv", &text(0..120));
    assert_eq!(bench.load(params(json!({"mode": "tail"}))).await.rows_written, 20);
}

#[tokio::test]
async fn many_rejected_rows_are_a_warning_and_more_than_allowed_a_failure() {
    let bench = Bench::new();
    let with_bad = |bad: usize| {
        let mut lines = lines(&text(0..1000));
        lines.iter_mut().skip(10).step_by(7).take(bad).for_each(|line| *line = line.replace(",9,", ",90,"));
        of_lines(&lines)
    };
    let load = async |bad: usize, more: Value| {
        bench.csv("A_1h.csv", &with_bad(bad));
        let request = bench.request(params(more));
        run::load(Notebook::new(), &bench.config.folder, Arc::new(LocalDisk), request, None).await
    };
    let result = load(1, json!({})).await.unwrap();
    assert!(
        result.tags.is_empty() && result.document["warnings"] == json!([]),
        "one in a thousand is no warning"
    );
    let result = load(12, json!({})).await.unwrap();
    assert_eq!(result.tags, ["1.2 % rejected"]);
    assert_eq!(result.document["rejected_share"], 0.012);
    assert_eq!(result.document["warnings"], json!(["Rejected 12 of 1,000 rows (1.2 %): 12 high_below_low."]));
    let Err(WorkError::Failed(failure)) = load(60, json!({})).await else { panic!("it succeeded") };
    assert!(failure.message.starts_with("Too many rows of A 1h were rejected"), "{}", failure.message);
    assert!(failure.hint.contains("max_rejected_share"), "{}", failure.hint);
    assert_eq!(bench.bars("files/A/1h").len(), 988, "what was stored is as it was");
    assert!(load(60, json!({"max_rejected_share": 0.1})).await.is_ok());
    assert!(load(1, json!({"max_rejected_share": 0.0})).await.is_err());
    // In a handful of rows one is a large share: a warning, not a failure.
    bench.csv("B_1h.csv", &text(0..4).replacen(",9,", ",90,", 1));
    let result = bench.load(params(json!({"symbol": "B"}))).await;
    assert_eq!((result.rows, result.rejected_share, result.warnings.len()), (3, 0.25, 1));
}

#[tokio::test]
async fn bars_of_another_timeframe_are_rejected_but_an_unaligned_last_row_is_not() {
    let bench = Bench::new();
    let row = |time: Time| format!("{time},10,20,9,11,5\n");
    let every = |minutes: i64, count: i64| {
        let from = at("2024-03-04T00:00:00Z");
        HEADER.to_owned()
            + &(0..count).map(|i| row(from.plus_micros(i * minutes * 60_000_000))).collect::<String>()
    };
    bench.csv("A_1h.csv", &every(5, 12));
    let failure = bench.failure_of(params(json!({}))).await;
    assert!(failure.message.contains("most bars of A 1h are 5 min apart"), "{}", failure.message);
    assert!(failure.hint.contains("5m"), "{}", failure.hint);
    bench.csv("A_1h.csv", &every(5, 200_000));
    let failure = bench.failure_of(params(json!({}))).await;
    assert!(failure.message.contains("5 min apart"), "{}", failure.message);
    assert!(!bench.set("files/A/1h").join("2024.parquet").exists(), "nothing was stored");

    let live = at("2024-03-04T04:13:07Z");
    bench.csv("A_1h.csv", &(every(60, 4) + &row(live)));
    let result = bench.load(params(json!({}))).await;
    assert_eq!((result.rows, result.rejected[0].reason.as_str()), (4, "off_grid"));
    bench.csv("A_1h.csv", &every(60, 8));
    assert_eq!(bench.load(params(json!({"mode": "tail"}))).await.rows_written, 4);
    // A quarter hour could start a session. It is unfinished because no other bar starts there.
    bench.csv("A_1h.csv", &(every(60, 30) + &row(at("2024-03-05T06:15:00Z"))));
    assert_eq!(bench.load(params(json!({}))).await.rows, 30);

    bench.csv("A_5m.csv", &every(60, 12));
    let result = bench.load(params(json!({"timeframe": "5m"}))).await;
    assert!(result.warnings[0].contains("Most bars are 1h apart"), "{:?}", result.warnings);
    bench.csv("A_1d.csv", &every(60, 30));
    let failure = bench.failure_of(params(json!({"timeframe": "1d"}))).await;
    assert!(failure.message.contains("several bars per day"), "{}", failure.message);
}

#[tokio::test]
async fn partly_swapped_dates_are_rejected_and_other_disorder_is_a_warning() {
    let dates = |written: &dyn Fn(i8, i8) -> String| {
        let day = |i: i32| jiff::civil::date(2024, 1, 1) + jiff::Span::new().days(i);
        let row = |i| format!("{},10,12,9,11\n", written(day(i).month(), day(i).day()));
        format!("Date,Open,High,Low,Close\n{}", (0..90).map(row).collect::<String>())
    };
    let half_swapped = |month: i8, day: i8| {
        if day <= 12 { format!("{day}/{month}/2024") } else { format!("{month}/{day}/2024") }
    };
    let bench = Bench::new();
    bench.csv("A_1d.csv", &dates(&half_swapped));
    let daily = params(json!({"timeframe": "1d"}));
    let failure = bench.failure_of(daily.clone()).await;
    assert!(
        failure.message.contains("probably swapped") && failure.message.contains("of 90 rows"),
        "{}",
        failure.message
    );
    assert!(source::preview(&bench.request(daily.clone())).await.failure.is_some());
    assert!(
        bench
            .set("files/A/1d")
            .read_dir()
            .is_ok_and(|mut files| files
                .all(|file| { file.unwrap().path().extension().is_none_or(|e| e != "parquet") })),
        "nothing is stored"
    );

    let mut shuffled = lines(&text(0..100));
    (10..80).step_by(10).for_each(|i| shuffled.swap(i, i + 5));
    bench.csv("A_1h.csv", &of_lines(&shuffled));
    let result = bench.load(params(json!({}))).await;
    assert_eq!(result.rows, 100);
    assert!(
        result.warnings.iter().any(|w| w.contains("rows are out of time order")),
        "{:?}",
        result.warnings
    );
    let preview = source::preview(&bench.request(params(json!({})))).await;
    assert!(
        preview.warnings.iter().any(|w| w.contains("rows are out of time order")),
        "{:?}",
        preview.warnings
    );
}
