//! The audit log: each entry has a hash over itself and the hash of the entry before, so that a changed, removed or
//! inserted entry shows.

use super::error::Result;
use super::rows::{id_bytes, json, to_json};
use crate::{AUDIT_CAPACITY, AuditBreak, AuditCheck, AuditFilter, AuditHead};
use protocol::{AuditEntry, Outcome};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use sha2::{Digest, Sha256};

/// Number of the oldest entries deleted at once.
const DELETED_AT_ONCE: u64 = 500;
/// Entries chained at once by the migration.
const AT_ONCE: i64 = 1_000;
/// Hash before the first entry.
const START: AuditHead = AuditHead { n: 0, hash: [0; 32] };

/// Adds an entry, and deletes the oldest ones of too many.
pub(super) fn append(transaction: &Transaction<'_>, entry: &AuditEntry) -> Result<()> {
    append_doc(transaction, &to_json(entry, "an audit log entry")?, Columns::of(entry))
}

fn append_doc(transaction: &Transaction<'_>, doc: &str, columns: Columns) -> Result<()> {
    let before = head(transaction)?.unwrap_or(START);
    let head = after(&before, before.n + 1, doc);
    let Columns { operation, at, action, name, refused } = columns;
    transaction
        .prepare_cached(
            "INSERT INTO audit (n, operation, doc, at, action, name, refused, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![head.n as i64, operation, doc, at, action, name, refused, head.hash])?;
    if head.n.is_multiple_of(DELETED_AT_ONCE) {
        delete_oldest(transaction, head.n)?;
    }
    Ok(())
}

fn delete_oldest(transaction: &Transaction<'_>, newest: u64) -> Result<()> {
    let Some(last) = newest.checked_sub(u64::from(AUDIT_CAPACITY)) else { return Ok(()) };
    let cut: Option<[u8; 32]> = transaction
        .prepare_cached("SELECT hash FROM audit WHERE n = ?")?
        .query_row([last as i64], |row| row.get(0))
        .optional()?;
    let Some(hash) = cut else { return Ok(()) };
    transaction.prepare_cached("DELETE FROM audit WHERE n <= ?")?.execute([last as i64])?;
    transaction.execute("DELETE FROM audit_cut", [])?;
    transaction
        .prepare_cached("INSERT INTO audit_cut (n, hash) VALUES (?, ?)")?
        .execute(params![last as i64, hash])?;
    Ok(())
}

/// Newest entry, also if it was deleted since.
pub(super) fn head(connection: &Connection) -> Result<Option<AuditHead>> {
    let newest = connection
        .prepare_cached("SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1")?
        .query_row([], head_of)
        .optional()?;
    match newest {
        Some(newest) => Ok(Some(newest)),
        None => cut(connection),
    }
}

fn cut(connection: &Connection) -> Result<Option<AuditHead>> {
    Ok(connection.prepare_cached("SELECT n, hash FROM audit_cut")?.query_row([], head_of).optional()?)
}

fn head_of(row: &Row<'_>) -> rusqlite::Result<AuditHead> {
    Ok(AuditHead { n: row.get::<_, i64>(0)? as u64, hash: row.get(1)? })
}

/// Entry `n` after another one.
fn after(before: &AuditHead, n: u64, doc: &str) -> AuditHead {
    let mut hasher = Sha256::new();
    hasher.update(before.hash);
    hasher.update(n.to_be_bytes());
    hasher.update(doc.as_bytes());
    AuditHead { n, hash: hasher.finalize().into() }
}

/// Columns that filters search, besides the number.
#[derive(PartialEq, Default)]
struct Columns {
    operation: Option<[u8; 16]>,
    at: i64,
    action: String,
    name: Option<String>,
    refused: bool,
}

impl Columns {
    fn of(entry: &AuditEntry) -> Self {
        Self {
            operation: entry.operation.map(id_bytes),
            at: entry.at.micros(),
            action: entry.action.as_str().to_owned(),
            name: entry.by.name.clone(),
            refused: entry.outcome == Outcome::Refused,
        }
    }
}

/// Entries with their numbers and hashes, newest first, at most `limit`.
pub(super) fn page(
    connection: &Connection,
    filter: &AuditFilter,
    limit: u32,
) -> Result<Vec<(AuditHead, AuditEntry)>> {
    let AuditFilter { operation, action: of, name, refused, since, until, before } = filter;
    let mut conditions = vec!["1"];
    let mut values: Vec<Value> = vec![];
    let mut only = |condition, value: Value| {
        conditions.push(condition);
        values.push(value);
    };
    if let Some(n) = before {
        only("n < ?", i64::try_from(*n).unwrap_or(i64::MAX).into());
    }
    if let Some(id) = operation {
        only("operation = ?", id_bytes(*id).to_vec().into());
    }
    if let Some(of) = of {
        only("action = ?", of.as_str().to_owned().into());
    }
    if let Some(name) = name {
        only("name = ?", name.clone().into());
    }
    if let Some(since) = since {
        only("at >= ?", since.micros().into());
    }
    if let Some(until) = until {
        only("at < ?", until.micros().into());
    }
    if *refused {
        conditions.push("refused");
    }
    values.push(i64::from(limit).into());
    let mut statement = connection.prepare_cached(&format!(
        "SELECT n, hash, doc FROM audit WHERE {} ORDER BY n DESC LIMIT ?",
        conditions.join(" AND ")
    ))?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let head = head_of(row)?;
        let entry = json(&row.get::<_, String>(2)?, || format!("audit log entry {}", head.n))?;
        entries.push((head, entry));
    }
    Ok(entries)
}

