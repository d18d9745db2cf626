//! Forms: supported schemas, and messages about invalid parameters.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn form() -> Form {
    Form::from_schema(&json!({
        "type": "object",
        "properties": {
            "symbol": {"type": "string", "minLength": 1, "maxLength": 12, "description": "As in the file name"},
            "mode": {"$ref": "#/$defs/Mode", "default": "full"},
            "start": {"type": ["string", "null"], "format": "date"},
            "rows_per_second": {"type": ["integer", "null"], "minimum": 1, "maximum": 1000000},
            "ratio": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
            "dry": {"type": "boolean", "default": false}
        },
        "required": ["symbol"],
        "$defs": {"Mode": {"oneOf": [
            {"const": "full", "type": "string", "description": "Everything again"},
            {"const": "tail", "type": "string", "description": "Only what is newer"}
        ]}}
    }))
    .unwrap()
}

#[test]
fn missing_params_get_their_defaults() {
    let checked = form().check(&json!({"symbol": " MSFT ", "start": null})).unwrap();
    assert_eq!(checked, json!({"symbol": "MSFT", "mode": "full", "ratio": 0.5, "dry": false}));
}

#[test]
fn every_invalid_param_has_its_own_message() {
    let errors = form()
        .check(&json!({"mode": "ful", "start": "yesterday", "rows_per_second": 0, "ratio": 2, "symbl": "x"}))
        .unwrap_err();
    let of = |name: &str| errors.iter().find(|e| e.field == name).unwrap().message.as_str();
    assert_eq!(of("symbl"), "Unknown parameter 'symbl'. Did you mean 'symbol'?");
    assert_eq!(of("symbol"), "Symbol is required.");
    assert_eq!(of("mode"), "'ful' is not one of full or tail.");
    assert!(of("start").contains("a date like"));
    assert_eq!(of("rows_per_second"), "'0' is not a whole number from 1 to 1000000.");
    assert_eq!(of("ratio"), "'2' is not a number from 0 to 1.");
    assert_eq!(errors.len(), 6);
}

#[test]
fn an_integer_has_no_decimal_point_however_it_was_written() {
    let schema = json!({"type": "object", "properties": {"s": {"type": "number", "default": 2.0}}});
    let form = Form::from_schema(&schema).unwrap();
    for typed in ["3", "3.0", "3e0"] {
        let value = form.fields[0].read(typed).unwrap().unwrap();
        assert_eq!(value.to_string(), "3", "{typed}");
    }
    let given = |params| form.check(&params).unwrap()["s"].to_string();
    assert_eq!(given(json!({"s": 3.0})), "3");
    assert_eq!(given(json!({"s": -0.25})), "-0.25");
    assert_eq!(given(json!({})), "2");
    assert_eq!(given(json!({"s": 1e300})), json!(1e300).to_string());
}

#[test]
fn typed_text_is_converted_to_the_type_of_the_param() {
    let form = form();
    let field = |name: &str| form.fields.iter().find(|f| f.name == name).unwrap();
    assert_eq!(field("rows_per_second").read("12,000").unwrap(), Some(json!(12000)));
    assert_eq!(field("rows_per_second").read("  ").unwrap(), None);
    assert!(field("rows_per_second").read("many").is_err());
    assert_eq!(field("ratio").read("0.25").unwrap(), Some(json!(0.25)));
    assert_eq!(
        field("ratio").read("0,25").unwrap_err(),
        "'0,25' is not a number from 0 to 1. Use a point for decimals (0.5). Commas separate thousands (12,000)."
    );
    assert!(field("rows_per_second").read("1,5").unwrap_err().contains("Use a point"));
    assert_eq!(field("rows_per_second").title, "Rows per second");
    assert!(!field("rows_per_second").required);
}

