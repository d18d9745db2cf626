//! Complete log of an attempt as text, streamed so that even a long log needs little memory.

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use engine::{EngineError, Scoped};
use futures::stream;
use protocol::{LogLine, OperationId};
use std::fmt::Write;

/// Lines per read.
const AT_ONCE: u32 = 5_000;

/// Position of the reading.
struct LogReader {
    engine: Scoped,
    id: OperationId,
    attempt: u32,
    /// Number of the last read line.
    read: u64,
    /// Last line when it began; later ones are not included.
    last: u64,
}

/// The response.
///
/// # Errors
/// `OperationNotFound`, or `Unreadable`. An error after the first lines breaks off the response.
pub async fn whole(engine: &Scoped, id: OperationId, attempt: Option<u32>) -> Result<Response, EngineError> {
    let newest = engine.logs(id, attempt, None, 1).await?;
    let last = newest.lines.last().map_or(0, |line| line.n);
    let reading = LogReader { engine: engine.clone(), id, attempt: newest.attempt, read: 0, last };
    let name = format!("{id}-attempt-{}.log", newest.attempt);
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let body = Body::from_stream(stream::try_unfold(reading, next));
    Ok((headers, body).into_response())
}

/// Next lines as text.
async fn next(mut reading: LogReader) -> Result<Option<(Bytes, LogReader)>, std::io::Error> {
    while reading.read < reading.last {
        let before = reading.read.saturating_add(u64::from(AT_ONCE) + 1).min(reading.last.saturating_add(1));
        let page = reading.engine.logs(reading.id, Some(reading.attempt), Some(before), AT_ONCE).await;
        let page = page.map_err(std::io::Error::other)?;
        let mut text = String::new();
        for line in page.lines.iter().filter(|line| line.n > reading.read) {
            write_line(&mut text, line);
        }
        reading.read = before - 1;
        if !text.is_empty() {
            return Ok(Some((text.into(), reading)));
        }
    }
    Ok(None)
}

fn write_line(text: &mut String, line: &LogLine) {
    let words = ansi::plain(&line.text);
    writeln!(text, "{} {:5} {words}", line.at, line.level.as_str()).expect("writing to a String can't fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{LogLevel, Time};

    #[test]
    fn a_log_line_has_its_time_and_level_and_no_colours() {
        let mut text = String::new();
        let at = Time::parse("2026-11-23T10:43:17.204113Z").unwrap();
        let coloured = "\u{1b}[31mred\u{1b}[0m".to_owned();
        write_line(&mut text, &LogLine { n: 1, at, level: LogLevel::Warn, text: coloured });
        assert_eq!(text, "2026-11-23T10:43:17.204113Z warn  red\n");
    }
}
