//! Alert rules that users made or changed.

use super::error::Result;
use super::rows::{json, to_json};
use super::{Sqlite, audit};
use crate::alert_rules::{AlertRuleStore, StoredRule, UserRule};
use crate::{StoreError, Weight};
use protocol::AuditEntry;
use rusqlite::{Connection, params};

impl AlertRuleStore for Sqlite {
    fn alert_rules(&self) -> std::result::Result<Vec<StoredRule>, StoreError> {
        self.readers.read(alert_rules)
    }

    fn put_alert_rule(&self, rule: &UserRule, entry: &AuditEntry) -> std::result::Result<u64, StoreError> {
        let mut revision = 0;
        self.change(Weight::Heavy, |transaction| {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO alert_rules (name, doc) VALUES (?, ?)")?
                .execute(params![rule.rule.name, to_json(rule, "an alert rule")?])?;
            revision = u64::try_from(transaction.last_insert_rowid()).unwrap_or_default();
            audit::append(transaction, entry)
        })?;
        Ok(revision)
    }

    fn remove_alert_rule(&self, name: &str, entry: &AuditEntry) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Heavy, |transaction| {
            transaction.prepare_cached("DELETE FROM alert_rules WHERE name = ?")?.execute([name])?;
            audit::append(transaction, entry)
        })?)
    }
}

fn alert_rules(connection: &Connection) -> Result<Vec<StoredRule>> {
    let mut statement =
        connection.prepare_cached("SELECT revision, name, doc FROM alert_rules ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut rules = Vec::new();
    while let Some(row) = rows.next()? {
        let (revision, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let of = json(&row.get::<_, String>(2)?, || format!("alert rule {name}"))?;
        rules.push(StoredRule { revision: u64::try_from(revision).unwrap_or_default(), of });
    }
    Ok(rules)
}
