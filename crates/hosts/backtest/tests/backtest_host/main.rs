//! The backtest host over HTTP, together with the data host's work.

#![expect(clippy::unwrap_used, reason = "this is a test, its helpers too")]

mod models;
mod rig;

use form::Form;
use models::Puppet;
use protocol::host::{About, Health, HostEventBody, Outcome};
use protocol::results::{BacktestResult, Bars, Columns, Trade};
use protocol::{LogLevel, OperationId, Problem};
use rig::{Served, demo};
use serde_json::json;

#[tokio::test]
async fn synthetic_bars_are_loaded_and_backtested() {
    let mut host = Served::with(Puppet::default()).await;
    host.load().await;
    let (id, events, doc) =
        host.backtest(json!({"symbol": "DEMO", "timeframe": "30m", "fast": 5, "slow": 20})).await;
    assert_eq!(doc.tags, ["synthetic"]);
    let result: BacktestResult = serde_json::from_value(doc.document).unwrap();
    assert!(result.synthetic && result.strategy == "SMA cross 5/20" && result.source == "synthetic");
    assert!(result.compute_seconds > 0.0 && result.trade_count > 100, "{}", result.trade_count);
    let p = &result.performance;
    assert!((result.final_equity - result.capital * (1.0 + p.total_return)).abs() < 1e-6);
    assert!(p.max_drawdown < 0.0 && p.exposure > 0.2 && p.exposure < 0.8, "{p:?}");
    for figure in [p.annual_return, p.volatility, p.sharpe, p.sortino, p.calmar, p.win_rate, p.average_trade]
    {
        assert!(figure.is_some_and(f64::is_finite), "{p:?}");
    }
    assert_eq!(result.buy_and_hold.win_rate.map(|w| w == 0.0 || w == 1.0), Some(true));

    let names: Vec<_> = doc.artifacts.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["trades", "equity", "rolling", "bars"]);
    let trades: Vec<Trade> = host.artifact(id, "trades", "").await;
    assert_eq!(trades.len() as u64, result.trade_count);
    let won: f64 = trades.iter().map(|t| t.pnl).sum();
    assert!((result.capital + won - result.final_equity).abs() < 1e-6, "everything is closed at the end");

    let whole: Columns = host.artifact(id, "equity", "").await;
    assert_eq!((whole.t.len() as u64, whole.bars_per_row), (result.bars, 1));
    let equity: Columns = host.artifact(id, "equity", "?points=1000").await;
    assert!(equity.t.len() > 500 && equity.t.len() <= 1_000 && equity.bars_per_row > 1);
    assert_eq!(equity.columns.keys().collect::<Vec<_>>(), ["buy_and_hold", "drawdown", "equity", "exposure"]);
    assert_eq!(*equity.columns["equity"].last().unwrap(), result.final_equity);
    let deepest = equity.columns["drawdown"].iter().copied().fold(0.0, f64::min);
    assert!((deepest - p.max_drawdown).abs() < 1e-12);
    let rolling: Columns = host.artifact(id, "rolling", "?points=1000").await;
    assert_eq!(rolling.columns.keys().collect::<Vec<_>>(), ["buy_and_hold", "sharpe"]);
    assert!(rolling.t.len() <= 1_000 && rolling.t.last().is_none_or(|last| Some(last) == equity.t.last()));
    let (from, to) = (equity.t[100], equity.t[120]);
    let part: Columns = host.artifact(id, "equity", &format!("?from={from}&to={to}&points=3000")).await;
    assert_eq!(
        (part.bars_per_row, part.t[0], *part.t.last().unwrap()),
        (1, from, to),
        "a zoom shows each bar"
    );

    // The live points are on the same series.
    let points = Served::series(&events, "equity");
    assert!(points.len() > 500 && points.len() <= 2_001, "{}", points.len());
    assert_eq!(points.last().unwrap().1, result.final_equity);
    assert_eq!(points.last().unwrap().0, result.bars as f64);
    assert_eq!(points.len(), Served::series(&events, "drawdown").len());
    assert_eq!(points.len(), Served::series(&events, "exposure").len());
    let phases = Served::phases(&events);
    assert_eq!(phases.last().map(String::as_str), Some("evaluate"), "{phases:?}");
    let lines = Served::lines(&events);
    assert!(lines.iter().any(|l| l.level == LogLevel::Warn && l.text.contains("Synthetic")));
    assert!(lines.iter().any(|l| l.text.starts_with("SMA cross 5/20: 10,000.00 → ")), "{lines:?}");
}

