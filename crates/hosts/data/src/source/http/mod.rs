//! Source of kind `http`: a URL that returns CSV. The body is streamed, except for a zip. Transient failures are
//! retried.

mod client;
mod retry;

use super::csv_text::CsvText;
use super::decode::{Decoder, PACKED_PIECE_BYTES, is_zip, locate};
use super::layout::{About, Layout};
use super::{NEXT_TRY, Notify, OpenedSource, Rows, SourcePosition, SourceResult};
use crate::hints::TRY_AGAIN;
use crate::params::Request;
use crate::url_template::{fill, shown};
use crate::validate::Row;
use client::{Framing, RequestFailure, UnreadResponse};
use host_kit::WorkError;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use https_client::Tls;
use market_data::Range;
use market_data::failures::failure;
use market_data::wording::{excerpt, moment};
use protocol::{Failure, Time};
use retry::{RETRY_POLICY, RetryPolicy, retry_after, transient};
use std::collections::VecDeque;
use std::io::Cursor;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;
use url::Url;

/// Bytes per parse step.
const PIECE_BYTES: usize = 32 * 1024;
/// A zip is read from its end, so it is kept in memory, up to this size.
const MAX_ZIP_BYTES: usize = 64 << 20;
/// Timeout for the body of an error response.
const REASON_TIMEOUT: Duration = Duration::from_secs(2);

/// RFC 3339, without a fraction if it is zero, because sources expect whole seconds.
fn moment_or_nothing(time: Option<Time>) -> String {
    time.map_or_else(String::new, moment)
}

/// Body in progress.
pub(crate) struct HttpRows {
    what: String,
    /// Absent after the end.
    answer: Option<UnreadResponse>,
    decoder: Decoder,
    text: CsvText,
    /// First bytes of the body, or all of a zip.
    start: Body,
    /// Received chunks to parse.
    waiting: VecDeque<Vec<u8>>,
    ended: bool,
}

/// State of a body.
enum Body {
    Unknown(Vec<u8>),
    Zip(Vec<u8>),
    Streamed,
}

impl HttpRows {
    fn new(answer: UnreadResponse, about: About) -> Self {
        Self {
            what: answer.what.clone(),
            answer: Some(answer),
            decoder: Decoder::new(&about.what),
            text: CsvText::new(about),
            start: Body::Unknown(Vec::new()),
            waiting: VecDeque::new(),
            ended: false,
        }
    }

    /// Layout of the text, once known.
    pub(super) fn layout(&self) -> Option<&Layout> {
        self.text.layout()
    }

    /// Notes on the text read so far, for the log.
    pub(super) fn notes(&self) -> Vec<String> {
        self.text.notes()
    }

