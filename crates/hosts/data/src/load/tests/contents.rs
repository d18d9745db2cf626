//! What is loaded, rejected and logged of a source.

use super::*;

#[tokio::test]
async fn all_bars_of_a_file_are_loaded() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1500));
    let notebook = Notebook::new();
    let result = bench.run(&notebook, params(json!({})), None).await.unwrap();
    assert_eq!((result.rows, result.rows_written, result.rejected_count), (1500, 1500, 0));
    assert_eq!(result.first, Some(at("2019-07-01T00:00:00Z")));
    let files: Vec<_> = result.segments.iter().map(|s| (s.file.as_str(), s.rows)).collect();
    assert_eq!(files, [("2019.parquet", 368), ("2020.parquet", 732), ("2021.parquet", 400)]);
    let bars = bench.bars("files/A/1h");
    assert_eq!(bars.len(), 1500);
    assert_eq!((bars[1499].volume, bars[7].high, bars[7].close), (Some(1499.0), 22.0, 12.0));
    let notes: Vec<_> = notebook.0.checkpoints.lock().unwrap().iter().map(|(n, _)| n.clone()).collect();
    assert_eq!(
        notes,
        ["1 of 3 segments, 368 rows", "2 of 3 segments, 1,100 rows", "3 of 3 segments, 1,500 rows"]
    );
    assert_eq!(notebook.0.done.lock().unwrap().last(), Some(&1500));
    assert!(!notebook.0.points.lock().unwrap().is_empty(), "a quick load has its one point");
    assert!(notebook.log().contains("Wrote 2020.parquet: 732 rows"), "{}", notebook.log());
}

#[tokio::test]
async fn rejected_rows_are_counted_by_reason_and_the_rest_is_loaded() {
    let bench = Bench::new();
    let bad = "2019-07-06T00:00:00Z,10,8,9,9,1\n2019-07-06T00:00:00,10,20,9,11,1\nx\n2019-07-05T12:00:00Z,10,20,9,11,1\n";
    bench.csv("A_1h.csv", &format!("{}{bad}{}", text(0..10), &text(20..30)[HEADER.len()..]));
    let notebook = Notebook::new();
    let result = bench.run(&notebook, params(json!({})), None).await.unwrap();
    assert_eq!((result.rows, result.rejected_count), (20, 4));
    let reasons: Vec<_> = result.rejected.iter().map(|r| (r.reason.as_str(), r.rows)).collect();
    assert_eq!(reasons, [("wrong_columns", 1), ("no_zone", 1), ("high_below_low", 1), ("duplicate_time", 1)]);
    assert_eq!(result.rejected[2].example, "line 12: high 8 is below low 9");
    assert!(notebook.log().contains("Rejected 1 row: no_zone, first at line 13"), "{}", notebook.log());
}

#[tokio::test]
async fn empty_and_unusable_files_have_different_errors() {
    let bench = Bench::new();
    let failure_of = async |text: &str, more: Value| {
        bench.csv("A_1h.csv", text);
        bench.failure_of(params(more)).await
    };
    assert!(failure_of(HEADER, json!({})).await.message.contains("no rows for A 1h"));
    let naive = text(0..50).replace("00000Z", "00000");
    let failure = failure_of(&naive, json!({})).await;
    assert!(
        failure
            .message
            .contains("No row of A 1h is usable: 50 of 50 rows rejected as no_zone, the first at line 2"),
        "{}",
        failure.message
    );
    assert!(failure.hint.contains("zone"));
    let failure = failure_of(&text(0..50), json!({"start": "2024-01-01"})).await;
    assert!(failure.message.contains("The source has bars from 2019-07-01"), "{}", failure.message);
    assert!(!bench.set("files/A/1h").join("2019.parquet").exists(), "nothing was written");
    bench.failure_of(params(json!({"symbol": "B"}))).await;
    assert!(!bench.set("files/B").exists(), "a symbol that is not there leaves no folder");
}

