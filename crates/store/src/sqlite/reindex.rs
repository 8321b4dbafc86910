//! Making index rows anew when what a record is found by, or whose it is, means something else than when they were
//! written: a parameter was redefined, the hub got another address, or the program learnt to find more.
//!
//! All of it happens before anyone can ask, in one transaction: a crash on the way leaves the file as it was, and the
//! next start begins again.

use ieum_fhir::index::IndexValue;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::apply::{Applier, Current, Memory, unknown_kind};
use super::carried::{Carried, SEVERAL, SHARED};
use super::contained::{CONTAINED, Container};
use super::registry::{ChangedParam, EXTERNAL, facets};
use super::rows::RowSet;
use super::table::{TABLES, of_param};
use super::{Shared, custom, evidence, schema, words};
use crate::access::Family;
use crate::commit::StoreError;

/// Records whose rows are held in memory before they are written.
const BATCH: usize = 10_000;

/// Brings the indexes up to date.
pub(super) fn run(
    connection: &mut Connection,
    shared: &Shared,
    changed: &[ChangedParam],
) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known = schema::bases(&transaction)?;
    let needs_rebuild = schema::needs_rebuild(&transaction)?;
    if needs_rebuild || !changed.is_empty() || known != shared.catalogue.bases() {
        custom::distrust(&transaction, shared)?;
    }
    if needs_rebuild {
        everything(&transaction, shared)?;
        schema::rebuilt(&transaction)?;
    } else {
        parameters(&transaction, shared, changed)?;
        addresses(&transaction, shared, &known)?;
    }
    if known != shared.catalogue.bases() {
        schema::set_bases(&transaction, shared.catalogue.bases())?;
    }
    schema::end_reindexing(&transaction)?;
    transaction.commit()?;
    Ok(())
}

/// All rows of all records, and whose each record is.
fn everything(transaction: &Transaction<'_>, shared: &Shared) -> Result<(), StoreError> {
    for table in TABLES.into_iter().chain(["tokval", "unit", "rel", "rule"]) {
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
    }
    for table in words::TABLES {
        transaction.execute(&format!("INSERT INTO {table} ({table}) VALUES ('delete-all')"), [])?;
    }
    transaction.execute("DELETE FROM res WHERE op = ?1", [CONTAINED])?;
    for kind in shared.catalogue.kinds() {
        let Some(numbers) = shared.registry.kind(&kind.name) else { continue };
        if kind.family == Family::Clinical {
            // Older versions of what was taken for nobody's: their owners are not known, so nobody's they are not.
            let sql =
                "UPDATE ver SET pat = ?1 WHERE pat = ?2 AND rid IN (SELECT rid FROM res WHERE kind = ?3)";
            transaction.execute(sql, params![SEVERAL, SHARED, numbers.no])?;
            let sql = "UPDATE res SET pat = ?1 WHERE pat = ?2 AND kind = ?3 AND op = 3";
            transaction.execute(sql, params![SEVERAL, SHARED, numbers.no])?;
        }
        let mut after = 0;
        loop {
            let batch = ids_after(transaction, numbers.no, after)?;
            let Some((last, _)) = batch.last() else { break };
            tracing::info!(kind = kind.name, records = batch.len(), after, "indexing again");
            after = *last;
            let mut memory = Memory::default();
            let mut applier = Applier { connection: transaction, shared, memory: &mut memory };
            for (_, id) in &batch {
                applier.index_from_nothing(&kind.name, id)?;
            }
            applier.flush()?;
        }
    }
    Ok(())
}

/// The rows of parameters that mean something else now.
fn parameters(
    transaction: &Transaction<'_>,
    shared: &Shared,
    changed: &[ChangedParam],
) -> Result<(), StoreError> {
    let mut kinds: Vec<&str> = changed.iter().map(|param| param.kind.as_str()).collect();
    kinds.dedup();
    for kind in kinds {
        let Some(numbers) = shared.registry.kind(kind) else { continue };
        let tps: Vec<i64> = changed.iter().filter(|param| param.kind == kind).map(|param| param.tp).collect();
        tracing::info!(kind, parameters = tps.len(), "search parameters changed: indexing again");
        for tp in tps.iter().copied().flat_map(facets) {
            for table in TABLES {
                let sql = format!("DELETE FROM {table} WHERE {}", of_param(table));
                transaction.execute(&sql, params![tp])?;
            }
            transaction.execute("DELETE FROM tokval WHERE tp = ?1", params![tp])?;
        }
        let mut after = 0;
        loop {
            let batch = ids_after(transaction, numbers.no, after)?;
            let Some((last, _)) = batch.last() else { break };
            after = *last;
            let mut memory = Memory::default();
            let mut applier = Applier { connection: transaction, shared, memory: &mut memory };
            for (_, id) in &batch {
                applier.index_again(kind, id, &tps)?;
            }
            applier.flush()?;
        }
        let mut memory = Memory::default();
        let mut applier = Applier { connection: transaction, shared, memory: &mut memory };
        applier.index_contained_again(kind, &tps)?;
        applier.flush()?;
    }
    Ok(())
}

