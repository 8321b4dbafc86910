//! A snapshot of the file, and everything that can be read from it.

use std::sync::Arc;

use ieum_fhir::search::Query;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use super::apply::{SEVERAL, SHARED, SYSTEM};
use super::connection::{Reader, ReaderPool};
use super::dict::StoredId;
use super::ids::find_rid;
use super::search::{self, Sql, json_numbers};
use super::{Current, Shared, audit, history, newest_t, past, read, to_u64};
use crate::access::{AccessPlan, Family, Reach};
use crate::catalogue::Catalogue;
use crate::commit::StoreError;
use crate::engine::{
    AsOfPage, AsOfRequest, CompartmentPage, CompartmentRequest, FeedEntry, HistoryPage, HistoryRequest,
    KeysPage, KeysRequest, PlacesPage, SearchPage, SearchRequest, Snapshot, StoredAuditEntry,
};
use crate::record::{Op, Record};

/// A view for one caller's question: the connection, what may be seen, and the moment.
pub(super) struct Scope<'s> {
    pub(super) connection: &'s Connection,
    pub(super) shared: &'s Shared,
    pub(super) access: &'s AccessPlan,
    pub(super) t: u64,
    /// Numbers of the patients reached, when only some are.
    patients: Vec<i64>,
}

impl<'s> Scope<'s> {
    pub(super) fn new(
        connection: &'s Connection,
        shared: &'s Shared,
        access: &'s AccessPlan,
        t: u64,
    ) -> Result<Self, StoreError> {
        let mut patients = Vec::new();
        if let (Reach::Patients(ids), Some(kind)) = (&access.clinical, shared.registry.kind("Patient")) {
            for id in ids {
                patients.extend(find_rid(connection, kind.no, &StoredId::new(id))?);
            }
        }
        Ok(Self { connection, shared, access, t, patients })
    }

    /// Whether any record of the kind can be reached at all.
    pub(super) fn reaches(&self, kind: &str) -> bool {
        match self.shared.catalogue.kind(kind).map(|kind| kind.family) {
            None => false,
            Some(Family::System) => self.access.system,
            Some(_) => self.access.clinical != Reach::Nothing,
        }
    }

    /// [`AccessPlan::allows`] on the columns `pat`, `mask`, `rid` and `ver` of a row, as ` AND …`; the one place where
    /// access becomes SQL.
    pub(super) fn visible(&self, row: &str) -> Sql {
        self.visible_as(row, &format!("{row}.rid"), &format!("{row}.ver"))
    }

    /// The same for rows of `res` that may be of a resource inside a record: it is seen by whoever sees the record.
    pub(super) fn visible_part(&self, row: &str) -> Sql {
        self.visible_as(row, &format!("coalesce({row}.container, {row}.rid)"), &format!("{row}.ver"))
    }

    fn visible_as(&self, row: &str, rid: &str, version: &str) -> Sql {
        let mut sql = Sql::default();
        if let Some(only) = self.access.only {
            // A kind that there is not has no number, and so no records.
            let kind = self.shared.registry.kind(only).map_or(-1, |kind| kind.no);
            sql.push(" AND (SELECT q.kind FROM res q WHERE q.rid = ").push(rid).push(") = ").bind(kind);
        }
        if self.access.denied != 0 {
            sql.push(" AND ").push(row).push(".mask & ").bind(i64::from(self.access.denied)).push(" = 0");
        }
        match (&self.access.clinical, self.access.system) {
            (Reach::All, true) => {}
            (Reach::All, false) => {
                sql.push(" AND ").push(row).push(".pat <> ").bind(SYSTEM);
            }
            (Reach::Nothing, true) => {
                sql.push(" AND ").push(row).push(".pat = ").bind(SYSTEM);
            }
            (Reach::Nothing, false) => {
                sql.push(" AND 0");
            }
            (Reach::Patients(_), system) => {
                let mut owners = self.patients.clone();
                owners.push(SHARED);
                if system {
                    owners.push(SYSTEM);
                }
                sql.push(" AND (").push(row).push(".pat IN (SELECT value FROM json_each(");
                sql.bind(json_numbers(&owners)).push(")) OR ").push(row).push(".pat = ").bind(SEVERAL);
                sql.push(" AND EXISTS (SELECT 1 FROM comp o WHERE o.owner IN (SELECT value FROM json_each(");
                sql.bind(json_numbers(&self.patients))
                    .push(")) AND o.rid = ")
                    .push(rid)
                    .push(" AND o.ver = ");
                sql.push(version).push("))");
            }
        }
        sql
    }

