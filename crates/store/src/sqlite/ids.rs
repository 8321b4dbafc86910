//! Numbers of records: each record mentioned anywhere gets one, for ever.

use rusqlite::{Connection, OptionalExtension, params};

use super::dict::StoredId;
use super::numbers::Known;
use crate::commit::StoreError;

/// `op` of a row that only gives a number to a record mentioned but not (yet) here.
pub(super) const MENTIONED: i64 = 0;

/// The numbers the writer knows.
#[derive(Debug, Default)]
pub(super) struct Ids {
    known: Known<(i64, StoredId)>,
    /// The next number of a record; 0 until it is looked up.
    next: i64,
}

impl Ids {
    /// The number of a record, if it has one.
    pub(super) fn find(
        &mut self,
        connection: &Connection,
        kind: i64,
        id: &str,
    ) -> Result<Option<i64>, StoreError> {
        let key = (kind, StoredId::new(id));
        if let Some(rid) = self.known.get(&key) {
            return Ok(Some(rid));
        }
        let rid = find_rid(connection, kind, &key.1)?;
        if let Some(rid) = rid {
            self.known.remember(key, rid);
        }
        Ok(rid)
    }

    /// The number of a record that is mentioned; a new one when it is for the first time.
    pub(super) fn mentioned(
        &mut self,
        connection: &Connection,
        kind: i64,
        id: &str,
    ) -> Result<i64, StoreError> {
        if let Some(rid) = self.find(connection, kind, id)? {
            return Ok(rid);
        }
        let rid = self.give(connection, kind, id)?;
        let mention = "INSERT INTO res (rid, kind, id, ver, t, t0, op, pat, mask, present, present_high, vals, codec, body) \
                       VALUES (?1, ?2, ?3, 0, 0, 0, ?4, 0, 0, 0, 0, x'', 0, x'')";
        let values = params![rid, kind, StoredId::new(id), MENTIONED];
        connection.prepare_cached(mention)?.execute(values)?;
        Ok(rid)
    }

    /// A number for a record that has none, and whose row the caller writes.
    pub(super) fn give(&mut self, connection: &Connection, kind: i64, id: &str) -> Result<i64, StoreError> {
        let rid = self.next(connection)?;
        let key = (kind, StoredId::new(id));
        let sql = "INSERT INTO idmap (kind, id, rid) VALUES (?1, ?2, ?3)";
        connection.prepare_cached(sql)?.execute(params![kind, key.1, rid])?;
        self.known.remember(key, rid);
        Ok(rid)
    }

    /// A number nobody has, for a row of `res`.
    pub(super) fn next(&mut self, connection: &Connection) -> Result<i64, StoreError> {
        if self.next == 0 {
            let sql = "SELECT coalesce(max(rid), 0) + 1 FROM res";
            self.next = connection.query_row(sql, [], |row| row.get(0))?;
        }
        self.next += 1;
        Ok(self.next - 1)
    }
}

/// The number of a record, if it was ever mentioned.
pub(super) fn find_rid(connection: &Connection, kind: i64, id: &StoredId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT rid FROM idmap WHERE kind = ?1 AND id = ?2")?;
    Ok(statement.query_row(params![kind, id], |row| row.get(0)).optional()?)
}
