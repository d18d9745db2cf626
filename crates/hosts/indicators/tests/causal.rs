//! Contract of every indicator: one value per input, `NaN` during the warm-up, a value after it, and no lookahead.

use proptest::prelude::*;
use signalbox_indicators::*;

/// Column of an indicator: name, warm-up, and its function of high, low and close.
type Column = (&'static str, usize, Box<dyn Fn(&[f64], &[f64], &[f64]) -> Vec<f64>>);

fn columns(n: usize) -> Vec<Column> {
    let (fast, slow, signal) = (n, n + 3, n + 1);
    let of_close = |name, warm_up, f: fn(&[f64], usize) -> Vec<f64>| -> Column {
        (name, warm_up, Box::new(move |_, _, close| f(close, n)))
    };
    let of_macd = move |name, warm_up, pick: fn(Macd) -> Vec<f64>| -> Column {
        (name, warm_up, Box::new(move |_, _, close| pick(macd(close, fast, slow, signal))))
    };
    let of_bands = move |name, pick: fn(Bollinger) -> Vec<f64>| -> Column {
        (name, n - 1, Box::new(move |_, _, close| pick(bollinger(close, n, 2.0))))
    };
    vec![
        of_close("simple returns", 1, |close, _| simple_returns(close)),
        of_close("log returns", 1, |close, _| log_returns(close)),
        of_close("sma", n - 1, sma),
        of_close("ema", n - 1, ema),
        of_close("rsi", n, rsi),
        of_close("rolling std", n - 1, rolling_std),
        of_close("z-score", n - 1, z_score),
        of_macd("macd line", slow - 1, |m| m.line),
        of_macd("macd signal", slow + signal - 2, |m| m.signal),
        of_macd("macd histogram", slow + signal - 2, |m| m.histogram),
        of_bands("upper band", |b| b.upper),
        of_bands("middle band", |b| b.middle),
        of_bands("lower band", |b| b.lower),
        of_bands("%B", |b| b.percent_b),
        of_bands("band width", |b| b.width),
        ("true range", 1, Box::new(true_range)),
        ("atr", n, Box::new(move |high, low, close| atr(high, low, close, n))),
    ]
}

/// High, low, close.
type Bar = (f64, f64, f64);

fn bars() -> impl Strategy<Value = Vec<Bar>> {
    let bar = (1.0f64..1000.0, 0.0f64..50.0, 0.0f64..0.9);
    proptest::collection::vec(
        bar.prop_map(|(close, up, down)| (close + up, close * (1.0 - down), close)),
        0..80,
    )
}

fn apart(bars: &[Bar]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let (highs_lows, closes) = bars.iter().map(|b| ((b.0, b.1), b.2)).unzip::<_, _, Vec<_>, Vec<_>>();
    let (highs, lows) = highs_lows.into_iter().unzip();
    (highs, lows, closes)
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

proptest! {
    #[test]
    fn future_values_never_change_past_ones(past in bars(), one in bars(), other in bars(), n in 1usize..20) {
        let (first, second) = ([past.clone(), one].concat(), [past.clone(), other].concat());
        for (name, _, column) in columns(n) {
            let [(h, l, c), (h2, l2, c2)] = [apart(&first), apart(&second)];
            let (a, b) = (column(&h, &l, &c), column(&h2, &l2, &c2));
            prop_assert_eq!(bits(&a[..past.len()]), bits(&b[..past.len()]), "{}", name);
        }
    }

    #[test]
    fn every_bar_after_the_warm_up_has_a_value(bars in bars(), n in 1usize..20) {
        let (high, low, close) = apart(&bars);
        for (name, warm_up, column) in columns(n) {
            let out = column(&high, &low, &close);
            prop_assert_eq!(out.len(), bars.len(), "{}", name);
            for (i, value) in out.iter().enumerate() {
                prop_assert_eq!(value.is_finite(), i >= warm_up, "{} at {}: {}", name, i, value);
            }
        }
    }

    #[test]
    fn indicators_stay_within_their_bounds(bars in bars(), n in 1usize..20) {
        let (high, low, close) = apart(&bars);
        prop_assert!(rsi(&close, n).iter().all(|v| v.is_nan() || (0.0..=100.0).contains(v)));
        let least = |(tr, span): (&f64, f64)| tr.is_nan() || *tr >= span;
        prop_assert!(true_range(&high, &low, &close).iter().zip(high.iter().zip(&low).map(|(h, l)| h - l)).all(least));
        let most = ((n as f64) - 1.0).sqrt() + 1e-6;
        prop_assert!(z_score(&close, n).iter().all(|v| v.is_nan() || v.abs() <= most));
    }
}
