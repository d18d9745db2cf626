//! Cursor of printed log lines.
//!
//! Lines are numbered within an attempt, so lines of the stored log and of the feed are matched by number: none is
//! printed twice, and a gap is filled from the stored log first.

use crate::{Client, ClientError};
use protocol::{LogLine, OperationId};
use std::time::Duration;
use tokio::time::Instant;

/// Lines of the first request, and at most. A page must arrive whole, so its size follows the speed of the line.
const FIRST_PAGE_LINES: u64 = 100;
const MAX_PAGE_LINES: u64 = 5_000;
/// Time after which a page is given up, and a smaller one is requested.
const PAGE_TIMEOUT: Duration = Duration::from_secs(10);
/// Durations of a page below which the next one is larger, and above which it is smaller.
const QUICK_PAGE: Duration = Duration::from_secs(1);
const SLOW_PAGE: Duration = Duration::from_secs(3);

/// Last printed line, and the size of the next page of stored lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogCursor {
    attempt: u32,
    n: u64,
    page_lines: u64,
    page_timeout: Duration,
}

impl LogCursor {
    /// Cursor before the first line of an attempt.
    pub fn at(attempt: u32) -> Self {
        Self { attempt, n: 0, page_lines: FIRST_PAGE_LINES, page_timeout: PAGE_TIMEOUT }
    }

    /// Last line that is missing before these lines: its attempt and number. `None` if there is none.
    pub fn missing_before(&self, attempt: u32, lines: &[LogLine]) -> Option<(u32, u64)> {
        let first = lines.first()?.n;
        let gap = match attempt.cmp(&self.attempt) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => first > self.n + 1,
            // The end of the previous attempt may be missing, too.
            std::cmp::Ordering::Greater => true,
        };
        gap.then(|| (attempt, first - 1))
    }

    /// Lines that were not printed yet, which count as printed from then on.
    pub fn take<'a>(&mut self, attempt: u32, lines: &'a [LogLine]) -> &'a [LogLine] {
        if attempt > self.attempt {
            *self = Self { attempt, n: 0, ..*self };
        }
        if attempt < self.attempt {
            return &[];
        }
        let new = &lines[lines.partition_point(|line| line.n <= self.n)..];
        self.n = new.last().map_or(self.n, |line| line.n);
        new
    }

    /// Next stored lines that were not printed yet, up to line `last` of `attempt`, which count as printed from then
    /// on; `None` if there are none.
    ///
    /// # Errors
    /// [`ClientError`]; the cursor stays where it is. After [`ClientError::SlowLog`], the next page is smaller.
    pub async fn next_stored(
        &mut self,
        client: &Client,
        id: OperationId,
        attempt: u32,
        last: Option<u64>,
    ) -> Result<Option<Vec<LogLine>>, ClientError> {
        while self.attempt <= attempt {
            let last = match last.filter(|_| self.attempt == attempt) {
                Some(last) => last,
                None => newest_line(client, id, self.attempt).await?,
            };
            if self.n >= last {
                if self.attempt == attempt {
                    return Ok(None);
                }
                *self = Self { attempt: self.attempt + 1, n: 0, ..*self };
                continue;
            }
            let before = (self.n + self.page_lines).min(last) + 1;
            let attempt = self.attempt;
            let lines = before - 1 - self.n;
            let requested_at = Instant::now();
            let request = client.logs(id, attempt, Some(before), lines);
            let page = match tokio::time::timeout(self.page_timeout, request).await {
                Ok(page) => page?,
                Err(_) => {
                    self.page_lines = (lines / 4).max(1);
                    let (server, after) = (client.server().to_owned(), self.page_timeout);
                    return Err(ClientError::SlowLog { server, lines, after });
                }
            };
            self.fit_page(requested_at.elapsed());
            let new = self.take(attempt, &page.lines).to_vec();
            // Lines that the server no longer stores are skipped.
            self.n = before - 1;
            if !new.is_empty() {
                return Ok(Some(new));
            }
        }
        Ok(None)
    }

    /// Fits the size of the next page to the duration of the last one.
    fn fit_page(&mut self, took: Duration) {
        if took < QUICK_PAGE {
            self.page_lines = (self.page_lines * 2).min(MAX_PAGE_LINES);
        } else if took > SLOW_PAGE {
            self.page_lines = (self.page_lines / 2).max(1);
        }
    }
}

