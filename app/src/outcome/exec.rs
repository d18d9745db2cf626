//! The figures of a command.

use super::figure::{Better, Line};
use crate::format::{self, Digits, Write};
use protocol::results::ExecResult;

/// What it took, and how much it said.
pub const FACTS: [Line<ExecResult>; 6] = [
    line("Ran for", "", Better::Lower, |r| Some(r.seconds), format::span_to),
    line(
        "Processor",
        "Processor time, of its children too",
        Better::Lower,
        |r| r.cpu_seconds,
        format::span_to,
    ),
    line("Cores kept busy", "Processor time over time", Better::Neither, busy, format::ratio_to),
    line("Most memory", "Of one of its processes", Better::Lower, |r| r.peak_memory.map(|b| b as f64), bytes),
    line("Lines of output", "", Better::Neither, |r| Some(r.lines as f64), format::figure_to),
    line(
        "Lines left out",
        "They came too fast for the log",
        Better::Neither,
        |r| Some(r.lines_left_out as f64),
        format::figure_to,
    ),
];

const fn line(
    name: &'static str,
    means: &'static str,
    better: Better,
    of: fn(&ExecResult) -> Option<f64>,
    shown: Write,
) -> Line<ExecResult> {
    Line { name, means, better, of, shown }
}

fn busy(result: &ExecResult) -> Option<f64> {
    result.cpu_seconds.map(|cpu| cpu / result.seconds)
}

/// `48.2 MiB`; in bytes where that does not tell it from another.
fn bytes(n: f64, digits: Digits) -> String {
    digits.fewer().map_or_else(|| format::bytes_of(n), |digits| format!("{} B", format::figure_to(n, digits)))
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::*;

    #[test]
    fn what_the_system_did_not_tell_is_told_as_nothing() {
        let result: ExecResult =
            serde_json::from_str(r#"{"command": ["true"], "seconds": 0, "cpu_seconds": 3, "lines": 2}"#)
                .unwrap();
        let told: Vec<_> = all(&FACTS, &result).into_iter().map(|f| f.text).collect();
        // No time at all keeps no core busy.
        assert_eq!(told, ["0 ms", "3.0 s", "–", "–", "2", "0"]);
    }
}
