//! What the data host is told: where its data sets live, and what it may read from.

use super::format::Format;
use super::zone::Zone;
use std::collections::BTreeSet;
use std::path::PathBuf;
use thiserror::Error;

/// The configuration of the data host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataConfig {
    /// Where data sets are kept, each in `<source>/<symbol>/<timeframe>/`. Made when it is not there.
    pub folder: PathBuf,
    /// What can be read from; the first is the default. Names are unique.
    pub sources: Vec<SourceConfig>,
}

/// Something that gives bars.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SourceConfig {
    /// A folder of files `SYMBOL_TIMEFRAME.csv`, like `MSFT_1h.csv`.
    Csv { name: String, folder: PathBuf, options: TextOptions },
    /// A URL that answers CSV, with `{symbol}`, `{timeframe}`, `{start}` and `{end}` in it. Only `{symbol}` must
    /// be there; `{start}` and `{end}` become RFC 3339 moments, or nothing when no range is asked for.
    Http { name: String, template: String, options: TextOptions },
    /// Bars that the host makes itself; marked as synthetic wherever they are shown.
    Synthetic { name: String },
}

/// How the texts of a source are read, where that is not left to be found out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TextOptions {
    /// Who wrote them.
    pub format: Option<Format>,
    /// The zone of times that say none.
    pub time_zone: Option<Zone>,
}

impl SourceConfig {
    /// How its texts are read; `None` for a source that has none.
    pub(crate) fn options(&self) -> Option<&TextOptions> {
        match self {
            SourceConfig::Csv { options, .. } | SourceConfig::Http { options, .. } => Some(options),
            SourceConfig::Synthetic { .. } => None,
        }
    }

    /// What params call it.
    pub fn name(&self) -> &str {
        match self {
            SourceConfig::Csv { name, .. }
            | SourceConfig::Http { name, .. }
            | SourceConfig::Synthetic { name } => name,
        }
    }
}

/// Why a configuration was not taken.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    #[error("The data host has no sources. Configure at least one of kind csv, http or synthetic.")]
    NoSources,
    #[error("The data host has two sources named '{0}'. Give each source a unique name.")]
    NameTwice(String),
    #[error(
        "'{0}' is not a valid source name. Use 1 to 40 lowercase letters, digits, '-' and '_', e.g. daily-files."
    )]
    BadName(String),
    #[error("Invalid URL for source '{name}': {why}")]
    BadTemplate { name: String, why: String },
}

impl DataConfig {
    /// Looks for what can only be a mistake.
    ///
    /// # Errors
    /// The first mistake that was found.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.sources.is_empty() {
            return Err(ConfigError::NoSources);
        }
        let mut seen = BTreeSet::new();
        for source in &self.sources {
            let name = source.name();
            // The name becomes a folder.
            let good = (1..=40).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
            if !good {
                return Err(ConfigError::BadName(name.chars().take(60).collect()));
            }
            if !seen.insert(name) {
                return Err(ConfigError::NameTwice(name.to_owned()));
            }
            if let SourceConfig::Http { template, .. } = source {
                super::source::check_template(template)
                    .map_err(|why| ConfigError::BadTemplate { name: name.to_owned(), why })?;
            }
        }
        Ok(())
    }

    /// The source of that name.
    pub(crate) fn source(&self, name: &str) -> Option<&SourceConfig> {
        self.sources.iter().find(|s| s.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(sources: Vec<SourceConfig>) -> Result<(), ConfigError> {
        DataConfig { folder: "data".into(), sources }.check()
    }

    fn synthetic(name: &str) -> SourceConfig {
        SourceConfig::Synthetic { name: name.into() }
    }

    fn http(template: &str) -> SourceConfig {
        SourceConfig::Http { name: "web".into(), template: template.into(), options: TextOptions::default() }
    }

    #[test]
    fn a_name_that_would_leave_the_folder_is_refused() {
        assert_eq!(with(vec![synthetic("../up")]), Err(ConfigError::BadName("../up".into())));
        assert_eq!(with(vec![synthetic("")]), Err(ConfigError::BadName(String::new())));
        assert!(with(vec![synthetic("made-up_1")]).is_ok());
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(with(vec![]), Err(ConfigError::NoSources));
        assert_eq!(with(vec![synthetic("a"), synthetic("a")]), Err(ConfigError::NameTwice("a".into())));
        for good in [
            "http://localhost:9/{symbol}_{timeframe}.csv?from={start}&to={end}",
            "https://localhost/{symbol}",
        ] {
            assert!(with(vec![http(good)]).is_ok(), "{good}");
        }
        for bad in [
            "http://localhost/all.csv",
            "localhost/{symbol}",
            "ftp://localhost/{symbol}",
            "http://localhost/{symbol}/{interval}",
            "http://localhost/{symbol",
        ] {
            assert!(matches!(with(vec![http(bad)]), Err(ConfigError::BadTemplate { .. })), "{bad}");
        }
    }
}
