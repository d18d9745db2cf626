//! Validated command of the configuration: its kind, and how to start it.

mod parts;

use crate::config::{CommandConfig, ConfigError, ExecConfig, read};
use crate::log::LogRate;
use crate::output_parser::ParseMode;
use crate::param::Param;
use crate::sandbox::Sandbox;
use crate::template::{Template, Values, Vector};
use crate::usage::Limits;
use form::Form;
use parts::{
    described, in_words, known, limits, not_secret, pace, params, reading, schema, series, summary, variable,
    vector,
};
use protocol::{FieldError, KindName, KindSpec, Summary};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Environment variables that every command inherits if the host has them.
const ALWAYS: [&str; 7] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"];
/// Environment variables with the operation and the attempt of a process, for the program.
pub(crate) const OPERATION: &str = "SIGNALBOX_OPERATION";
pub(crate) const ATTEMPT: &str = "SIGNALBOX_ATTEMPT";
/// Environment variable that identifies one start of a command; see [`crate::owner`].
pub(crate) const RUN: &str = "SIGNALBOX_RUN";
/// Default time from SIGTERM to SIGKILL. Fits into the server's cancel deadline.
const GRACE: Duration = Duration::from_secs(3);

/// Declared command.
#[derive(Debug)]
pub(crate) struct Declared {
    pub spec: KindSpec,
    vector: Vector,
    pub folder: PathBuf,
    env: Vec<String>,
    set_env: Vec<(String, Template)>,
    params: Vec<Param>,
    /// Parameters at the start of an argument.
    leading: BTreeSet<String>,
    pub reading: Arc<ParseMode>,
    pub max_parallel: Option<u32>,
    pub grace: Duration,
    pub limits: Limits,
    pub pace: LogRate,
    pub sandbox: Option<Sandbox>,
}

/// Validates all commands of a configuration. Relative folders are below `base`.
///
/// # Errors
/// The first mistake, with its kind and key.
pub(crate) fn declare(config: &ExecConfig, base: &Path) -> Result<Vec<Declared>, ConfigError> {
    config.0.iter().map(|(name, table)| Declared::new(name, table.clone(), base)).collect()
}

impl Declared {
    fn new(name: &str, table: toml::Value, base: &Path) -> Result<Self, ConfigError> {
        let kind = format!("exec.{name}");
        let wrong = |key: &str, what: String| ConfigError { kind: kind.clone(), key: key.to_owned(), what };
        let kind_name = KindName::new(kind.clone()).map_err(|e| wrong("", format!("{e}.")))?;
        let config: CommandConfig = read(&kind, "", table)?;
        let params = params(&kind, &config.params)?;
        let schema = schema(&params);
        let form = Form::from_schema(&schema).map_err(|e| wrong("params", format!("{e}.")))?;
        for field in &form.fields {
            if let Some(default) = &field.default {
                field.check(default).map_err(|e| wrong(&format!("params.{}.default", field.name), e))?;
            }
        }
        let vector = vector(&config.command).map_err(|what| wrong("command", what))?;
        let mut set_env = Vec::new();
        for (name, value) in &config.set_env {
            let key = format!("set_env.{name}");
            variable(name).map_err(|what| wrong(&key, what))?;
            set_env.push((name.clone(), Template::parse(value).map_err(|what| wrong(&key, what))?));
        }
        for name in &config.env {
            variable(name).map_err(|what| wrong("env", what))?;
        }
        let summary = summary(config.summary, &params);
        let in_summary = Template::parse(&summary).map_err(|what| wrong("summary", what))?;
        let in_env = set_env.iter().map(|(name, template)| (format!("set_env.{name}"), template));
        let templates = vector.templates().map(|t| ("command".to_owned(), t)).chain(in_env);
        let mut used = BTreeSet::new();
        for (key, template) in templates.chain([("summary".to_owned(), &in_summary)]) {
            for place in template.placeholders() {
                known(place, &params).map_err(|what| wrong(&key, what))?;
                not_secret(place, &key, &params).map_err(|what| wrong(&key, what))?;
                if key != "summary" {
                    used.insert(place.to_owned());
                }
            }
        }
        if let Some(idle) = params.iter().find(|p| !used.contains(&p.name)) {
            let places = if idle.secret { "'set_env'" } else { "'command' or 'set_env'" };
            let what =
                format!("unused parameter. Use {{{}}} in {places}, or remove the parameter.", idle.name);
            return Err(wrong(&format!("params.{}", idle.name), what));
        }
        let folder = config.folder.as_ref().map_or_else(|| base.to_owned(), |folder| base.join(folder));
        let sandbox = match config.sandbox {
            // The default is the folder of the file, which may hold data of Signalbox.
            Some(_) if config.folder.is_none() => {
                let what = "a sandboxed command can read all of its working folder. Name that folder.";
                return Err(wrong("folder", what.to_owned()));
            }
            Some(sandbox) => Some(Sandbox::new(sandbox, &folder).map_err(|(key, what)| wrong(key, what))?),
            None => None,
        };
        Ok(Self {
            leading: vector.templates().filter_map(Template::first_place).map(str::to_owned).collect(),
            folder,
            reading: Arc::new(reading(config.progress).map_err(|what| wrong("progress.regex", what))?),
            limits: limits(
                config.memory_mb,
                config.address_space_mb,
                config.cpu_seconds,
                config.wall_seconds,
                config.nice,
            )
            .map_err(|(key, what)| wrong(key, what))?,
            pace: pace(config.log_at_once, config.log_per_second).map_err(|(key, what)| wrong(key, what))?,
            max_parallel: match config.max_parallel {
                Some(0) => {
                    return Err(wrong("max_parallel", "must be at least 1.".to_owned()));
                }
                most => most,
            },
            grace: config.grace_ms.map_or(GRACE, Duration::from_millis),
            spec: KindSpec {
                name: kind_name,
                title: config.title.unwrap_or_else(|| in_words(name)),
                description: described(config.description, sandbox.as_ref()),
                summary: Summary(summary),
                params: schema,
                phases: config.phases,
                series: series(&kind, config.series)?,
                resumable: false,
            },
            vector,
            env: config.env,
            set_env,
            params,
            sandbox,
        })
    }

