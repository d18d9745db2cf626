//! What came of a load: whether it was one at all, its summary in the log, and its result document.

use super::super::bars::day_of;
use super::super::grid::{Grid, Spacing, distance};
use super::super::params::{Mode, Request};
use super::super::segment::Label;
use super::super::trouble::failure;
use super::super::validate::{Rejections, Validator};
use super::super::wording::{moment, percent};
use super::assess::{Assessment, listed};
use super::report::{Report, say};
use super::resume::Done;
use super::write::Writer;
use host_kit::WorkError;
use protocol::counts::{counted, thousands};
use protocol::host::{Artifact, ResultDoc};
use protocol::results::LoadResult;
use protocol::{Failure, LogLevel, Time};

/// More than this share of the rows rejected is a warning.
const WARNED_SHARE: f64 = 0.001;
/// More than this share of the rows rejected fails the load, unless the params say another.
const MAX_REJECTED_SHARE: f64 = 0.05;
/// Fewer rejected rows than this fail no load, unless the params say so: of a handful of rows one is a fifth.
const FEW_REJECTED: u64 = 5;

/// What was read of a source.
pub(super) struct Tally<'a> {
    pub(super) rows: u64,
    pub(super) validator: &'a Validator,
    /// First and last time of rows that were not wanted.
    pub(super) passed: Option<(Time, Time)>,
}

impl Tally<'_> {
    /// Rejected rows as a share of those that were wanted, 0 to 1.
    fn rejected_share(&self) -> f64 {
        let rejected = self.validator.rejected.count();
        rejected as f64 / (rejected + self.validator.accepted).max(1) as f64
    }

    /// `30 of 240 rows (12.5 %): 20 in_future, 10 no_zone`
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

    /// The failure of a load that lost more rows than it may.
    pub(super) fn too_many_rejected(&self, label: &Label) -> Failure {
        let (remedy, example) = self
            .validator
            .rejected
            .most()
            .map_or(("", ""), |(reason, _, example)| (reason.remedy(), example));
        failure(
            format!(
                "Too many rows of {} {} were rejected, {}. First example: {example}.",
                label.symbol,
                label.timeframe,
                self.rejections()
            ),
            format!("{remedy} To load the other rows anyway, raise max_rejected_share."),
        )
    }
}

/// Whether so many rejected of a total are more than may be: those of the share that the params give, else 5 % of more
/// than a handful.
pub(super) fn rejects_too_many(rejected: &Rejections, total: u64, share: Option<f64>) -> bool {
    let count = rejected.count();
    let enough = share.is_some() || count >= FEW_REJECTED;
    enough && count as f64 > total as f64 * share.unwrap_or(MAX_REJECTED_SHARE)
}

/// Refuses bars that are closer to each other than their timeframe.
///
/// # Errors
/// How far they are apart, and what to do.
pub(super) fn finer(label: &Label, grid: &Grid) -> Result<(), Failure> {
    let Some(Spacing::Finer(micros)) = grid.spacing(label.timeframe) else { return Ok(()) };
    let (name, timeframe) = (format!("{} {}", label.symbol, label.timeframe), label.timeframe);
    if micros == 0 {
        return Err(failure(
            format!("{name} has several bars per day, so these are not daily bars."),
            "Load them with their actual timeframe.",
        ));
    }
    let (apart, own) = distance(micros);
    let hint = match own {
        Some(own) => format!("Name the file for {own} and load it with that timeframe."),
        None => "Load them with their actual timeframe.".to_owned(),
    };
    Err(failure(format!("These are not {timeframe} bars: most bars of {name} are {apart} apart."), hint))
}

/// Whether what was read can be a load at all, before the last segment is written.
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
        say(report, LogLevel::Warn, format!("Rejected {rows}: {}, first at {}", found.reason, found.example));
    }
    let name = format!("{} {}", request.symbol, request.timeframe);
    let accepted = read.validator.accepted;
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
                "None of the {} of {name} are usable. {} were rejected as {}, the first at {example}.",
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
            say(report, LogLevel::Info, "No new bars: everything in the source is already stored");
            Ok(())
        }
        Some((first, last)) => Err(failure(
            format!(
                "No bars for {name} in the requested range. The source has {} to {}.",
                moment(first),
                moment(last)
            ),
            "Choose a start and end within that range.",
        )),
        None if request.range.is_all() => Err(failure(
            format!("The source has no rows for {name}, at most a header line."),
            "Add the bars to it, or load another symbol.",
        )),
        None => Err(failure(
            format!("No bars for {name} in the requested range."),
            "Choose another start or end. Markets are closed on weekends.",
        )),
    }
}

/// The summary in the log.
pub(super) fn tell(report: &impl Report, found: &Assessment) {
    let rows = counted(found.rows, "bar", "bars");
    if let (Some(first), Some(last)) = (found.first, found.last) {
        say(report, LogLevel::Info, format!("Data set: {rows}, {} to {}", moment(first), moment(last)));
    }
    let unknown = found.quality.unknown_volume;
    if unknown > 0 {
        let of = if unknown == found.rows {
            format!("all {rows}")
        } else {
            format!("{} of {rows}", thousands(unknown))
        };
        say(
            report,
            LogLevel::Info,
            format!("Volume unknown for {of}: features that need volume can't use them"),
        );
    }
    let gaps = found.findings.gaps.len() as u64;
    let missing = match found.quality.completeness {
        None => "Not enough data to detect missing bars".to_owned(),
        Some(_) if gaps == 0 => {
            "No gaps: all bars expected from the symbol's own calendar are present".to_owned()
        }
        Some(share) => format!(
            "{} with {}: {:.2} % complete",
            counted(gaps, "gap", "gaps"),
            counted(found.findings.missing, "missing bar", "missing bars"),
            share * 100.0
        ),
    };
    say(report, LogLevel::Info, missing);
    let closed = &found.findings.closed;
    if !closed.is_empty() {
        const SHOWN: usize = 8;
        let days: Vec<String> = closed.iter().rev().take(SHOWN).rev().map(|t| day(*t)).collect();
        let which = if closed.len() > SHOWN { "latest:" } else { "dates:" };
        let count = counted(closed.len() as u64, "whole session", "whole sessions");
        say(
            report,
            LogLevel::Info,
            format!("{count} without bars treated as holidays, {which} {}", days.join(", ")),
        );
    }
}

fn day(time: Time) -> String {
    day_of(time).to_string()
}

/// What a person must not miss, though the load succeeded.
fn warnings(label: &Label, read: &Tally) -> Vec<String> {
    let mut warnings = Vec::new();
    if read.rejected_share() > WARNED_SHARE {
        warnings.push(format!("Rejected {}.", read.rejections()));
    }
    if let Some(Spacing::Coarser(longer)) = read.validator.grid.spacing(label.timeframe) {
        warnings.push(format!("Most bars are {longer} apart, but were loaded as {} bars.", label.timeframe));
    }
    warnings
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
    let warnings = warnings(&writer.label, read);
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
        description: "Candles of the data set. Query: from, to, points".to_owned(),
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
    Ok(ResultDoc { document, artifacts: vec![bars], tags })
}
