//! Migrations of the database. The files in `migrations/` are applied in order; the number in a file's name is the
//! version that it leads to, which SQLite keeps as `user_version`. Files are only ever added.

use super::audit;
use super::error::Result;
use super::rows::json;
use super::write::put_params;
use crate::StoreError;
use protocol::Operation;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

struct Migration {
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        &[$(Migration { name: $name, sql: include_str!(concat!("../../migrations/", $name, ".sql")) }),*]
    };
}

/// The entry at index n leads to version n + 1.
const MIGRATIONS: &[Migration] = migrations![
    "2026-11-23_01_operations",
    "2026-11-23_02_runs_and_drained_hosts",
    "2026-11-24_03_audit",
    "2026-11-24_04_tallies",
    "2026-11-24_05_parents",
    "2026-11-25_06_given_up",
    "2026-11-25_07_rules",
    "2026-11-25_08_search",
    "2026-11-25_09_deleted_keys",
    "2026-11-29_10_tallies_by_last_end",
    "2026-11-29_11_tables_of_first_versions",
    "2026-11-30_12_access_tokens",
    "2026-11-30_13_users_and_sessions",
    "2026-11-30_14_counts_by_kind",
    "2026-11-30_15_audit_chain",
    "2026-11-30_16_search_index",
    "2026-11-30_17_alert_rules",
    "2026-12-01_18_ends",
    "2026-12-01_19_secret_params",
    "2026-12-01_20_triggers_without_lists",
];

/// Adds columns and tables that [`fill_search`] fills for stored operations.
const SEARCH: &str = "2026-11-25_08_search";

/// Adds columns that [`audit::fill`] fills.
const AUDIT_CHAIN: &str = "2026-11-30_15_audit_chain";

/// Operations filled at once.
const AT_ONCE: i64 = 1_000;

/// Version of a database; 0 if it is new.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Refuses versions that this program does not know.
pub(super) fn refuse_newer(found: i64) -> std::result::Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    if found > known { Err(StoreError::newer(found, known)) } else { Ok(()) }
}

/// Refuses a database that was not migrated to the newest version.
pub(super) fn refuse_other(connection: &Connection) -> Result<()> {
    let (found, known) = (version(connection)?, MIGRATIONS.len() as i64);
    refuse_newer(found)?;
    if found < known { Err(StoreError::older(found, known).into()) } else { Ok(()) }
}

/// Migrates a database to the newest version, in one transaction: it has either version, never one between them.
pub(super) fn migrate(connection: &mut Connection) -> Result<()> {
    let found = version(connection)?;
    refuse_newer(found)?;
    let missing = MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0));
    if missing.len() == 0 {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for migration in missing {
        apply(&transaction, migration)?;
        tracing::debug!(migration = migration.name, "migrated the database");
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64)?;
    Ok(transaction.commit()?)
}

fn apply(transaction: &Transaction<'_>, migration: &Migration) -> Result<()> {
    if migration.name == AUDIT_CHAIN {
        transaction.execute_batch(migration.sql)?;
        return audit::fill(transaction);
    }
    if migration.name != SEARCH {
        return Ok(transaction.execute_batch(migration.sql)?);
    }
    // Databases of some commits of November 25 have it with a lower version number.
    const APPLIED: &str =
        "SELECT EXISTS (SELECT 1 FROM pragma_table_info('operations') WHERE name = 'about')";
    if !transaction.query_row(APPLIED, [], |row| row.get(0))? {
        transaction.execute_batch(migration.sql)?;
        fill_search(transaction)?;
    }
    Ok(())
}

/// Makes stored operations searchable.
fn fill_search(transaction: &Transaction<'_>) -> Result<()> {
    let mut last = i64::MIN;
    loop {
        let mut read =
            transaction.prepare_cached("SELECT n, doc FROM operations WHERE n > ? ORDER BY n LIMIT ?")?;
        let some = read.query_map([last, AT_ONCE], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let some: Vec<(i64, String)> = some.collect::<rusqlite::Result<_>>()?;
        for (n, doc) in &some {
            let operation: Operation = json(doc, || "an operation")?;
            transaction
                .prepare_cached("UPDATE operations SET about = ? WHERE n = ?")?
                .execute(params![operation.words(), n])?;
            put_params(transaction, &operation)?;
        }
        match some.last() {
            Some((n, _)) => last = *n,
            None => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_applied_in_order_of_their_number() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations")).unwrap();
        let mut files: Vec<String> =
            folder.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let applied: Vec<String> = MIGRATIONS.iter().map(|m| format!("{}.sql", m.name)).collect();
        assert_eq!(applied, files);
        for (n, name) in applied.iter().enumerate() {
            assert_eq!(name.split('_').nth(1), Some(format!("{:02}", n + 1).as_str()), "{name}");
        }
    }
}