    /// Checks beyond the form schema.
    ///
    /// # Errors
    /// A message for each invalid parameter, or one for the command if it can't be started.
    pub fn check(&self, params: &Map<String, Value>) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        if let Err(why) = self.program() {
            errors.push(FieldError::new("", why));
        }
        for param in &self.params {
            if let Some(value) = params.get(&param.name)
                && let Err(why) = param.check(value, self.leading.contains(&param.name), &self.folder)
            {
                errors.push(FieldError::new(&param.name, why));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Path of the program.
    ///
    /// # Errors
    /// Why it can't be started, and what to do.
    pub fn program(&self) -> Result<PathBuf, String> {
        let program =
            crate::program::find(&self.spec.name, &self.folder, &self.name_of_program(), self.path())?;
        if let Some(sandbox) = &self.sandbox {
            sandbox.check_paths(&self.spec.name)?;
        }
        Ok(program)
    }

    fn name_of_program(&self) -> String {
        self.vector.fill(&Values::new()).into_iter().next().unwrap_or_default()
    }

    /// Search path for programs, the same as that of the command.
    fn path(&self) -> Option<std::ffi::OsString> {
        let set = self.set_env.iter().find(|(name, _)| name == "PATH");
        match set.and_then(|(_, value)| value.fill(&Values::new())) {
            Some(path) => Some(path.into()),
            None => std::env::var_os("PATH"),
        }
    }

    /// Argument vector and environment for these parameters.
    pub fn fill(&self, params: &Map<String, Value>) -> (Vec<String>, Vec<(String, String)>) {
        let values: Values = self
            .params
            .iter()
            .filter_map(|param| Some((param.name.clone(), param.text(params.get(&param.name)?)?)))
            .collect();
        let set = self.set_env.iter().filter_map(|(name, value)| Some((name.clone(), value.fill(&values)?)));
        (self.vector.fill(&values), set.collect())
    }

    /// Inherited part of the host's environment.
    pub fn passed(&self) -> impl Iterator<Item = (&str, std::ffi::OsString)> {
        let names = ALWAYS.into_iter().chain(self.env.iter().map(String::as_str));
        names.filter_map(|name| Some((name, std::env::var_os(name)?)))
    }
}

#[cfg(test)]
mod tests;
