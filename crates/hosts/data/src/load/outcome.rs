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
                "Too many rows of {} {} were rejected, {}; {example}.",
                label.symbol,
                label.timeframe,
                self.rejections()
            ),
            format!("{remedy} To load the rest all the same, raise max_rejected_share."),
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
            format!("These are no daily bars: {name} has several bars a day."),
            "Load them with the timeframe that they have.",
        ));
    }
    let (apart, own) = distance(micros);
    let hint = match own {
        Some(own) => format!("Name them as bars of {own} and load them with that timeframe."),
        None => "Load them with the timeframe that they have.".to_owned(),
    };
    Err(failure(format!("These are no bars of {timeframe}: most bars of {name} are {apart} apart."), hint))
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
        say(report, LogLevel::Warn, format!("Rejected {rows} for {}, first {}", found.reason, found.example));
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
            format!("The volume of {of} is not known: what needs volume can't use them"),
        );
    }
    let gaps = found.findings.gaps.len() as u64;
    let missing = match found.quality.completeness {
        None => "There is too little data to tell what is missing".to_owned(),
        Some(_) if gaps == 0 => {
            "No gaps: every bar that the symbol's own calendar lets expect is there".to_owned()
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

/// What a person must not miss, though the load succeeded.
fn warnings(label: &Label, read: &Tally) -> Vec<String> {
    let mut warnings = Vec::new();
    if read.rejected_share() > WARNED_SHARE {
        warnings.push(format!("Rejected {}.", read.rejections()));
    }
    if let Some(Spacing::Coarser(longer)) = read.validator.grid.spacing(label.timeframe) {
        warnings.push(format!(
            "Most bars are {longer} apart, though they were loaded as bars of {}.",
            label.timeframe
        ));
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
        description: "Candles of the data set; takes from, to and points".to_owned(),
    };
    let document = serde_json::to_value(&result).map_err(|e| {
        failure(format!("The result can't be written as JSON: {e}."), "This is a fault of Signalbox.")
    })?;
    let mut tags = if synthetic { vec!["synthetic".to_owned()] } else { Vec::new() };
    if rejected_share > WARNED_SHARE {
        tags.push(format!("{} rejected", percent(rejected_share)));
    }
    Ok(ResultDoc { document, artifacts: vec![bars], tags })
}
