//! Sources of rows. Each source yields rows in small slices, in its own order, with positions that a later attempt can
//! resume from.

mod columns;
mod csv_file;
mod csv_text;
mod decode;
mod file_names;
mod http;
mod instruments;
mod layout;
mod preview;
mod repeated_header;
mod splits;
mod synthetic;
mod times;
mod walk;
mod watch;

use super::config::SourceConfig;
use super::params::Request;
use super::validate::Row;
use host_kit::WorkError;
use market_data::{Bar, Range};
use protocol::{Failure, Time};
use tokio_util::sync::CancellationToken;

pub(crate) use file_names::{about, symbols};
pub(crate) use preview::{describe, preview};
pub(crate) use watch::Watch;

/// Separates the reason of a failed request from its next try, in the note about it.
const NEXT_TRY: &str = ". Next try in ";

/// Opened source.
pub(crate) struct OpenedSource {
    pub(crate) rows: Rows,
    /// Path or URL, for the log.
    pub(crate) described: String,
    /// Expected number of rows, if known.
    pub(crate) total: Option<u64>,
    /// Time of the last row, if known.
    pub(crate) last: Option<Time>,
    /// Changes with the content, which invalidates earlier reads.
    pub(crate) fingerprint: String,
    /// Detects changes during the read, if they can happen.
    pub(crate) watch: Option<Watch>,
    /// Position after the last row, for sources with positions.
    pub(crate) end: SourcePosition,
    /// Whether it continues at the requested position. Otherwise it starts at the beginning.
    pub(crate) resumed: bool,
    /// Whether the last line has no line end, so that the text may be truncated there.
    pub(crate) may_be_cut: bool,
    /// Warnings for the log.
    pub(crate) warnings: Vec<String>,
}

/// Position in a source, before the next row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct SourcePosition {
    /// Byte offset of the row in the text.
    pub(crate) offset: u64,
    /// Line of the row, from 1.
    pub(crate) line: u64,
}

/// Resume position of an earlier attempt.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) place: SourcePosition,
    pub(crate) fingerprint: String,
}

/// Rows of an opened source.
pub(crate) enum Rows {
    Csv(csv_file::CsvFile),
    Http(Box<http::HttpRows>),
    Synthetic(synthetic::SyntheticRows),
}

impl Rows {
    /// Layout of the text, once known; `None` for a source without text.
    pub(crate) fn layout(&self) -> Option<&layout::Layout> {
        match self {
            Rows::Csv(rows) => rows.layout(),
            Rows::Http(rows) => rows.layout(),
            Rows::Synthetic(_) => None,
        }
    }

    /// Notes on the text after its last row, for the log.
    pub(crate) fn notes(&self) -> Vec<String> {
        match self {
            Rows::Csv(rows) => rows.notes().to_vec(),
            Rows::Http(rows) => rows.notes(),
            Rows::Synthetic(_) => Vec::new(),
        }
    }

    /// Warnings about the text read so far, in sentences.
    pub(crate) fn warnings(&self) -> Vec<String> {
        match self {
            Rows::Csv(rows) => rows.warnings(),
            Rows::Http(rows) => rows.warnings(),
            Rows::Synthetic(_) => Vec::new(),
        }
    }

    /// Whether the rows come from a network, so that later rows are unknown while earlier ones are stored.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self, Rows::Http(_))
    }

    /// Next slice of rows, never empty; `None` after the last.
    ///
    /// # Errors
    /// If the source can't be read; [`WorkError::Cancelled`] once the token is cancelled.
    pub(crate) async fn next(&mut self, token: &CancellationToken) -> Result<Option<Vec<Row>>, WorkError> {
        match self {
            Rows::Csv(rows) => Ok(rows.next().await?),
            Rows::Http(rows) => rows.next(token).await,
            Rows::Synthetic(rows) => Ok(rows.next().await),
        }
    }
}

/// Receives notes while a source does not respond, for the log and the progress.
pub(crate) type Notify<'a> = &'a (dyn Fn(String) + Send + Sync);

/// Cheap check whether the source can have the requested bars. Blocks its thread.
///
/// # Errors
/// If it certainly does not.
pub(crate) fn check(request: &Request) -> SourceResult<()> {
    match &request.source {
        SourceConfig::Csv { folder, .. } => csv_file::check(folder, &request.symbol, request.timeframe),
        SourceConfig::Http { .. } | SourceConfig::Synthetic { .. } => Ok(()),
    }
}

/// Opens the source for a request. Only bars in `range` are needed, but a source may yield more. `notify` receives the
/// reason of each wait.
///
/// # Errors
/// If the source does not have the bars or can't be read; [`WorkError::Cancelled`] once the token is cancelled.
pub(crate) async fn open(
    request: &Request,
    range: Range,
    known: Option<Known>,
    token: &CancellationToken,
    notify: Notify<'_>,
) -> Result<OpenedSource, WorkError> {
    match &request.source {
        SourceConfig::Csv { folder, .. } => csv_file::open(folder, request, known, token).await,
        SourceConfig::Http { template, name, .. } => {
            http::open(name, template, request, range, token, notify).await
        }
        SourceConfig::Synthetic { .. } => Ok(synthetic::open(request, range)),
    }
}

/// Runs blocking code on a blocking thread, and propagates its panics.
pub(crate) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(host_kit::counted(work)).await {
        Ok(done) => done,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down, so nobody waits for this result.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Rows of the bytes of a file, given in pieces, or why they can't be read.
#[cfg(any(test, fuzzing))]
pub(crate) fn rows_of(
    bytes: &[u8],
    piece: usize,
    timeframe: market_data::Timeframe,
) -> Result<Vec<Row>, String> {
    let about = layout::About::of_test("x.csv", timeframe);
    let mut decoder = decode::Decoder::new(&about.what);
    let (mut text, mut rows) = (csv_text::CsvText::new(about), Vec::new());
    for piece in bytes.chunks(piece) {
        decoder.push(piece, &mut |piece| text.push(piece, &mut rows)).map_err(|failure| failure.message)?;
    }
    decoder.finish(&mut |piece| text.push(piece, &mut rows)).map_err(|failure| failure.message)?;
    text.finish(&mut rows).map_err(|failure| failure.message)?;
    Ok(rows)
}

/// Row made by a source itself, valid by construction.
fn made(line: u64, bar: Bar) -> Row {
    Row { line, offset: 0, time: Some(bar.time), bar: Ok(bar) }
}

/// Result of a source, with a user-facing failure.
pub(crate) type SourceResult<T> = Result<T, Failure>;
