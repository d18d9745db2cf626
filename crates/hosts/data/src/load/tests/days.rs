//! Daily bars belong to trading days, whatever their times are.

use super::*;

/// Daily bars with these time texts.
fn daily(times: &[&str]) -> String {
    let rows: Vec<String> = times.iter().map(|time| format!("{time},10,20,9,11,5")).collect();
    format!("{HEADER}{}\n", rows.join("\n"))
}

#[tokio::test]
async fn a_trading_day_is_stored_once_for_any_utc_offset() {
    let plain = ["2024-02-26", "2024-02-27", "2024-02-28"];
    let new_york = ["26", "27", "28", "29"].map(|d| format!("2024-02-{d} 00:00:00-05:00"));
    let tokyo = ["26", "27", "28", "29"].map(|d| format!("2024-02-{d} 00:00:00+09:00"));
    let in_utc = ["25", "26", "27", "28"].map(|d| format!("2024-02-{d}T15:00:00Z"));
    for others in [new_york, tokyo, in_utc] {
        let bench = Bench::new();
        let load = async |mode: &str| {
            let params = json!({"symbol": "A", "timeframe": "1d", "source": "files", "mode": mode});
            let result = bench.load(params).await;
            (result.rows_written, result.rows)
        };
        bench.csv("A_1d.csv", &daily(&plain));
        assert_eq!(load("full").await, (3, 3));
        bench.csv("A_1d.csv", &daily(&others.each_ref().map(String::as_str)));
        assert_eq!(load("backfill").await, (0, 3));
        assert_eq!(load("tail").await, (1, 4), "{others:?}");
        let params = json!({"symbol": "A", "timeframe": "1d", "source": "files", "start": "2024-02-26", "end": "2024-02-29"});
        assert_eq!(bench.load(params).await.rows_written, 4, "a range has all its days");
    }
}

#[tokio::test]
async fn daily_bars_stored_twice_by_an_earlier_version_are_read_once() {
    let bench = Bench::new();
    bench.csv("A_1d.csv", &daily(&["2024-02-26", "2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]));
    let request = bench.request(json!({"symbol": "A", "timeframe": "1d", "source": "files"}));
    let set = market_data::DataSet::new(&bench.config.folder, "files", request.symbol, request.timeframe);
    fs::create_dir_all(set.folder()).unwrap();
    let bar = |time: &str, close: f64| Bar {
        time: at(time),
        open: 1.0,
        high: 9.0,
        low: 1.0,
        close,
        volume: Some(1.0),
    };
    let old = [
        bar("2024-02-26T00:00:00Z", 1.0),
        bar("2024-02-27T00:00:00Z", 2.0),
        bar("2024-02-27T05:00:00Z", 3.0),
        bar("2024-02-27T15:00:00Z", 4.0),
    ];
    let label = segment::Label {
        symbol: "A".into(),
        timeframe: request.timeframe,
        source: "files".into(),
        synthetic: false,
    };
    fs::write(set.folder().join("2024.parquet"), segment::encode(&old, &label).unwrap()).unwrap();
    let library = market_data::Library::new(&bench.config.folder);
    let name = library.find("A", market_data::Timeframe::D1, None).unwrap();
    let read = |library: &market_data::Library| {
        library
            .bars(&name, Range::default())
            .unwrap()
            .bars
            .iter()
            .map(|b| (b.time, b.close))
            .collect::<Vec<_>>()
    };
    let first = [
        (at("2024-02-26T00:00:00Z"), 1.0),
        (at("2024-02-27T00:00:00Z"), 2.0),
        (at("2024-02-28T00:00:00Z"), 4.0),
    ];
    assert_eq!(read(&library), first);
    assert_eq!(candles::candles(&set, Range::default(), 100).unwrap().unwrap().t.len(), 3);
    let result =
        bench.load(json!({"symbol": "A", "timeframe": "1d", "source": "files", "mode": "tail"})).await;
    assert_eq!((result.rows, result.rows_written, result.gap_count), (5, 2, 0));
    assert_eq!(read(&library)[..3], first);
}
