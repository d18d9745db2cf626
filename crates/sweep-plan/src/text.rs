//! Parameters and their values as text, read and written: `fast=5,10,20; slow=50..200:50`.

use crate::MAX_RUNS;

/// Parses `symbol=MSFT; timeframe=1h` into names and values.
///
/// # Errors
/// A message that names the invalid part and the correct form.
pub fn settings(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    for part in text.split([';', '\n']).map(str::trim).filter(|part| !part.is_empty()) {
        let Some((name, value)) = part.split_once('=') else {
            return Err(format!(
                "'{part}' has no '='. Write parameters as name=value, separated by semicolons."
            ));
        };
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || value.is_empty() {
            return Err(format!("'{part}' has no name or no value. Example: fast=20"));
        }
        if found.iter().any(|(known, _)| known == name) {
            return Err(format!("'{name}' is given twice."));
        }
        found.push((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}

/// Names that a text sets, also if the text is invalid otherwise.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', '\n']).filter_map(|part| part.split_once('=')).map(|(name, _)| name.trim())
}

/// Writes names and values as [`settings`] reads them.
///
/// # Errors
/// If a value is empty or has a character that separates parameters.
pub fn write(settings: &[(String, String)]) -> Result<String, String> {
    let mut parts = Vec::with_capacity(settings.len());
    for (name, value) in settings {
        let value = value.trim();
        if value.is_empty() {
            return Err(format!("{name} has no value."));
        }
        if value.contains([';', '\n']) {
            return Err(format!(
                "{name}: '{value}' has a ';' or a line break, which separates parameters. Remove it."
            ));
        }
        parts.push(format!("{name}={value}"));
    }
    Ok(parts.join("; "))
}

/// Parses comma-separated values and ranges: `5..50:5` is 5 to 50 in steps of 5, both ends inclusive.
///
/// # Errors
/// A message that names the invalid part and the correct form.
pub fn values(text: &str) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        match part.split_once("..") {
            None => all.push(part.to_owned()),
            Some((from, rest)) => {
                let (to, step) = rest.split_once(':').unwrap_or((rest, "1"));
                let number = |text: &str| json::float(text.trim()).filter(|n| n.is_finite());
                let (Some(from), Some(to), Some(step)) = (number(from), number(to), number(step)) else {
                    return Err(format!("'{part}' is not a range. Write it with numbers, such as 5..50:5."));
                };
                if step <= 0.0 || to < from {
                    return Err(format!("'{part}' has no values. A range must go up, with a step above 0."));
                }
                let count = ((to - from) / step + 1e-9).floor();
                if count >= MAX_RUNS as f64 {
                    return Err(format!("'{part}' has more than {MAX_RUNS} values. Use a larger step."));
                }
                // Each value is computed from the start, so that rounding errors do not add up.
                let at = |n: usize| ((from + step * n as f64) * 1e9).round() / 1e9;
                all.extend((0..=count as usize).map(|n| at(n).to_string()));
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    all.retain(|value| seen.insert(value.clone()));
    if all.is_empty() { Err("Enter at least one value.".to_owned()) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_invalid_texts_too() {
        assert_eq!(names("a = 1; b\nc=;c=2;=3").collect::<Vec<_>>(), ["a", "c", "c", ""]);
    }

    #[test]
    fn written_settings_are_read_back() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let all = [pair("fast", "5, 10"), pair("expr", "a=b")];
        assert_eq!(settings(&write(&all).unwrap()).unwrap(), all);
        assert!(write(&[pair("plan", "a; b")]).unwrap_err().contains("plan"));
        assert!(write(&[pair("plan", " ")]).is_err());
    }

    #[test]
    fn a_range_is_inclusive_without_floating_point_noise() {
        assert_eq!(values("0.1..0.5:0.1").unwrap(), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(values("3..5").unwrap(), ["3", "4", "5"]);
        assert_eq!(values("1..6:2, 3").unwrap(), ["1", "3", "5"]);
    }
}
