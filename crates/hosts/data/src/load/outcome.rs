//! What came of a load: whether it was one at all, its summary in the log, and its result document.

use super::super::bars::day_of;
use super::super::params::{Mode, Request};
use super::super::segment::Label;
use super::super::trouble::failure;
use super::super::validate::{Reason, Rejections};
use super::super::wording::{counted, moment, thousands};
use super::assess::{Assessment, listed};
use super::report::{Report, say};
use super::resume::Done;
use super::write::Writer;
use host_kit::WorkError;
use protocol::host::{Artifact, ResultDoc};
use protocol::results::LoadResult;
use protocol::{Failure, LogLevel, Time};

/// What was read of a source.
pub(super) struct Tally<'a> {
    pub(super) rows: u64,
    pub(super) accepted: u64,
    pub(super) rejected: &'a Rejections,
    /// First and last time of rows that were not wanted.
    pub(super) passed: Option<(Time, Time)>,
}

/// Whether what was read can be a load at all, before the last segment is written.
pub(super) fn judge(
    report: &impl Report,
    request: &Request,
    read: &Tally,
    had_bars: bool,
) -> Result<(), Failure> {
    let rejected = read.rejected;
    for found in rejected.listed() {
        let rows = counted(found.rows, "row", "rows");
        say(report, LogLevel::Warn, format!("Rejected {rows} for {}, first {}", found.reason, found.example));
    }
    let name = format!("{} {}", request.symbol, request.timeframe);
    let accepted = read.accepted;
    if rejected.of(Reason::OutOfOrder) > accepted {
        return Err(failure(
            format!(
                "Most rows of {name} come before the one ahead of them in time: {} of {}. The rows are sorted newest first, or one of the first has a time far in the future.",
                thousands(rejected.of(Reason::OutOfOrder)),
                counted(read.rows, "row", "rows"),
            ),
            Reason::OutOfOrder.remedy(),
        ));
    }
    if accepted > 0 {
        return Ok(());
    }
    if let Some((reason, rows, example)) = rejected.most() {
        return Err(failure(
            format!(
                "None of the {} of {name} could be used; {} were rejected for {}, the first at {example}.",
                counted(read.rows, "row", "rows"),
                thousands(rows),
                reason.as_str()
            ),
            reason.remedy(),
        ));
    }
    match read.passed {
        // Nothing new is a good end of a load that looks for what is new.
        _ if had_bars && request.mode != Mode::Full => {
            say(report, LogLevel::Info, "The source has nothing that is not stored already");
            Ok(())
        }
        Some((first, last)) => Err(failure(
            format!(
                "There are no bars of {name} in the asked-for range; the source has {} to {}.",
                moment(first),
                moment(last)
            ),
            "Choose a start and an end within that.",
        )),
        None if request.range.is_all() => Err(failure(
            format!("The source has no rows for {name}: at most a line of column names."),
            "Put the bars into it, or load another symbol.",
        )),
        None => Err(failure(
            format!("There are no bars of {name} in the asked-for range."),
            "Choose another start or end; markets are closed at weekends.",
        )),
    }
}

/// The summary in the log.
pub(super) fn tell(report: &impl Report, found: &Assessment) {
    let rows = counted(found.rows, "bar", "bars");
    if let (Some(first), Some(last)) = (found.first, found.last) {
        say(
            report,
            LogLevel::Info,
            format!("The data set has {rows}, {} to {}", moment(first), moment(last)),
        );
    }
    let share = found.quality.completeness * 100.0;
    match found.findings.gaps.len() as u64 {
        0 => say(
            report,
            LogLevel::Info,
            "No gaps: every bar that the symbol's own calendar lets expect is there",
        ),
        gaps => say(
            report,
            LogLevel::Info,
            format!(
                "{} with {}: {share:.2} % complete",
                counted(gaps, "gap", "gaps"),
                counted(found.findings.missing, "missing bar", "missing bars")
            ),
        ),
    }
    let closed = &found.findings.closed;
    if !closed.is_empty() {
        const SHOWN: usize = 8;
        let days: Vec<String> = closed.iter().rev().take(SHOWN).rev().map(|t| day(*t)).collect();
        let which = if closed.len() > SHOWN { "the last of them on" } else { "on" };
        let count = counted(closed.len() as u64, "whole session", "whole sessions");
        say(
            report,
            LogLevel::Info,
            format!("{count} without a bar taken for holidays, {which} {}", days.join(", ")),
        );
    }
}

fn day(time: Time) -> String {
    day_of(time).to_string()
}

/// What the load leaves behind.
///
/// # Errors
/// When it can't be written as JSON, which only a fault can make.
pub(super) fn document(
    writer: &Writer,
    found: Assessment,
    read: &Tally,
    done: &[Done],
) -> Result<ResultDoc, WorkError> {
    let Label { symbol, timeframe, source, synthetic } = writer.label.clone();
    let result = LoadResult {
        rows: found.rows,
        rows_written: done.iter().map(|d| d.new).sum(),
        first: found.first,
        last: found.last,
        segments: found.segments,
        gap_count: found.findings.gaps.len() as u64,
        gaps: listed(found.findings.gaps),
        rejected: read.rejected.listed(),
        rejected_count: read.rejected.count(),
        quality: found.quality,
        folder: writer.set.folder().display().to_string(),
        symbol,
        timeframe: timeframe.to_string(),
        source,
        synthetic,
    };
    let bars = Artifact {
        name: "bars".to_owned(),
        media_type: "application/json".to_owned(),
        path: format!("/host/v1/artifacts/bars/{}/{}/{timeframe}", result.source, result.symbol),
        description: "Candles of the data set; takes from, to and points".to_owned(),
    };
    let document = serde_json::to_value(&result).map_err(|e| {
        failure(format!("The result can't be written as JSON: {e}."), "This is a fault of Signalbox.")
    })?;
    let tags = if synthetic { vec!["synthetic".to_owned()] } else { Vec::new() };
    Ok(ResultDoc { document, artifacts: vec![bars], tags })
}
