//! Search index: the trigrams of the operations' text, in an FTS5 table.
//!
//! The index has all operations up to a number, the position. Adding each operation when it is stored would make every
//! start write more pages, so the writer adds many at once (`index`). A search also reads the few operations after the
//! position, and the query checks the text of each candidate. So its result never depends on the index, only its speed.

use super::error::Result;
use protocol::filter::states_meant;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension, Transaction, params, params_from_iter};

/// Operations added to the index at once. Fewer make the index larger and slower, more delay the next batch of the
/// writer.
pub(super) const SLICE: u32 = 256;

/// Largest number of candidates that are read and sorted. With more, reading the list in its order finds a page sooner.
pub(super) const MAX_CANDIDATES: u32 = 2_000;

/// Characters of a trigram.
const TERM_CHARS: usize = 3;
/// Largest number of trigrams looked up for one word, evenly spread over it.
const TERMS_OF_WORD: usize = 8;
/// Largest number of words whose candidates are counted one word after the other.
const WORDS_TRIED: usize = 4;
/// Largest number of trigrams looked up for a text.
const TERMS_OF_TEXT: usize = 32;

/// Operations behind the position from which the progress of the index is logged.
const LOGGED_BACKLOG: i64 = 20_000;
/// Slices between two messages of the log.
const LOGGED_EVERY: i64 = 200;

/// Whether enough operations wait to be added.
pub(super) fn is_behind(connection: &Connection, slice: u32) -> Result<bool> {
    Ok(waiting(connection)? >= i64::from(slice))
}

