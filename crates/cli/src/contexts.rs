//! Contexts: named servers with how to reach them, and defaults; in the user's configuration.
//!
//! A token is never stored here, only the path of a file that has it.

use anyhow::{Context as _, bail};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::listing::Format;

/// Named server.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    pub server: String,
    /// File with the token of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// File with the only CAs to trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Default form of the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Format>,
    /// Default parameters by kind, as typed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, BTreeMap<String, String>>,
}

impl Context {
    /// Token from its file.
    ///
    /// # Errors
    /// A sentence if the file can't be read.
    pub fn token(&self) -> anyhow::Result<Option<String>> {
        let Some(file) = &self.token_file else { return Ok(None) };
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("the token file {} can't be read", file.display()))?;
        Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty()))
    }
}

/// All contexts of a user.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contexts {
    /// Name of the context in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    #[serde(default, rename = "context", skip_serializing_if = "BTreeMap::is_empty")]
    pub all: BTreeMap<String, Context>,
}

/// Completes names of contexts in a shell.
pub fn completer() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let contexts = Contexts::load().unwrap_or_default().all.into_iter();
        let fitting = contexts.filter(|(name, _)| name.starts_with(&*current.to_string_lossy()));
        fitting
            .map(|(name, context)| CompletionCandidate::new(name).help(Some(context.server.into())))
            .collect()
    })
}

/// File of the contexts.
fn file() -> anyhow::Result<PathBuf> {
    let folder = dirs::config_dir().context("the folder for configuration is unknown: set HOME")?;
    Ok(folder.join("signalbox").join("cli.toml"))
}

impl Contexts {
    /// The stored contexts; none if there is no file.
    ///
    /// # Errors
    /// A sentence if the file can't be read.
    pub fn load() -> anyhow::Result<Self> {
        match file() {
            Ok(file) => Self::load_from(&file),
            // Without a home folder there are none.
            Err(_) => Ok(Self::default()),
        }
    }

    fn load_from(file: &Path) -> anyhow::Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => toml::from_str(&text).with_context(|| {
                format!("{} is not valid, and must be corrected or removed", file.display())
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("{} can't be read", file.display())),
        }
    }

    /// Stores the contexts, readable by the user only.
    ///
    /// # Errors
    /// A sentence if the file can't be written.
    pub fn store(&self) -> anyhow::Result<()> {
        let file = file()?;
        self.store_at(&file).with_context(|| {
            format!(
                "{} can't be written, so the change is not saved (--server and --token work without this file)",
                file.display()
            )
        })
    }

    fn store_at(&self, file: &Path) -> anyhow::Result<()> {
        crate::private_file::replace(file, toml::to_string(self)?.as_bytes())
    }

    /// A context by name.
    ///
    /// # Errors
    /// A sentence with the known names.
    pub fn named(&self, name: &str) -> anyhow::Result<&Context> {
        let Some(context) = self.all.get(name) else {
            let names: Vec<&str> = self.all.keys().map(String::as_str).collect();
            match names.is_empty() {
                true => {
                    bail!(
                        "there is no context '{name}'. Add it with `signalbox context add {name} --server URL`"
                    )
                }
                false => bail!("there is no context '{name}'. Contexts: {}", names.join(", ")),
            }
        };
        Ok(context)
    }

    /// Name of the context of this server with these default parameters of a kind: the current one if it fits.
    pub fn named_like(&self, server: &str, kind: &str, defaults: &[(String, String)]) -> Option<&str> {
        let fits = |context: &Context| {
            let own = context.params.get(kind).into_iter().flatten();
            context.server.trim_end_matches('/') == server.trim_end_matches('/')
                && own.eq(defaults.iter().map(|(name, value)| (name, value)))
        };
        let current = self.current.as_ref().and_then(|name| self.all.get_key_value(name));
        let all = current.into_iter().chain(&self.all);
        all.into_iter().find(|(_, context)| fits(context)).map(|(name, _)| name.as_str())
    }

    /// The context in use, if any.
    ///
    /// # Errors
    /// Like [`Contexts::named`].
    pub fn in_use(&self) -> anyhow::Result<Option<&Context>> {
        self.current.as_deref().map(|name| self.named(name)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_stored_for_the_user_only_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/cli.toml");
        let mut contexts = Contexts::default();
        assert_eq!(Contexts::load_from(&file).unwrap(), contexts);
        let context = Context {
            server: "https://box.example.org".into(),
            token_file: Some("/run/secrets/box".into()),
            ca: Some("/etc/ssl/box-ca.pem".into()),
            output: Some(Format::Json),
            params: BTreeMap::from([("data.load".into(), BTreeMap::from([("source".into(), "csv".into())]))]),
        };
        contexts.all.insert("prod".into(), context.clone());
        contexts.current = Some("prod".into());
        contexts.store_at(&file).unwrap();
        let read = Contexts::load_from(&file).unwrap();
        assert_eq!(read, contexts);
        assert_eq!(read.in_use().unwrap(), Some(&context));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let unknown = read.named("test").unwrap_err().to_string();
        assert_eq!(unknown, "there is no context 'test'. Contexts: prod");
    }

    #[test]
    fn a_context_is_recognized_by_its_server_and_its_defaults() {
        let context = |server: &str, source: &str| Context {
            server: server.to_owned(),
            params: BTreeMap::from([(
                "data.load".into(),
                BTreeMap::from([("source".into(), source.into())]),
            )]),
            ..Context::default()
        };
        let mut contexts = Contexts::default();
        contexts.all.insert("lab".into(), context("http://lab/", "csv"));
        contexts.all.insert("prod".into(), context("http://prod", "csv"));
        contexts.all.insert("twin".into(), context("http://lab", "csv"));
        let csv = [("source".to_owned(), "csv".to_owned())];
        assert_eq!(contexts.named_like("http://prod", "data.load", &csv), Some("prod"));
        assert_eq!(contexts.named_like("http://lab", "data.load", &csv), Some("lab"));
        assert_eq!(contexts.named_like("http://lab", "exec.say", &csv), None);
        contexts.current = Some("twin".into());
        assert_eq!(contexts.named_like("http://lab", "data.load", &csv), Some("twin"));
    }
}
