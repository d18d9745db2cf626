//! Conversion of each part of a command's table.
//!
//! An error is a sentence without the kind and usually without the key; the caller adds them.

use crate::command::{ATTEMPT, OPERATION};
use crate::config::{ConfigError, ParamConfig, Patterns, ProgressConfig, SeriesConfig, read};
use crate::log::LogRate;
use crate::output_parser::ParseMode;
use crate::param::Param;
use crate::pattern::Matcher;
use crate::sandbox::Sandbox;
use crate::template::{Template, Values, Vector};
use crate::usage::Limits;
use form::distance;
use protocol::SeriesInfo;
use serde_json::{Map, Value, json};
use std::time::Duration;

pub(super) fn params(kind: &str, table: &toml::Table) -> Result<Vec<Param>, ConfigError> {
    let one = |(name, value): (&String, &toml::Value)| {
        let config: ParamConfig = read(kind, &format!("params.{name}"), value.clone())?;
        Param::new(kind, name, config)
    };
    table.iter().map(one).collect()
}

pub(super) fn schema(params: &[Param]) -> Value {
    let properties: Map<_, _> = params.iter().map(|p| (p.name.clone(), p.schema.clone())).collect();
    let required: Vec<_> = params.iter().filter(|p| p.required()).map(|p| p.name.as_str()).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

/// Parses `command`: strings, and lists of strings that are used together or not at all.
pub(super) fn vector(command: &[toml::Value]) -> Result<Vector, String> {
    const SHAPE: &str = "must be a list of strings and lists of strings, like [\"python3\", \"fit.py\", \
                         [\"--seed\", \"{seed}\"]]";
    let argument = |value: &toml::Value| {
        let text = value
            .as_str()
            .ok_or_else(|| format!("it {SHAPE}; {value} is neither a string nor a list of strings."))?;
        if text.contains('\0') {
            return Err("an argument can't contain a NUL character. Remove this character.".to_owned());
        }
        Template::parse(text)
    };
    let group = |value: &toml::Value| match value {
        toml::Value::Array(group) => group.iter().map(argument).collect::<Result<Vec<_>, _>>(),
        one => Ok(vec![argument(one)?]),
    };
    let vector = Vector(command.iter().map(group).collect::<Result<_, _>>()?);
    match vector.0.first().and_then(|group| group.first()) {
        None => Err(format!("it {SHAPE}, and start with the program.")),
        Some(program) if program.placeholders().next().is_some() => {
            Err("the first string is the program, and it can't contain a parameter. Write its name or path."
                .to_owned())
        }
        Some(program) if program.fill(&Values::new()).is_none_or(|name| name.trim().is_empty()) => {
            Err("the first string is empty. Write the name or path of the program there.".to_owned())
        }
        Some(_) if vector.0[0].len() > 1 => {
            Err("the program is inside a list. Write it as the first string of 'command'.".to_owned())
        }
        Some(_) => Ok(vector),
    }
}

pub(super) fn known(place: &str, params: &[Param]) -> Result<(), String> {
    if params.iter().any(|p| p.name == place) {
        return Ok(());
    }
    let near = params.iter().map(|p| (distance(&p.name, place), &p.name)).min();
    let hint = match near {
        Some((d, name)) if d <= 1 + name.len() / 4 => format!("Did you mean {{{name}}}?"),
        _ => format!("Declare it in 'params', or write {{{{{place}}}}} for literal braces."),
    };
    Err(format!("unknown parameter '{place}' in {{{place}}}. {hint}"))
}

pub(super) fn variable(name: &str) -> Result<(), String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(format!(
            "'{name}' is not a valid name of an environment variable. Use a name without '=' that is not empty."
        ));
    }
    if [OPERATION, ATTEMPT].contains(&name) {
        return Err(format!("{name} is set by the host. Remove it."));
    }
    Ok(())
}

/// Refuses a secret parameter outside of `set_env`.
pub(super) fn not_secret(place: &str, key: &str, params: &[Param]) -> Result<(), String> {
    if key.starts_with("set_env") || !params.iter().any(|p| p.secret && p.name == place) {
        return Ok(());
    }
    let variable = place.to_uppercase();
    if key == "summary" {
        return Err(format!("'{place}' is secret, so it can't be a part of the title. Remove {{{place}}}."));
    }
    Err(format!(
        "'{place}' is secret, and every user of the machine can read the arguments of a command. Remove {{{place}}}, and \
         pass the secret in the environment: set_env = {{ {variable} = \"{{{place}}}\" }}."
    ))
}

