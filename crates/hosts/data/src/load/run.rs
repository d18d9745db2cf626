//! One load from its first look at the source to its result.
//!
//! Rows stream: a slice is read, each row is checked, bars gather until their segment is full, the segment is put
//! in its place, a checkpoint is taken. Memory holds one slice and one segment. What is finished stays finished:
//! a cancel or a failure between two segments leaves whole files, and a later attempt goes on after them.

use super::super::bars::{Range, Timeframe};
use super::super::config::SourceConfig;
use super::super::dataset::{Claim, DataSet};
use super::super::disk::Disk;
use super::super::params::{Mode, Request};
use super::super::segment::Label;
use super::super::source::{self, Opened, off_thread};
use super::super::trouble::failure;
use super::super::wording::moment;
use super::assess::assess;
use super::interrupted::Interrupted;
use super::loading::{Loading, Reading};
use super::outcome::{document, judge, tell};
use super::report::{Report, say};
use super::resume::{Done, Saved, Trust};
use super::write::Writer;
use super::{PHASE_WEIGHTS, PHASES};
use host_kit::WorkError;
use protocol::counts::counted;
use protocol::host::ResultDoc;
use protocol::{Failure, LogLevel, Time};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A source that is changed while it is read is read so often at most.
const MAX_READS: u32 = 3;
/// Between two readings.
const SETTLE_TIME: Duration = Duration::from_secs(1);

/// Loads what the request asks for into a data set below `root`.
///
/// # Errors
/// [`WorkError::Cancelled`] when it was asked to stop; otherwise what happened, why, and what to do next.
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
            say(&report, LogLevel::Warn, "This version can't read the checkpoint: loading from the start");
        }
        saved
    });
    // What earlier attempts stored must not move the ends of what this load is after.
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
        _claim: claim,
    };
    let had_bars = stored_last.is_some();
    let loading = read(&report, &writer, &request, (range, trust), had_bars).await?;
    if request.mode == Mode::Full {
        clear(&report, &writer, &loading.done).await?;
    }

    report.phase(3, PHASES[2]);
    report.message("Looking for gaps".to_owned());
    let held = report.clone();
    let assessment = off_thread(move || assess(&set, &held)).await?;
    // What was counted is still what was done: the operation ends with it.
    report.items("rows", Some(loading.read()));
    report.done(loading.read());
    tell(&report, &assessment);
    document(&writer, assessment, &loading.tally(), &loading.done)
}