#[tokio::test]
async fn the_bars_of_a_run_are_those_it_traded() {
    let mut host = Served::with(Puppet::default()).await;
    host.load().await;
    let params = json!({
        "symbol": "DEMO", "timeframe": "30m", "strategy": "buy_and_hold", "start": "2025-03-03", "end": "2025-03-14"
    });
    let (id, _, doc) = host.backtest(params).await;
    let result: BacktestResult = serde_json::from_value(doc.document).unwrap();
    let bars: Bars = host.artifact(id, "bars", "").await;
    assert_eq!((bars.bars, bars.t[0] * 1_000_000), (result.bars, result.first.micros()));
    let some: Bars =
        host.artifact(id, "bars", &format!("?from={}&to={}&points=5", bars.t[10], bars.t[29])).await;
    assert_eq!((some.bars, some.bars_per_candle, some.t.len(), some.t[0]), (20, 4, 5, bars.t[10]));
    // Bought at the second open, sold at the last close, with the default commission of 0.001.
    let ratio = bars.c[bars.c.len() - 1] * 0.999 / (bars.o[1] * 1.001);
    assert!((result.final_equity - 10_000.0 * ratio).abs() < 1e-6, "{}", result.final_equity);
    assert_eq!(result.performance, result.buy_and_hold);

    let unknown = OperationId::new();
    for (path, status) in [
        (format!("backtests/{unknown}/trades"), 404),
        (format!("backtests/{unknown}/equity"), 404),
        ("backtests/..%2f..%2fetc/bars".to_owned(), 404),
        (format!("backtests/{id}/equity?points=many"), 400),
    ] {
        let answer = host.get(&format!("/artifacts/{path}")).await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(!answer.json::<Problem>().await.unwrap().detail.is_empty());
    }
}

#[tokio::test]
async fn a_cancelled_run_ends_at_once_and_leaves_no_files() {
    let mut host = Served::with(Puppet { thinks_until_told: true }).await;
    host.load().await;
    let id = OperationId::new();
    let params = json!({"symbol": "DEMO", "timeframe": "30m", "strategy": "model", "model": "odd"});
    assert_eq!(host.start(id, "backtest.run", &params).await.status(), 202);
    let thinks = |body: &HostEventBody| matches!(body, HostEventBody::Progress { progress } if progress.message == "Running model odd");
    while !host.events().await.iter().any(|e| thinks(&e.body)) {}
    let body = json!({"attempt": 1, "reason": "test", "deadline_ms": 60000});
    let cancel = format!("{}/operations/{id}/cancel", host.base);
    assert_eq!(host.client.post(cancel).json(&body).send().await.unwrap().status(), 202);
    assert_eq!(host.until_end(id).await.1, Outcome::Cancelled);
    assert_eq!(host.get(&format!("/artifacts/backtests/{id}/trades")).await.status(), 404);
    assert!(!host.root.path().join("results").exists(), "nothing was written");
}