/// Checks all entries. `known`: a head that was noted earlier, which the chain must still contain.
pub(super) fn check(connection: &Connection, known: Option<&AuditHead>) -> Result<AuditCheck> {
    let cut = cut(connection)?;
    let mut last = cut.unwrap_or(START);
    let mut found_known = known.is_none_or(|known| Some(*known) == cut);
    let (mut entries, mut first) = (0, None);
    let mut statement = connection
        .prepare("SELECT n, hash, doc, operation, at, action, name, refused FROM audit ORDER BY n")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let stored = head_of(row)?;
        let n = last.n + 1;
        if stored.n != n {
            // Numbers before the cut do not belong to the chain.
            let why = if stored.n > n { AuditBreak::Missing } else { AuditBreak::Changed };
            return Ok(AuditCheck::Broken { n: n.min(stored.n), why });
        }
        let doc: String = row.get(2)?;
        last = after(&last, n, &doc);
        if last.hash != stored.hash {
            return Ok(AuditCheck::Broken { n, why: AuditBreak::Changed });
        }
        let columns = Columns {
            operation: row.get(3)?,
            at: row.get(4)?,
            action: row.get(5)?,
            name: row.get(6)?,
            refused: row.get(7)?,
        };
        let entry: AuditEntry = json(&doc, || format!("audit log entry {n}"))?;
        if columns != Columns::of(&entry) {
            return Ok(AuditCheck::Broken { n, why: AuditBreak::Columns });
        }
        found_known |= known == Some(&last);
        first = first.or(Some(n));
        entries += 1;
    }
    match known {
        // Older than the oldest entry: nothing can be said, and nothing contradicts it.
        Some(known) if !found_known && first.is_none_or(|first| known.n >= first) => {
            Ok(AuditCheck::Broken { n: known.n, why: AuditBreak::OtherHead })
        }
        _ => Ok(AuditCheck::Intact { entries, first, head: (last != START).then_some(last) }),
    }
}

/// Chains the entries of a database without hashes, and fills the columns that filters search. Numbers become
/// consecutive.
pub(super) fn fill(transaction: &Transaction<'_>) -> Result<()> {
    // Of before, when an operation took its entries with it.
    transaction.execute_batch(
        "CREATE TEMP TABLE audit_before AS SELECT n, doc FROM audit ORDER BY n; DELETE FROM audit;",
    )?;
    let mut last = i64::MIN;
    loop {
        let mut read =
            transaction.prepare_cached("SELECT n, doc FROM audit_before WHERE n > ? ORDER BY n LIMIT ?")?;
        let some = read.query_map([last, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let some: Vec<(i64, String)> = some.collect::<rusqlite::Result<_>>()?;
        for (n, doc) in &some {
            // A damaged entry stays as it is, and does not keep the server from starting.
            let entry = json::<AuditEntry, _>(doc, || format!("audit log entry {n}"));
            append_doc(transaction, doc, entry.map(|entry| Columns::of(&entry)).unwrap_or_default())?;
        }
        match some.last() {
            Some((n, _)) => last = *n,
            None => break,
        }
    }
    Ok(transaction.execute_batch("DROP TABLE audit_before")?)
}
