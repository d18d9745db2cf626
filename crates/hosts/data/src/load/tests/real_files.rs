//! Real market data beside the project, if there is any.

use super::*;

/// Real files next to the project, if they exist.
fn shared() -> Option<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if data.join("MSFT_1h.csv").exists() {
        return Some(data);
    }
    println!("skipped: there is no folder of real market data beside the project");
    None
}

#[tokio::test]
async fn real_files_are_loaded_completely() {
    let Some(data) = shared() else { return };
    let bench = Bench::on(tempfile::tempdir().unwrap(), data.clone());
    for (symbol, timeframe) in [("MSFT", "1h"), ("MSFT", "1m"), ("NVDA", "1h"), ("GOOGL", "1d")] {
        let text = fs::read_to_string(data.join(format!("{symbol}_{timeframe}.csv"))).unwrap();
        let lines: Vec<&str> = text.lines().skip(1).filter(|l| !l.trim().is_empty()).collect();
        let notebook = Notebook::new();
        let started = tokio::time::Instant::now();
        let result =
            bench.run(&notebook, json!({"symbol": symbol, "timeframe": timeframe}), None).await.unwrap();
        let took = started.elapsed();
        assert_eq!(result.rows, lines.len() as u64);
        assert_eq!(result.rejected_count, 0);
        if (symbol, timeframe) == ("MSFT", "1h") {
            assert_eq!(result.rows, 20_758);
        }
        // Values as parsed by an independent reader.
        let bars = bench.bars(&format!("files/{symbol}/{timeframe}"));
        for (bar, line) in bars.iter().zip(&lines) {
            let fields: Vec<&str> = line.split(',').collect();
            assert_eq!(bar.time, at(&fields[0].replace(' ', "T")));
            let values: Vec<f64> = fields[1..6].iter().map(|f| f.parse().unwrap()).collect();
            assert_eq!([bar.open, bar.high, bar.low, bar.close, bar.volume.unwrap()], values[..]);
        }
        println!("{symbol} {timeframe} in {took:?}\n{}", notebook.log());
        let request = bench.request(json!({"symbol": symbol, "timeframe": timeframe}));
        let set = market_data::DataSet::new(&bench.config.folder, "files", request.symbol, request.timeframe);
        let started = tokio::time::Instant::now();
        let candles = candles::candles(&set, Range::default(), 1_000).unwrap().unwrap();
        println!("{} candles of {} bars in {:?}", candles.t.len(), candles.bars, started.elapsed());
        assert_eq!(candles.bars, result.rows);
        let gaps: Vec<_> = result.gaps.iter().map(|g| format!("{} .. {} {}", g.from, g.to, g.bars)).collect();
        println!("{}\n{:?}", gaps.join("\n"), result.quality);
    }
}