/// Summary template: as configured, or the first parameters that are not secret, with their names:
/// `rows 6000 · seed 2`.
pub(super) fn summary(configured: Option<String>, params: &[Param]) -> String {
    configured.unwrap_or_else(|| {
        let part = |p: &Param| format!("{} {{{}}}", p.name.replace('_', " "), p.name);
        params.iter().filter(|p| !p.secret).take(3).map(part).collect::<Vec<_>>().join(" · ")
    })
}

pub(super) fn series(kind: &str, table: toml::Table) -> Result<Vec<SeriesInfo>, ConfigError> {
    let one = |(name, value): (String, toml::Value)| {
        let config: SeriesConfig = read(kind, &format!("series.{name}"), value)?;
        let title = config.title.unwrap_or_else(|| in_words(&name));
        Ok(SeriesInfo { name, title, unit: config.unit, x: config.x })
    };
    table.into_iter().map(one).collect()
}

pub(super) fn reading(config: ProgressConfig) -> Result<ParseMode, String> {
    Ok(match config {
        ProgressConfig::Lines => ParseMode::Lines,
        ProgressConfig::Tqdm => ParseMode::Tqdm,
        ProgressConfig::None => ParseMode::Nothing,
        ProgressConfig::Regex(Patterns::One(pattern)) => ParseMode::Pattern(Matcher::new(&[pattern])?),
        ProgressConfig::Regex(Patterns::Several(patterns)) => ParseMode::Pattern(Matcher::new(&patterns)?),
    })
}

pub(super) fn limits(
    memory_mb: Option<u64>,
    address_space_mb: Option<u64>,
    cpu_seconds: Option<f64>,
    wall_seconds: Option<f64>,
    nice: Option<i32>,
) -> Result<Limits, (&'static str, String)> {
    const MB: u64 = 1024 * 1024;
    let bytes = |key, mb: Option<u64>| match mb {
        Some(mb) if mb == 0 || mb > u64::MAX / MB => {
            Err((key, format!("invalid value {mb}: must be from 1 to {} MiB.", u64::MAX / MB)))
        }
        mb => Ok(mb.map(|mb| mb * MB)),
    };
    let seconds = |key, n: Option<f64>| match n {
        Some(n) if !(n > 0.0 && n <= 1e9) => {
            Err((key, format!("invalid value {n}: must be more than 0 and at most 1,000,000,000 seconds.")))
        }
        n => Ok(n),
    };
    if let Some(nice) = nice.filter(|nice| !(0..=19).contains(nice)) {
        return Err((
            "nice",
            format!("invalid value {nice}: must be from 0 (normal) to 19 (lowest priority)."),
        ));
    }
    let limits = Limits {
        memory: bytes("memory_mb", memory_mb)?,
        address_space: bytes("address_space_mb", address_space_mb)?,
        cpu_seconds: seconds("cpu_seconds", cpu_seconds)?,
        wall: seconds("wall_seconds", wall_seconds)?.map(Duration::from_secs_f64),
        nice,
    };
    let watched = [
        ("memory_mb", limits.memory.is_some()),
        ("address_space_mb", limits.address_space.is_some()),
        ("cpu_seconds", limits.cpu_seconds.is_some()),
    ];
    if let Some((key, _)) = watched.into_iter().find(|(_, is_set)| *is_set)
        && !cfg!(target_os = "linux")
    {
        return Err((key, "it is supported on Linux only. Use wall_seconds instead.".to_owned()));
    }
    Ok(limits)
}

/// Log limits: enough for a reader, and not too much for a browser that follows the log.
pub(super) fn pace(at_once: Option<u32>, per_second: Option<u32>) -> Result<LogRate, (&'static str, String)> {
    const MAX_REPEATS: u32 = 1_000_000;
    let lines = |key, n: Option<u32>, usual| match n {
        Some(n) if !(1..=MAX_REPEATS).contains(&n) => {
            Err((key, format!("invalid value {n}: must be from 1 to {MAX_REPEATS} lines.")))
        }
        n => Ok(n.unwrap_or(usual)),
    };
    let usual = LogRate::default();
    Ok(LogRate {
        at_once: lines("log_at_once", at_once, usual.at_once)?,
        per_second: lines("log_per_second", per_second, usual.per_second)?,
    })
}

/// Description with a sentence about the sandbox.
pub(super) fn described(description: String, sandbox: Option<&Sandbox>) -> String {
    let parts = [description.as_str(), sandbox.map_or("", Sandbox::about)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// `loss-curve` → "Loss curve".
pub(super) fn in_words(name: &str) -> String {
    let mut words = name.replace(['_', '-'], " ");
    if let Some(first) = words.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    words
}
