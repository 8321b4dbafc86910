//! The tables, and how older ones become newer ones.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use crate::commit::StoreError;

/// Each step from one schema version to the next, in order. Steps are never edited: a stored file may be at any of them.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    REBUILD,
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    include_str!("schema-6.sql"),
];

/// A step that asks for all indexes to be made anew, because a program of this version finds more, or other owners.
const REBUILD: &str = "INSERT OR REPLACE INTO meta (name, value) VALUES ('rebuild', 1)";

/// Marks the file as ours (`PRAGMA application_id`): «IEUM».
const APPLICATION_ID: i64 = 0x4945_554D;

/// Brings the file to the newest schema.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let application: i64 = transaction.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let done = usize::try_from(version).unwrap_or(usize::MAX);
    if application != APPLICATION_ID && (application != 0 || done != 0) {
        return Err(StoreError::Damaged("records.sqlite is not a file of Ieum".into()));
    }
    if done > MIGRATIONS.len() {
        let newest = MIGRATIONS.len();
        return Err(StoreError::Damaged(format!(
            "records.sqlite has schema {version}, this program knows up to {newest}: use a newer ieum"
        )));
    }
    for (number, step) in MIGRATIONS.iter().enumerate().skip(done) {
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "user_version", i64::try_from(number + 1).unwrap_or(i64::MAX))?;
    }
    if application != APPLICATION_ID {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    let secret: Option<Vec<u8>> = transaction
        .query_row("SELECT value FROM meta WHERE name = 'cursor_secret'", [], |row| row.get(0))
        .optional()?;
    if secret.is_none() {
        transaction.execute("INSERT INTO meta (name, value) VALUES ('cursor_secret', randomblob(32))", [])?;
    }
    transaction.commit()?;
    Ok(())
}

/// The newest schema version this program writes.
pub(super) fn newest() -> usize {
    MIGRATIONS.len()
}

/// Whether all indexes must be made anew.
pub(super) fn needs_rebuild(connection: &Connection) -> Result<bool, StoreError> {
    Ok(connection.prepare("SELECT 1 FROM meta WHERE name = 'rebuild'")?.exists([])?)
}

/// Asks for it.
pub(super) fn ask_for_rebuild(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('rebuild', 1)", [])?;
    Ok(())
}

/// Whether parameters have got another meaning and not been indexed again since.
pub(super) fn is_reindexing(connection: &Connection) -> Result<bool, StoreError> {
    Ok(connection.prepare("SELECT 1 FROM meta WHERE name = 'reindexing'")?.exists([])?)
}

/// Remembers that some have, in the transaction that gives it to them.
pub(super) fn begin_reindexing(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('reindexing', 1)", [])?;
    Ok(())
}

/// All are indexed.
pub(super) fn end_reindexing(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("DELETE FROM meta WHERE name = 'reindexing'", [])?;
    Ok(())
}

/// They have been.
pub(super) fn rebuilt(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("DELETE FROM meta WHERE name = 'rebuild'", [])?;
    Ok(())
}

/// The addresses under which the hub has served this file, oldest first.
pub(super) fn bases(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT value FROM meta WHERE name = 'bases'";
    let text: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(text.unwrap_or_default().lines().map(ToOwned::to_owned).collect())
}

/// Remembers them.
pub(super) fn set_bases(connection: &Connection, bases: &[String]) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('bases', ?1)";
    connection.execute(sql, [bases.join("\n")])?;
    Ok(())
}

/// The secret with which cursors are signed.
pub(super) fn cursor_secret(connection: &Connection) -> Result<[u8; 32], StoreError> {
    let secret: Vec<u8> =
        connection.query_row("SELECT value FROM meta WHERE name = 'cursor_secret'", [], |row| row.get(0))?;
    secret.try_into().map_err(|_| StoreError::Damaged("the cursor secret".into()))
}
