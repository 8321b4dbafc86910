//! A snapshot of the file, and everything that can be read from it.

use std::sync::Arc;

use ieum_fhir::search::Query;
use rusqlite::{OptionalExtension, params, params_from_iter};

use super::carried::SEVERAL;
use super::connection::{Reader, ReaderPool};
use super::search::{self, Sql, json_numbers};
use super::visible::Scope;
use super::{Current, Shared, audit, evidence, history, newest_t, past, read, to_u64};
use crate::access::{AccessPlan, Proof};
use crate::catalogue::Catalogue;
use crate::commit::StoreError;
use crate::engine::{
    AsOfPage, AsOfRequest, CompartmentPage, CompartmentRequest, FeedEntry, HistoryPage, HistoryRequest,
    KeysPage, KeysRequest, PlacesPage, SearchPage, SearchRequest, Snapshot, StoredAuditEntry,
};
use crate::record::{Op, Record};

impl Scope<'_> {
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

    fn relations(&self, access: &AccessPlan, patient: &str) -> Result<Vec<Proof>, StoreError> {
        evidence::relations(&self.scope(access)?, patient)
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