    /// Warnings about the text read so far, in sentences.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.text.warnings()
    }

    /// Next rows; `None` after the last.
    pub(super) async fn next(&mut self, token: &CancellationToken) -> Result<Option<Vec<Row>>, WorkError> {
        let mut rows = Vec::new();
        while rows.is_empty() && !self.ended {
            if let Some(piece) = self.waiting.pop_front() {
                let text = &mut self.text;
                self.decoder.push(&piece, &mut |decoded| text.push(decoded, &mut rows))?;
            } else if let Some(answer) = &mut self.answer {
                let chunk = tokio::select! {
                    biased;
                    () = token.cancelled() => return Err(WorkError::Cancelled),
                    chunk = answer.chunk() => chunk,
                };
                match chunk.map_err(|how| truncated(&self.what, &how))? {
                    Some(chunk) => self.take(&chunk)?,
                    None => {
                        self.answer = None;
                        self.check_complete()?;
                    }
                }
            } else {
                self.finish(&mut rows)?;
            }
        }
        Ok((!rows.is_empty()).then_some(rows))
    }

    fn take(&mut self, chunk: &[u8]) -> SourceResult<()> {
        match &mut self.start {
            Body::Streamed => self.wait(chunk, PIECE_BYTES),
            Body::Unknown(start) => {
                start.extend_from_slice(chunk);
                if start.len() >= 4 {
                    let start = std::mem::take(start);
                    if is_zip(&start) {
                        self.start = Body::Zip(start);
                    } else {
                        self.start = Body::Streamed;
                        self.wait(&start, PIECE_BYTES);
                    }
                }
            }
            Body::Zip(zip) => {
                zip.extend_from_slice(chunk);
                if zip.len() > MAX_ZIP_BYTES {
                    return Err(failure(
                        format!("{} is a zip larger than {} MiB.", self.what, MAX_ZIP_BYTES >> 20),
                        "Configure the source to send CSV or gzip, which are streamed.",
                    ));
                }
            }
        }
        Ok(())
    }

    /// After the last byte: handles a short body or a zip.
    fn check_complete(&mut self) -> SourceResult<()> {
        match std::mem::replace(&mut self.start, Body::Streamed) {
            Body::Streamed => {}
            Body::Unknown(start) => self.wait(&start, PIECE_BYTES),
            Body::Zip(zip) => {
                let entry = locate(&self.what, Cursor::new(&zip))?;
                self.decoder = Decoder::of_zip_entry(&self.what, &entry);
                let place = usize::try_from(entry.start).ok().zip(usize::try_from(entry.length).ok());
                let packed = place.and_then(|(start, length)| zip.get(start..start.checked_add(length)?));
                self.wait(packed.unwrap_or_default(), PACKED_PIECE_BYTES);
            }
        }
        Ok(())
    }

    fn wait(&mut self, bytes: &[u8], piece: usize) {
        self.waiting.extend(bytes.chunks(piece).map(<[u8]>::to_vec));
    }

    fn finish(&mut self, rows: &mut Vec<Row>) -> SourceResult<()> {
        self.ended = true;
        let text = &mut self.text;
        self.decoder.finish(&mut |decoded| text.push(decoded, rows))?;
        // A Content-Length proves nothing if the source itself has only a part.
        if self.text.ends_within_a_line() {
            // Errors of an API, in JSON or as a page, often have no line end.
            if let Some(failure) = self.text.no_csv() {
                return Err(failure);
            }
            return Err(failure(
                format!(
                    "{} may be truncated: its last line has no line end. That line is not stored. Already stored bars \
                     with later times are kept.",
                    self.what
                ),
                "Load again. If this happens every time, configure the source to end its last line with a line break, \
                 or save the response as a file for the csv source.",
            ));
        }
        self.text.finish(rows)
    }
}

/// Sends the request and waits for the start of the response.
pub(super) async fn open(
    name: &str,
    template: &str,
    request: &Request,
    range: Range,
    token: &CancellationToken,
    notify: Notify<'_>,
) -> Result<OpenedSource, WorkError> {
    open_with((RETRY_POLICY, &Tls::default()), name, template, request, range, token, notify).await
}

async fn open_with(
    (policy, tls): (RetryPolicy, &Tls),
    name: &str,
    template: &str,
    request: &Request,
    range: Range,
    token: &CancellationToken,
    notify: Notify<'_>,
) -> Result<OpenedSource, WorkError> {
    let bad = |why: String| {
        failure(format!("Invalid URL for source '{name}': {why}"), "Correct the configuration.")
    };
    let url = fill(template, |place| match place {
        "symbol" => Some(request.symbol.to_string()),
        "timeframe" => Some(request.timeframe.to_string()),
        "start" => Some(moment_or_nothing(range.from)),
        // The source gets an inclusive end.
        "end" => Some(moment_or_nothing(range.to.map(|to| to.plus_micros(-1)))),
        _ => None,
    })
    .map_err(bad)?;
    let url = Url::parse(&url).map_err(|e| bad(format!("{e}.")))?;
    let answer = tokio::select! {
        biased;
        () = token.cancelled() => return Err(WorkError::Cancelled),
        answer = ask(policy, tls, &url, (name, request), notify) => answer?,
    };
    let what = answer.what.clone();
    let mut warnings = Vec::new();
    if answer.framing == Framing::UntilClose {
        warnings.push(
            "The source sends neither Content-Length nor chunked encoding: a truncated response may go undetected"
                .to_owned(),
        );
    }
    Ok(OpenedSource {
        rows: Rows::Http(Box::new(HttpRows::new(answer, About::of(request, &what)))),
        described: what,
        total: None,
        last: None,
        fingerprint: String::new(),
        watch: None,
        end: SourcePosition::default(),
        // Only the range was requested. If the source ignores it, earlier rows are skipped.
        resumed: true,
        // Such a response is a failure.
        may_be_cut: false,
        warnings,
    })
}

