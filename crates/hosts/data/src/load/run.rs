//! A complete load, from opening the source to its result.
//!
//! Rows are streamed: a slice is read, each row is validated, bars fill a segment, a full segment is written and a
//! checkpoint saved. Memory holds one slice and one segment. Completed segments are final: a cancel or failure leaves
//! whole files, and a later attempt continues after them.

use super::super::config::SourceConfig;
use super::super::params::{Mode, Request};
use super::super::source::{self, OpenedSource, off_thread};
use super::assess::assess;
use super::interrupted::ReadInterruption;
use super::loading::{Loading, ReadMode};
use super::outcome::{document, judge, report_findings};
use super::resume::{Done, Saved, Trust};
use super::write::Writer;
use super::{PHASE_WEIGHTS, PHASES};
use crate::report::{Report, log_line};
use display::format::counted;
use host_kit::WorkError;
use market_data::failures::failure;
use market_data::segment::Label;
use market_data::wording::moment;
use market_data::{DataSet, DataSetLock, Disk, Range, Timeframe};
use protocol::host::ResultDoc;
use protocol::{Failure, LogLevel, Time};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Maximum number of reads of a source that changes during the read.
const MAX_READS: u32 = 3;
/// Pause between two reads.
const SETTLE_TIME: Duration = Duration::from_secs(1);

/// Loads the requested bars into a data set below `root`.
///
/// # Errors
/// [`WorkError::Cancelled`] after a cancel request; otherwise what happened, why, and what to do next.
pub(super) async fn load<R: Report>(
    report: R,
    root: &Path,
    disk: Arc<dyn Disk>,
    request: Request,
    resume: Option<Value>,
) -> Result<ResultDoc, WorkError> {
    report.phase_weights(&PHASE_WEIGHTS);
    report.phase(1, PHASES[0]);
    let set = DataSet::new(root, request.source.name(), request.symbol.clone(), request.timeframe);
    let (claim, stored_last) = claim(&report, &set, &request).await?;
    let saved = resume.and_then(|state| {
        let saved = Saved::read(state);
        if saved.is_none() {
            log_line(
                &report,
                LogLevel::Warn,
                "This version can't read the checkpoint: loading from the start",
            );
        }
        saved
    });
    // Segments stored by earlier attempts must not change the target range.
    let range = saved.as_ref().map_or_else(|| wanted(&request, stored_last, &report), Saved::range);
    let trust = Trust::of(saved, &set, &report).await;
    let label = Label {
        symbol: request.symbol.to_string(),
        timeframe: request.timeframe,
        source: request.source.name().to_owned(),
        synthetic: matches!(request.source, SourceConfig::Synthetic { .. }),
    };
    let writer = Writer {
        set: set.clone(),
        label,
        mode: request.mode,
        range: request.range,
        disk,
        added: Arc::default(),
        _lock: claim,
    };
    let had_bars = stored_last.is_some();
    let mut loading = read(&report, &writer, &request, (range, trust), had_bars).await?;
    let mut kept = 0;
    if request.mode == Mode::Full {
        kept = clear(&report, loading.writer(), &loading.done, request.range).await?;
    }
    loading.warn_of_cut(kept);

    report.phase(3, PHASES[2]);
    report.message("Looking for gaps".to_owned());
    let held = report.clone();
    let mut assessment = off_thread(move || assess(&set, &held)).await?;
    if loading.validator.grid.is_coarser(request.timeframe) {
        // The calendar of these bars says nothing about bars of the timeframe.
        assessment.clear_reports();
    }
    // The operation ends with the final row count.
    report.items("rows", Some(loading.read()));
    report.done(loading.read());
    report_findings(&report, &assessment);
    document(&writer, assessment, &loading.tally(), &loading.done)
}

/// Reads the source to its end and stores it. A source out of time order is read again and sorted, if parts of it are
/// already stored. A source that changed during the read is read again.
async fn read<R: Report>(
    report: &R,
    writer: &Writer,
    request: &Request,
    (range, mut trust): (Range, Trust),
    had_bars: bool,
) -> Result<Loading<R>, WorkError> {
    let mut reading = ReadMode { latest: latest(request), sorted: trust.sorted };
    let mut changes = 0;
    loop {
        let requested = trust.narrow(range);
        let known = trust.whole.as_ref().map(Saved::known);
        let notify = |note: String| {
            report.message(note.clone());
            log_line(report, LogLevel::Warn, note);
        };
        let mut opened = source::open(request, requested, known, report.token(), &notify).await?;
        trust.compare_with_source(&opened, report);
        log_line(
            report,
            LogLevel::Info,
            format!("Reading {} {} from {}", request.symbol, request.timeframe, opened.described),
        );
        if let Some(rate) = request.rows_per_second {
            log_line(
                report,
                LogLevel::Info,
                format!("Rate limit: {} per second", counted(u64::from(rate.get()), "row", "rows")),
            );
        }
        let described = opened.described.clone();
        let mut loading =
            Loading::new(report.clone(), writer.clone(), &mut opened, (range, trust), request, reading);
        let interrupted = match once(&mut loading, &mut opened, report, request, had_bars).await {
            Ok(()) => return Ok(loading),
            Err(ReadInterruption::Work(WorkError::Cancelled)) => return Err(WorkError::Cancelled),
            // Errors while a file is being written say nothing about the file.
            Err(_) if loading.is_rewritten() => ReadInterruption::Changed,
            Err(ReadInterruption::Work(error)) => return Err(error),
            Err(interrupted) => interrupted,
        };
        match interrupted {
            ReadInterruption::Unsorted => {
                let text =
                    format!("The rows of {described} are out of time order: reading again to sort them");
                log_line(report, LogLevel::Warn, text);
            }
            ReadInterruption::Replaced if changes + 1 >= MAX_READS => {
                log_line(
                    report,
                    LogLevel::Warn,
                    format!("{described} was replaced again: keeping the version that was read"),
                );
                return Ok(loading);
            }
            _ => {
                changes += 1;
                if changes >= MAX_READS {
                    return Err(always_changing(&described, request.mode).into());
                }
                log_line(
                    report,
                    LogLevel::Warn,
                    format!("{described} changed during the read: reading again"),
                );
                settle(report).await?;
            }
        }
        reading.sorted = matches!(interrupted, ReadInterruption::Unsorted);
        trust = Trust::default();
        let (writer, held) = (writer.clone(), report.clone());
        off_thread(move || {
            let _held = held;
            writer.withdraw()
        })
        .await?;
    }
}

