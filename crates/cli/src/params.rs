//! Parameters as typed on the command line, parsed as the kind declares them.

use anyhow::bail;
use form::{FieldKind, Form};
use protocol::api::KindList;
use serde_json::{Map, Value};

/// Parameters of a start, each given as `name=value`.
///
/// # Errors
/// A sentence that names what is unknown or invalid, and the correct form.
pub fn read(kinds: &KindList, kind: &str, given: &[String]) -> anyhow::Result<Value> {
    let Some(offer) = kinds.kinds.iter().find(|offer| offer.spec.name.as_str() == kind) else {
        // The server knows whether its host may still connect, and says what is available.
        return undeclared(given);
    };
    let form = match Form::from_schema(&offer.spec.params) {
        Ok(form) => form,
        Err(why) => {
            bail!("the parameters of {kind} can't be set from the command line: {why}. Use the API instead")
        }
    };
    let mut params = Map::new();
    for pair in given {
        let Some((name, text)) = pair.split_once('=') else {
            bail!("'{pair}' is not a parameter. Write name=value");
        };
        let Some(field) = form.fields.iter().find(|field| field.name == name) else {
            let names: Vec<&str> = form.fields.iter().map(|field| field.name.as_str()).collect();
            match names.is_empty() {
                true => bail!("{kind} takes no parameters"),
                false => bail!("{kind} has no parameter '{name}'. It takes: {}", names.join(", ")),
            }
        };
        let value = match field.read(text) {
            Ok(Some(value)) => value,
            // An empty text is a value for a program.
            Ok(None) if matches!(field.kind, FieldKind::Text { verbatim: true, .. }) => Value::from(text),
            // Otherwise, empty means not set.
            Ok(None) => continue,
            Err(why) => bail!("{name}: {why}"),
        };
        if params.insert(name.to_owned(), value).is_some() {
            bail!("parameter {name} is given twice");
        }
    }
    Ok(Value::Object(params))
}

/// Parameters of a kind whose form is not known: numbers, `true` and `false` as such, anything else as text.
fn undeclared(given: &[String]) -> anyhow::Result<Value> {
    let mut params = Map::new();
    for pair in given {
        let Some((name, text)) = pair.split_once('=') else {
            bail!("'{pair}' is not a parameter. Write name=value");
        };
        let value =
            serde_json::from_str(text).ok().filter(|value: &Value| value.is_number() || value.is_boolean());
        params.insert(name.to_owned(), value.unwrap_or_else(|| Value::from(text)));
    }
    Ok(Value::Object(params))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kinds() -> KindList {
        serde_json::from_value(json!({"kinds": [{
            "spec": {
                "name": "data.load", "title": "Load", "description": "", "summary": "{symbol}",
                "params": {"type": "object", "properties": {
                    "symbol": {"type": "string"}, "note": {"type": "string", "x-verbatim": true}, "rows": {"type": "integer"}, "dry": {"type": "boolean"}
                }}
            },
            "hosts": [], "available": true
        }]}))
        .unwrap()
    }

    fn said(kind: &str, given: &[&str]) -> Result<Value, String> {
        let given: Vec<String> = given.iter().map(|&pair| pair.to_owned()).collect();
        read(&kinds(), kind, &given).map_err(|e| e.to_string())
    }

    #[test]
    fn params_are_parsed_by_the_schema_of_their_kind() {
        // A symbol may look like a number, and contain an equals sign.
        assert_eq!(
            said("data.load", &["symbol=7203=T", "rows=1,000", "dry=true"]).unwrap(),
            json!({"symbol": "7203=T", "rows": 1000, "dry": true})
        );
        assert_eq!(said("data.load", &["symbol="]).unwrap(), json!({}));
    }

    #[test]
    fn a_verbatim_text_is_sent_exactly_as_typed_even_if_empty() {
        assert_eq!(said("data.load", &["note= a "]).unwrap(), json!({"note": " a "}));
        assert_eq!(said("data.load", &["note="]).unwrap(), json!({"note": ""}));
    }

    #[test]
    fn params_of_an_unconnected_kind_are_validated_by_the_server() {
        let params = said("exec.fit", &["epochs=3", "data=a=b.csv", "dry=true", "name=7a"]).unwrap();
        assert_eq!(params, json!({"epochs": 3, "data": "a=b.csv", "dry": true, "name": "7a"}));
    }

    #[test]
    fn an_unknown_name_is_reported_with_a_suggestion() {
        let wrong = said("data.load", &["symbl=MSFT"]).unwrap_err();
        assert_eq!(wrong, "data.load has no parameter 'symbl'. It takes: symbol, note, rows, dry");
        assert!(said("data.load", &["MSFT"]).unwrap_err().contains("name=value"));
        assert!(said("data.load", &["rows=many"]).unwrap_err().starts_with("rows: "));
        assert_eq!(said("data.load", &["rows=1", "rows=2"]).unwrap_err(), "parameter rows is given twice");
    }
}
