//! Configuration of commands: tables `[exec.<name>]`.
//!
//! Parsed in two steps, so that a mistake is reported with its kind and key.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Tables `[exec.<name>]` of a configuration, one command each, in file order.
///
/// [`crate::works`] validates the tables, not the file parser.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecConfig(pub(crate) toml::Table);

impl ExecConfig {
    /// Parses a file with only `[exec.<name>]` tables.
    ///
    /// # Errors
    /// If it is not TOML, or contains something else.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            exec: ExecConfig,
        }
        let file: File = toml::from_str(text).map_err(|e| ConfigError {
            kind: "exec".to_owned(),
            key: String::new(),
            what: e.to_string().trim_end().to_owned(),
        })?;
        Ok(file.exec)
    }

    /// Whether no command is declared, so that no exec host is needed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Invalid configuration of commands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}: {what}", if key.is_empty() { String::new() } else { format!(", key '{key}'") })]
pub struct ConfigError {
    /// Kind, e.g. `exec.render`.
    pub kind: String,
    /// Key in its table, e.g. `params.n.default`; empty for the table itself.
    pub key: String,
    /// What is wrong and what would be right.
    pub what: String,
}

/// Table with known keys and unchecked values.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandConfig {
    pub title: Option<String>,
    #[serde(default)]
    pub description: String,
    pub summary: Option<String>,
    pub command: Vec<toml::Value>,
    pub folder: Option<PathBuf>,
    #[serde(default)]
    pub env: Vec<String>,
    #[serde(default)]
    pub set_env: BTreeMap<String, String>,
    #[serde(default)]
    pub params: toml::Table,
    #[serde(default)]
    pub phases: Vec<String>,
    #[serde(default)]
    pub series: toml::Table,
    #[serde(default)]
    pub progress: ProgressConfig,
    pub max_parallel: Option<u32>,
    pub grace_ms: Option<u64>,
    pub memory_mb: Option<u64>,
    pub address_space_mb: Option<u64>,
    pub cpu_seconds: Option<f64>,
    pub wall_seconds: Option<f64>,
    pub nice: Option<i32>,
    pub log_at_once: Option<u32>,
    pub log_per_second: Option<u32>,
    pub sandbox: Option<SandboxConfig>,
}

/// What a command can use; the default is the strictest.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SandboxConfig {
    pub read: Vec<String>,
    pub write: Vec<String>,
    pub network: Network,
    pub unix_sockets: bool,
    pub memory_max_mb: Option<u64>,
    pub pids_max: Option<u32>,
}

/// Network of a sandboxed command.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Network {
    #[default]
    None,
    /// Loopback interface of its own.
    Loopback,
    /// That of the host.
    Host,
}

/// How the output of a command is parsed.
#[derive(Deserialize, Debug, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ProgressConfig {
    /// JSON lines on standard output are reports.
    #[default]
    Lines,
    /// JSON lines, and tqdm bars as progress.
    Tqdm,
    /// JSON lines, and matching lines as progress.
    Regex(Patterns),
    /// All output is log.
    None,
}

/// One or several regular expressions.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
pub(crate) enum Patterns {
    One(String),
    Several(Vec<String>),
}

/// Parameter declaration. [`crate::param::Param::new`] checks which keys are valid for the type.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct ParamConfig {
    pub r#type: ParamType,
    pub title: Option<String>,
    pub help: Option<String>,
    pub default: Option<toml::Value>,
    #[serde(default)]
    pub required: bool,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub min_length: Option<u32>,
    pub max_length: Option<u32>,
    pub choices: Option<Vec<String>>,
    pub examples: Option<Vec<String>>,
    pub flag: Option<String>,
    pub allow_dash: Option<bool>,
    /// Whether the form field is multiline.
    pub multiline: Option<bool>,
    /// Whether its value is never shown, and reaches the command in its environment only.
    pub secret: Option<bool>,
    /// Values of other parameters for which this one applies.
    pub when: Option<BTreeMap<String, Vec<String>>>,
}

/// Type of a parameter.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ParamType {
    Text,
    Integer,
    Number,
    Switch,
    Choice,
    /// File below the working folder.
    File,
}

/// Series declaration.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesConfig {
    pub title: Option<String>,
    #[serde(default)]
    pub unit: String,
    #[serde(default)]
    pub x: String,
}

/// Deserializes a part of a table.
///
/// # Errors
/// The key below `key`, and what is wrong with it.
pub(crate) fn read<T: DeserializeOwned>(kind: &str, key: &str, value: toml::Value) -> Result<T, ConfigError> {
    value.try_into::<T>().map_err(|e| {
        // The error names the key in its last line: "in `params.n`".
        let error_text = e.to_string();
        let within = error_text.trim_end().rsplit_once("\nin `").and_then(|(_, key)| key.strip_suffix('`'));
        let key = [key, within.unwrap_or_default()].into_iter().filter(|k| !k.is_empty()).collect::<Vec<_>>();
        ConfigError { kind: kind.to_owned(), key: key.join("."), what: format!("{}.", e.message()) }
    })
}
