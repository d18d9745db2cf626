//! Log search of an attempt: backwards from its end, a limited part per request.

use super::Engine;
use crate::error::EngineError;
use protocol::api::LogSearch;
use protocol::{LogLevel, OperationId};

/// Lines per read.
const READ_LINES: u32 = 5_000;
/// Lines per request.
const MAX_SEARCHED_LINES: u64 = 100_000;

/// Query of a log search.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// Attempt; `None` for the current one.
    pub attempt: Option<u32>,
    /// Only lines before this number; `None` for the end.
    pub before: Option<u64>,
    /// Largest number of matching lines.
    pub limit: usize,
    pub least: LogLevel,
    /// Text to find, ignoring case; empty for all lines of the level.
    pub words: String,
}

impl Engine {
    /// The last matching lines before a line.
    ///
    /// # Errors
    /// `OperationNotFound`, or `Unreadable` if the store can't be read.
    pub async fn search_log(&self, id: OperationId, query: LogQuery) -> Result<LogSearch, EngineError> {
        let words = query.words.trim().to_lowercase();
        let mut answer: Option<LogSearch> = None;
        let (mut attempt, mut before, mut searched) = (query.attempt, query.before, 0);
        loop {
            let page = self.logs(id, attempt, before, READ_LINES).await?;
            let answer = answer.get_or_insert_with(|| LogSearch {
                attempt: page.attempt,
                lines: Vec::new(),
                searched_from: before.unwrap_or(1),
                seq: page.seq,
            });
            let (mut full, all) = (false, page.lines.len() < READ_LINES as usize);
            searched += page.lines.len() as u64;
            for line in page.lines.into_iter().rev() {
                answer.searched_from = line.n;
                if log_search::takes(line.level, &line.text, query.least, &words) {
                    answer.lines.push(line);
                }
                full = answer.lines.len() >= query.limit;
                if full {
                    break;
                }
            }
            if all && !full {
                answer.searched_from = 1;
            }
            if full || all || searched >= MAX_SEARCHED_LINES {
                break;
            }
            (attempt, before) = (Some(answer.attempt), Some(answer.searched_from));
        }
        let mut answer = answer.expect("the loop runs at least once");
        answer.lines.reverse();
        Ok(answer)
    }
}
