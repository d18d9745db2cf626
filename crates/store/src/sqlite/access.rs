//! Tokens for programs; and the storage of all that access needs.

use super::error::Result;
use super::rows::{json, to_json};
use super::{Sqlite, audit, users};
use crate::access::{AccessStore, CredentialUse, StoredSession, StoredToken, StoredUser};
use crate::{AuditStore, StoreError, Weight};
use protocol::AuditEntry;
use protocol::access::AccessToken;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

impl AccessStore for Sqlite {
    fn tokens(&self) -> std::result::Result<Vec<StoredToken>, StoreError> {
        self.readers.read(tokens)
    }

    fn add_token(&self, token: &StoredToken, entry: &AuditEntry) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Heavy, |transaction| {
            let StoredToken { hash, token } = token;
            transaction
                .prepare_cached("INSERT INTO access_tokens (id, hash, doc) VALUES (?, ?, ?)")?
                .execute(params![token.id, hash, to_json(token, "a token")?])?;
            audit::append(transaction, entry)
        })?)
    }

    fn remove_token(&self, id: &str, entry: &AuditEntry) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Heavy, |transaction| {
            transaction.prepare_cached("DELETE FROM access_tokens WHERE id = ?")?.execute([id])?;
            audit::append(transaction, entry)
        })?)
    }

    fn note_token_uses(&self, uses: &[CredentialUse]) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Light, |transaction| {
            uses.iter().try_for_each(|one| note_use(transaction, one))
        })?)
    }

    fn users(&self) -> std::result::Result<Vec<StoredUser>, StoreError> {
        self.readers.read(users::users)
    }

    fn put_user(
        &self,
        user: &StoredUser,
        ended: &[String],
        entry: &AuditEntry,
    ) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Heavy, |transaction| {
            users::put_user(transaction, user)?;
            users::remove_sessions(transaction, ended)?;
            audit::append(transaction, entry)
        })?)
    }

    fn remove_user(&self, name: &str, entry: &AuditEntry) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Heavy, |transaction| {
            users::remove_user(transaction, name)?;
            audit::append(transaction, entry)
        })?)
    }

    fn sessions(&self) -> std::result::Result<Vec<StoredSession>, StoreError> {
        self.readers.read(users::sessions)
    }

    fn add_session(
        &self,
        session: &StoredSession,
        user: &StoredUser,
        entry: &AuditEntry,
    ) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Heavy, |transaction| {
            users::put_user(transaction, user)?;
            users::add_session(transaction, session)?;
            audit::append(transaction, entry)
        })?)
    }

    fn remove_sessions(&self, ids: &[String]) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Heavy, |transaction| users::remove_sessions(transaction, ids))?)
    }

    fn note_session_uses(&self, uses: &[CredentialUse]) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Light, |transaction| {
            uses.iter().try_for_each(|one| users::note_use(transaction, one))
        })?)
    }
}

impl AuditStore for Sqlite {
    fn add_audit_entry(&self, entry: &AuditEntry) -> std::result::Result<(), StoreError> {
        Ok(self.change(Weight::Heavy, |transaction| audit::append(transaction, entry))?)
    }
}

fn tokens(connection: &Connection) -> Result<Vec<StoredToken>> {
    let mut statement =
        connection.prepare_cached("SELECT id, hash, doc FROM access_tokens ORDER BY rowid")?;
    let mut rows = statement.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let token = json(&row.get::<_, String>(2)?, || format!("token {id}"))?;
        tokens.push(StoredToken { hash: row.get(1)?, token });
    }
    Ok(tokens)
}

fn note_use(transaction: &Transaction<'_>, one: &CredentialUse) -> Result<()> {
    let mut read = transaction.prepare_cached("SELECT doc FROM access_tokens WHERE id = ?")?;
    let Some(doc) = read.query_row([&one.id], |row| row.get::<_, String>(0)).optional()? else {
        return Ok(());
    };
    let mut token: AccessToken = json(&doc, || format!("token {}", one.id))?;
    token.last_used_at = Some(one.at);
    token.last_used_from.clone_from(&one.from);
    transaction
        .prepare_cached("UPDATE access_tokens SET doc = ? WHERE id = ?")?
        .execute(params![to_json(&token, "a token")?, one.id])?;
    Ok(())
}
