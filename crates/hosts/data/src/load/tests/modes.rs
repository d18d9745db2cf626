//! Modes of a load, and what is already stored.

use super::*;

#[tokio::test]
async fn a_tail_load_stores_only_newer_bars() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..400));
    bench.load(params(json!({"mode": "tail"}))).await;
    // Stored bars stay, even if the source changed them.
    bench.csv("A_1h.csv", &text(0..900).replace(",10,", ",10.5,"));
    let result = bench.load(params(json!({"mode": "tail"}))).await;
    assert_eq!((result.rows, result.rows_written), (900, 500));
    let bars = bench.bars("files/A/1h");
    assert_eq!((bars[399].open, bars[400].open), (10.0, 10.5));
    let again = bench.load(params(json!({"mode": "tail"}))).await;
    assert_eq!((again.rows, again.rows_written), (900, 0));
}

#[tokio::test]
async fn a_backfill_stores_older_bars_lost_segments_and_gaps_but_nothing_newer() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(500..1500));
    bench.load(params(json!({}))).await;
    fs::remove_file(bench.set("files/A/1h/2020.parquet")).unwrap();
    bench.csv("A_1h.csv", &text(0..1600));
    let result = bench.load(params(json!({"mode": "backfill"}))).await;
    assert_eq!((result.rows, result.rows_written), (1500, 1100));
    let before = fs::metadata(bench.set("files/A/1h/2020.parquet")).unwrap().modified().unwrap();
    let again = bench.load(params(json!({"mode": "backfill"}))).await;
    assert_eq!((again.rows, again.rows_written), (1500, 0));
    let after = fs::metadata(bench.set("files/A/1h/2020.parquet")).unwrap().modified().unwrap();
    assert_eq!(before, after, "a segment with nothing new is not written");
}

#[tokio::test]
async fn a_full_load_replaces_everything_or_only_the_requested_range() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1500));
    bench.load(params(json!({}))).await;
    bench.csv("A_1h.csv", &text(0..1500).replace(",10,", ",10.5,"));
    let result = bench.load(params(json!({"start": "2019-12-01", "end": "2020-01-31"}))).await;
    assert_eq!((result.rows, result.rows_written), (1500, 124));
    let bars = bench.bars("files/A/1h");
    let changed: Vec<_> = bars.iter().filter(|b| b.open == 10.5).map(|b| b.time).collect();
    assert_eq!(changed.len(), 124);
    assert_eq!((changed[0], changed[123]), (at("2019-12-01T00:00:00Z"), at("2020-01-31T12:00:00Z")));
    // The source lost 2021, so a full load removes it too.
    bench.csv("A_1h.csv", &text(0..1000));
    let result = bench.load(params(json!({}))).await;
    assert_eq!((result.rows, result.segments.len()), (1000, 2));
}

#[tokio::test]
async fn a_data_set_has_one_load_at_a_time() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..10));
    let request = bench.request(params(json!({})));
    let set = market_data::DataSet::new(&bench.config.folder, "files", request.symbol, request.timeframe);
    let claim = set.claim().unwrap();
    let failure = bench.told(params(json!({}))).await;
    assert!(failure.message.starts_with("Another load of A 1h"), "{}", failure.message);
    drop(claim);
    assert_eq!(bench.load(params(json!({}))).await.rows, 10);
}

#[tokio::test(start_paused = true)]
async fn a_row_rate_limit_is_kept() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &text(0..1500));
    let start = tokio::time::Instant::now();
    bench.load(params(json!({"rows_per_second": 500}))).await;
    let seconds = start.elapsed().as_secs_f64();
    assert!((2.95..3.5).contains(&seconds), "{seconds}");
}
