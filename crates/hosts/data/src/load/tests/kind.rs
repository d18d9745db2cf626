//! The kind `data.load`: its form and its health.

use super::*;

#[tokio::test]
async fn the_form_of_the_kind_offers_the_existing_sources_and_symbols() {
    let bench = Bench::new();
    bench.csv("A_1h.csv", "");
    bench.csv("BRK.B_1d.csv", "");
    let kind = DataLoad::new(bench.config.clone()).unwrap().kind();
    let form = Form::from_schema(&kind.params).unwrap();
    let field = |name: &str| form.fields.iter().find(|f| f.name == name).unwrap();
    assert_eq!(field("symbol").examples, ["A", "BRK.B"]);
    assert!(form.fields.iter().all(|f| !f.help.is_empty()), "every field has its help");
    let required: Vec<_> = form.fields.iter().filter(|f| f.required).map(|f| f.name.as_str()).collect();
    assert_eq!(required, ["symbol"]);
    let filled = form.check(&json!({"symbol": "A"})).unwrap();
    // Seed and years apply to synthetic bars only.
    let expected = json!({"symbol": "A", "timeframe": "1h", "source": "files", "mode": "full"});
    assert_eq!(filled, expected);
    assert_eq!(kind.summary.fill(&filled), "A 1h · files · full");
    let errors = form
        .check(&json!({"symbol": "A", "source": "web", "mode": "x", "start": "soon", "years": 0}))
        .unwrap_err();
    assert_eq!(errors.len(), 3, "{errors:?}");
    serde_json::from_value::<LoadParams>(filled).unwrap();
}

#[tokio::test]
async fn health_names_a_missing_folder() {
    let bench = Bench::new();
    let mut config = bench.config.clone();
    config.sources.push(SourceConfig::Csv {
        name: "gone".into(),
        folder: bench.root.path().join("gone"),
        options: TextOptions::default(),
    });
    let checks = DataLoad::new(config).unwrap().health().await;
    let states: Vec<_> = checks.iter().map(|c| (c.name.as_str(), c.ok)).collect();
    assert_eq!(states, [("data folder", true), ("source files", true), ("source gone", false)]);
    assert!(checks[2].message.starts_with("Cannot read "));
}
