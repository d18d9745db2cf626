//! Figures of a command.

use super::figure::{Better, Line};
use display::format::{self, Digits, Write};
use protocol::results::ExecResult;

/// Resource use and output of a command.
pub const FACTS: [Line<ExecResult>; 6] = [
    line("Wall time", "", Better::Lower, |r| Some(r.seconds), format::span_to),
    line("CPU time", "CPU time including child processes", Better::Lower, |r| r.cpu_seconds, format::span_to),
    line("CPU cores used", "CPU time ÷ wall time", Better::Neither, busy, format::ratio_to),
    line(
        "Peak memory",
        "Of the whole cgroup if it counts memory, otherwise of the largest process",
        Better::Lower,
        |r| r.peak_memory.map(|b| b as f64),
        bytes,
    ),
    line("Output lines", "", Better::Neither, |r| Some(r.lines as f64), format::figure_to),
    line(
        "Dropped lines",
        "Not in the log: the output exceeded its rate limit",
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

/// Size such as `48.2 MiB`, in bytes if it must be distinguished from another.
fn bytes(n: f64, digits: Digits) -> String {
    digits.fewer().map_or_else(|| format::bytes_of(n), |digits| format!("{} B", format::figure_to(n, digits)))
}

#[cfg(test)]
mod tests {
    use super::super::all;
    use super::*;

    #[test]
    fn figures_that_the_system_did_not_report_are_absent() {
        let result: ExecResult =
            serde_json::from_str(r#"{"command": ["true"], "seconds": 0, "cpu_seconds": 3, "lines": 2}"#)
                .unwrap();
        let texts: Vec<_> = all(&FACTS, &result).into_iter().map(|f| f.text).collect();
        // Without wall time there is no CPU usage.
        assert_eq!(texts, ["0 ms", "3.0 s", "–", "–", "2", "0"]);
    }
}