#[tokio::test]
async fn a_model_is_traded_by_its_signals() {
    let mut host = Served::with(Puppet::default()).await;
    host.load().await;
    let params = json!({
        "symbol": "DEMO", "timeframe": "30m", "strategy": "model", "model": "odd", "direction": "long_short",
        "commission": 0, "end": "2025-01-10"
    });
    let (id, _, doc) = host.backtest(params.clone()).await;
    let result: BacktestResult = serde_json::from_value(doc.document).unwrap();
    // Alternates between long and short at each bar. The last signal has no bar to be filled on.
    assert_eq!((result.strategy.as_str(), result.trade_count), ("Model odd", result.bars - 1));
    let trades: Vec<Trade> = host.artifact(id, "trades", "").await;
    assert_eq!((trades[0].side.as_str(), trades[0].entry_reason.as_str()), ("long", "signal long"));
    assert_eq!((trades[1].side.as_str(), trades[1].exit_reason.as_str()), ("short", "signal long"));

    let mut short = params;
    short["model"] = json!("mute");
    let id = OperationId::new();
    assert_eq!(host.start(id, "backtest.run", &short).await.status(), 202);
    let (events, outcome) = host.until_end(id).await;
    assert_eq!(outcome, Outcome::Failed);
    let Some(HostEventBody::Ended { failure: Some(failure), .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert!(failure.message.starts_with("Model mute returned 0 predictions for "), "{}", failure.message);
}

#[tokio::test]
async fn a_backtest_on_training_bars_says_so_and_has_figures_after_them() {
    let mut host = Served::with(Puppet::default()).await;
    host.load().await;
    let params = json!({
        "symbol": "DEMO", "timeframe": "30m", "strategy": "model", "model": "odd", "direction": "long_short",
        "commission": 0.0001
    });
    let (_, events, doc) = host.backtest(params.clone()).await;
    assert!(doc.tags.iter().any(|tag| tag == "75 % in-sample"), "{:?}", doc.tags);
    let warned = Served::lines(&events)
        .into_iter()
        .any(|l| l.text.contains("trained or validated on 75 % of this range"));
    assert!(warned, "the log says it, too");
    let result: BacktestResult = serde_json::from_value(doc.document).unwrap();
    let seen = result.in_sample.unwrap();
    assert!(seen.same_symbol && seen.from == result.first);
    assert!((seen.share - seen.bars as f64 / result.bars as f64).abs() < 1e-12);
    let after = seen.out_of_sample.unwrap();
    assert_eq!(after.bars + seen.bars, result.bars);
    // Equals a backtest that starts there: the same bars, and the same signals after an even number of bars.
    let mut later = params.clone();
    later["start"] = json!(after.from.to_string());
    let (_, _, doc) = host.backtest(later).await;
    assert!(!doc.tags.iter().any(|tag| tag.ends_with("in-sample")), "{:?}", doc.tags);
    let begun: BacktestResult = serde_json::from_value(doc.document).unwrap();
    assert!(begun.in_sample.is_none());
    assert_eq!((begun.first, begun.bars, begun.buy_and_hold), (after.from, after.bars, after.buy_and_hold));
    if seen.bars.is_multiple_of(2) {
        assert_eq!(begun.performance, after.performance);
    }

    // Without later bars there are no out-of-sample metrics.
    let mut before = params;
    before["end"] = json!("2025-03-31");
    let (_, _, doc) = host.backtest(before).await;
    let result: BacktestResult = serde_json::from_value(doc.document).unwrap();
    let seen = result.in_sample.unwrap();
    assert_eq!((seen.share, seen.out_of_sample), (1.0, None));
}

#[tokio::test]
async fn invalid_params_are_rejected_by_field() {
    let mut host = Served::with(Puppet::default()).await;
    host.load().await;
    for (params, fields) in [
        (demo(json!({"fast": 50, "slow": 20})), vec!["fast"]),
        (demo(json!({"strategy": "rsi_reversion", "rsi_low": 80})), vec!["rsi_low"]),
        (demo(json!({"strategy": "model"})), vec!["model"]),
        (demo(json!({"strategy": "model", "model": "even"})), vec!["model"]),
        (demo(json!({"start": "2025-03-01", "end": "2025-02-01"})), vec!["end"]),
        (demo(json!({"start": "2025-03-03", "end": "2025-03-03"})), vec!["start"]),
        (demo(json!({"commission": 2, "capital": -5})), vec!["capital", "commission"]),
        (json!({"symbol": "NONE", "fast": 50, "slow": 20}), vec!["fast", "symbol"]),
        (json!({"symbol": "DEMO", "timeframe": "1d"}), vec!["symbol"]),
    ] {
        let answer = host.start(OperationId::new(), "backtest.run", &params).await;
        assert_eq!(answer.status(), 422, "{params}");
        let problem: Problem = answer.json().await.unwrap();
        let named: Vec<_> = problem.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(named, fields, "{params}: {:?}", problem.fields);
        assert!(problem.fields.iter().all(|f| f.message.ends_with('.')), "{:?}", problem.fields);
    }
}

#[tokio::test]
async fn the_form_of_the_kind_offers_the_available_choices() {
    let mut host = Served::with(Puppet::default()).await;
    host.load().await;
    let about: About = host.get("/about").await.json().await.unwrap();
    let kind = about.kinds.iter().find(|k| k.name.as_str() == "backtest.run").unwrap();
    let form = Form::from_schema(&kind.params).unwrap();
    let field = |name: &str| form.fields.iter().find(|f| f.name == name).unwrap();
    assert!(form.fields.iter().all(|f| !f.help.is_empty()), "every field has its help");
    assert_eq!(
        form.fields.iter().filter(|f| f.required).map(|f| f.name.as_str()).collect::<Vec<_>>(),
        ["symbol"]
    );
    assert_eq!(
        (&field("symbol").examples[..], &field("source").examples[..]),
        (&["DEMO".to_owned()][..], &["synthetic".to_owned()][..])
    );
    assert_eq!(field("model").examples, ["odd", "mute"]);
    let filled = [("symbol", "DEMO"), ("timeframe", "30m"), ("start", "2025-10-01T00:29:00Z")];
    let filled = filled.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(field("model").fills.of("odd"), filled);
    assert!(field("model").fills.of("mute").is_empty(), "nobody knows what it was trained on");
    assert!(serde_json::to_string(&kind.params).unwrap().contains("\"model\""));
    let filled = form.check(&json!({"symbol": "DEMO"})).unwrap();
    assert_eq!(kind.summary.fill(&filled), "DEMO 1h · sma_cross · 20/50");
    let filled = form.check(&json!({"symbol": "DEMO", "strategy": "buy_and_hold"})).unwrap();
    assert_eq!(kind.summary.fill(&filled), "DEMO 1h · buy_and_hold");
    let health: Health = host.get("/health").await.json().await.unwrap();
    assert!(health.ready, "{:?}", health.checks);

    let host = Served::without_models().await;
    let about: About = host.get("/about").await.json().await.unwrap();
    let kind = about.kinds.iter().find(|k| k.name.as_str() == "backtest.run").unwrap();
    let form = Form::from_schema(&kind.params).unwrap();
    assert!(form.fields.iter().all(|f| f.name != "model"));
    let errors = form.check(&json!({"symbol": "DEMO", "strategy": "model"})).unwrap_err();
    assert_eq!(errors[0].field, "strategy");
}