/// Reads the source once.
async fn once<R: Report>(
    loading: &mut Loading<R>,
    opened: &mut OpenedSource,
    report: &R,
    request: &Request,
    had_bars: bool,
) -> Result<(), ReadInterruption> {
    loading.rows(opened, request).await?;
    judge(report, request, loading.label(), &loading.tally(), had_bars)?;
    loading.finish().await?;
    loading.is_newest()
}

/// Latest valid start of a bar: one day ahead for daily bars, because days start in the east; otherwise a tolerance for
/// clock differences. Synthetic bars have no limit.
fn latest(request: &Request) -> Option<Time> {
    const MINUTE: i64 = 60_000_000;
    let ahead = if request.timeframe == Timeframe::D1 { 24 * 60 * MINUTE } else { 5 * MINUTE };
    let real = !matches!(request.source, SourceConfig::Synthetic { .. });
    real.then(|| Time::now().plus_micros(ahead))
}

/// Pause that lets the writer of the source finish.
async fn settle(report: &impl Report) -> Result<(), WorkError> {
    tokio::select! {
        biased;
        () = report.token().cancelled() => Err(WorkError::Cancelled),
        () = tokio::time::sleep(SETTLE_TIME) => Ok(()),
    }
}

fn always_changing(described: &str, mode: Mode) -> Failure {
    let stored = match mode {
        Mode::Full => "The stored bars may come from different reads, and some may be missing.",
        _ => "No stored bars were removed.",
    };
    failure(
        format!("{described} changed during the read, {MAX_READS} times in a row. {stored}"),
        "Wait until the program that writes the source ends. Or change the program, so that it writes a temporary file and then renames the file. Then load again.",
    )
}

/// Locks the data set, and finds its newest bar.
async fn claim(
    report: &impl Report,
    set: &DataSet,
    request: &Request,
) -> Result<(DataSetLock, Option<Time>), WorkError> {
    report.check()?;
    let (held, set, request) = (report.clone(), set.clone(), request.clone());
    off_thread(move || {
        let _held = held;
        // An unknown symbol must not leave folders behind.
        source::check(&request)?;
        let claim = set.claim()?;
        let last = match set.last(latest(&request)) {
            Ok(last) => last,
            // A full load replaces unreadable segments.
            Err(_) if request.mode == Mode::Full => None,
            Err(e) => return Err(e),
        };
        Ok((claim, last))
    })
    .await
    .map_err(WorkError::from)
}

/// Target range: the requested range, restricted by the mode.
fn wanted(request: &Request, stored_last: Option<Time>, report: &impl Report) -> Range {
    let mut range = request.range;
    match (request.mode, stored_last) {
        (Mode::Full, _) => {}
        (Mode::Tail, Some(last)) => {
            log_line(
                report,
                LogLevel::Info,
                format!("Loading only bars after {}, the last stored bar", moment(last)),
            );
            let after = last.plus_micros(1);
            range.from = Some(range.from.map_or(after, |from| from.max(after)));
        }
        (Mode::Backfill, Some(last)) => {
            log_line(
                report,
                LogLevel::Info,
                format!("Loading only missing bars up to {}, the last stored bar", moment(last)),
            );
            range.to = Some(range.to.map_or(last, |to| to.min(last)));
        }
        (Mode::Tail | Mode::Backfill, None) => {
            log_line(report, LogLevel::Info, "Nothing is stored yet: loading everything");
        }
    }
    range
}

/// Removes bars that the source no longer has. Returns the number of bars in the requested range that were kept
/// although the source does not have them.
async fn clear(
    report: &impl Report,
    writer: &Writer,
    done: &[Done],
    requested: Range,
) -> Result<u64, WorkError> {
    report.check()?;
    let (writer, done, held) = (writer.clone(), done.to_vec(), report.clone());
    let (changed, kept) = off_thread(move || {
        let _held = held;
        Ok::<_, Failure>((writer.clear(&done)?, writer.beyond(requested)?))
    })
    .await?;
    if changed > 0 {
        let what = counted(changed, "segment", "segments");
        log_line(
            report,
            LogLevel::Info,
            format!("Removed stored bars that are no longer in the source: {what} changed"),
        );
    }
    Ok(kept)
}
