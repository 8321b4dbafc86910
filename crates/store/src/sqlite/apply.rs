//! Applying changes inside the writer's transaction.

use std::collections::HashSet;

use ieum_fhir::index::{FullText, IndexValue};
use ieum_fhir::json::JsonError;
use rusqlite::{Connection, params};

use super::carried::{Carried, SEVERAL};
use super::contained::Container;
use super::custom::{self, Points};
use super::dict::StoredId;
use super::ids::MENTIONED;
use super::numbers::{Given, Giving};
use super::pending::Pending;
use super::rows::RowSet;
use super::visible::Scope;
use super::{Shared, evidence, to_i64, to_u64, words};
use crate::access::{AccessPlan, Family, Institution, Reach};
use crate::commit::{Change, Changed, CommitError, Expect, StoreError};
use crate::compress::Packed;
use crate::prepare::{Indexed, Prepared};
use crate::record::Op;

/// Number and instant of a commit.
type At = (u64, i64);

/// The writer's state inside a transaction.
pub(super) struct Applier<'a> {
    pub(super) connection: &'a Connection,
    pub(super) shared: &'a Shared,
    pub(super) memory: &'a mut Memory,
}

/// What the writer remembers between transactions, and what waits inside one.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) given: Given,
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

    /// What its contained resources share with it.
    pub(super) fn container(&self) -> Container {
        let Self { rid, version, t, t0, carried, .. } = *self;
        Container { rid, version, t, t0, carried }
    }
}

