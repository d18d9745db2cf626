//! Preview of a load: its first bars as they would be stored, and the detected layout.

use super::layout::{Layout, TimeKind};
use super::{NEXT_TRY, Notify, OpenedSource, Rows, open};
use crate::options::BarTime;
use crate::order::Order;
use crate::params::Request;
use crate::report::Report;
use crate::validate::{RowVerdict, Validator};
use display::format::counted;
use host_kit::WorkError;
use market_data::wording::moment;
use market_data::{Bar, Timeframe};
use protocol::{Failure, LogLevel, Preview, PreviewTable, Time};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Number of bars shown.
const SHOWN_BARS: usize = 8;
/// Maximum number of rows to read for them and for their errors.
const MAX_ROWS: u64 = 5_000;
/// Maximum number of rows to read of a file with the newest first, whose oldest bars are shown.
const MAX_REVERSED_ROWS: u64 = 200_000;
/// Timeout of a preview.
const PREVIEW_TIMEOUT: Duration = Duration::from_secs(12);

/// Reads the first rows of a load. Stores nothing.
pub(crate) async fn preview(request: &Request) -> Preview {
    let mut preview = Preview::default();
    let token = CancellationToken::new();
    let waits = Mutex::new(None);
    let notify = |note| *waits.lock().unwrap_or_else(PoisonError::into_inner) = Some(note);
    let inspected =
        tokio::time::timeout(PREVIEW_TIMEOUT, inspect(request, &token, &notify, &mut preview)).await;
    // Stops the read on the other thread.
    token.cancel();
    match inspected {
        Ok(Ok(())) => {}
        Ok(Err(WorkError::Failed(failure))) => preview.failure = Some(failure),
        Ok(Err(WorkError::NotStarted(why))) => preview.warnings.push(why),
        Ok(Err(WorkError::Cancelled)) | Err(_) => {
            let why = waits.into_inner().unwrap_or_else(PoisonError::into_inner);
            let why = why.unwrap_or_else(|| "Check the source, then try again".to_owned());
            preview.warnings.push(unavailable(&why));
        }
    }
    preview
}

/// Warning of a preview that ran into its timeout. `why` can be the note of a retry, whose next try is not made.
fn unavailable(why: &str) -> String {
    let why = why.split_once(NEXT_TRY).map_or(why, |(why, _)| why);
    format!(
        "No preview: the source did not deliver enough rows within {} s. {why}.",
        PREVIEW_TIMEOUT.as_secs()
    )
}

async fn inspect(
    request: &Request,
    token: &CancellationToken,
    notify: Notify<'_>,
    preview: &mut Preview,
) -> Result<(), WorkError> {
    let mut opened = open(request, request.range, None, token, notify).await?;
    preview.fact("Source", opened.described.clone());
    if opened.may_be_cut {
        preview.warnings.push("The last line has no line end: the file may be truncated.".to_owned());
    }
    preview.warnings.append(&mut opened.warnings);
    let described = facts(&opened, request, preview);
    let mut validator = Validator::new(request.timeframe, None);
    let mut bars = VecDeque::new();
    let mut order = Order::default();
    let (mut read, mut seen) = (0, 0);
    // The first bars to be stored are the last rows of a text with the newest first.
    let mut reversed = opened.rows.layout().is_some_and(Layout::is_newest_first);
    let mut complete = false;
    while read == 0
        || if reversed { read < MAX_REVERSED_ROWS } else { bars.len() < SHOWN_BARS && read < MAX_ROWS }
    {
        let Some(rows) = opened.rows.next(token).await? else {
            complete = true;
            break;
        };
        reversed = reversed || opened.rows.layout().is_some_and(Layout::is_newest_first);
        seen += rows.len() as u64;
        for row in rows {
            if row.time.is_some_and(|time| !request.range.contains(time)) {
                continue;
            }
            read += 1;
            if let Ok(bar) = &row.bar {
                order.note(bar.time);
            }
            let judged = validator.judge(&row);
            validator.note(&row, &judged);
            if let RowVerdict::Bar(bar) | RowVerdict::Early(bar) = judged
                && (reversed || bars.len() < SHOWN_BARS)
            {
                bars.push_back(bar);
                if bars.len() > SHOWN_BARS {
                    bars.pop_front();
                }
            }
        }
    }
    if !described {
        facts(&opened, request, preview);
    }
    // The lines counted before the read can include blank ones.
    if complete && let Some(fact) = preview.facts.iter_mut().find(|fact| fact.label == "Rows") {
        fact.value = counted(seen, "row", "rows");
    }
    if let Some(failure) = order.swapped_dates(&opened.described) {
        preview.failure = Some(failure);
        return Ok(());
    }
    preview.warnings.extend(order.warning());
    preview.warnings.extend(opened.rows.warnings());
    for found in validator.rejected.listed() {
        let rows = counted(found.rows, "row", "rows");
        preview.warnings.push(format!(
            "Rejected {rows} in the first {}: {}, the first at {}",
            counted(read, "row", "rows"),
            found.reason,
            found.example
        ));
    }
    if bars.is_empty() {
        preview.failure = Some(nothing(request, &validator, read));
        return Ok(());
    }
    let title = match (reversed, complete) {
        (false, _) => "First bars as they will be stored",
        (true, true) => "Oldest bars as they will be stored, in this order",
        (true, false) => "Some bars as they will be stored, in this order",
    };
    let mut bars = Vec::from(bars);
    bars.sort_by_key(|bar| bar.time);
    preview.table = Some(table(title, &bars, request.timeframe));
    Ok(())
}