/// Records that refer to an address that was somebody else's and now is this hub's own.
fn addresses(transaction: &Transaction<'_>, shared: &Shared, known: &[String]) -> Result<(), StoreError> {
    let mut memory = Memory::default();
    for base in shared.catalogue.bases().iter().filter(|base| !known.contains(base)) {
        let base = base.trim_end_matches('/');
        let sql = "SELECT DISTINCT r.kind, id_text(r.id) FROM ref f JOIN res r ON r.rid = f.rid WHERE f.target IN \
                   (SELECT rid FROM idmap WHERE kind = ?1 AND id >= ?2 || '/' AND id < ?2 || '0') AND r.op IN (1, 2)";
        let mut statement = transaction.prepare(sql)?;
        let rows = statement.query_map(params![EXTERNAL, base], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let records: Vec<(i64, String)> = rows.collect::<Result<_, _>>()?;
        for (kind, id) in records {
            let kind = shared.registry.name(kind)?;
            let mut applier = Applier { connection: transaction, shared, memory: &mut memory };
            applier.index_as_before(kind, &id, known)?;
        }
        let mut applier = Applier { connection: transaction, shared, memory: &mut memory };
        applier.flush()?;
    }
    Ok(())
}

/// Some records of a kind, by number and id, in order.
fn ids_after(transaction: &Transaction<'_>, kind: i64, after: i64) -> Result<Vec<(i64, String)>, StoreError> {
    let sql = "SELECT rid, id_text(id) FROM res WHERE kind = ?1 AND op IN (1, 2) AND rid > ?2 ORDER BY rid LIMIT ?3";
    let mut statement = transaction.prepare_cached(sql)?;
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let rows = statement.query_map([kind, after, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Applier<'_> {
    /// Writes the rows of some parameters of a record anew, and what they say of its presence columns.
    pub(super) fn index_again(&mut self, kind: &str, id: &str, tps: &[i64]) -> Result<(), StoreError> {
        let Some(current) = self.current(kind, id)?.filter(Current::exists) else { return Ok(()) };
        let indexed = self.indexed(kind, id, &current, self.shared.catalogue.bases())?;
        self.index_values_again(kind, current.rid, &indexed.values, tps)
    }

    /// The same for a row of `res` with these values.
    pub(super) fn index_values_again(
        &mut self,
        kind: &str,
        rid: i64,
        values: &[(u16, IndexValue<'_>)],
        tps: &[i64],
    ) -> Result<(), StoreError> {
        let all = self.all_rows_of(kind, rid, values)?;
        let sql = "UPDATE res SET present = ?2, present_high = ?3, vals = ?4 WHERE rid = ?1";
        self.connection.prepare_cached(sql)?.execute(params![rid, all.present.0, all.present.1, all.vals])?;
        let numbers = self.shared.registry.kind(kind).ok_or_else(unknown_kind)?;
        let is_named = |position: u16| tps.contains(&numbers.tp[usize::from(position)]);
        let named: Vec<_> = values.iter().filter(|(position, _)| is_named(*position)).cloned().collect();
        let rows = self.all_rows_of(kind, rid, &named)?;
        self.memory.pending.insert(rows);
        Ok(())
    }

    /// Writes all rows of a record of which there are none, and whose it is.
    pub(super) fn index_from_nothing(&mut self, kind: &str, id: &str) -> Result<(), StoreError> {
        let Some(current) = self.current(kind, id)?.filter(Current::exists) else { return Ok(()) };
        let indexed = self.indexed(kind, id, &current, self.shared.catalogue.bases())?;
        let rows = self.rows_of(kind, current.rid, &indexed.values)?;
        // Who made it stays, whomever it names.
        let by = (None, current.carried.org);
        let carried = self.carried(kind, current.rid, current.version, &indexed, by)?;
        self.carry(current.rid, carried, &rows)?;
        self.add_evidence(current.rid, carried.org, &indexed.facts)?;
        self.memory.pending.insert(rows);
        self.add_contained(Container { carried, ..current.container() }, &indexed.contained)?;
        let text = self.text(kind, id, &current)?;
        words::insert(self.connection, &mut self.memory.given.dict, current.rid, &text)
    }

    /// Writes a record's rows anew that were written when the hub had only the addresses `before`.
    pub(super) fn index_as_before(
        &mut self,
        kind: &str,
        id: &str,
        before: &[String],
    ) -> Result<(), StoreError> {
        let Some(current) = self.current(kind, id)?.filter(Current::exists) else { return Ok(()) };
        let before = self.indexed(kind, id, &current, before)?;
        let old = self.rows_of(kind, current.rid, &before.values)?;
        let indexed = self.indexed(kind, id, &current, self.shared.catalogue.bases())?;
        let rows = self.rows_of(kind, current.rid, &indexed.values)?;
        // Who made it stays, whomever it names.
        let by = (None, current.carried.org);
        let carried = self.carried(kind, current.rid, current.version, &indexed, by)?;
        self.carry(current.rid, carried, &rows)?;
        evidence::remove(self.connection, current.rid)?;
        self.add_evidence(current.rid, carried.org, &indexed.facts)?;
        self.memory.pending.replace(&old, rows);
        self.remove_contained(current.rid, &before.contained)?;
        self.add_contained(Container { carried, ..current.container() }, &indexed.contained)
    }

    /// Changes whose a record is and what it has, without a new version.
    fn carry(&self, rid: i64, carried: Carried, rows: &RowSet) -> Result<(), StoreError> {
        let sql = "UPDATE res SET pat = ?2, mask = ?3, d = ?4, org = ?5, enc = ?6, dept = ?7, present = ?8, \
                   present_high = ?9, vals = ?10 WHERE rid = ?1";
        let Carried { pat, mask, d, org, enc, dept } = carried;
        let values = params![rid, pat, mask, d, org, enc, dept, rows.present.0, rows.present.1, rows.vals];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }
}
