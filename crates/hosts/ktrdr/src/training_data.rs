//! Data section of a strategy: symbols, timeframes, start and end dates.
//!
//! The services train on AAPL 1d if a start request has no symbols, whatever the strategy says. So the values of the
//! strategy are sent. Strategies of 2025 and 2026 have them under `training_data` (or `data`): `symbols: {mode: single,
//! symbol: MSFT}`, `symbols: {mode: multi_symbol, list: […]}`, the same for timeframes, and `date_range: {start, end}`.

use yaml_rust2::{Yaml, YamlLoader};

/// Values of a strategy; empty if absent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TrainingData {
    pub symbols: Vec<String>,
    pub timeframes: Vec<String>,
    pub start: Option<String>,
    pub end: Option<String>,
}

impl TrainingData {
    /// Parses a strategy.
    ///
    /// # Errors
    /// Why it is not valid YAML, with the line.
    pub fn read(strategy: &str) -> Result<Self, String> {
        let documents = YamlLoader::load_from_str(strategy).map_err(|e| e.to_string())?;
        let mut found = Self::default();
        let Some(root) = documents.first() else { return Ok(found) };
        for section in [&root["training_data"], &root["data"], root] {
            let fill = |into: &mut Vec<String>, plural: &str, singular: &str| {
                if into.is_empty() {
                    *into = names(&section[plural], plural, singular);
                }
                if into.is_empty() {
                    *into = names(&section[singular], plural, singular);
                }
            };
            fill(&mut found.symbols, "symbols", "symbol");
            fill(&mut found.timeframes, "timeframes", "timeframe");
            let range = &section["date_range"];
            let day = |known: Option<String>, of_range: &str, plain: &str| {
                known.or_else(|| text(&range[of_range])).or_else(|| text(&section[plain]))
            };
            found.start = day(found.start.take(), "start", "start_date");
            found.end = day(found.end.take(), "end", "end_date");
        }
        Ok(found)
    }
}

/// A single name, a list of names, or a section with either.
fn names(yaml: &Yaml, plural: &str, singular: &str) -> Vec<String> {
    match yaml {
        Yaml::Array(list) => list.iter().filter_map(text).collect(),
        Yaml::Hash(_) => {
            let held = ["list", plural, singular].into_iter().map(|key| names(&yaml[key], plural, singular));
            held.into_iter().find(|names| !names.is_empty()).unwrap_or_default()
        }
        one => text(one).into_iter().collect(),
    }
}

fn text(yaml: &Yaml) -> Option<String> {
    let text = match yaml {
        Yaml::String(text) | Yaml::Real(text) => text.trim().to_owned(),
        Yaml::Integer(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_timeframes_are_found_in_every_form_of_strategies() {
        let read = |text: &str| {
            let found = TrainingData::read(text).unwrap();
            (found.symbols.join(","), found.timeframes.join(","))
        };
        let said = |symbols: &str, timeframes: &str| (symbols.to_owned(), timeframes.to_owned());
        let single = "name: a\ntraining_data:\n  symbols:\n    mode: single\n    symbol: GBPUSD # one\n  \
                      timeframes:\n    mode: single\n    timeframe: \"4h\"\n";
        assert_eq!(read(single), said("GBPUSD", "4h"));
        let several = "training_data:\n  symbols: {mode: multi_symbol, list: [GE, 'F']}\n  timeframes:\n    \
                       mode: multi_timeframe\n    list: [1h, 1d]\n    base_timeframe: 1h\n";
        assert_eq!(read(several), said("GE,F", "1h,1d"));
        assert_eq!(read("data:\n  symbols: [KO, PEP]\n  timeframes: 1d"), said("KO,PEP", "1d"));
        assert_eq!(read("symbol: KO\ntimeframe: 1h"), said("KO", "1h"));
        assert_eq!(read("name: a\ntraining_data:\n  symbols: {mode: group}"), said("", ""));
        assert!(TrainingData::read("name: [a").unwrap_err().contains("line"));
    }

    #[test]
    fn the_days_of_a_strategy_are_found() {
        let text = "training_data:\n  date_range:\n    start: \"2021-02-03\"\n    end: 2022-03-04\n";
        let found = TrainingData::read(text).unwrap();
        assert_eq!((found.start.as_deref(), found.end.as_deref()), (Some("2021-02-03"), Some("2022-03-04")));
        let flat = TrainingData::read("training_data: {start_date: 2021-02-03}").unwrap();
        assert_eq!((flat.start.as_deref(), flat.end), (Some("2021-02-03"), None));
    }
}
