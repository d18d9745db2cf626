//! A URL that answers CSV. The body is read as it comes and never held whole; what can safely be asked again is.

use super::csv_text::CsvText;
use super::{Opened, Place, Rows, SourceResult};
use crate::bars::Range;
use crate::params::Request;
use crate::trouble::failure;
use crate::validate::Row;
use crate::wording::{excerpt, moment};
use host_kit::WorkError;
use protocol::{Failure, Time};
use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Bytes parsed at a time.
const PIECE: usize = 32 * 1024;
const PLACES: [&str; 4] = ["symbol", "timeframe", "start", "end"];

/// How hard a source is tried.
#[derive(Clone, Copy)]
struct Patience {
    tries: u32,
    /// Before the second try; doubled before each further one, and varied by half.
    pause: Duration,
    /// The most that a `Retry-After` of the source is heeded.
    longest: Duration,
}

const PATIENCE: Patience =
    Patience { tries: 3, pause: Duration::from_millis(500), longest: Duration::from_secs(20) };

/// Whether a URL template can be used.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub(crate) fn check_template(template: &str) -> Result<(), String> {
    let filled = fill(template, |name| PLACES.contains(&name).then(|| "x".to_owned()))?;
    if !template.contains("{symbol}") {
        return Err("it has no {symbol} in it, so every symbol would be the same.".to_owned());
    }
    match reqwest::Url::parse(&filled).map(|url| url.scheme().to_owned()).as_deref() {
        Ok("http") => Ok(()),
        Ok("https") => Err(
            "this build of Signalbox speaks http only. Put a proxy on this machine in front of it, or load from CSV files."
                .to_owned(),
        ),
        Ok(scheme) => Err(format!("it must begin with http://, not {scheme}://.")),
        Err(e) => Err(format!("'{}' is not a URL ({e}). It looks like http://localhost:8080/{{symbol}}_{{timeframe}}.csv.", excerpt(template, 100))),
    }
}

