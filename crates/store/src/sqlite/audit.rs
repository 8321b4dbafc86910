//! Audit entries: written in the transaction of the commit they belong to.

use rusqlite::{Connection, params};

use super::{to_i64, to_u64};
use crate::commit::StoreError;
use crate::engine::{AuditEntry, StoredAuditEntry};

/// Writes an entry; `commit` is the commit's number and its count of changes.
pub(super) fn append(
    connection: &Connection,
    instant: i64,
    commit: Option<(u64, u64)>,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO audit (instant, t, changes, actor, role, purpose, action, target, allowed) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    connection.prepare_cached(sql)?.execute(params![
        instant,
        commit.map(|(t, _)| to_i64(t)),
        commit.map_or(0, |(_, changes)| to_i64(changes)),
        entry.actor,
        entry.role,
        entry.purpose,
        entry.action,
        entry.target,
        entry.allowed,
    ])?;
    Ok(())
}

/// Entries, newest first.
pub(super) fn newest(
    connection: &Connection,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<StoredAuditEntry>, StoreError> {
    let sql = "SELECT number, instant, t, changes, actor, role, purpose, action, target, allowed FROM audit \
               WHERE number < ?1 ORDER BY number DESC LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let before = before.map_or(i64::MAX, to_i64);
    let mut rows = statement.query(params![before, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let t: Option<i64> = row.get(2)?;
        let commit = t.map(|t| Ok::<_, StoreError>((to_u64(t)?, to_u64(row.get(3)?)?))).transpose()?;
        entries.push(StoredAuditEntry {
            number: to_u64(row.get(0)?)?,
            instant: row.get(1)?,
            commit,
            entry: AuditEntry {
                actor: row.get(4)?,
                role: row.get(5)?,
                purpose: row.get(6)?,
                action: row.get(7)?,
                target: row.get(8)?,
                allowed: row.get(9)?,
            },
        });
    }
    Ok(entries)
}