fn nothing(request: &Request, validator: &Validator, read: u64) -> Failure {
    let name = format!("{} {}", request.symbol, request.timeframe);
    match validator.rejected.most() {
        Some((reason, _, example)) => market_data::failures::failure(
            format!(
                "No row of {name} is usable among the first {}: {example}.",
                counted(read, "row", "rows")
            ),
            reason.remedy(),
        ),
        None if request.range.is_all() => market_data::failures::failure(
            format!("The source has no rows for {name}, except perhaps a header line."),
            "Add the bars to the source, or load another symbol.",
        ),
        None => market_data::failures::failure(
            format!("No bars for {name} in the requested range."),
            "Choose another range or symbol.",
        ),
    }
}

/// Logs the layout of the text; false while it is unknown.
pub(crate) fn describe(rows: &Rows, request: &Request, report: &impl Report) -> bool {
    let Some(layout) = rows.layout() else { return matches!(rows, Rows::Synthetic(_)) };
    let (format, zone) = (layout.format, zone(layout, request));
    report.log(LogLevel::Info, format!("Format {format}, time zone {zone}"));
    if layout.bar_times.bar_time == BarTime::End {
        report.log(LogLevel::Info, format!("Times are {}", layout.bar_times.described()));
    }
    for note in &layout.notes {
        report.log(LogLevel::Info, note.clone());
    }
    for warning in &layout.warnings {
        report.log(LogLevel::Warn, warning.clone());
    }
    true
}

/// Adds the facts of the layout; false while it is unknown.
fn facts(opened: &OpenedSource, request: &Request, preview: &mut Preview) -> bool {
    let Some(layout) = opened.rows.layout() else { return false };
    let chosen = if request.options.format.is_some() { "selected" } else { "detected" };
    preview.fact("Format", format!("{} ({chosen})", layout.format));
    preview.fact("Time zone", zone(layout, request));
    preview.fact("Times", layout.bar_times.described());
    let columns: Vec<String> =
        layout.titles.iter().map(|(value, title)| format!("{value}: {title}")).collect();
    preview.fact("Columns", columns.join(" · "));
    if let Some(total) = opened.total {
        preview.fact("Rows", format!("about {}", counted(total, "line", "lines")));
    }
    preview.warnings.extend(layout.warnings.iter().cloned());
    preview.warnings.extend(layout.notes.iter().cloned());
    true
}

/// Time zone of times without one, and its origin.
fn zone(layout: &Layout, request: &Request) -> String {
    let zone = layout.zone().map(|zone| match request.options.time_zone {
        Some(_) => format!("{zone} (selected)"),
        None => format!("{zone} ({})", layout.format),
    });
    let daily = request.timeframe == Timeframe::D1;
    let not_needed = match layout.time_kind {
        // The day of a moment depends on the zone.
        Some(TimeKind::SinceEpoch | TimeKind::Utc) if daily && zone.is_some() => None,
        Some(TimeKind::SinceEpoch) => Some("times since 1970 are UTC"),
        Some(TimeKind::Utc) => Some("times are in UTC"),
        Some(TimeKind::WithZone) => Some("each time has its zone"),
        None if daily && zone.is_none() => Some("daily bars keep their dates"),
        Some(TimeKind::Wall | TimeKind::Day) if daily => Some("daily bars keep their dates"),
        Some(TimeKind::Wall | TimeKind::Day) | None => None,
    };
    match (zone, not_needed) {
        (Some(zone), Some(why)) => format!("{zone} is not used: {why}"),
        (None, Some(why)) => format!("not needed: {why}"),
        (Some(zone), None) => zone,
        (None, None) => "not set: each time needs its own zone".to_owned(),
    }
}

fn table(title: &str, bars: &[Bar], timeframe: Timeframe) -> PreviewTable {
    let columns = ["Time (UTC)", "Open", "High", "Low", "Close", "Volume"].map(str::to_owned).to_vec();
    let rows = bars.iter().map(|bar| {
        let prices = [bar.open, bar.high, bar.low, bar.close].map(|price| price.to_string());
        let volume = volume(bar);
        [shown(bar.time, timeframe)].into_iter().chain(prices).chain([volume]).collect()
    });
    PreviewTable { title: title.to_owned(), columns, rows: rows.collect() }
}

fn volume(bar: &Bar) -> String {
    bar.volume.map_or_else(|| "unknown".to_owned(), |volume| volume.to_string())
}

fn shown(time: Time, timeframe: Timeframe) -> String {
    if timeframe == Timeframe::D1 { market_data::day_of(time).to_string() } else { moment(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_without_rows_does_not_announce_another_try() {
        let warning = unavailable(&format!("Source 'web' returned 503{NEXT_TRY}4 s (3 of 5)"));
        let named =
            "No preview: the source did not deliver enough rows within 12 s. Source 'web' returned 503.";
        assert_eq!(warning, named);
    }
}