#[test]
fn an_invalid_number_is_quoted_as_typed() {
    let form = form();
    let field = |name: &str| form.fields.iter().find(|f| f.name == name).unwrap();
    assert_eq!(field("ratio").read("1,234,567").unwrap_err(), "'1,234,567' is not a number from 0 to 1.");
    assert_eq!(field("ratio").read("2").unwrap_err(), "'2' is not a number from 0 to 1.");
    let rows = field("rows_per_second");
    assert_eq!(rows.read("1,234,567").unwrap_err(), "'1,234,567' is not a whole number from 1 to 1000000.");
    assert_eq!(rows.read("1,000,000").unwrap(), Some(json!(1_000_000)));
}

#[test]
fn a_schema_that_no_form_can_show_is_rejected_with_its_param() {
    let nested = json!({"type": "object", "properties": {"a": {"type": "object"}}});
    assert_eq!(
        Form::from_schema(&nested).unwrap_err(),
        "parameter 'a': forms don't support the type 'object'"
    );
}

#[test]
fn references_in_a_circle_are_rejected() {
    let schema = json!({
        "properties": {"a": {"$ref": "#/$defs/B"}},
        "$defs": {"B": {"anyOf": [{"$ref": "#/$defs/C"}, {"type": "null"}]}, "C": {"$ref": "#/$defs/B"}}
    });
    assert!(Form::from_schema(&schema).unwrap_err().contains("in a circle"));
    let mut defs: serde_json::Map<_, _> =
        (0..9).map(|n| (n.to_string(), json!({"$ref": format!("#/$defs/{}", n + 1)}))).collect();
    defs.insert("9".to_owned(), json!({"type": "boolean"}));
    let chain = json!({"properties": {"a": {"$ref": "#/$defs/0"}}, "$defs": defs});
    assert_eq!(Form::from_schema(&chain).unwrap().fields[0].kind, FieldKind::Switch);
}

#[test]
fn a_condition_applies_to_the_value_without_the_spaces_around_it() {
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string"},
        "b": {"type": "integer", "x-when": {"a": "x"}},
        "c": {"type": "string", "x-when": {"b": "3"}}
    }, "required": ["b"]});
    let form = Form::from_schema(&schema).unwrap();
    assert_eq!(form.check(&json!({"a": " x "})).unwrap_err()[0].message, "B is required.");
    let given = json!({"a": " x ", "b": 3.0, "c": "y"});
    assert_eq!(form.check(&given).unwrap(), json!({"a": "x", "b": 3, "c": "y"}));
}

#[test]
fn only_verbatim_text_keeps_leading_and_trailing_spaces() {
    let schema = json!({"type": "object", "properties": {
        "text": {"type": "string", "x-verbatim": true, "default": "hi"},
        "must": {"type": "string", "x-verbatim": true, "minLength": 1, "default": "x"},
        "symbol": {"type": "string", "default": "A"}
    }});
    let form = Form::from_schema(&schema).unwrap();
    let checked = form.check(&json!({"text": " lead ", "must": " x ", "symbol": " MSFT "})).unwrap();
    assert_eq!(checked, json!({"text": " lead ", "must": " x ", "symbol": "MSFT"}));
    assert_eq!(form.check(&json!({"text": ""})).unwrap()["text"], "", "empty is given");
    assert_eq!(form.check(&json!({"must": "  "})).unwrap_err()[0].message, "Must is required.");
    assert_eq!(form.fields[0].read(" lead ").unwrap(), Some(json!(" lead ")));
    assert_eq!(form.fields[0].read("").unwrap(), None);
}

proptest! {
    #[test]
    fn valid_params_pass_a_second_validation_unchanged(symbol in "[A-Z]{1,12}", rate in proptest::option::of(1i64..1_000_000), dry: bool) {
        let form = form();
        let once = form.check(&json!({"symbol": symbol, "rows_per_second": rate, "dry": dry})).unwrap();
        prop_assert_eq!(form.check(&once).unwrap(), once);
    }

    #[test]
    fn no_params_panic(name in ".{0,20}", text in ".{0,60}") {
        let _ = form().check(&json!({"symbol": text.clone(), "start": text.clone(), name: text}));
    }
}