/// Number of operations after the position, or more if some of them were deleted.
fn waiting(connection: &Connection) -> Result<i64> {
    let mut statement = connection.prepare_cached(
        "SELECT coalesce((SELECT max(n) FROM operations), 0) - (SELECT n FROM search_position)",
    )?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// Adds the next operations, and moves the position by `slice`. Does nothing if too few wait.
pub(super) fn index(transaction: &Transaction<'_>, slice: u32) -> Result<()> {
    let waiting = waiting(transaction)?;
    let slice = i64::from(slice);
    if waiting < slice {
        return Ok(());
    }
    let position = position(transaction)?;
    let end = position + slice;
    transaction
        .prepare_cached(
            "INSERT INTO search (rowid, about) SELECT n, about FROM operations WHERE n > ? AND n <= ?",
        )?
        .execute([position, end])?;
    transaction.prepare_cached("UPDATE search_position SET n = ?")?.execute([end])?;
    if waiting > LOGGED_BACKLOG && (position / slice) % LOGGED_EVERY == 0 {
        tracing::info!(
            added = end,
            waiting = waiting - slice,
            "adding stored operations to the search index"
        );
    }
    Ok(())
}

fn position(connection: &Connection) -> Result<i64> {
    Ok(connection.prepare_cached("SELECT n FROM search_position")?.query_row([], |row| row.get(0))?)
}

/// Number and text of a stored operation.
pub(super) fn stored(connection: &Connection, id: [u8; 16]) -> Result<Option<(i64, String)>> {
    let mut statement = connection.prepare_cached("SELECT n, about FROM operations WHERE id = ?")?;
    Ok(statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

/// Sets the text of an operation that is new or has changed. A new operation can have the number of a deleted one, and
/// so be before the position.
pub(super) fn put(transaction: &Transaction<'_>, n: i64, about: &str) -> Result<()> {
    if n <= position(transaction)? {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO search (rowid, about) VALUES (?, ?)")?
            .execute(params![n, about])?;
    }
    Ok(())
}

/// Removes a deleted operation.
pub(super) fn remove(transaction: &Transaction<'_>, n: i64) -> Result<()> {
    if n <= position(transaction)? {
        transaction.prepare_cached("DELETE FROM search WHERE rowid = ?")?.execute([n])?;
    }
    Ok(())
}

/// Queries for the numbers `n` of all operations that may match a text, and their values.
pub(super) struct Candidates {
    queries: Vec<String>,
    values: Vec<Sql>,
}

impl Candidates {
    /// Each candidate once.
    pub(super) fn query(&self) -> String {
        self.queries.join(" UNION ")
    }

    pub(super) fn values(&self) -> impl Iterator<Item = Sql> + '_ {
        self.values.iter().cloned()
    }

    /// Candidates of a text, from the index, in the order in which to try them: those of each word, longer words first,
    /// then those of all words together, because the index reads a common word row by row to find what it shares with
    /// others. Empty if none of the words can be looked up.
    fn of(text: &str) -> Vec<Self> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        // Words that may mean a state widen the result, others narrow it.
        let (stateful, plain): (Vec<_>, Vec<_>) =
            words.iter().partition(|word| states_meant(word).next().is_some());
        let mut narrow: Vec<Vec<String>> = plain.iter().map(|word| terms_of(word)).collect();
        narrow.retain(|terms| !terms.is_empty());
        if narrow.is_empty() {
            let wide = stateful.first().map(|word| {
                let states = states_meant(word).map(|state| state.to_string()).collect();
                Self::with(terms_of(word), states)
            });
            return wide.into_iter().collect();
        }
        narrow.sort_by_key(|terms| std::cmp::Reverse(terms.len()));
        let together = (narrow.len() > 1).then(|| narrow.concat());
        narrow.truncate(WORDS_TRIED);
        narrow.extend(together);
        narrow.into_iter().map(|terms| Self::with(terms, Vec::new())).collect()
    }

    /// Candidates with all of these trigrams, and those in one of these states.
    fn with(mut terms: Vec<String>, states: Vec<String>) -> Self {
        terms.sort_unstable();
        terms.dedup();
        terms.truncate(TERMS_OF_TEXT);
        let quoted: Vec<String> =
            terms.iter().map(|term| format!("\"{}\"", term.replace('"', "\"\""))).collect();
        let mut candidates = Candidates {
            queries: vec![
                "SELECT rowid AS n FROM search WHERE search MATCH ?".to_owned(),
                "SELECT n FROM operations WHERE n > (SELECT n FROM search_position)".to_owned(),
            ],
            values: vec![Sql::Text(quoted.join(" AND "))],
        };
        if !states.is_empty() {
            let places = vec!["?"; states.len()].join(", ");
            candidates.queries.push(format!("SELECT n FROM operations WHERE state IN ({places})"));
            candidates.values.extend(states.into_iter().map(Sql::Text));
        }
        candidates
    }

    /// Whether there are at most `most`.
    fn are_few(&self, connection: &Connection, most: u32) -> Result<bool> {
        // Unlike UNION, UNION ALL ends at the limit.
        let all = self.queries.join(" UNION ALL ");
        let mut statement =
            connection.prepare_cached(&format!("SELECT count(*) FROM (SELECT 1 FROM ({all}) LIMIT ?)"))?;
        let values = self.values().chain([Sql::Integer(i64::from(most) + 1)]);
        let found: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(found <= i64::from(most))
    }
}

/// Candidates of a text, if there are at most `most`.
pub(super) fn candidates(connection: &Connection, text: &str, most: u32) -> Result<Option<Candidates>> {
    if most == 0 {
        return Ok(None);
    }
    for candidates in Candidates::of(text) {
        if candidates.are_few(connection, most)? {
            return Ok(Some(candidates));
        }
    }
    Ok(None)
}

/// Trigrams of a word; none if it is shorter. Those with a NUL are left out, because the tokenizer skips NULs.
fn terms_of(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    let all: Vec<&[char]> = chars.windows(TERM_CHARS).filter(|term| !term.contains(&'\0')).collect();
    let every = all.len().div_ceil(TERMS_OF_WORD).max(1);
    all.into_iter().step_by(every).map(|term| term.iter().collect()).collect()
}

#[cfg(test)]
mod tests;
