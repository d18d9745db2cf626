//! Golden test against TA-Lib: results of scripts/golden-indicators.py for the bars next to it.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

use signalbox_indicators::*;
use std::collections::BTreeMap;

const BARS: &str = include_str!("golden/bars.csv");
const EXPECTED: &str = include_str!("golden/expected.csv");

/// Columns of a CSV of numbers. An empty field is `NaN`; a line that starts with `#` is a comment.
fn table(text: &str) -> BTreeMap<&str, Vec<f64>> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut columns: BTreeMap<&str, Vec<f64>> = names.iter().map(|name| (*name, Vec::new())).collect();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields.len(), names.len(), "{line}");
        for (name, field) in names.iter().zip(fields).filter(|(name, _)| **name != "timestamp") {
            let value = if field.is_empty() { f64::NAN } else { field.parse().unwrap() };
            columns.get_mut(name).unwrap().push(value);
        }
    }
    columns.remove("timestamp");
    columns
}

#[test]
fn values_equal_those_of_the_reference_library() {
    let bars = table(BARS);
    let [high, low, close, volume] = ["high", "low", "close", "volume"].map(|name| &bars[name][..]);
    let macd = macd(close, 12, 26, 9);
    let bands = bollinger(close, 20, 2.0);
    let ours = BTreeMap::from([
        ("simple_return", simple_returns(close)),
        ("log_return", log_returns(close)),
        ("sma_20", sma(close, 20)),
        ("sma_1", sma(close, 1)),
        ("ema_20", ema(close, 20)),
        ("rsi_14", rsi(close, 14)),
        ("rsi_2", rsi(close, 2)),
        ("macd_line", macd.line),
        ("macd_signal", macd.signal),
        ("macd_histogram", macd.histogram),
        ("bb_upper", bands.upper),
        ("bb_middle", bands.middle),
        ("bb_lower", bands.lower),
        ("bb_percent_b", bands.percent_b),
        ("bb_width", bands.width),
        ("true_range", true_range(high, low, close)),
        ("atr_14", atr(high, low, close, 14)),
        ("std_20", rolling_std(close, 20)),
        ("volume_z_20", z_score(volume, 20)),
    ]);
    let expected = table(EXPECTED);
    assert_eq!(ours.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, theirs) in &expected {
        assert_eq!(ours[name].len(), theirs.len(), "{name}");
        assert!(theirs.iter().filter(|v| v.is_finite()).count() > 300, "{name} is hardly compared");
        for (i, (a, b)) in ours[name].iter().zip(theirs).enumerate() {
            assert_eq!(a.is_nan(), b.is_nan(), "{name} at bar {i}: the warm-up differs: {a} and {b}");
            // Columns that cross zero are compared relative to their scale.
            let scale = theirs.iter().filter(|v| v.is_finite()).map(|v| v.abs()).sum::<f64>() / 400.0;
            let off = if b.is_nan() { 0.0 } else { (a - b).abs() / b.abs().max(scale) };
            assert!(off <= 1e-9, "{name} at bar {i}: {a}, and the library has {b}");
        }
    }
}
