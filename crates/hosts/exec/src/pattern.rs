//! Progress from lines that match a configured regular expression.

use crate::report::{Report, ReportedPhase};
use regex::Regex;

/// Regular expressions of a command. The first match counts.
#[derive(Debug)]
pub(crate) struct Matcher(Vec<Regex>);

impl Matcher {
    /// Compiles the expressions.
    ///
    /// # Errors
    /// What is wrong with one of them.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let mut all = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let regex = Regex::new(pattern)
                .map_err(|e| format!("'{pattern}' is not a valid regular expression: {e}"))?;
            if regex.capture_names().flatten().next().is_none() {
                return Err(format!(
                    "'{pattern}' has no named group. Use (?<done>\\d+), (?<total>\\d+), (?<fraction>…), (?<percent>…), \
                     (?<message>…), (?<phase>…), (?<unit>…), (?<step>…), or the name of a series like (?<loss>…)."
                ));
            }
            all.push(regex);
        }
        if all.is_empty() {
            return Err("the list of regular expressions is empty. Add at least one expression.".to_owned());
        }
        Ok(Self(all))
    }

    /// Parses a line; `None` without a match.
    pub fn read(&self, line: &str) -> Option<Report> {
        let (regex, found) = self.0.iter().find_map(|regex| Some((regex, regex.captures(line)?)))?;
        let mut report = Report::default();
        for name in regex.capture_names().flatten() {
            let Some(text) = found.name(name).map(|m| m.as_str().trim()) else { continue };
            let number = number(text);
            match name {
                "done" => _ = number.is_some_and(|n| report.set_done(n)),
                "total" => _ = number.is_some_and(|n| report.set_total(n)),
                "fraction" => report.progress = number.filter(|n| (0.0..=1.0).contains(n)),
                "percent" => report.progress = number.map(|n| n / 100.0).filter(|n| (0.0..=1.0).contains(n)),
                "message" => report.message = Some(text.to_owned()),
                "phase" => report.phase = Some(ReportedPhase::Name(text.to_owned())),
                "unit" => report.unit = Some(text.to_owned()),
                "step" => report.step = number,
                curve => report.points.extend(number.map(|y| (curve.to_owned(), y))),
            }
        }
        report.anything().then_some(report)
    }
}

/// Parses a printed number: `1,234`, `45%`, `1e-3`, `nan`.
fn number(text: &str) -> Option<f64> {
    text.trim_end_matches('%').replace([',', '_'], "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matcher(patterns: &[&str]) -> Result<Matcher, String> {
        Matcher::new(&patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn known_group_names_are_progress_and_others_are_curves() {
        let m = matcher(&[
            r"^Epoch (?<done>\d+)/(?<total>[\d,]+): (?<message>.*?) loss=(?<loss>\S+)$",
            r"(?<percent>\d+)%",
        ])
        .unwrap();
        let report = m.read("Epoch 3/1,000: on its way loss=0.25").unwrap();
        assert_eq!(
            (report.done, report.total, report.message.as_deref()),
            (Some(3), Some(1000), Some("on its way"))
        );
        assert_eq!(report.points, [("loss".to_owned(), 0.25)]);
        assert_eq!(m.read("now 45% of it").unwrap().progress, Some(0.45));
        assert_eq!(m.read("now 450% of it"), None, "that is no share of the whole");
        assert_eq!(m.read("something else"), None);
    }

    #[test]
    fn an_expression_without_use_is_rejected() {
        assert!(matcher(&[r"(\d+)"]).unwrap_err().contains("has no named group"));
        assert!(matcher(&[r"(?<done>"]).unwrap_err().contains("not a valid regular expression"));
        assert!(matcher(&[]).is_err());
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "\\PC{0,80}", digits in "[0-9.,%e-]{0,12}") {
            let m = matcher(&[r"(?<done>.*)/(?<total>.*)", r"(?<fraction>.*)"]).unwrap();
            let _ = m.read(&line);
            let _ = m.read(&format!("{digits}/{digits}"));
        }
    }
}