impl Applier<'_> {
    /// Judges what each change expects, and that nobody overwrites what they may not read. Writes nothing; gives back
    /// what each change found.
    pub(super) fn check(
        &mut self,
        access: &AccessPlan,
        changes: &[Change],
    ) -> Result<Vec<Option<Current>>, CommitError> {
        let scope = Scope::new(self.connection, self.shared, access, 0)?;
        let mut named = HashSet::with_capacity(changes.len());
        let mut found = Vec::with_capacity(changes.len());
        for (index, change) in changes.iter().enumerate() {
            let (kind, id) = change.key();
            if !named.insert((kind, id)) {
                return Err(CommitError::Duplicate { index });
            }
            let current = self.current(kind, id)?;
            let known = current.as_ref().filter(|current| current.op != MENTIONED);
            if let Some(known) = known
                && !access.reaches_everything()
                && !scope.sees(known.rid)?
            {
                return Err(CommitError::Denied);
            }
            if let Reach::Institution(institution) = &access.clinical {
                self.check_institution(institution, &scope, change, known)?;
            }
            let version = known.filter(|current| current.exists()).map(|current| current.version);
            match change.expect() {
                Expect::New if known.is_some() => return Err(CommitError::Taken { index }),
                Expect::Absent if version.is_some() => {
                    return Err(CommitError::Version { index, current: version });
                }
                Expect::Version(expected) if version != Some(expected) => {
                    return Err(CommitError::Version { index, current: version });
                }
                _ => found.push(current),
            }
        }
        Ok(found)
    }

    /// [`Institution::may_write`].
    fn check_institution(
        &mut self,
        institution: &Institution,
        scope: &Scope<'_>,
        change: &Change,
        known: Option<&Current>,
    ) -> Result<(), CommitError> {
        let family = self.shared.catalogue.kind(change.key().0).ok_or_else(unknown_kind)?.family;
        if family != Family::Clinical {
            return Ok(());
        }
        if let Some(current) = known
            && !scope.is_own(current.rid)?
        {
            return Err(CommitError::Denied);
        }
        if let (Change::Put { record, .. }, Some(_)) = (change, &institution.person) {
            let indexed = self.shared.catalogue.indexed_now(record).map_err(not_json)?;
            for patient in &indexed.patients {
                if !scope.has_relation(patient)? {
                    return Err(CommitError::Denied);
                }
            }
        }
        Ok(())
    }

    /// Applies changes, whose bodies are packed so and which found this, as one commit by somebody who acts for this
    /// institution, if any.
    pub(super) fn apply(
        &mut self,
        changes: &[Change],
        packed: &[Packed],
        found: Vec<Option<Current>>,
        at: At,
        institution: Option<&str>,
    ) -> Result<Vec<Changed>, StoreError> {
        let writer = institution.map(|id| self.institution(id)).transpose()?;
        // New records get their numbers first: what refers to one that comes later finds it, and rows are added at the
        // end of their table.
        for (change, found) in changes.iter().zip(&found) {
            if let (Change::Put { record, .. }, None) = (change, found) {
                let kind = self.kind_no(&record.kind)?;
                self.memory.given.ids.give(self.connection, kind, &record.id)?;
            }
        }
        let apply = |((change, packed), found): ((&Change, &Packed), Option<Current>)| match change {
            Change::Put { record, .. } => self.put(record, packed, found.as_ref(), (at, writer)),
            Change::Delete { kind, id, .. } => self.delete(kind, id, found, at),
        };
        changes.iter().zip(packed).zip(found).map(apply).collect()
    }

    /// Writes the index rows that wait, so that they can be searched.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        self.memory.touched.clear();
        self.memory.pending.flush(self.connection)
    }

    fn put(
        &mut self,
        record: &Prepared,
        packed: &Packed,
        current: Option<&Current>,
        ((t, instant), writer): (At, Option<i64>),
    ) -> Result<Changed, StoreError> {
        let existing = current.filter(|current| current.exists());
        if let Some(existing) = existing
            && self.body(existing)? == record.body
        {
            return Ok(changed(&record.kind, &record.id, existing.version, existing.instant, None));
        }
        let kind = self.kind_no(&record.kind)?;
        let rid = match current {
            Some(current) => current.rid,
            None => self.memory.given.ids.mentioned(self.connection, kind, &record.id)?,
        };
        let version = current.map_or(0, |current| current.version) + 1;
        let op = if existing.is_some() { Op::Update } else { Op::Create };
        let indexed = self.shared.catalogue.indexed_now(record).map_err(not_json)?;
        let mut rows = self.rows_of(&record.kind, rid, &indexed.values)?;
        let before = current.map_or(0, |current| current.carried.org);
        let carried = self.carried(&record.kind, rid, version, &indexed, (writer, before))?;
        let (present, vals) = (rows.present, std::mem::take(&mut rows.vals));
        let t0 = current.map_or(0, |current| current.t0);
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
                self.memory.pending.replace(&old_rows, rows);
                evidence::remove(self.connection, rid)?;
                if old.contained == indexed.contained {
                    self.keep_contained(container)?;
                } else {
                    self.remove_contained(rid, &old.contained)?;
                    self.add_contained(container, &indexed.contained)?;
                }
                let text = self.text(&record.kind, &record.id, existing)?;
                if text != record.text {
                    words::delete(self.connection, &mut self.memory.given.dict, rid, &text)?;
                    words::insert(self.connection, &mut self.memory.given.dict, rid, &record.text)?;
                }
            }
            None => {
                self.memory.pending.insert(rows);
                self.add_contained(container, &indexed.contained)?;
                words::insert(self.connection, &mut self.memory.given.dict, rid, &record.text)?;
            }
        }
        self.add_evidence(rid, carried.org, &indexed.facts)?;
        if let Some(current) = current.filter(|current| current.op != MENTIONED) {
            self.keep_version(current)?;
        }
        // A record without a row yet gets one; one that was mentioned or is there has its own.
        let sql = if current.is_some() {
            "UPDATE res SET ver = ?4, t = ?5, t0 = ?6, op = ?7, pat = ?8, mask = ?9, d = ?10, org = ?11, enc = ?12, \
             dept = ?13, present = ?14, present_high = ?15, vals = ?16, codec = ?17, body = ?18 \
             WHERE rid = ?1 AND kind = ?2 AND id = ?3"
        } else {
            "INSERT INTO res (rid, kind, id, ver, t, t0, op, pat, mask, d, org, enc, dept, present, present_high, vals, \
             codec, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)"
        };
        let Carried { pat, mask, d, org, enc, dept } = carried;
        self.connection.prepare_cached(sql)?.execute(params![
            rid,
            kind,
            StoredId::new(&record.id),
            to_i64(version),
            to_i64(t),
            t0,
            op.code(),
            pat,
            mask,
            d,
            org,
            enc,
            dept,
            present.0,
            present.1,
            vals,
            packed.codec,
            packed.bytes,
        ])?;
        self.feed(t, rid, version, op, kind)?;
        Ok(changed(&record.kind, &record.id, version, instant, Some(op)))
    }

    fn delete(
        &mut self,
        kind: &str,
        id: &str,
        current: Option<Current>,
        (t, instant): At,
    ) -> Result<Changed, StoreError> {
        let Some(current) = current.filter(|current| current.op != MENTIONED) else {
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
        evidence::remove(self.connection, current.rid)?;
        self.remove_contained(current.rid, &old.contained)?;
        let text = self.text(kind, id, &current)?;
        words::delete(self.connection, &mut self.memory.given.dict, current.rid, &text)?;
        self.keep_version(&current)?;
        if current.carried.pat == SEVERAL {
            let sql = "INSERT INTO comp SELECT owner, rid, ?2 FROM comp WHERE rid = ?1 AND ver = ?3";
            self.connection.prepare_cached(sql)?.execute(params![
                current.rid,
                to_i64(version),
                to_i64(current.version)
            ])?;
        }
        let sql = "UPDATE res SET ver = ?2, t = ?3, op = ?4, present = 0, present_high = 0, vals = x'', codec = 0, body = x'' \
                   WHERE rid = ?1";
        let op = Op::Delete;
        self.connection.prepare_cached(sql)?.execute(params![
            current.rid,
            to_i64(version),
            to_i64(t),
            op.code()
        ])?;
        let kind_no = self.kind_no(kind)?;
        self.feed(t, current.rid, version, op, kind_no)?;
        Ok(changed(kind, id, version, instant, Some(op)))
    }

    pub(super) fn current(&mut self, kind: &str, id: &str) -> Result<Option<Current>, StoreError> {
        let kind = self.kind_no(kind)?;
        let rid = self.memory.given.ids.find(self.connection, kind, id)?;
        let Some(rid) = rid else { return Ok(None) };
        let sql = "SELECT r.ver, r.t0, r.op, r.codec, r.body, coalesce(c.instant, 0), r.t, r.pat, r.mask, r.d, r.org, \
                   r.enc, r.dept FROM res r LEFT JOIN commits c ON c.t = r.t WHERE r.rid = ?1";
        let current = self.connection.prepare_cached(sql)?.query_row(params![rid], |row| {
            let packed = Packed { codec: row.get(3)?, bytes: row.get(4)? };
            let (pat, mask, d) = (row.get(7)?, row.get(8)?, row.get(9)?);
            let carried = Carried { pat, mask, d, org: row.get(10)?, enc: row.get(11)?, dept: row.get(12)? };
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, carried, packed, row.get(5)?, row.get(6)?))
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
        let points = self.memory.points(self.connection)?;
        let beyond: Vec<i64> = points.iter().filter(|(_, point)| **point < rid).map(|(tp, _)| *tp).collect();
        self.make_rows(kind, rid, values, &beyond)
    }

    /// The index rows of these values of a record of this kind.
    pub(super) fn all_rows_of(
        &mut self,
        kind: &str,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
    ) -> Result<RowSet, StoreError> {
        self.make_rows(kind, rid, values, &[])
    }

    fn make_rows(
        &mut self,
        kind: &str,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
        apart: &[i64],
    ) -> Result<RowSet, StoreError> {
        let kind = self.shared.registry.kind(kind).ok_or_else(unknown_kind)?;
        let mut numbers = Giving {
            connection: self.connection,
            registry: &self.shared.registry,
            given: &mut self.memory.given,
        };
        RowSet::new(&mut numbers, kind, rid, values, apart)
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
        let body = self.body(current)?;
        let def = self.shared.catalogue.kind(kind).ok_or_else(unknown_kind)?;
        let indexed = self.shared.catalogue.index_body_as(def, id, &body, bases);
        indexed.map_err(not_json)
    }

    /// The terms of the texts of the current version.
    pub(super) fn text(&self, kind: &str, id: &str, current: &Current) -> Result<FullText, StoreError> {
        let body = self.body(current)?;
        let def = self.shared.catalogue.kind(kind).ok_or_else(unknown_kind)?;
        let text = self.shared.catalogue.full_text_of_body(def, id, &body);
        text.map_err(not_json)
    }

    /// The body of the current version.
    fn body(&self, current: &Current) -> Result<Vec<u8>, StoreError> {
        self.shared.dictionaries.unpack(current.packed.codec, &current.packed.bytes)
    }

    pub(super) fn kind_no(&self, kind: &str) -> Result<i64, StoreError> {
        Ok(self.shared.registry.kind(kind).ok_or_else(unknown_kind)?.no)
    }

    fn keep_version(&self, current: &Current) -> Result<(), StoreError> {
        let sql = "INSERT INTO ver (rid, ver, t, op, pat, mask, d, org, enc, codec, body) \
                   SELECT rid, ver, t, op, pat, mask, d, org, enc, codec, body FROM res WHERE rid = ?1";
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