#[test]
fn a_multiline_text_keeps_its_lines() {
    let schema = json!({"type": "object", "required": ["plan"], "properties": {
        "plan": {"type": "string", "minLength": 1, "maxLength": 60, "format": "multiline"},
        "notes": {"type": "string", "contentMediaType": "text/markdown"},
        "line": {"type": "string"}
    }});
    let form = Form::from_schema(&schema).unwrap();
    let several = |field: &Field| matches!(field.kind, FieldKind::Text { multiline: true, .. });
    assert_eq!(form.fields.iter().map(several).collect::<Vec<_>>(), [true, true, false]);
    let yaml = "steps:\n  - load\n  - train\n";
    assert_eq!(form.fields[0].read(yaml).unwrap(), Some(json!(yaml)));
    let checked = form.check(&json!({"plan": yaml, "line": " x "})).unwrap();
    assert_eq!(checked, json!({"plan": yaml, "line": "x"}));
    assert_eq!(form.check(&json!({"plan": " \n "})).unwrap_err()[0].message, "Plan is required.");
    assert!(
        form.check(&json!({"plan": "-\n".repeat(40)})).unwrap_err()[0].message.contains("the value has 80")
    );
}

#[test]
fn a_choice_is_called_by_its_title_and_without_one_by_its_value() {
    let schema = json!({"type": "object", "properties": {"strategy": {"oneOf": [
        {"const": "sma_cross", "title": "SMA cross"}, {"const": "model"}, {"enum": ["a", "b"]}
    ]}}});
    let form = Form::from_schema(&schema).unwrap();
    let FieldKind::Choice { options } = &form.fields[0].kind else { panic!("a choice") };
    let titles: Vec<_> = options.iter().map(|o| (o.value.as_str(), o.title.as_str())).collect();
    assert_eq!(titles, [("sma_cross", "SMA cross"), ("model", "model"), ("a", "a"), ("b", "b")]);
}

#[test]
fn parameters_for_people_have_the_titles_of_their_choices() {
    let schema = json!({"type": "object", "properties": {"strategy": {"oneOf": [
        {"const": "sma_cross", "title": "SMA cross"}, {"const": "model", "title": "Model"}
    ]}, "note": {"type": "string"}}});
    let form = Form::from_schema(&schema).unwrap();
    let titled = |strategy: &str| form.titled(&json!({"strategy": strategy, "note": "sma_cross"}));
    assert_eq!(titled("sma_cross"), json!({"strategy": "SMA cross", "note": "sma_cross"}));
    // What differs by case only stays as it was given.
    assert_eq!(titled("model"), json!({"strategy": "model", "note": "sma_cross"}));
    assert_eq!(titled("else"), json!({"strategy": "else", "note": "sma_cross"}));
}

#[test]
fn a_form_folds_what_its_schema_marks_and_otherwise_optional_fields_of_a_long_form() {
    let fold = |schema: Value| {
        let form = Form::from_schema(&schema).unwrap();
        form.fields.into_iter().filter(|f| f.advanced).map(|f| f.name).collect::<Vec<_>>()
    };
    let names: Vec<String> = (b'a'..=b'l').map(|letter| char::from(letter).to_string()).collect();
    let all = |of: &dyn Fn(&str) -> Value| -> Value {
        names.iter().map(|name| (name.clone(), of(name))).collect::<serde_json::Map<_, _>>().into()
    };
    let text = json!({"type": "string"});
    let plain = all(&|_| text.clone());
    assert_eq!(
        fold(json!({"type": "object", "required": ["h"], "properties": plain})),
        ["g", "i", "j", "k", "l"]
    );
    let marked =
        all(&|name| if name == "b" { json!({"type": "string", "x-advanced": true}) } else { text.clone() });
    assert_eq!(fold(json!({"type": "object", "properties": marked})), ["b"]);
    assert!(fold(json!({"type": "object", "properties": {"a": text, "b": text}})).is_empty());
}
