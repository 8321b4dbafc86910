//! Applying changes inside the writer's transaction.

use std::collections::{HashMap, HashSet};

use ieum_fhir::index::{FullText, IndexValue};
use ieum_fhir::json::JsonError;
use rusqlite::{Connection, OptionalExtension, params};

use super::contained::Container;
use super::custom::{self, Points};
use super::dict::{Dict, StoredId};
use super::pending::Pending;
use super::rows::{Giving, RowSet};
use super::table::Carried;
use super::view::Scope;
use super::{Shared, to_i64, to_u64, words};
use crate::access::{AccessPlan, Family};
use crate::commit::{Change, Changed, CommitError, Expect, StoreError};
use crate::compress::{self, Packed};
use crate::prepare::{Indexed, Prepared};
use crate::record::Op;

/// Ids remembered by the writer; cleared when full.
const REMEMBERED: usize = 400_000;
/// `pat` of a record that is nobody's.
pub(super) const SHARED: i64 = 0;
/// `pat` of a clinical record of several patients, or of none; see `comp`.
pub(super) const SEVERAL: i64 = -1;
/// `pat` of the system's own records.
pub(super) const SYSTEM: i64 = -2;
/// `op` of a row that only gives a number to a record mentioned but not (yet) here.
const MENTIONED: i64 = 0;

const DAY: i64 = 86_400_000_000;

/// Record numbers: each record mentioned anywhere gets one, for ever.
#[derive(Debug, Default)]
pub(super) struct Ids {
    known: HashMap<(i64, StoredId), i64>,
}

impl Ids {
    /// The number of a record, a new one when it is first mentioned.
    pub(super) fn rid(&mut self, connection: &Connection, kind: i64, id: &str) -> Result<i64, StoreError> {
        let key = (kind, StoredId::new(id));
        if let Some(&rid) = self.known.get(&key) {
            return Ok(rid);
        }
        let rid = match find_rid(connection, kind, &key.1)? {
            Some(rid) => rid,
            None => {
                let mention = "INSERT INTO res (kind, id, ver, t, t0, op, pat, mask, present, present_high, codec, body) \
                               VALUES (?1, ?2, 0, 0, 0, ?3, 0, 0, 0, 0, 0, x'')";
                let rid = connection.prepare_cached(mention)?.insert(params![kind, key.1, MENTIONED])?;
                let sql = "INSERT INTO idmap (kind, id, rid) VALUES (?1, ?2, ?3)";
                connection.prepare_cached(sql)?.execute(params![kind, key.1, rid])?;
                rid
            }
        };
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(key, rid);
        Ok(rid)
    }
}

/// The number of a record, if it was ever mentioned.
pub(super) fn find_rid(connection: &Connection, kind: i64, id: &StoredId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT rid FROM idmap WHERE kind = ?1 AND id = ?2")?;
    Ok(statement.query_row(params![kind, id], |row| row.get(0)).optional()?)
}

/// The writer's state inside a transaction.
pub(super) struct Applier<'a> {
    pub(super) connection: &'a Connection,
    pub(super) shared: &'a Shared,
    pub(super) memory: &'a mut Memory,
}

/// What the writer remembers between transactions, and what waits inside one.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) dict: Dict,
    ids: Ids,
    pub(super) pending: Pending,
    /// Parameters by which not all records are indexed yet, and up to which record number they are.
    pub(super) points: Option<Points>,
    touched: HashSet<i64>,
}

impl Memory {
    /// Forgets everything: after a rollback, nothing remembered is sure.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Parameters by which not all records are indexed yet.
    pub(super) fn points(&mut self, connection: &Connection) -> Result<&mut Points, StoreError> {
        if self.points.is_none() {
            self.points = Some(custom::points(connection)?);
        }
        Ok(self.points.get_or_insert_default())
    }
}

/// The current row of a record.
pub(super) struct Current {
    pub(super) rid: i64,
    pub(super) version: u64,
    t: i64,
    t0: i64,
    op: i64,
    pub(super) carried: Carried,
    instant: i64,
    packed: Packed,
}

impl Current {
    pub(super) fn exists(&self) -> bool {
        self.op != MENTIONED && self.op != Op::Delete.code()
    }

    /// Its body.
    pub(super) fn body(&self) -> Result<Vec<u8>, StoreError> {
        compress::unpack(self.packed.codec, &self.packed.bytes)
    }

