//! Resources inside others (`_contained`): each has a row in `res` and index rows of its own, and goes with its container.

use ieum_fhir::index::ContainedValues;
use rusqlite::params;

use super::apply::{Applier, Current};
use super::carried::Carried;
use super::to_i64;
use crate::commit::StoreError;

/// `op` of a resource inside another.
pub(super) const CONTAINED: i64 = 4;

/// What a contained resource shares with its container.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container {
    pub(super) rid: i64,
    pub(super) version: u64,
    pub(super) t: i64,
    pub(super) t0: i64,
    pub(super) carried: Carried,
}

impl Applier<'_> {
    /// Adds the contained resources of a record that has none there.
    pub(super) fn add_contained(
        &mut self,
        container: Container,
        contained: &[ContainedValues<'_>],
    ) -> Result<(), StoreError> {
        let Carried { pat, mask, d, org, enc, .. } = container.carried;
        for (part, inner) in (1_i64..).zip(contained) {
            let Some(kind) = self.shared.registry.kind(inner.kind) else { continue };
            let rid = self.memory.given.ids.next(self.connection)?;
            let rows = self.rows_of(inner.kind, rid, &inner.values)?;
            let sql = "INSERT INTO res (rid, kind, id, ver, t, t0, op, pat, mask, d, org, enc, present, present_high, \
                       container, part, vals, codec, body) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, 0, x'')";
            self.connection.prepare_cached(sql)?.execute(params![
                rid,
                kind.no,
                inner.id,
                to_i64(container.version),
                container.t,
                container.t0,
                CONTAINED,
                pat,
                mask,
                d,
                org,
                enc,
                rows.present.0,
                rows.present.1,
                container.rid,
                part,
                rows.vals,
            ])?;
            self.memory.pending.insert(rows);
        }
        Ok(())
    }

    /// Removes the contained resources of a record, which were these.
    pub(super) fn remove_contained(
        &mut self,
        container: i64,
        contained: &[ContainedValues<'_>],
    ) -> Result<(), StoreError> {
        if contained.is_empty() {
            return Ok(());
        }
        for (rid, inner) in self.contained_rids(container)?.into_iter().zip(contained) {
            let rows = self.rows_of(inner.kind, rid, &inner.values)?;
            self.memory.pending.delete(rows);
        }
        self.connection
            .prepare_cached("DELETE FROM res WHERE container = ?1")?
            .execute(params![container])?;
        Ok(())
    }

    /// Leaves the contained resources as they are in a new version of their container.
    pub(super) fn keep_contained(&self, container: Container) -> Result<(), StoreError> {
        let Container { rid, version, t, carried, .. } = container;
        let Carried { pat, mask, d, org, enc, .. } = carried;
        let sql = "UPDATE res SET ver = ?2, t = ?3, pat = ?4, mask = ?5, d = ?6, org = ?7, enc = ?8 WHERE container = ?1";
        let values = params![rid, to_i64(version), t, pat, mask, d, org, enc];
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Writes the rows of some parameters of contained resources of a kind anew.
    pub(super) fn index_contained_again(&mut self, kind: &str, tps: &[i64]) -> Result<(), StoreError> {
        let Some(numbers) = self.shared.registry.kind(kind) else { return Ok(()) };
        let sql = "SELECT DISTINCT c.kind, id_text(c.id) FROM res r JOIN res c ON c.rid = r.container \
                   WHERE r.kind = ?1 AND r.op = ?2";
        let containers: Vec<(i64, String)> = {
            let mut statement = self.connection.prepare_cached(sql)?;
            let rows =
                statement.query_map(params![numbers.no, CONTAINED], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        for (container, id) in containers {
            let name = self.shared.registry.name(container)?.to_owned();
            let Some(current) = self.current(&name, &id)?.filter(Current::exists) else { continue };
            let indexed = self.indexed(&name, &id, &current, self.shared.catalogue.bases())?;
            for (rid, inner) in self.contained_rids(current.rid)?.into_iter().zip(indexed.contained) {
                if inner.kind == kind {
                    self.index_values_again(kind, rid, &inner.values, tps)?;
                }
            }
        }
        Ok(())
    }

    /// In the order in which they stand in their container.
    fn contained_rids(&self, container: i64) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT rid FROM res WHERE container = ?1 ORDER BY part";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![container], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