#[tokio::test]
async fn bars_of_unknown_volume_are_loaded_and_counted() {
    let bench = Bench::new();
    let without: String = text(0..40)
        .lines()
        .enumerate()
        .map(|(i, line)| match (i, line.rsplit_once(',')) {
            (0, _) | (_, None) => format!("{line}\n"),
            (_, Some((rest, _))) => format!("{rest},{}\n", ["-1", "", "NaN"][i % 3]),
        })
        .collect();
    let no_column =
        text(0..40).lines().map(|l| l.rsplit_once(',').unwrap().0.to_owned() + "\n").collect::<String>();
    for text in [without, no_column] {
        bench.csv("A_1h.csv", &text);
        let notebook = Notebook::new();
        let result = bench.run(&notebook, params(json!({})), None).await.unwrap();
        assert_eq!((result.rows, result.rejected_count), (40, 0));
        assert_eq!((result.quality.unknown_volume, result.quality.zero_volume), (40, 0));
        assert!(bench.bars("files/A/1h").iter().all(|b| b.volume.is_none()));
        assert!(notebook.log().contains("volume is unknown for all 40 bars"), "{}", notebook.log());
    }
}

#[tokio::test]
async fn the_log_of_a_load_says_how_the_file_was_read() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", "Gmt time;Open;High;Low;Close\n04.03.2024 09:00:00.000;1,5;2;1;1,5\n");
    let notebook = Notebook::new();
    bench.run(&notebook, params(json!({})), None).await.unwrap();
    let log = notebook.log();
    assert!(log.contains("Format dukascopy, time zone UTC (dukascopy)"), "{log}");
    assert!(log.contains("Decimal comma detected") && log.contains("volume is unknown"), "{log}");
}

#[tokio::test]
async fn synthetic_data_is_always_marked() {
    let bench = Bench::new();
    let request =
        bench.request(json!({"symbol": "DEMO", "source": "synthetic", "timeframe": "5m", "years": 0.5}));
    let notebook = Notebook::new();
    let result =
        run::load(notebook.clone(), &bench.config.folder, Arc::new(LocalDisk), request, None).await.unwrap();
    assert_eq!(result.tags, ["synthetic"]);
    assert_eq!(result.document["synthetic"], true);
    let result: LoadResult = serde_json::from_value(result.document).unwrap();
    assert_eq!(result.rows, bench.bars("synthetic/DEMO/5m").len() as u64);
    assert_eq!((result.gap_count, result.rejected_count, result.quality.completeness), (0, 0, Some(1.0)));
    let totals = notebook.0.totals.lock().unwrap();
    assert_eq!(totals.first(), Some(&Some(result.rows)), "the total is known from the start");
}

const DAYS: &str = "Date,Open,High,Low,Close\n2024-01-02,10,12,9,11\n2024-01-03,11,13,10,12\n";

fn daily() -> Value {
    params(json!({"timeframe": "1d"}))
}

#[tokio::test]
async fn a_repeated_header_is_skipped_and_not_counted_as_rejected() {
    let bench = Bench::new();
    let more = DAYS.replace("2024-01-0", "2024-01-1");
    bench.csv("A_1d.csv", &format!("{DAYS}{more}"));
    let notebook = Notebook::new();
    let result = bench.run(&notebook, daily(), None).await.unwrap();
    assert_eq!((result.rows, result.rejected_count), (4, 0));
    assert!(notebook.log().contains("Skipped 1 line with repeated column names"), "{}", notebook.log());
}

#[tokio::test]
async fn rows_after_a_different_header_are_never_stored_in_wrong_columns() {
    for names in [
        "Date,Close,High,Low,Open",
        "Date,First price,Top,Bottom,Last price",
        "Date,Open,High,Low,Volume,Close",
    ] {
        let bench = Bench::new();
        bench.csv("A_1d.csv", &format!("{DAYS}{names}\n2024-01-04,12,13,10,11\n"));
        let failure = bench.failure_of(daily()).await;
        assert!(failure.message.starts_with("Line 4 of "), "{}", failure.message);
        assert!(failure.message.contains(names), "{}", failure.message);
        let preview = source::preview(&bench.request(daily())).await;
        assert!(preview.failure.is_some_and(|f| f.message == failure.message), "{names}");
    }
}

