//! Defaults, and a message for each invalid parameter.

use super::*;
use form::Form;
use host_kit::params_schema;
use serde_json::{Value, json};

fn errors(params: Value) -> Vec<FieldError> {
    let folder = tempfile::tempdir().unwrap();
    let params: TrainingParams = serde_json::from_value(params).unwrap();
    params.plan(&Library::new(folder.path())).unwrap_err()
}

#[test]
fn only_symbols_are_required_and_the_defaults_are_valid() {
    let form = Form::from_schema(&params_schema::<TrainingParams>()).unwrap();
    let needed: Vec<_> = form.fields.iter().filter(|f| f.required).map(|f| f.name.as_str()).collect();
    assert_eq!(needed, ["symbols"]);
    let filled = form.check(&json!({"symbols": "MSFT"})).unwrap();
    let params: TrainingParams = serde_json::from_value(filled).unwrap();
    assert_eq!(parse_features(&params.features).unwrap().len(), 10);
    assert_eq!(parse_hidden(&params.hidden).unwrap(), [32, 16]);
    // Valid, but there are no bars.
    let error_list = errors(json!({"symbols": "MSFT"}));
    assert_eq!((error_list.len(), error_list[0].field.as_str()), (1, "symbols"));
    assert!(
        error_list[0].message.contains("Load the bars first with data.load"),
        "{}",
        error_list[0].message
    );
}

#[test]
fn every_invalid_param_has_its_message() {
    let error_list = errors(json!({
        "symbols": " , ", "start": "2024-05-01", "end": "2024-01-01", "features": "rsi_14, magic_3",
        "hidden": "32,many", "validation_share": 0.5, "test_share": 0.5
    }));
    let fields: Vec<_> = error_list.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["symbols", "end", "features", "hidden", "test_share"]);
    assert!(error_list[2].message.contains("rsi_N"), "{}", error_list[2].message);
}

#[test]
fn a_batch_too_large_for_quick_cancels_is_rejected_with_the_limit() {
    let error_list = errors(json!({"symbols": "MSFT", "hidden": "512,512", "batch_size": 8192}));
    assert_eq!(error_list[1].field, "batch_size");
    assert!(error_list[1].message.starts_with("At most 74 samples"), "{}", error_list[1].message);
    assert_eq!(errors(json!({"symbols": "MSFT", "batch_size": 8192})).len(), 1, "a small network may");
}

#[test]
fn layers_are_a_few_integers() {
    assert_eq!(parse_hidden(" 8 ").unwrap(), [8]);
    for bad in ["", "0", "513", "8,8,8,8,8", "8;8", "-1", "1.5"] {
        assert!(parse_hidden(bad).is_err(), "{bad}");
    }
    assert!(parse_features("rsi_14,rsi_14").is_err());
    assert!(parse_features("").is_err());
}
