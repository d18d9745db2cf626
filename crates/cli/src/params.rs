//! Parameters as typed on the command line, parsed as the kind declares them.

use crate::exit::bail_usage;
use anyhow::{Context, bail};
use form::{FieldKind, Form};
use protocol::api::KindList;
use serde_json::{Map, Value};
use std::io::Read;

/// Longest parameter in a file, in bytes: more than any kind accepts.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Parameters of a start.
pub struct Given {
    /// Each as `name=value`.
    pub typed: Vec<String>,
    /// Names, and the texts of their files.
    pub from_files: Vec<(String, String)>,
}

/// Reads parameters from files, each given as `name=file`; `-` is standard input.
///
/// # Errors
/// A sentence that names the file that can't be read.
pub fn from_files(given: &[String]) -> anyhow::Result<Vec<(String, String)>> {
    let mut read: Vec<(String, String)> = Vec::with_capacity(given.len());
    let mut standard_input = false;
    for pair in given {
        let Some((name, path)) =
            pair.split_once('=').filter(|(name, path)| !name.is_empty() && !path.is_empty())
        else {
            bail_usage!(
                "--param-file needs a name and a file: --param-file token=FILE, or token=- for standard input"
            );
        };
        if path == "-" && std::mem::replace(&mut standard_input, true) {
            bail_usage!("only one parameter can be read from standard input. Use a file for {name}");
        }
        let text = match path {
            "-" => text_of(std::io::stdin().lock()).context("standard input"),
            path => std::fs::File::open(path)
                .map_err(anyhow::Error::from)
                .and_then(text_of)
                .context(path.to_owned()),
        };
        read.push((name.to_owned(), text.with_context(|| format!("parameter {name} can't be read"))?));
    }
    Ok(read)
}

/// Text without the line break at its end, which editors and `echo` add.
fn text_of(source: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    source.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES {
        bail!("the text is larger than {MAX_FILE_BYTES} bytes");
    }
    let shorter = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).map(str::len);
    text.truncate(shorter.unwrap_or(text.len()));
    Ok(text)
}

/// Parameters of a start, parsed by the form of the kind.
///
/// # Errors
/// A sentence that names what is unknown or invalid, and the correct form.
pub fn read(kinds: &KindList, kind: &str, given: &Given) -> anyhow::Result<Value> {
    let Some(offer) = kinds.kinds.iter().find(|offer| offer.spec.name.as_str() == kind) else {
        // The server knows whether its host may still connect, and says what is available.
        return undeclared(given);
    };
    let form = match Form::from_schema(&offer.spec.params) {
        Ok(form) => form,
        Err(why) => {
            bail_usage!(
                "the parameters of {kind} can't be set from the command line: {why}. Use the API instead"
            )
        }
    };
    let mut params = Map::new();
    for (name, text, is_typed) in pairs(given)? {
        let Some(field) = form.fields.iter().find(|field| field.name == name) else {
            let names: Vec<&str> = form.fields.iter().map(|field| field.name.as_str()).collect();
            match names.is_empty() {
                true => bail_usage!("{kind} takes no parameters"),
                false => bail_usage!("{kind} has no parameter '{name}'. It takes: {}", names.join(", ")),
            }
        };
        if field.secret && is_typed {
            bail_usage!(
                "parameter {name} is secret, and other users of this machine can read the arguments of a command. Use \
                 --param-file {name}=FILE, or --param-file {name}=- to read it from standard input"
            );
        }
        let value = match field.read(text) {
            Ok(Some(value)) => value,
            // An empty text is a value for a program.
            Ok(None) if matches!(field.kind, FieldKind::Text { verbatim: true, .. }) => Value::from(text),
            // Otherwise, empty means not set.
            Ok(None) => continue,
            Err(why) => bail_usage!("{name}: {why}"),
        };
        if params.insert(name.to_owned(), value).is_some() {
            bail_usage!("parameter {name} is given twice");
        }
    }
    Ok(Value::Object(params))
}

/// Names and texts, and whether the text is an argument of the command.
fn pairs(given: &Given) -> anyhow::Result<Vec<(&str, &str, bool)>> {
    let mut all = Vec::with_capacity(given.typed.len() + given.from_files.len());
    for pair in &given.typed {
        let Some((name, text)) = pair.split_once('=') else {
            bail_usage!("'{pair}' has no '='. Write name=value");
        };
        all.push((name, text, true));
    }
    all.extend(given.from_files.iter().map(|(name, text)| (name.as_str(), text.as_str(), false)));
    Ok(all)
}