    /// What its contained resources share with it.
    pub(super) fn container(&self) -> Container {
        let Self { rid, version, t, t0, carried, .. } = *self;
        Container { rid, version, t, t0, carried }
    }
}

impl Applier<'_> {
    /// Judges what each change expects, and that nobody overwrites what they may not read. Writes nothing.
    pub(super) fn check(&mut self, access: &AccessPlan, changes: &[Change]) -> Result<(), CommitError> {
        let scope = Scope::new(self.connection, self.shared, access, 0)?;
        let mut named = HashSet::with_capacity(changes.len());
        for (index, change) in changes.iter().enumerate() {
            let (kind, id) = change.key();
            if !named.insert((kind, id)) {
                return Err(CommitError::Duplicate { index });
            }
            if change.expect() == Expect::Anything && access.reaches_everything() {
                continue;
            }
            let current = self.current(kind, id)?;
            if let Some(current) = current.as_ref().filter(|current| current.op != MENTIONED)
                && !scope.sees(current.rid)?
            {
                return Err(CommitError::Denied);
            }
            let version = current.as_ref().filter(|current| current.exists()).map(|current| current.version);
            match change.expect() {
                Expect::New if current.is_some_and(|current| current.op != MENTIONED) => {
                    return Err(CommitError::Taken { index });
                }
                Expect::Absent if version.is_some() => {
                    return Err(CommitError::Version { index, current: version });
                }
                Expect::Version(expected) if version != Some(expected) => {
                    return Err(CommitError::Version { index, current: version });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Applies one change as part of commit `t`.
    pub(super) fn apply(&mut self, change: &Change, t: u64, instant: i64) -> Result<Changed, StoreError> {
        match change {
            Change::Put { record, .. } => self.put(record, t, instant),
            Change::Delete { kind, id, .. } => self.delete(kind, id, t, instant),
        }
    }

    /// Writes the index rows that wait, so that they can be searched.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        self.memory.touched.clear();
        self.memory.pending.flush(self.connection)
    }

    fn put(&mut self, record: &Prepared, t: u64, instant: i64) -> Result<Changed, StoreError> {
        let current = self.current(&record.kind, &record.id)?;
        let existing = current.as_ref().filter(|current| current.exists());
        if let Some(existing) = existing
            && existing.body()? == record.body
        {
            return Ok(changed(&record.kind, &record.id, existing.version, existing.instant, None));
        }
        let kind = self.shared.registry.kind(&record.kind).ok_or_else(unknown_kind)?;
        let rid = match &current {
            Some(current) => current.rid,
            None => self.memory.ids.rid(self.connection, kind.no, &record.id)?,
        };
        let version = current.as_ref().map_or(0, |current| current.version) + 1;
        let op = if existing.is_some() { Op::Update } else { Op::Create };
        let indexed = self.shared.catalogue.indexed_now(record).map_err(not_json)?;
        let rows = self.rows_of(&record.kind, rid, &indexed.values)?;
        let carried = self.carried(&record.kind, rid, version, &indexed)?;
        let present = rows.present;
        let t0 = current.as_ref().map_or(0, |current| current.t0);
        let t0 = if t0 == 0 { to_i64(t) } else { t0 };
        let container = Container { rid, version, t: to_i64(t), t0, carried };

        if self.memory.touched.contains(&rid) {
            self.flush()?;
        }
        self.memory.touched.insert(rid);
        match existing {
            Some(existing) => {
                let old = self.indexed(&record.kind, &record.id, existing, self.shared.catalogue.bases())?;
                let old_rows = self.rows_of(&record.kind, rid, &old.values)?;
                self.memory.pending.replace(old_rows, existing.carried, rows, carried);
                if old.contained == indexed.contained && existing.carried == carried {
                    self.keep_contained(container)?;
                } else {
                    self.remove_contained(rid, &old.contained)?;
                    self.add_contained(container, &indexed.contained)?;
                }
                let text = self.text(&record.kind, &record.id, existing)?;
                if text != record.text {
                    words::delete(self.connection, &mut self.memory.dict, rid, &text)?;
                    words::insert(self.connection, &mut self.memory.dict, rid, &record.text)?;
                }
            }
            None => {
                self.memory.pending.insert(rows, carried);
                self.add_contained(container, &indexed.contained)?;
                words::insert(self.connection, &mut self.memory.dict, rid, &record.text)?;
            }
        }
        if let Some(current) = current.as_ref().filter(|current| current.op != MENTIONED) {
            self.keep_version(current)?;
        }
        let sql = "UPDATE res SET ver = ?2, t = ?3, t0 = ?4, op = ?5, pat = ?6, mask = ?7, d = ?8, present = ?9, \
                   present_high = ?10, codec = ?11, body = ?12 WHERE rid = ?1";
        self.connection.prepare_cached(sql)?.execute(params![
            rid,
            to_i64(version),
            to_i64(t),
            t0,
            op.code(),
            carried.pat,
            carried.mask,
            carried.d,
            present.0,
            present.1,
            record.packed.codec,
            record.packed.bytes,
        ])?;
        self.feed(t, rid, version, op, kind.no)?;
        Ok(changed(&record.kind, &record.id, version, instant, Some(op)))
    }

    fn delete(&mut self, kind: &str, id: &str, t: u64, instant: i64) -> Result<Changed, StoreError> {
        let Some(current) = self.current(kind, id)?.filter(|current| current.op != MENTIONED) else {
            return Ok(changed(kind, id, 0, 0, None));
        };
        if !current.exists() {
            return Ok(changed(kind, id, current.version, current.instant, None));
        }
        let version = current.version + 1;
        if self.memory.touched.contains(&current.rid) {
            self.flush()?;
        }
        self.memory.touched.insert(current.rid);
        let old = self.indexed(kind, id, &current, self.shared.catalogue.bases())?;
        let old_rows = self.rows_of(kind, current.rid, &old.values)?;
        self.memory.pending.delete(old_rows);
        self.remove_contained(current.rid, &old.contained)?;
        let text = self.text(kind, id, &current)?;
        words::delete(self.connection, &mut self.memory.dict, current.rid, &text)?;
        self.keep_version(&current)?;
        if current.carried.pat == SEVERAL {
            let sql = "INSERT INTO comp SELECT owner, rid, ?2 FROM comp WHERE rid = ?1 AND ver = ?3";
            self.connection.prepare_cached(sql)?.execute(params![
                current.rid,
                to_i64(version),
                to_i64(current.version)
            ])?;
        }
        let sql = "UPDATE res SET ver = ?2, t = ?3, op = ?4, present = 0, present_high = 0, codec = 0, body = x'' \
                   WHERE rid = ?1";
        let op = Op::Delete;
        self.connection.prepare_cached(sql)?.execute(params![
            current.rid,
            to_i64(version),
            to_i64(t),
            op.code()
        ])?;
        let kind_no = self.shared.registry.kind(kind).ok_or_else(unknown_kind)?.no;
        self.feed(t, current.rid, version, op, kind_no)?;
        Ok(changed(kind, id, version, instant, Some(op)))
    }

    pub(super) fn current(&mut self, kind: &str, id: &str) -> Result<Option<Current>, StoreError> {
        let kind = self.shared.registry.kind(kind).ok_or_else(unknown_kind)?;
        let stored = StoredId::new(id);
        let rid = match self.memory.ids.known.get(&(kind.no, stored.clone())) {
            Some(&rid) => Some(rid),
            None => find_rid(self.connection, kind.no, &stored)?,
        };
        let Some(rid) = rid else { return Ok(None) };
        let sql = "SELECT r.ver, r.t0, r.op, r.pat, r.mask, r.d, r.codec, r.body, coalesce(c.instant, 0), r.t \
                   FROM res r LEFT JOIN commits c ON c.t = r.t WHERE r.rid = ?1";
        let current = self.connection.prepare_cached(sql)?.query_row(params![rid], |row| {
            let carried = Carried { pat: row.get(3)?, mask: row.get(4)?, d: row.get(5)? };
            let packed = Packed { codec: row.get(6)?, bytes: row.get(7)? };
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, carried, packed, row.get(8)?, row.get(9)?))
        })?;
        let (version, t0, op, carried, packed, instant, t) = current;
        Ok(Some(Current { rid, version: to_u64(version)?, t, t0, op, carried, instant, packed }))
    }

    /// The index rows of these values of a record of this kind, without those by parameters that have not come to it yet:
    /// of a parameter that is new, rows are there for the records up to its point, and for no others.
    pub(super) fn rows_of(
        &mut self,
        kind: &str,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
    ) -> Result<RowSet, StoreError> {
        let mut rows = self.all_rows_of(kind, rid, values)?;
        let points = self.memory.points(self.connection)?;
        let beyond: Vec<i64> = points.iter().filter(|(_, point)| **point < rid).map(|(tp, _)| *tp).collect();
        if !beyond.is_empty() {
            rows.leave_out(&beyond);
        }
        Ok(rows)
    }

    /// The index rows of these values of a record of this kind.
    pub(super) fn all_rows_of(
        &mut self,
        kind: &str,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
    ) -> Result<RowSet, StoreError> {
        let kind = self.shared.registry.kind(kind).ok_or_else(unknown_kind)?;
        let mut numbers = Giving {
            connection: self.connection,
            registry: &self.shared.registry,
            dict: &mut self.memory.dict,
            ids: &mut self.memory.ids,
        };
        RowSet::new(&mut numbers, kind, rid, values)
    }

    /// What the body of the current version says, as a hub with these addresses reads it: cheaper than keeping the rows
    /// twice.
    pub(super) fn indexed(
        &self,
        kind: &str,
        id: &str,
        current: &Current,
        bases: &[String],
    ) -> Result<Indexed, StoreError> {
        let body = current.body()?;
        let def = self.shared.catalogue.kind(kind).ok_or_else(unknown_kind)?;
        let indexed = self.shared.catalogue.index_body_as(def, id, &body, bases);
        indexed.map_err(not_json)
    }

    /// The terms of the texts of the current version.
    pub(super) fn text(&self, kind: &str, id: &str, current: &Current) -> Result<FullText, StoreError> {
        let body = current.body()?;
        let def = self.shared.catalogue.kind(kind).ok_or_else(unknown_kind)?;
        let text = self.shared.catalogue.full_text_of_body(def, id, &body);
        text.map_err(not_json)
    }

    pub(super) fn carried(
        &mut self,
        kind: &str,
        rid: i64,
        version: u64,
        indexed: &Indexed,
    ) -> Result<Carried, StoreError> {
        let family = self.shared.catalogue.kind(kind).ok_or_else(unknown_kind)?.family;
        let patient = self.shared.registry.kind("Patient").ok_or_else(unknown_kind)?.no;
        let pat = match (family, indexed.patients.as_slice()) {
            (Family::System, _) => SYSTEM,
            (Family::Shared, _) => SHARED,
            (Family::Clinical, [one]) => self.memory.ids.rid(self.connection, patient, one)?,
            (Family::Clinical, several) => {
                for owner in several {
                    let owner = self.memory.ids.rid(self.connection, patient, owner)?;
                    let sql = "INSERT OR IGNORE INTO comp (owner, rid, ver) VALUES (?1, ?2, ?3)";
                    self.connection.prepare_cached(sql)?.execute(params![owner, rid, to_i64(version)])?;
                }
                SEVERAL
            }
        };
        let d = indexed.main_date.map(|micros| micros.div_euclid(DAY));
        Ok(Carried { pat, mask: i64::from(indexed.mask), d })
    }

    fn keep_version(&self, current: &Current) -> Result<(), StoreError> {
        let sql = "INSERT INTO ver (rid, ver, t, op, pat, mask, codec, body) \
                   SELECT rid, ver, t, op, pat, mask, codec, body FROM res WHERE rid = ?1";
        self.connection.prepare_cached(sql)?.execute(params![current.rid])?;
        Ok(())
    }

    fn feed(&self, t: u64, rid: i64, version: u64, op: Op, kind: i64) -> Result<(), StoreError> {
        let sql = "INSERT INTO feed (t, rid, ver, op, kind) VALUES (?1, ?2, ?3, ?4, ?5)";
        self.connection.prepare_cached(sql)?.execute(params![
            to_i64(t),
            rid,
            to_i64(version),
            op.code(),
            kind
        ])?;
        Ok(())
    }
}

fn changed(kind: &str, id: &str, version: u64, instant: i64, op: Option<Op>) -> Changed {
    Changed { kind: kind.to_owned(), id: id.to_owned(), version, instant, op }
}

#[allow(clippy::needless_pass_by_value, reason = "as map_err calls it")]
pub(super) fn not_json(error: JsonError) -> StoreError {
    StoreError::Damaged(format!("a body: {error}"))
}

pub(super) fn unknown_kind() -> StoreError {
    StoreError::Engine("a kind that is not in the catalogue".into())
}
