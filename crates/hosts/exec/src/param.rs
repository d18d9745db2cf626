//! Parameter of a command: its form field, its text in the argument vector, and checks beyond the form schema.

use crate::config::{ConfigError, ParamConfig, ParamType};
use serde_json::{Map, Value, json};
use std::path::{Component, Path};

/// Validated parameter declaration.
#[derive(Debug)]
pub(crate) struct Param {
    pub name: String,
    takes: ParamType,
    /// Text of a switch that is on. One that is off has no text.
    flag: Option<String>,
    allow_dash: bool,
    required: bool,
    pub secret: bool,
    /// Property in the schema.
    pub schema: Value,
}

impl Param {
    /// Validates a declaration.
    ///
    /// # Errors
    /// The first invalid key.
    pub fn new(kind: &str, name: &str, config: ParamConfig) -> Result<Self, ConfigError> {
        let wrong = |key: &str, what: String| ConfigError {
            kind: kind.to_owned(),
            key: format!("params.{name}{}{key}", if key.is_empty() { "" } else { "." }),
            what,
        };
        let good_name = !name.is_empty()
            && name.len() <= 40
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !good_name {
            return Err(wrong(
                "",
                "a parameter name has 1 to 40 lowercase letters, digits and '_'.".to_owned(),
            ));
        }
        keys_go_with_type(&config).map_err(|(key, what)| wrong(key, what))?;
        if let (Some(min), Some(max)) = (config.min, config.max)
            && min > max
        {
            return Err(wrong("min", format!("{min} is greater than 'max', {max}.")));
        }
        let whole = |n: &Option<f64>| n.is_none_or(|n| n.fract() == 0.0 && n.abs() < 9e15);
        if config.r#type == ParamType::Integer && !(whole(&config.min) && whole(&config.max)) {
            return Err(wrong("min", "bounds of an integer must be whole numbers.".to_owned()));
        }
        if config.required && config.default.is_some() {
            return Err(wrong(
                "required",
                "a required parameter can't have a default. Remove 'required' or 'default'.".to_owned(),
            ));
        }
        if config.r#type == ParamType::Choice && config.choices.as_ref().is_none_or(Vec::is_empty) {
            return Err(wrong(
                "choices",
                "a choice needs a list of choices, like choices = [\"fast\", \"exact\"].".to_owned(),
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            takes: config.r#type,
            flag: config.flag.clone(),
            allow_dash: config.allow_dash.unwrap_or(false),
            required: config.required,
            secret: config.secret == Some(true),
            schema: schema(&config),
        })
    }

    pub fn required(&self) -> bool {
        self.required
    }

    /// Text of a validated value; `None` if there is nothing to insert.
    pub fn text(&self, value: &Value) -> Option<String> {
        match (value, &self.flag) {
            (Value::Null, _) => None,
            (Value::Bool(on), Some(flag)) => on.then(|| flag.clone()),
            (Value::String(text), _) => Some(text.clone()),
            (other, _) => Some(other.to_string()),
        }
    }

    /// Checks beyond the form schema. `leads`: the parameter is at the start of an argument.
    ///
    /// # Errors
    /// What is wrong and what would be right.
    pub fn check(&self, value: &Value, leads: bool, folder: &Path) -> Result<(), String> {
        let Some(text) = value.as_str() else { return Ok(()) };
        if text.contains('\0') {
            return Err("An argument can't contain a NUL character. Remove it.".to_owned());
        }
        let free = matches!(self.takes, ParamType::Text | ParamType::File);
        if free && leads && text.starts_with('-') && !self.allow_dash {
            return Err(
                "The value starts with '-', so the command would read it as an option. Begin the value with another \
                 character, or set allow_dash = true in the configuration to allow options."
                    .to_owned(),
            );
        }
        if self.takes == ParamType::File { file_within(folder, text) } else { Ok(()) }
    }
}

