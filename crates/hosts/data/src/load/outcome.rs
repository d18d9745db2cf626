//! Outcome of a load: its acceptance checks, log summary and result document.

use super::super::params::{Mode, Request};
use super::super::validate::{Reason, Rejections, Validator};
use super::assess::{Assessment, listed};
use super::resume::Done;
use super::write::Writer;
use crate::order::Order;
use crate::report::{Report, log_line};
use display::format::{count as thousands, counted};
use host_kit::WorkError;
use market_data::failures::failure;
use market_data::segment::Label;
use market_data::wording::moment;
use market_data::{Grid, Spacing, day_of, distance};
use protocol::host::{Artifact, ResultDoc};
use protocol::results::LoadResult;
use protocol::{Failure, LogLevel, Time};

/// A larger share of rejected rows is a warning.
const WARNED_SHARE: f64 = 0.001;
/// A larger share of rejected rows fails the load. Parameters can override it.
const MAX_REJECTED_SHARE: f64 = 0.05;
/// Minimum number of rejected rows to fail a load by default: in a handful of rows one is already 20 %.
const FEW_REJECTED: u64 = 5;

/// Counters of a read.
pub(super) struct Tally<'a> {
    pub(super) rows: u64,
    pub(super) validator: &'a Validator,
    /// First and last time of skipped rows.
    pub(super) passed: Option<(Time, Time)>,
    /// Warnings about the source, in sentences.
    pub(super) warnings: &'a [String],
    pub(super) order: &'a Order,
}

impl Tally<'_> {
    /// Rejected rows as a share of the relevant rows, 0 to 1.
    fn rejected_share(&self) -> f64 {
        let rejected = self.validator.rejected.count();
        rejected as f64 / (rejected + self.validator.accepted).max(1) as f64
    }

    /// Summary: `30 of 240 rows (12.5 %): 20 in_future, 10 no_zone`
    fn rejections(&self) -> String {
        let rejected = &self.validator.rejected;
        let reasons: Vec<String> =
            rejected.listed().iter().map(|r| format!("{} {}", thousands(r.rows), r.reason)).collect();
        format!(
            "{} of {} ({}): {}",
            thousands(rejected.count()),
            counted(rejected.count() + self.validator.accepted, "row", "rows"),
            percent(self.rejected_share()),
            reasons.join(", ")
        )
    }

    /// Failure of a load with too many rejected rows.
    pub(super) fn too_many_rejected(&self, label: &Label) -> Failure {
        let (remedy, example) = self
            .validator
            .rejected
            .most()
            .map_or(("", ""), |(reason, _, example)| (reason.remedy(), example));
        // Of rows with one time the first would be stored, even if they are bars of several symbols.
        let duplicates =
            self.validator.rejected.most().is_some_and(|(reason, ..)| reason == Reason::DuplicateTime);
        let anyway =
            if duplicates { "" } else { " To load the other rows anyway, raise max_rejected_share." };
        failure(
            format!(
                "Too many rows of {} {} were rejected, {}. First example: {example}.",
                label.symbol,
                label.timeframe,
                self.rejections()
            ),
            format!("{remedy}{anyway}"),
        )
    }
}

/// Whether the rejected rows exceed the limit: the share of the parameters, or 5 % and at least [`FEW_REJECTED`] rows.
pub(super) fn rejects_too_many(rejected: &Rejections, total: u64, share: Option<f64>) -> bool {
    let count = rejected.count();
    let enough = share.is_some() || count >= FEW_REJECTED;
    enough && count as f64 > total as f64 * share.unwrap_or(MAX_REJECTED_SHARE)
}

/// Rejects bars that are closer together than their timeframe.
///
/// # Errors
/// The distance, and what to do.
pub(super) fn finer(label: &Label, grid: &Grid) -> Result<(), Failure> {
    let Some(Spacing::Finer(micros)) = grid.spacing(label.timeframe) else { return Ok(()) };
    let (name, timeframe) = (format!("{} {}", label.symbol, label.timeframe), label.timeframe);
    if micros == 0 {
        return Err(failure(
            format!("{name} has several bars per day, so these are not daily bars."),
            "Load the bars with their actual timeframe.",
        ));
    }
    let (apart, own) = distance(micros);
    let hint = match own {
        Some(own) => format!("Put {own} into the file name, and load the file as {own}."),
        None => "Load the bars with their actual timeframe.".to_owned(),
    };
    Err(failure(format!("These are not {timeframe} bars: most bars of {name} are {apart} apart."), hint))
}

/// Accepts or fails a load after the read, before the last segment is written.
pub(super) fn judge(
    report: &impl Report,
    request: &Request,
    label: &Label,
    read: &Tally,
    had_bars: bool,
) -> Result<(), Failure> {
    let rejected = &read.validator.rejected;
    for found in rejected.listed() {
        let rows = counted(found.rows, "row", "rows");
        log_line(
            report,
            LogLevel::Warn,
            format!("Rejected {rows}: {}, first at {}", found.reason, found.example),
        );
    }
    let name = format!("{} {}", request.symbol, request.timeframe);
    let accepted = read.validator.accepted;
    if let Some(failure) = read.order.swapped_dates(&name) {
        return Err(failure);
    }
    finer(label, &read.validator.grid)?;
    if accepted > 0 && rejects_too_many(rejected, accepted + rejected.count(), request.max_rejected_share) {
        return Err(read.too_many_rejected(label));
    }
    if accepted > 0 {
        return Ok(());
    }
    if let Some((reason, rows, example)) = rejected.most() {
        return Err(failure(
            format!(
                "No row of {name} is usable: {} of {} rejected as {}, the first at {example}.",
                thousands(rows),
                counted(read.rows, "row", "rows"),
                reason.as_str()
            ),
            reason.remedy(),
        ));
    }
    match read.passed {
        // For a load of new bars, finding none is a success.
        _ if had_bars && request.mode != Mode::Full => {
            log_line(report, LogLevel::Info, "No new bars: the source has no bars in the range of this load");
            Ok(())
        }
        Some((first, last)) => Err(failure(
            format!(
                "No bars for {name} in the requested range. The source has bars from {} to {}.",
                moment(first),
                moment(last)
            ),
            "Choose a start and end within that range.",
        )),
        None if request.range.is_all() => Err(failure(
            format!("The source has no rows for {name}, except perhaps a header line."),
            "Add the bars to the source, or load another symbol.",
        )),
        None => Err(failure(
            format!("No bars for {name} in the requested range."),
            "Choose another start or end. Markets are closed on weekends.",
        )),
    }
}