#[tokio::test]
async fn the_advice_for_a_rejected_row_is_never_cut() {
    let bench = Bench::new();
    let row = |minute| format!("2024.03.18\t00:{minute}:00\t1.08\t1.09\t1.07\t1.08\t5\t0\t1\n");
    let names = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n";
    bench.csv("A_1m.csv", &format!("{names}{}", (10..40).map(row).collect::<String>()));
    let failure = bench.failure_of(params(json!({"timeframe": "1m"}))).await;
    assert!(failure.message.ends_with("if the file is from HistData."), "{}", failure.message);
}

#[tokio::test]
async fn negative_prices_are_rejected_as_unsupported() {
    let bench = Bench::new();
    bench.csv("A_1d.csv", "Date,Open,High,Low,Close\n2020-04-20,-17,-14,-40,-37\n2020-04-21,-14,-7,-16,-9\n");
    let failure = bench.failure_of(daily()).await;
    assert!(
        failure.hint.contains("negative prices") && failure.hint.contains("not supported"),
        "{}",
        failure.hint
    );
}

#[tokio::test]
async fn volumes_in_thousands_are_stored_as_shares() {
    for (title, expected) in [("Volume (in thousands)", 7_000.0), ("Vol. (000)", 7_000.0), ("Volume", 7.0)] {
        let bench = Bench::new();
        bench.csv("A_1d.csv", &format!("Date,Open,High,Low,Close,{title}\n2024-01-02,10,12,9,11,7\n"));
        bench.load(daily()).await;
        assert_eq!(bench.bars("files/A/1d")[0].volume, Some(expected), "{title}");
    }
}

#[tokio::test]
async fn a_file_with_last_and_settle_logs_which_is_the_close() {
    let bench = Bench::new();
    bench.csv("A_1d.csv", "Date,Open,High,Low,Last,Settle\n2024-01-02,10,12,9,11,10.5\n");
    let notebook = Notebook::new();
    bench.run(&notebook, daily(), None).await.unwrap();
    let log = notebook.log();
    assert!(log.contains("The close is read from column 'Last', not from 'Settle'"), "{log}");
    assert_eq!(bench.bars("files/A/1d")[0].close, 11.0);
}

#[tokio::test]
async fn a_mistyped_year_is_a_warning_of_the_result() {
    let bench = Bench::new();
    let rows = text(0..100).replacen("2019-07-01T00", "2018-07-01T00", 1);
    bench.csv("A_1h.csv", &rows);
    let result = bench.load(params(json!({}))).await;
    let expected = "The bar of 2018-07-01T00:00:00Z is at least 365 days before or after all other bars: its date may be mistyped.";
    assert!(result.warnings.iter().any(|warning| warning == expected), "{:?}", result.warnings);
}

#[tokio::test]
async fn an_unadjusted_split_is_a_warning_but_an_adjusted_one_is_not() {
    let expected = "The file has a 4:1 split on 2024-01-04, and prices are not adjusted.";
    let header = "Date,Open,High,Low,Close,Adj Close,Split_coefficient\n";
    let before = "2024-01-02,400,405,399,400,100,1\n2024-01-03,400,405,399,404,101,1\n";
    let rows = |split: &str| {
        format!("{before}2024-01-04,101,103,100,102,102,{split}\n2024-01-05,101,103,100,101,101,1\n")
    };
    let reversed: String = rows("4.0").lines().rev().map(|line| format!("{line}\n")).collect();
    for (rows, expected) in [
        (rows("4.0"), vec![expected]),
        (rows("1"), vec![expected]),
        (reversed, vec![expected]),
        // Vendors such as Yahoo name splits for which the prices are adjusted.
        (
            rows("4.0")
                .replace("400,405,399,400", "100,105,99,100")
                .replace("400,405,399,404", "100,105,99,101"),
            vec![],
        ),
    ] {
        let bench = Bench::new();
        bench.csv("A_1d.csv", &format!("{header}{rows}"));
        assert_eq!(bench.load(daily()).await.warnings, expected, "{rows}");
    }
}
