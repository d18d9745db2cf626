//! Sources with bars of several instruments, or of another one than the loaded symbol.

use super::web::{answers, with_length};
use super::*;

const TICKERS: &str = "ticker,time,open,high,low,close,volume\n";

/// Rows of a ticker, one bar per 12 hours from mid-2019 on.
fn of(ticker: &str, bars: std::ops::Range<i64>) -> String {
    text(bars).lines().skip(1).map(|line| format!("{ticker},{line}\n")).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn bars_of_two_instruments_are_rejected_and_stored_bars_stay() {
    for second in [1, 390, 1_950] {
        let bench = Bench::new();
        bench.csv("A_1h.csv", &text(0..100));
        bench.load(params(json!({}))).await;
        let mixed = TICKERS.to_owned() + &of("A", 0..second) + &of("B", second..second + 1_000);
        bench.csv("A_1h.csv", &mixed);
        for mode in ["full", "tail", "backfill"] {
            let told = bench.told(params(json!({"mode": mode}))).await;
            let expected = format!("several symbols: A, B. The first bar of B is in line {}.", second + 2);
            assert!(told.message.ends_with(&expected), "{}", told.message);
            assert!(!told.hint.contains("max_rejected_share"), "{}", told.hint);
            assert_eq!(bench.bars("files/A/1h").len(), 100, "{mode}, {second}");
        }
        fs::remove_file(bench.root.path().join("csv/A_1h.csv")).unwrap();
        fs::write(bench.root.path().join("csv/A_1h.csv.gz"), gzip(&mixed)).unwrap();
        assert!(bench.told(params(json!({}))).await.message.contains("several symbols"));
        assert_eq!(bench.bars("files/A/1h").len(), 100, "{second}");
    }
}

#[tokio::test]
async fn two_instruments_with_equal_times_are_not_reported_as_duplicates() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &(TICKERS.to_owned() + &of("A", 0..780) + &of("B", 0..780) + &of("C", 0..780)));
    let told = bench.told(params(json!({"max_rejected_share": 1.0}))).await;
    assert!(told.message.contains("several symbols: A, B"), "{}", told.message);
    // Without a column that names them.
    bench.csv("A_1h.csv", &(text(0..300) + &text(0..300)[HEADER.len()..].replace(",10,", ",10.5,")));
    let told = bench.told(params(json!({}))).await;
    assert!(told.message.contains("duplicate_time"), "{}", told.message);
    assert!(
        told.hint.contains("one per symbol") && !told.hint.contains("max_rejected_share"),
        "{}",
        told.hint
    );
}

#[tokio::test]
async fn a_response_of_two_instruments_stores_nothing() {
    let mut bench = Bench::new();
    let body = TICKERS.to_owned() + &of("A", 0..2_000) + &of("B", 2_000..2_100);
    bench.config.sources.push(answers(vec![with_length(&body)]).await);
    let told = bench.told(params(json!({"source": "web"}))).await;
    assert!(told.message.contains("several symbols: A, B"), "{}", told.message);
    assert!(bench.bars("web/A/1h").is_empty());
    bench.config.sources.pop();
    let body = TICKERS.to_owned() + &of("A", 0..2_000);
    bench.config.sources.push(answers(vec![with_length(&body)]).await);
    assert_eq!(bench.load(params(json!({"source": "web"}))).await.rows, 2_000);
}

#[tokio::test]
async fn a_continuous_future_is_loaded_from_consecutive_contracts() {
    let bench = Bench::new();
    let roll = TICKERS.to_owned() + &of("ESH4", 0..700) + &of("ESM4", 700..1_400);
    bench.csv("ES.c.0_1h.csv", &roll);
    let result = bench.load(params(json!({"symbol": "ES.c.0"}))).await;
    assert_eq!((result.rows, result.warnings.as_slice()), (1_400, [].as_slice()));
    bench.csv("ESH4_1h.csv", &roll);
    let told = bench.told(params(json!({"symbol": "ESH4"}))).await;
    assert!(told.hint.contains("ES.c.0, ES=F or ES1!"), "{}", told.hint);
    bench.csv("ES.c.0_1h.csv", &(TICKERS.to_owned() + &of("ESH4", 0..700) + &of("ESM4", 690..1_400)));
    let told = bench.told(params(json!({"symbol": "ES.c.0"}))).await;
    assert!(told.message.contains("several symbols: ESH4, ESM4"), "{}", told.message);
}

#[tokio::test]
async fn bars_of_another_symbol_are_a_warning_in_log_and_result() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", &(TICKERS.to_owned() + &of("MSFT", 0..100)));
    let notebook = Notebook::new();
    let result = bench.run(&notebook, params(json!({})), None).await.unwrap();
    assert_eq!(result.warnings, ["The file says that its bars are of MSFT, not of A."]);
    assert!(notebook.log().contains("its bars are of MSFT"), "{}", notebook.log());
}