/// Reads the source to its end, and puts all of it in its place. A source that is not in order of time is read again
/// to be sorted where some of it is stored already, and one that was written meanwhile is read again.
async fn read<R: Report>(
    report: &R,
    writer: &Writer,
    request: &Request,
    (range, mut trust): (Range, Trust),
    had_bars: bool,
) -> Result<Loading<R>, WorkError> {
    let mut reading = Reading { latest: latest(request), sorted: trust.sorted };
    let mut changes = 0;
    loop {
        let asked = trust.narrow(range);
        let known = trust.whole.as_ref().map(Saved::known);
        let mut opened = source::open(request, asked, known, report.token()).await?;
        trust.hold_against(&opened, report);
        say(
            report,
            LogLevel::Info,
            format!("Reading {} {} from {}", request.symbol, request.timeframe, opened.described),
        );
        if let Some(rate) = request.rows_per_second {
            say(
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
            Err(Interrupted::Work(WorkError::Cancelled)) => return Err(WorkError::Cancelled),
            // What can't be read of a file that was written meanwhile, or its order, says nothing of the file.
            Err(_) if loading.is_rewritten() => Interrupted::Changed,
            Err(Interrupted::Work(error)) => return Err(error),
            Err(interrupted) => interrupted,
        };
        match interrupted {
            Interrupted::Unsorted => {
                let text =
                    format!("The rows of {described} are out of time order: reading again to sort them");
                say(report, LogLevel::Warn, text);
            }
            Interrupted::Replaced if changes + 1 >= MAX_READS => {
                say(
                    report,
                    LogLevel::Warn,
                    format!("{described} was replaced again: keeping the version that was read"),
                );
                return Ok(loading);
            }
            _ => {
                changes += 1;
                if changes >= MAX_READS {
                    return Err(always_changing(&described).into());
                }
                say(report, LogLevel::Warn, format!("{described} changed during the read: reading again"));
                settle(report).await?;
            }
        }
        reading.sorted = matches!(interrupted, Interrupted::Unsorted);
        trust = Trust::default();
        let (writer, held) = (writer.clone(), report.clone());
        off_thread(move || {
            let _held = held;
            writer.withdraw()
        })
        .await?;
    }
}

/// One reading of the source.
async fn once<R: Report>(
    loading: &mut Loading<R>,
    opened: &mut Opened,
    report: &R,
    request: &Request,
    had_bars: bool,
) -> Result<(), Interrupted> {
    loading.rows(opened, request).await?;
    judge(report, request, loading.label(), &loading.tally(), had_bars)?;
    loading.finish().await?;
    loading.is_newest()
}

/// Bars that begin later are of the future: a day is allowed for daily bars, as days begin in the east, else what clocks
/// may differ by. Synthetic bars are of any time.
fn latest(request: &Request) -> Option<Time> {
    const MINUTE: i64 = 60_000_000;
    let ahead = if request.timeframe == Timeframe::D1 { 24 * 60 * MINUTE } else { 5 * MINUTE };
    let real = !matches!(request.source, SourceConfig::Synthetic { .. });
    real.then(|| Time::now().plus_micros(ahead))
}

/// A pause in which the program that writes the source may come to its end.
async fn settle(report: &impl Report) -> Result<(), WorkError> {
    tokio::select! {
        biased;
        () = report.token().cancelled() => Err(WorkError::Cancelled),
        () = tokio::time::sleep(SETTLE_TIME) => Ok(()),
    }
}

fn always_changing(described: &str) -> Failure {
    failure(
        format!(
            "{described} changed during the read, {MAX_READS} times in a row. No stored bars were removed."
        ),
        "Wait until the program that writes it ends, or let it write a temporary file and rename it. Then load again.",
    )
}

/// Claims the data set, and looks up its newest bar.
async fn claim(
    report: &impl Report,
    set: &DataSet,
    request: &Request,
) -> Result<(Claim, Option<Time>), WorkError> {
    report.check()?;
    let (held, set, request) = (report.clone(), set.clone(), request.clone());
    off_thread(move || {
        let _held = held;
        // A symbol that is not there must not leave folders behind.
        source::look(&request)?;
        let claim = set.claim()?;
        let last = match set.last(latest(&request)) {
            Ok(last) => last,
            // A full load replaces what can't be read.
            Err(_) if request.mode == Mode::Full => None,
            Err(e) => return Err(e),
        };
        Ok((claim, last))
    })
    .await
    .map_err(WorkError::from)
}

/// The bars that the load is after: the asked-for range, less what the mode leaves out.
fn wanted(request: &Request, stored_last: Option<Time>, report: &impl Report) -> Range {
    let mut range = request.range;
    match (request.mode, stored_last) {
        (Mode::Full, _) => {}
        (Mode::Tail, Some(last)) => {
            say(
                report,
                LogLevel::Info,
                format!("Loading only bars after {}, the last stored bar", moment(last)),
            );
            let after = last.plus_micros(1);
            range.from = Some(range.from.map_or(after, |from| from.max(after)));
        }
        (Mode::Backfill, Some(last)) => {
            say(
                report,
                LogLevel::Info,
                format!("Loading only missing bars up to {}, the last stored bar", moment(last)),
            );
            range.to = Some(range.to.map_or(last, |to| to.min(last)));
        }
        (Mode::Tail | Mode::Backfill, None) => {
            say(report, LogLevel::Info, "Nothing is stored yet: loading everything");
        }
    }
    range
}

async fn clear(report: &impl Report, writer: &Writer, done: &[Done]) -> Result<(), WorkError> {
    report.check()?;
    let (writer, done, held) = (writer.clone(), done.to_vec(), report.clone());
    let changed = off_thread(move || {
        let _held = held;
        writer.clear(&done)
    })
    .await?;
    if changed > 0 {
        let what = counted(changed, "segment", "segments");
        say(report, LogLevel::Info, format!("Removed bars that the source no longer has from {what}"));
    }
    Ok(())
}