async fn newest_line(client: &Client, id: OperationId, attempt: u32) -> Result<u64, ClientError> {
    let page = client.logs(id, attempt, None, 1).await?;
    Ok(page.lines.last().map_or(0, |line| line.n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{LogLevel, Time};

    fn lines(numbers: std::ops::RangeInclusive<u64>) -> Vec<LogLine> {
        let at = Time::parse("2026-11-23T10:00:00Z").unwrap();
        numbers.map(|n| LogLine { n, at, level: LogLevel::Info, text: format!("tick {n}") }).collect()
    }

    #[test]
    fn a_log_line_is_printed_once_even_if_it_arrives_twice() {
        let mut cursor = LogCursor::at(1);
        assert_eq!(cursor.take(1, &lines(1..=3)).len(), 3);
        // The feed repeats lines of the stored log.
        assert_eq!(cursor.take(1, &lines(2..=5)), &lines(4..=5)[..]);
        assert!(cursor.take(1, &lines(1..=5)).is_empty());
        assert_eq!(cursor.take(2, &lines(1..=2)).len(), 2);
        assert!(cursor.take(1, &lines(6..=7)).is_empty(), "a late line of an attempt that is over");
    }

    #[test]
    fn a_gap_in_the_log_is_detected_before_the_next_line_is_printed() {
        let mut cursor = LogCursor::at(1);
        cursor.take(1, &lines(1..=3));
        assert_eq!(cursor.missing_before(1, &lines(4..=5)), None);
        assert_eq!(cursor.missing_before(1, &lines(6..=7)), Some((1, 5)));
        assert_eq!(cursor.missing_before(2, &lines(1..=1)), Some((2, 0)));
        assert_eq!(cursor.missing_before(1, &[]), None);
    }

    #[test]
    fn pages_grow_on_a_fast_line_and_shrink_on_a_slow_one() {
        let mut cursor = LogCursor::at(1);
        cursor.fit_page(SLOW_PAGE * 2);
        assert_eq!(cursor.page_lines, FIRST_PAGE_LINES / 2);
        for _ in 0..9 {
            cursor.fit_page(QUICK_PAGE / 2);
        }
        assert_eq!(cursor.page_lines, MAX_PAGE_LINES);
        for _ in 0..20 {
            cursor.fit_page(SLOW_PAGE * 2);
        }
        assert_eq!(cursor.page_lines, 1);
    }

    #[tokio::test]
    async fn a_log_is_read_over_a_line_that_carries_only_small_pages() {
        const LAST: u64 = 40;
        let client = slow_server(LAST, 3).await;
        let id = OperationId::earliest(Time::parse("2026-11-23T10:00:00Z").unwrap());
        let mut cursor = LogCursor { page_timeout: Duration::from_millis(200), ..LogCursor::at(1) };
        let (mut read, mut slow) = (Vec::new(), 0);
        for _ in 0..100 {
            match cursor.next_stored(&client, id, 1, Some(LAST)).await {
                Ok(Some(lines)) => read.extend(lines.into_iter().map(|line| line.n)),
                Ok(None) => break,
                Err(error @ ClientError::SlowLog { .. }) => {
                    slow += 1;
                    assert!(error.to_string().contains("lines of the log"), "{error}");
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(read, (1..=LAST).collect::<Vec<_>>());
        assert!(slow > 0, "the first page was too large");
    }

    /// Server of a log with `last` lines that never completes a page of more than `most` lines.
    async fn slow_server(last: u64, most: u64) -> Client {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut stuck = Vec::new();
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(connection.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let number = |name: &str| -> u64 {
                    let (_, rest) = head.split_once(&format!("{name}=")).unwrap();
                    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
                };
                let (before, limit) = (number("before").min(last + 1), number("limit"));
                let lines = lines(before.saturating_sub(limit).max(1)..=before - 1);
                let page = serde_json::json!({ "attempt": 1, "lines": lines, "seq": 1 });
                let page = page.to_string();
                let length = page.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
                     content-length: {length}\r\n\r\n{page}"
                );
                let sent = if limit > most { answer.len() - 1 } else { answer.len() };
                connection.write_all(&answer.as_bytes()[..sent]).await.unwrap();
                if limit > most {
                    stuck.push(connection);
                }
            }
        });
        Client::new(crate::ClientConfig::new(server, None)).unwrap()
    }
}