/// Rejects keys that do not apply to the type.
fn keys_go_with_type(config: &ParamConfig) -> Result<(), (&'static str, String)> {
    use ParamType::{Choice, File, Integer, Number, Switch, Text};
    let rules: [(&str, bool, &[ParamType], &str); 10] = [
        ("min", config.min.is_some(), &[Integer, Number], "integer and number"),
        ("max", config.max.is_some(), &[Integer, Number], "integer and number"),
        ("min_length", config.min_length.is_some(), &[Text], "text"),
        ("max_length", config.max_length.is_some(), &[Text], "text"),
        ("choices", config.choices.is_some(), &[Choice], "choice"),
        (
            "examples",
            config.examples.is_some(),
            &[Text, File, Integer, Number],
            "text, file, integer and number",
        ),
        ("flag", config.flag.is_some(), &[Switch], "switch"),
        ("allow_dash", config.allow_dash.is_some(), &[Text, File], "text and file"),
        ("multiline", config.multiline.is_some(), &[Text], "text"),
        ("secret", config.secret.is_some(), &[Text], "text"),
    ];
    for (key, given, types, go_with) in rules {
        if given && !types.contains(&config.r#type) {
            return Err((key, format!("valid only for {go_with} parameters. Remove this key.")));
        }
    }
    if config.secret != Some(true) {
        return Ok(());
    }
    let disclosing = [
        ("default", config.default.is_some()),
        ("examples", config.examples.is_some()),
        ("multiline", config.multiline == Some(true)),
    ];
    match disclosing.into_iter().find(|(_, given)| *given) {
        Some(("multiline", _)) => {
            Err(("multiline", "forms can't hide several lines of a secret. Remove it.".to_owned()))
        }
        Some((key, _)) => {
            Err((key, "everyone who starts operations could read the secret. Remove it.".to_owned()))
        }
        None => Ok(()),
    }
}

