//! Sources: where rows come from. Each gives rows in small slices, in the order in which it has them, and says
//! where it is, so that a later attempt can go on there.

mod columns;
mod csv_file;
mod csv_text;
mod http;
mod synthetic;
mod time_text;
mod walk;
mod watch;

use super::bars::{Bar, Range};
use super::config::SourceConfig;
use super::params::Request;
use super::validate::Row;
use host_kit::WorkError;
use protocol::{Failure, Time};
use tokio_util::sync::CancellationToken;

pub(crate) use csv_file::symbols;
pub(crate) use http::check_template;
pub(crate) use watch::Watch;

/// A source that was found and is ready to be read.
pub(crate) struct Opened {
    pub(crate) rows: Rows,
    /// What is read, for the log: a path or a URL.
    pub(crate) described: String,
    /// Rows that will come, as far as that can be known before they come.
    pub(crate) total: Option<u64>,
    /// The time of the last row, where it can be known.
    pub(crate) last: Option<Time>,
    /// Changes when the content does: what was read before can then not be trusted.
    pub(crate) fingerprint: String,
    /// Says whether the content is still what it was, where that can change while it is read.
    pub(crate) watch: Option<Watch>,
    /// The place after the last row, where there are places.
    pub(crate) end: Place,
    /// It could go on at the place that was asked for; otherwise it begins at its beginning.
    pub(crate) resumed: bool,
}

/// Where a source was when the row that follows was not yet read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Place {
    /// Bytes of text before the row.
    pub(crate) offset: u64,
    /// The line of the row, from 1.
    pub(crate) line: u64,
}

/// What a resumed load knows of an earlier attempt.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) place: Place,
    pub(crate) fingerprint: String,
}

/// The rows of an opened source.
pub(crate) enum Rows {
    Csv(csv_file::CsvFile),
    Http(http::HttpRows),
    Synthetic(synthetic::SyntheticRows),
}

impl Rows {
    /// The next slice of rows, never empty; `None` after the last.
    ///
    /// # Errors
    /// When the source can't be read further; [`WorkError::Cancelled`] once the token is cancelled.
    pub(crate) async fn next(&mut self, token: &CancellationToken) -> Result<Option<Vec<Row>>, WorkError> {
        match self {
            Rows::Csv(rows) => Ok(rows.next().await?),
            Rows::Http(rows) => rows.next(token).await,
            Rows::Synthetic(rows) => Ok(rows.next().await),
        }
    }
}

/// Whether the source can have what the request asks for, as far as that costs nothing to know. Holds up its thread.
///
/// # Errors
/// When it surely has not.
pub(crate) fn look(request: &Request) -> SourceResult<()> {
    match &request.source {
        SourceConfig::Csv { folder, .. } => csv_file::look(folder, &request.symbol, request.timeframe),
        SourceConfig::Http { .. } | SourceConfig::Synthetic { .. } => Ok(()),
    }
}

/// Finds what the request asks for. Only bars in `range` are wanted; a source may give more.
///
/// # Errors
/// When the source does not have it or can't be read; [`WorkError::Cancelled`] once the token is cancelled.
pub(crate) async fn open(
    request: &Request,
    range: Range,
    known: Option<Known>,
    token: &CancellationToken,
) -> Result<Opened, WorkError> {
    match &request.source {
        SourceConfig::Csv { folder, .. } => csv_file::open(folder, request, known, token).await,
        SourceConfig::Http { template, name } => http::open(name, template, request, range, token).await,
        SourceConfig::Synthetic { .. } => Ok(synthetic::open(request, range)),
    }
}

/// Runs what would hold up an async thread on one that may wait. A panic there is a panic here.
pub(crate) async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends and takes no more work: nobody waits for this answer.
            Err(_) => std::future::pending().await,
        },
    }
}

/// A row that a source made itself and that is good by construction.
fn made(line: u64, bar: Bar) -> Row {
    Row { line, offset: 0, time: Some(bar.time), bar: Ok(bar) }
}

/// A source that says why it can't go on.
pub(crate) type SourceResult<T> = Result<T, Failure>;
