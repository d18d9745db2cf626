//! Users and their sessions.

use super::error::Result;
use super::rows::{json, to_json};
use crate::access::{CredentialUse, StoredSession, StoredUser};
use protocol::access::Session;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

pub(super) fn users(connection: &Connection) -> Result<Vec<StoredUser>> {
    let mut statement = connection.prepare_cached("SELECT name, password, doc FROM users ORDER BY name")?;
    let mut rows = statement.query([])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let user = json(&row.get::<_, String>(2)?, || format!("user {name}"))?;
        users.push(StoredUser { password: row.get(1)?, user });
    }
    Ok(users)
}

pub(super) fn put_user(
    transaction: &Transaction<'_>,
    StoredUser { user, password }: &StoredUser,
) -> Result<()> {
    transaction
        .prepare_cached("INSERT OR REPLACE INTO users (name, password, doc) VALUES (?, ?, ?)")?
        .execute(params![user.name, password, to_json(user, "a user")?])?;
    Ok(())
}

pub(super) fn remove_user(transaction: &Transaction<'_>, name: &str) -> Result<()> {
    transaction.prepare_cached("DELETE FROM users WHERE name = ?")?.execute([name])?;
    transaction.prepare_cached("DELETE FROM sessions WHERE user = ?")?.execute([name])?;
    Ok(())
}

pub(super) fn sessions(connection: &Connection) -> Result<Vec<StoredSession>> {
    let mut statement = connection.prepare_cached("SELECT id, hash, doc FROM sessions ORDER BY rowid")?;
    let mut rows = statement.query([])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        let session = json(&row.get::<_, String>(2)?, || format!("session {id}"))?;
        sessions.push(StoredSession { hash: row.get(1)?, session });
    }
    Ok(sessions)
}

pub(super) fn add_session(
    transaction: &Transaction<'_>,
    StoredSession { hash, session }: &StoredSession,
) -> Result<()> {
    transaction
        .prepare_cached("INSERT INTO sessions (id, hash, user, doc) VALUES (?, ?, ?, ?)")?
        .execute(params![session.id, hash, session.user, to_json(session, "a session")?])?;
    Ok(())
}

pub(super) fn remove_sessions(transaction: &Transaction<'_>, ids: &[String]) -> Result<()> {
    let mut remove = transaction.prepare_cached("DELETE FROM sessions WHERE id = ?")?;
    for id in ids {
        remove.execute([id])?;
    }
    Ok(())
}

pub(super) fn note_use(transaction: &Transaction<'_>, one: &CredentialUse) -> Result<()> {
    let mut read = transaction.prepare_cached("SELECT doc FROM sessions WHERE id = ?")?;
    let Some(doc) = read.query_row([&one.id], |row| row.get::<_, String>(0)).optional()? else {
        return Ok(());
    };
    let mut session: Session = json(&doc, || format!("session {}", one.id))?;
    session.last_used_at = one.at;
    session.address.clone_from(&one.from);
    transaction
        .prepare_cached("UPDATE sessions SET doc = ? WHERE id = ?")?
        .execute(params![to_json(&session, "a session")?, one.id])?;
    Ok(())
}