fn schema(config: &ParamConfig) -> Value {
    let mut property = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            property.insert(key.to_owned(), value);
        }
    };
    let ty = match config.r#type {
        ParamType::Text | ParamType::Choice | ParamType::File => "string",
        ParamType::Integer => "integer",
        ParamType::Number => "number",
        ParamType::Switch => "boolean",
    };
    set("type", Some(json!(ty)));
    let format = match (config.secret, config.multiline) {
        (Some(true), _) => Some("password"),
        (_, Some(true)) => Some("multiline"),
        _ => None,
    };
    set("format", format.map(|format| json!(format)));
    set("x-verbatim", (config.r#type == ParamType::Text).then(|| json!(true)));
    set("title", config.title.as_ref().map(|t| json!(t)));
    let help = config.help.clone().unwrap_or_default();
    let help = match config.r#type {
        ParamType::File if help.is_empty() => "File in the command's folder".to_owned(),
        _ => help,
    };
    set("description", Some(json!(help)));
    set("enum", config.choices.as_ref().map(|c| json!(c)));
    let number = |n: f64| if n.fract() == 0.0 && n.abs() < 9e15 { json!(n as i64) } else { json!(n) };
    set("minimum", config.min.map(number));
    set("maximum", config.max.map(number));
    // A required text must not be empty.
    let shortest = config.min_length.or(config.required.then_some(1));
    let free = matches!(config.r#type, ParamType::Text | ParamType::File);
    set("minLength", shortest.filter(|_| free).map(|n| json!(n)));
    set("maxLength", config.max_length.or(free.then_some(1_000)).map(|n| json!(n)));
    set("examples", config.examples.as_ref().map(|e| json!(e)));
    let off = (config.r#type == ParamType::Switch).then(|| json!(false));
    set("x-when", config.when.as_ref().map(|w| json!(w)));
    set("default", config.default.as_ref().and_then(|d| serde_json::to_value(d).ok()).or(off));
    Value::Object(property)
}

/// Checks that a path is a file below the folder.
fn file_within(folder: &Path, text: &str) -> Result<(), String> {
    let path = Path::new(text);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside {
        return Err(format!(
            "'{text}' is not a relative path below {}. Use a path without '..' and without a leading '/'.",
            folder.display()
        ));
    }
    let found = folder.canonicalize().and_then(|folder| Ok((folder.join(path).canonicalize()?, folder)));
    match found {
        Ok((file, folder)) if file.starts_with(&folder) && file.is_file() => Ok(()),
        Ok((file, folder)) if !file.starts_with(&folder) => Err(format!(
            "'{text}' is a link to a file outside of {}. Use a file below that folder.",
            folder.display()
        )),
        Ok(_) => Err(format!("'{text}' is not a file. Use a file below {}.", folder.display())),
        Err(e) => Err(format!("File '{text}' was not found in {}: {e}.", folder.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn param(toml: &str) -> Result<Param, ConfigError> {
        let config = toml::from_str::<ParamConfig>(toml).unwrap();
        Param::new("exec.t", "p", config)
    }

    #[test]
    fn a_key_of_another_type_is_rejected_by_name() {
        let error = param("type = \"text\"\nmin = 1").unwrap_err();
        assert_eq!(
            error.to_string(),
            "exec.t, key 'params.p.min': valid only for integer and number parameters. Remove this key."
        );
        for bad in [
            "type = \"integer\"\nmin = 3\nmax = 1",
            "type = \"integer\"\nmin = 0.5",
            "type = \"choice\"",
            "type = \"text\"\nrequired = true\ndefault = \"a\"",
            "type = \"switch\"\nchoices = [\"a\"]",
        ] {
            assert!(param(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_has_no_key_that_would_disclose_it() {
        assert_eq!(param("type = \"text\"\nsecret = true").unwrap().schema["format"], "password");
        assert_eq!(param("type = \"text\"\nsecret = false").unwrap().schema.get("format"), None);
        for (bad, key) in [
            ("type = \"text\"\nsecret = true\ndefault = \"hunter2\"", "params.p.default"),
            ("type = \"text\"\nsecret = true\nexamples = [\"hunter2\"]", "params.p.examples"),
            ("type = \"text\"\nsecret = true\nmultiline = true", "params.p.multiline"),
            ("type = \"integer\"\nsecret = true", "params.p.secret"),
        ] {
            let error = param(bad).unwrap_err();
            assert_eq!(error.key, key);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn values_become_text_that_a_command_reads() {
        let n = param("type = \"number\"").unwrap();
        assert_eq!(n.text(&json!(0.1)).unwrap(), "0.1");
        assert_eq!(n.text(&json!(-3)).unwrap(), "-3");
        assert_eq!(n.text(&Value::Null), None);
        let plain = param("type = \"switch\"").unwrap();
        assert_eq!(plain.text(&json!(true)).unwrap(), "true");
        let flag = param("type = \"switch\"\nflag = \"--dry-run\"").unwrap();
        assert_eq!((flag.text(&json!(true)), flag.text(&json!(false))), (Some("--dry-run".to_owned()), None));
    }

    #[test]
    fn a_text_like_an_option_is_rejected_unless_allowed() {
        let here = Path::new(".");
        let text = param("type = \"text\"").unwrap();
        assert!(text.check(&json!("--delete"), true, here).unwrap_err().contains("allow_dash"));
        assert!(text.check(&json!("--delete"), false, here).is_ok(), "it follows --name=");
        assert!(text.check(&json!("a\0b"), false, here).is_err());
        let allowed = param("type = \"text\"\nallow_dash = true").unwrap();
        assert!(allowed.check(&json!("--delete"), true, here).is_ok());
        let number = param("type = \"number\"").unwrap();
        assert!(number.check(&json!(-1), true, here).is_ok());
    }

    #[test]
    fn a_file_param_must_exist_below_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("in");
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        std::fs::write(folder.join("sub/a.csv"), "x").unwrap();
        std::fs::write(root.path().join("secret"), "x").unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
        let file = param("type = \"file\"").unwrap();
        let check = |name: &str| file.check(&json!(name), true, &folder);
        assert!(check("sub/a.csv").is_ok() && check("./sub/a.csv").is_ok());
        for bad in ["../secret", "/etc/passwd", "sub", "link", "sub/b.csv", "sub/../../secret", ""] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