/// Logs the summary.
pub(super) fn report_findings(report: &impl Report, found: &Assessment) {
    let rows = counted(found.rows, "bar", "bars");
    if let (Some(first), Some(last)) = (found.first, found.last) {
        log_line(report, LogLevel::Info, format!("Data set: {rows}, {} to {}", moment(first), moment(last)));
    }
    for warning in &found.suspects {
        log_line(report, LogLevel::Warn, warning.clone());
    }
    let unknown = found.quality.unknown_volume;
    if unknown > 0 {
        let of = if unknown == found.rows {
            format!("all {rows}")
        } else {
            format!("{} of {rows}", thousands(unknown))
        };
        log_line(
            report,
            LogLevel::Info,
            format!("The volume is unknown for {of}: features that need the volume can't use them"),
        );
    }
    let gaps = found.findings.gaps.len() as u64;
    let missing = match found.quality.completeness {
        None => "The number of missing bars is unknown: there are not enough regular bars of this timeframe"
            .to_owned(),
        Some(_) if gaps == 0 => {
            "No gaps: all bars expected from the symbol's trading hours are present".to_owned()
        }
        Some(share) => format!(
            "{} with {}: {:.2} % complete",
            counted(gaps, "gap", "gaps"),
            counted(found.findings.missing, "missing bar", "missing bars"),
            share * 100.0
        ),
    };
    log_line(report, LogLevel::Info, missing);
    let closed = &found.findings.closed;
    if !closed.is_empty() {
        const SHOWN: usize = 8;
        let days: Vec<String> = closed.iter().rev().take(SHOWN).rev().map(|t| day(*t)).collect();
        let which = if closed.len() > SHOWN { "latest:" } else { "dates:" };
        let count = counted(closed.len() as u64, "whole session", "whole sessions");
        log_line(
            report,
            LogLevel::Info,
            format!("Treated {count} without bars as holidays, {which} {}", days.join(", ")),
        );
    }
}

fn day(time: Time) -> String {
    day_of(time).to_string()
}

/// Warnings of a successful load.
fn warnings(label: &Label, read: &Tally) -> Vec<String> {
    let mut warnings = read.warnings.to_vec();
    warnings.extend(read.order.warning());
    if let skipped @ 1.. = read.validator.rejected.of(Reason::SkippedHour) {
        warnings.push(format!(
            "{} in an hour that the time zone skips (clocks go forward): the times are probably in another zone, such as UTC.",
            counted(skipped, "row is", "rows are")
        ));
    }
    if read.rejected_share() > WARNED_SHARE {
        warnings.push(format!("Rejected {}.", read.rejections()));
    }
    if let Some(Spacing::Coarser(longer)) = read.validator.grid.spacing(label.timeframe) {
        warnings.push(format!("Most bars are {longer} apart, but were loaded as {} bars.", label.timeframe));
    }
    warnings
}

/// Result document.
///
/// # Errors
/// If it can't be serialized, which would be a bug.
pub(super) fn document(
    writer: &Writer,
    found: Assessment,
    read: &Tally,
    done: &[Done],
) -> Result<ResultDoc, WorkError> {
    let mut warnings = warnings(&writer.label, read);
    warnings.extend(found.suspects);
    let rejected_share = read.rejected_share();
    let Label { symbol, timeframe, source, synthetic } = writer.label.clone();
    let result = LoadResult {
        rows: found.rows,
        rows_written: done.iter().map(|d| d.new).sum(),
        first: found.first,
        last: found.last,
        segments: found.segments,
        gap_count: found.findings.gaps.len() as u64,
        gaps: listed(found.findings.gaps),
        months: found.months,
        rejected: read.validator.rejected.listed(),
        rejected_count: read.validator.rejected.count(),
        rejected_share,
        sorted_rows: read.validator.early,
        adjusted_rows: read.validator.adjusted,
        warnings,
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
        path: format!(
            "/host/v1/artifacts/bars/{}/{}/{timeframe}",
            result.source,
            writer.set.symbol.url_step()
        ),
        description: "Candles of the data set. Query parameters: from, to, points".to_owned(),
    };
    let document = serde_json::to_value(&result).map_err(|e| {
        failure(
            format!("Cannot serialize the result as JSON: {e}."),
            "This is a bug in Signalbox. Please report it.",
        )
    })?;
    let mut tags = if synthetic { vec!["synthetic".to_owned()] } else { Vec::new() };
    if rejected_share > WARNED_SHARE {
        tags.push(format!("{} rejected", percent(rejected_share)));
    }
    Ok(ResultDoc { document, artifacts: vec![bars], tags, figures: result.key_figures() })
}

/// `12.5 %`, with enough digits to tell a small share from zero.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 10.0 {
        return format!("{percent:.0} %");
    }
    format!("{} %", format!("{percent:.2}").trim_end_matches('0').trim_end_matches('.'))
}