/// Parameters of a kind whose form is not known: numbers, `true` and `false` as such, anything else as text.
fn undeclared(given: &Given) -> anyhow::Result<Value> {
    let mut params = Map::new();
    for (name, text, is_typed) in pairs(given)? {
        let value = serde_json::from_str(text)
            .ok()
            .filter(|value: &Value| is_typed && (value.is_number() || value.is_boolean()));
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
                    "symbol": {"type": "string"}, "note": {"type": "string", "x-verbatim": true}, "rows": {"type": "integer"}, "dry": {"type": "boolean"},
                    "token": {"type": "string", "format": "password"}
                }}
            },
            "hosts": [], "available": true
        }]}))
        .unwrap()
    }

    fn parsed(kind: &str, given: &[&str]) -> Result<Value, String> {
        let typed = given.iter().map(|&pair| pair.to_owned()).collect();
        read(&kinds(), kind, &Given { typed, from_files: Vec::new() }).map_err(|e| e.to_string())
    }

    #[test]
    fn params_are_parsed_by_the_schema_of_their_kind() {
        // A symbol may look like a number, and contain an equals sign.
        assert_eq!(
            parsed("data.load", &["symbol=7203=T", "rows=1,000", "dry=true"]).unwrap(),
            json!({"symbol": "7203=T", "rows": 1000, "dry": true})
        );
        assert_eq!(parsed("data.load", &["symbol="]).unwrap(), json!({}));
    }

    #[test]
    fn a_verbatim_text_is_sent_exactly_as_typed_even_if_empty() {
        assert_eq!(parsed("data.load", &["note= a "]).unwrap(), json!({"note": " a "}));
        assert_eq!(parsed("data.load", &["note="]).unwrap(), json!({"note": ""}));
    }

    #[test]
    fn a_secret_is_read_from_a_file_and_rejected_as_an_argument() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, " hunter2 \n").unwrap();
        let from = |pairs: &[String]| from_files(pairs).map_err(|error| format!("{error:#}"));
        let from_files = from(&[format!("token={}", file.display())]).unwrap();
        let given = Given { typed: vec!["symbol=MSFT".into()], from_files };
        let params = read(&kinds(), "data.load", &given).unwrap();
        assert_eq!(params, json!({"symbol": "MSFT", "token": " hunter2 "}));
        // A kind that is not known yet gets the text, too.
        assert_eq!(read(&kinds(), "exec.fit", &given).unwrap()["token"], " hunter2 ");

        let refused = parsed("data.load", &["token=hunter2"]).unwrap_err();
        assert!(refused.contains("--param-file token=FILE") && !refused.contains("hunter2"), "{refused}");
        let twice = Given { typed: vec!["note=a".into()], from_files: vec![("note".into(), "b".into())] };
        assert_eq!(
            read(&kinds(), "data.load", &twice).unwrap_err().to_string(),
            "parameter note is given twice"
        );
        let missing = from(&["token=/nowhere/token".into()]).unwrap_err();
        assert!(missing.starts_with("parameter token can't be read: /nowhere/token"), "{missing}");
        for wrong in ["token", "=x", "token="] {
            assert!(from(&[wrong.into()]).unwrap_err().contains("--param-file token=FILE"), "{wrong}");
        }
        std::fs::write(&file, vec![b'x'; MAX_FILE_BYTES as usize + 1]).unwrap();
        assert!(from(&[format!("token={}", file.display())]).unwrap_err().contains("larger than"));
    }

    #[test]
    fn params_of_an_unconnected_kind_are_validated_by_the_server() {
        let params = parsed("exec.fit", &["epochs=3", "data=a=b.csv", "dry=true", "name=7a"]).unwrap();
        assert_eq!(params, json!({"epochs": 3, "data": "a=b.csv", "dry": true, "name": "7a"}));
    }

    #[test]
    fn an_unknown_name_is_reported_with_a_suggestion() {
        let wrong = parsed("data.load", &["symbl=MSFT"]).unwrap_err();
        assert_eq!(wrong, "data.load has no parameter 'symbl'. It takes: symbol, note, rows, dry, token");
        assert!(parsed("data.load", &["MSFT"]).unwrap_err().contains("name=value"));
        assert!(parsed("data.load", &["rows=many"]).unwrap_err().starts_with("rows: "));
        assert_eq!(parsed("data.load", &["rows=1", "rows=2"]).unwrap_err(), "parameter rows is given twice");
    }
}