    /// Whether the newest version of a record, deleted or not, exists for this caller.
    pub(super) fn sees(&self, rid: i64) -> Result<bool, StoreError> {
        let mut sql = Sql::new("SELECT 1 FROM res r WHERE r.rid = ");
        sql.bind(rid).append(&self.visible("r"));
        let mut statement = self.connection.prepare_cached(&sql.text)?;
        Ok(statement.exists(params_from_iter(&sql.values))?)
    }

    /// Whether a row belongs to the compartment of some patient, as ` AND …`.
    pub(super) fn of_some_patient(row: &str) -> Sql {
        let mut sql = Sql::default();
        sql.push(" AND (").push(row).push(".pat > 0 OR ").push(row).push(".pat = ").bind(SEVERAL);
        sql.push(" AND EXISTS (SELECT 1 FROM comp o WHERE o.rid = ").push(row).push(".rid AND o.ver = ");
        sql.push(row).push(".ver))");
        sql
    }

    /// The first commit at or after an instant.
    pub(super) fn first_commit(&self, instant: i64) -> Result<i64, StoreError> {
        let sql = "SELECT t FROM commits WHERE instant >= ?1 ORDER BY instant LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let t: Option<i64> = statement.query_row(params![instant], |row| row.get(0)).optional()?;
        Ok(t.unwrap_or(i64::MAX))
    }

    /// The current version of these records, in this order.
    pub(super) fn records(&self, rids: &[i64]) -> Result<Vec<Record>, StoreError> {
        let sql = "SELECT r.kind, r.id, r.ver, r.t, c.instant, r.op, r.codec, r.body FROM json_each(?1) j \
                   CROSS JOIN res r ON r.rid = j.value JOIN commits c ON c.t = r.t ORDER BY j.key";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(params![json_numbers(rids)])?;
        let mut records = Vec::with_capacity(rids.len());
        while let Some(row) = rows.next()? {
            records.push(read::record(self.shared, row)?);
        }
        Ok(records)
    }
}

/// A snapshot: a read transaction on a connection of its own.
pub(super) struct View<'e> {
    reader: Reader<'e>,
    shared: Arc<Shared>,
    t: u64,
}

impl<'e> View<'e> {
    pub(super) fn begin(pool: &'e ReaderPool, current: &Current) -> Result<Self, StoreError> {
        let reader = pool.take()?;
        loop {
            let shared = current.get();
            reader.connection().execute_batch("BEGIN")?;
            // The first look fixes the snapshot.
            let t = newest_t(reader.connection());
            // Rows of a parameter are all there before it is in force, and begin to go when it is in force no more. So
            // what was in force before and after that look goes with what it fixed.
            let is_in_force = Arc::ptr_eq(&shared, &current.get());
            match t {
                Ok(t) if is_in_force => return Ok(Self { reader, shared, t }),
                Ok(_) => reader.connection().execute_batch("ROLLBACK")?,
                Err(error) => {
                    reader.connection().execute_batch("ROLLBACK")?;
                    return Err(error);
                }
            }
        }
    }

    fn scope<'s>(&'s self, access: &'s AccessPlan) -> Result<Scope<'s>, StoreError> {
        Scope::new(self.reader.connection(), &self.shared, access, self.t)
    }

    /// The same for a question, if it can be answered.
    fn scope_of<'s>(&'s self, access: &'s AccessPlan, query: &Query) -> Result<Scope<'s>, StoreError> {
        self.shared.catalogue.check(query)?;
        self.scope(access)
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.reader.connection().execute_batch("ROLLBACK") {
            tracing::error!(error = %error, "a snapshot could not be closed");
        }
    }
}

