//! Cursor of printed log lines.
//!
//! Lines are numbered within an attempt, so lines of the stored log and of the feed are matched by number: none is
//! printed twice, and a gap is filled from the stored log first.

use crate::{Client, ClientError};
use protocol::{LogLine, OperationId};

/// Lines per request.
const PAGE_LINES: u64 = 5_000;

/// Last printed line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LogCursor {
    attempt: u32,
    n: u64,
}

impl LogCursor {
    /// Cursor before the first line of an attempt.
    pub fn at(attempt: u32) -> Self {
        Self { attempt, n: 0 }
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
            *self = Self::at(attempt);
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
    /// [`ClientError`]; the cursor stays where it is.
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
                *self = Self::at(self.attempt + 1);
                continue;
            }
            let before = (self.n + PAGE_LINES).min(last) + 1;
            let attempt = self.attempt;
            let page = client.logs(id, attempt, Some(before), PAGE_LINES).await?;
            let new = self.take(attempt, &page.lines).to_vec();
            // Lines that the server no longer stores are skipped.
            self.n = before - 1;
            if !new.is_empty() {
                return Ok(Some(new));
            }
        }
        Ok(None)
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
}