/// Sends the request, with retries for transient failures.
async fn ask(
    policy: RetryPolicy,
    tls: &Tls,
    url: &Url,
    (name, request): (&str, &Request),
    notify: Notify<'_>,
) -> SourceResult<UnreadResponse> {
    let mut pause = policy.pause;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let last = attempt >= policy.tries;
        let (wait, why) = match client::get(url, tls).await {
            Ok(answer) if answer.status.is_success() => return answered(answer).await,
            Ok(answer) if !last && transient(answer.status) => {
                let wait = retry_after(&answer.headers, SystemTime::now());
                (wait.map(|w| w.min(policy.max_retry_after)), format!("returned {}", answer.status))
            }
            Ok(answer) => return Err(refused(answer, name, request, attempt).await),
            Err(RequestFailure::Refused(failure)) => return Err(failure),
            Err(RequestFailure::Transient(_, how, _)) if !last => (None, how.to_owned()),
            Err(RequestFailure::Transient(what, how, cause)) => {
                return Err(unreachable_source(url, &what, how, &cause, attempt));
            }
        };
        // Jitter, so that many loads do not retry at once.
        let wait = wait.unwrap_or_else(|| pause.mul_f64(0.5 + rand::random::<f64>()));
        notify(format!(
            "Source '{name}' {why}{NEXT_TRY}{} ({} of {})",
            seconds(wait),
            attempt + 1,
            policy.tries
        ));
        tokio::time::sleep(wait).await;
        pause *= 2;
    }
}

fn seconds(wait: Duration) -> String {
    let seconds = wait.as_secs_f64();
    if seconds >= 1.0 { format!("{seconds:.0} s") } else { format!("{seconds:.1} s") }
}

/// Checks that a response can be CSV.
async fn answered(answer: UnreadResponse) -> SourceResult<UnreadResponse> {
    let header =
        |name| answer.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_lowercase();
    let what = &answer.what;
    if answer.status != StatusCode::OK {
        let partial = answer.status == StatusCode::PARTIAL_CONTENT;
        let is = if partial { "a partial response, which was not requested" } else { "no data" };
        return Err(failure(
            format!("{what} returned {}: {is}.", answer.status),
            "Check the proxy in front of the source. A complete response has status 200.",
        ));
    }
    let encoding = header(CONTENT_ENCODING);
    if !matches!(encoding.as_str(), "" | "identity" | "gzip" | "x-gzip") {
        return Err(failure(
            format!("{what} returned the encoding '{}', which was not requested.", excerpt(&encoding, 30)),
            "Configure the source to send uncompressed data or gzip.",
        ));
    }
    let of_type = header(CONTENT_TYPE);
    if of_type.starts_with("text/html") || of_type.starts_with("application/json") {
        let message = format!("{what} returned {} instead of CSV.", excerpt(&of_type, 60));
        let error_text = error_text(answer).await;
        return Err(failure(
            format!("{message}{error_text}"),
            "Open the URL in a browser, and correct the source's URL in the configuration.",
        ));
    }
    Ok(answer)
}

/// Start of a body, which often gives the reason.
async fn error_text(mut answer: UnreadResponse) -> String {
    let error_text = match tokio::time::timeout(REASON_TIMEOUT, answer.chunk()).await {
        Ok(Ok(Some(chunk))) => excerpt(String::from_utf8_lossy(&chunk).trim(), 160),
        _ => String::new(),
    };
    if error_text.is_empty() { String::new() } else { format!(" Response: {error_text}") }
}

async fn refused(answer: UnreadResponse, name: &str, request: &Request, tries: u32) -> Failure {
    let (status, url) = (answer.status, answer.what.clone());
    let error_text = error_text(answer).await;
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
        return failure(
            format!(
                "Source '{name}' has no {} {}: {url} returned {status}.{error_text}",
                request.symbol, request.timeframe
            ),
            "Check the symbol and the timeframe, or choose another source.",
        );
    }
    let times = if tries > 1 { format!(" {tries} times") } else { String::new() };
    failure(
        format!("{url} returned {status}{times}.{error_text}"),
        match status.as_u16() {
            401 | 403 => "The source denied access. Check the credentials in its URL.",
            429 => "The source limits the request rate. Wait, then try again.",
            500.. => "The source has a server error. Try again later.",
            _ => "Check the source's URL in the configuration.",
        },
    )
}

fn unreachable_source(url: &Url, what: &str, how: &str, cause: &str, tries: u32) -> Failure {
    let address = shown(url);
    let what = if address == what { address } else { format!("{address} redirects to {what}, which") };
    failure(
        format!("{what} {how}, after {tries} {}: {cause}.", if tries == 1 { "try" } else { "tries" }),
        "Check that the source is running and reachable from the host, then try again.",
    )
}

fn truncated(what: &str, how: &str) -> Failure {
    failure(format!("{what} {how}."), TRY_AGAIN)
}

#[cfg(test)]
mod tests;