/// The template with each `{name}` replaced by what `value` gives, percent-encoded.
fn fill(template: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        out.push_str(&rest[..open]);
        let after = &rest[open + 1..];
        let close = after.find('}').ok_or("a '{' in it is never closed.")?;
        let name = &after[..close];
        let value = value(name).ok_or_else(|| {
            format!(
                "{{{}}} is not known; it may have {{symbol}}, {{timeframe}}, {{start}} and {{end}}.",
                excerpt(name, 30)
            )
        })?;
        encode(&value, &mut out);
        rest = &after[close + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// Keeps what RFC 3986 leaves unreserved.
fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a string can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Whole seconds where there is no fraction: what sources understand.
fn shown(time: Option<Time>) -> String {
    time.map_or_else(String::new, moment)
}

/// A body that is being read.
pub(crate) struct HttpRows {
    what: String,
    /// Absent after the end.
    response: Option<Response>,
    text: CsvText,
    /// What came and is not parsed yet, in pieces.
    waiting: VecDeque<Vec<u8>>,
}

impl HttpRows {
    /// The next rows; `None` after the last.
    pub(super) async fn next(&mut self, token: &CancellationToken) -> Result<Option<Vec<Row>>, WorkError> {
        let mut rows = Vec::new();
        loop {
            if let Some(piece) = self.waiting.pop_front() {
                self.text.push(&piece, &mut rows)?;
            } else if let Some(response) = &mut self.response {
                let chunk = tokio::select! {
                    biased;
                    () = token.cancelled() => return Err(WorkError::Cancelled),
                    chunk = response.chunk() => chunk,
                };
                match chunk.map_err(|e| broke_off(&self.what, &e))? {
                    Some(chunk) => self.waiting.extend(chunk.chunks(PIECE).map(<[u8]>::to_vec)),
                    None => {
                        self.response = None;
                        self.text.finish(&mut rows)?;
                    }
                }
            } else {
                return Ok((!rows.is_empty()).then_some(rows));
            }
            if !rows.is_empty() {
                return Ok(Some(rows));
            }
        }
    }
}

/// Asks the source and waits until it begins to answer.
pub(super) async fn open(
    name: &str,
    template: &str,
    request: &Request,
    range: Range,
    token: &CancellationToken,
) -> Result<Opened, WorkError> {
    open_with(PATIENCE, name, template, request, range, token).await
}

async fn open_with(
    patience: Patience,
    name: &str,
    template: &str,
    request: &Request,
    range: Range,
    token: &CancellationToken,
) -> Result<Opened, WorkError> {
    let url = fill(template, |place| match place {
        "symbol" => Some(request.symbol.to_string()),
        "timeframe" => Some(request.timeframe.to_string()),
        "start" => Some(shown(range.from)),
        // The source is asked for what it has up to and with the last moment of the range.
        "end" => Some(shown(range.to.map(|to| to.plus_micros(-1)))),
        _ => None,
    })
    .map_err(|why| {
        failure(format!("The URL of source '{name}' can't be used: {why}"), "Correct the configuration.")
    })?;
    let client = Client::builder()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
        .build()
        .map_err(|e| failure(format!("No connection can be made: {e}."), "Look at the host's log."))?;
    let asked = tokio::select! {
        biased;
        () = token.cancelled() => return Err(WorkError::Cancelled),
        asked = ask(patience, &client, &url, name, request) => asked?,
    };
    Ok(Opened {
        rows: Rows::Http(HttpRows {
            what: url.clone(),
            response: Some(asked),
            text: CsvText::new(url.clone(), request.timeframe),
            waiting: VecDeque::new(),
        }),
        described: url,
        total: None,
        last: None,
        fingerprint: String::new(),
        watch: None,
        end: Place::default(),
        // It was asked for the range only; where it can't do that, rows before are passed over.
        resumed: true,
    })
}

/// Asks, and asks again where that may help.
async fn ask(
    patience: Patience,
    client: &Client,
    url: &str,
    name: &str,
    request: &Request,
) -> SourceResult<Response> {
    let mut pause = patience.pause;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let last = attempt >= patience.tries;
        let wait = match client.get(url).header(ACCEPT, "text/csv, text/plain;q=0.9, */*;q=0.1").send().await
        {
            Ok(response) if response.status().is_success() => return answered(response, url),
            Ok(response) if !last && again(response.status()) => {
                wait_asked(&response).map(|w| w.min(patience.longest))
            }
            Ok(response) => return Err(refused(response, url, name, request, attempt).await),
            Err(e) if !last && !e.is_builder() && !e.is_redirect() => None,
            Err(e) => return Err(unreachable_source(url, &e, attempt)),
        };
        // Varied, so that many loads do not come back all at once.
        tokio::time::sleep(wait.unwrap_or_else(|| pause.mul_f64(0.5 + rand::random::<f64>()))).await;
        pause *= 2;
    }
}

fn again(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

fn wait_asked(response: &Response) -> Option<Duration> {
    response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

fn answered(response: Response, url: &str) -> SourceResult<Response> {
    let of_type = response.headers().get(CONTENT_TYPE).and_then(|t| t.to_str().ok()).unwrap_or_default();
    if of_type.starts_with("text/html") || of_type.starts_with("application/json") {
        return Err(failure(
            format!("{url} answered {} where CSV is wanted.", excerpt(of_type, 60)),
            "Open that address in a browser, and correct the URL of the source in the configuration.",
        ));
    }
    Ok(response)
}

async fn refused(mut response: Response, url: &str, name: &str, request: &Request, tries: u32) -> Failure {
    let status = response.status();
    if matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
        return failure(
            format!(
                "The source '{name}' has no {} {}: {url} answered {status}.",
                request.symbol, request.timeframe
            ),
            "Check the symbol and the timeframe, or choose another source.",
        );
    }
    // The first words of the body often say why.
    let said = match tokio::time::timeout(Duration::from_secs(2), response.chunk()).await {
        Ok(Ok(Some(chunk))) => excerpt(String::from_utf8_lossy(&chunk).trim(), 160),
        _ => String::new(),
    };
    let said = if said.is_empty() { String::new() } else { format!(" It said: {said}") };
    let times = if tries > 1 { format!(" {tries} times") } else { String::new() };
    failure(
        format!("{url} answered {status}{times}.{said}"),
        match status.as_u16() {
            401 | 403 => "The source wants to know who asks: check the access that its URL gives.",
            429 => "The source wants fewer requests: wait a while, then resume.",
            500.. => "The source is in trouble: try again later.",
            _ => "Check the URL of the source in the configuration.",
        },
    )
}

fn unreachable_source(url: &str, error: &reqwest::Error, tries: u32) -> Failure {
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if error.is_connect() {
        "can't be reached"
    } else {
        "could not be asked"
    };
    failure(
        format!(
            "{url} {what}, after {tries} {}: {}.",
            if tries == 1 { "try" } else { "tries" },
            deepest(error)
        ),
        "Check that the source runs and that this machine can reach it, then try again.",
    )
}

fn broke_off(what: &str, error: &reqwest::Error) -> Failure {
    let how = if error.is_timeout() {
        "sent nothing for 30 seconds"
    } else {
        "broke off in the middle of its answer"
    };
    failure(
        format!("{what} {how}: {}.", deepest(error)),
        "Resume: finished segments are kept and are not loaded again.",
    )
}

/// The innermost cause: the one that says something.
fn deepest(error: &reqwest::Error) -> String {
    let mut at: &dyn std::error::Error = error;
    while let Some(cause) = at.source() {
        at = cause;
    }
    excerpt(&at.to_string(), 160)
}

#[cfg(test)]
mod tests;