impl Snapshot for View<'_> {
    fn t(&self) -> u64 {
        self.t
    }

    fn catalogue(&self) -> &Catalogue {
        &self.shared.catalogue
    }

    fn instant(&self) -> Result<i64, StoreError> {
        let mut statement = self.reader.connection().prepare_cached("SELECT max(instant) FROM commits")?;
        Ok(statement.query_row([], |row| row.get::<_, Option<i64>>(0))?.unwrap_or(0))
    }

    fn read(&self, access: &AccessPlan, kind: &str, id: &str) -> Result<Option<Record>, StoreError> {
        read::newest(&self.scope(access)?, kind, id)
    }

    fn read_version(
        &self,
        access: &AccessPlan,
        kind: &str,
        id: &str,
        version: u64,
    ) -> Result<Option<Record>, StoreError> {
        read::version(&self.scope(access)?, kind, id, version)
    }

    fn history(&self, access: &AccessPlan, request: &HistoryRequest<'_>) -> Result<HistoryPage, StoreError> {
        let scope = self.scope(access)?;
        self.reader.timed("history", |_| history::page(&scope, request))
    }

    fn search(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Result<SearchPage, StoreError> {
        let scope = self.scope_of(access, request.query)?;
        let statement = self.reader.timed("planning", |_| search::page_statement(&scope, request))?;
        let Some(statement) = statement else { return Ok(SearchPage::default()) };
        self.reader.timed(&statement.text, |_| search::run(&scope, request, &statement))
    }

    fn places(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Result<PlacesPage, StoreError> {
        let scope = self.scope_of(access, request.query)?;
        let statement = self.reader.timed("planning", |_| search::page_statement(&scope, request))?;
        let Some(statement) = statement else { return Ok(PlacesPage::default()) };
        self.reader.timed(&statement.text, |_| search::found(&scope, request, &statement))
    }

    fn count(&self, access: &AccessPlan, query: &Query) -> Result<u64, StoreError> {
        let scope = self.scope_of(access, query)?;
        let Some(sql) = search::count_statement(&scope, query)? else { return Ok(0) };
        self.reader.timed(&sql.text, |connection| {
            let mut statement = connection.prepare_cached(&sql.text)?;
            to_u64(statement.query_row(params_from_iter(&sql.values), |row| row.get(0))?)
        })
    }

    fn compartment(
        &self,
        access: &AccessPlan,
        request: &CompartmentRequest<'_>,
    ) -> Result<CompartmentPage, StoreError> {
        let scope = self.scope(access)?;
        self.reader.timed("compartment", |_| read::compartment(&scope, request))
    }

    fn as_of(&self, access: &AccessPlan, request: &AsOfRequest<'_>) -> Result<AsOfPage, StoreError> {
        let scope = self.scope(access)?;
        self.reader.timed("as of a commit", |_| past::as_of(&scope, request))
    }

    fn keys(&self, access: &AccessPlan, request: &KeysRequest<'_>) -> Result<KeysPage, StoreError> {
        let scope = self.scope_of(access, request.query)?;
        let statement = self.reader.timed("planning", |_| search::keys_statement(&scope, request))?;
        let Some(statement) = statement else { return Ok(KeysPage::default()) };
        self.reader.timed(&statement.text, |_| search::keys(&scope, request, &statement))
    }

    fn feed(&self, access: &AccessPlan, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        read::feed(&self.scope(access)?, after, limit)
    }

    fn follower(&self, name: &str) -> Result<u64, StoreError> {
        let sql = "SELECT t FROM follower WHERE name = ?1";
        let mut statement = self.reader.connection().prepare_cached(sql)?;
        to_u64(statement.query_row(params![name], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    fn audit_entries(&self, before: Option<u64>, limit: usize) -> Result<Vec<StoredAuditEntry>, StoreError> {
        audit::newest(self.reader.connection(), before, limit)
    }

    fn census(&self, access: &AccessPlan) -> Result<Vec<(String, u64)>, StoreError> {
        let scope = self.scope(access)?;
        let mut sql = Sql::new("SELECT r.kind, count(*) FROM res r WHERE r.op IN (1, 2)");
        if !access.system {
            sql.append(&scope.visible("r"));
        }
        sql.push(" GROUP BY r.kind");
        self.reader.timed(&sql.text, |connection| {
            let mut statement = connection.prepare_cached(&sql.text)?;
            let mut rows = statement.query(params_from_iter(&sql.values))?;
            let mut counts = Vec::new();
            while let Some(row) = rows.next()? {
                counts.push((self.shared.registry.name(row.get(0)?)?.to_owned(), to_u64(row.get(1)?)?));
            }
            counts.sort();
            Ok(counts)
        })
    }
}

/// The operation stored in a row.
pub(super) fn op(code: i64) -> Result<Op, StoreError> {
    Op::from_code(code).ok_or_else(|| StoreError::Damaged("an unknown operation".into()))
}
