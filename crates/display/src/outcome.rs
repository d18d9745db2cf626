//! Outcome of an ended operation in one line, for rows of lists.

use crate::exception::exception;
use crate::file_path::short_paths;
use crate::{format, items, key_figure};
use protocol::{KeyFigure, Progress, Receipt};

/// Number of figures in a row.
const FIGURES: usize = 2;

/// Result of a succeeded operation: its first figures, or else the number of items.
pub fn succeeded(figures: &[KeyFigure], progress: Option<&Progress>) -> String {
    let counted = || progress.filter(|p| p.done > 0).map(|p| items(p.done, &p.unit)).unwrap_or_default();
    if figures.is_empty() { counted() } else { key_figure::line(figures, FIGURES) }
}

/// Reason of a failure in one line: the line that names an exception. Without one, the first line of the message, or
/// the last one if the first introduces output. Long paths are shortened, so that the cause is not cut off.
pub fn reason(message: &str) -> String {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let output = if first.ends_with(':') { lines.next_back() } else { None };
    short_paths(exception(message).or(output).unwrap_or(first))
}

/// Duration of a cancel, up to its last step: `Stopped and released in 22 ms`. Empty while it is not confirmed.
pub fn cancelled(receipt: &Receipt) -> String {
    let took = |at: protocol::Time| format::span(at.seconds_since(receipt.requested).max(0.0));
    match (receipt.stopped, receipt.released) {
        (_, Some(released)) => format!("Stopped and released in {}", took(released)),
        (Some(stopped), None) => format!("Stopped in {}", took(stopped)),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;

    #[test]
    fn a_failure_says_the_line_of_its_exception() {
        let trace = "python exited with code 1. Last output:\n  File \"t.py\", line 3\nRuntimeError: CUDA out of memory\n 40%|████ | 4/10";
        assert_eq!(reason(trace), "RuntimeError: CUDA out of memory");
        assert_eq!(reason("The file was not found.\n\nlocal=/bars"), "The file was not found.");
        assert_eq!(
            reason("cc exited with code 1. Last output:\nerror: linking failed\nmake: stop"),
            "error: linking failed"
        );
        assert_eq!(reason("sh exited with code 1. Last output:\nno: such thing"), "no: such thing");
        assert_eq!(reason(""), "");
        assert_eq!(
            reason("/srv/market/bars/nasdaq/MSFT_1h.csv was not found."),
            "…/MSFT_1h.csv was not found."
        );
    }

    #[test]
    fn a_success_says_its_figures_or_what_it_counted() {
        let figures = [KeyFigure::new("Sharpe", 0.5, ""), KeyFigure::new("Trades", 7.0, "")];
        assert_eq!(succeeded(&figures, None), "Sharpe 0.5 · Trades 7");
        let mut progress = Progress::start(Time::from_micros(0));
        assert_eq!(succeeded(&[], Some(&progress)), "");
        (progress.done, progress.unit) = (20_758, "rows".to_owned());
        assert_eq!(succeeded(&[], Some(&progress)), "20,758 rows");
    }

    #[test]
    fn a_cancel_says_how_long_it_took() {
        let start = Time::from_micros(0);
        let mut receipt = Receipt::requested(1, String::new(), start);
        assert_eq!(cancelled(&receipt), "");
        receipt.stopped = Some(start.plus_micros(20_000));
        assert_eq!(cancelled(&receipt), format!("Stopped in {}", format::span(0.02)));
        receipt.released = Some(start.plus_micros(22_000));
        assert_eq!(cancelled(&receipt), format!("Stopped and released in {}", format::span(0.022)));
    }
}
