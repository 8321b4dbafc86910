//! What stands in a record's row for access: whose it is, its labels, its main date, who made it and where.

use rusqlite::params;

use super::apply::{Applier, unknown_kind};
use super::to_i64;
use crate::access::{Family, day};
use crate::commit::StoreError;
use crate::prepare::Indexed;

/// `pat` of a record that is nobody's.
pub(super) const SHARED: i64 = 0;
/// `pat` of a clinical record of several patients, or of none; see `comp`.
pub(super) const SEVERAL: i64 = -1;
/// `pat` of the system's own records.
pub(super) const SYSTEM: i64 = -2;

/// The columns of `res` that access looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Carried {
    /// Whose it is: the number of the patient, or one of the constants above.
    pub(super) pat: i64,
    /// Sensitivity bits.
    pub(super) mask: i64,
    /// The day of the main date.
    pub(super) d: Option<i64>,
    /// The institution that made it: the number of the one that wrote it, or less than zero, of the one that the record
    /// names, which the hub wrote; 0 when that is not known.
    pub(super) org: i64,
    /// The encounter it belongs to; 0 for none.
    pub(super) enc: i64,
    /// Of an encounter, the department; 0 for none.
    pub(super) dept: i64,
}

impl Applier<'_> {
    /// The columns for a version with these values. The institution is the one that writes, if one does; where the hub
    /// writes, the one that wrote before, else the one that the record names.
    pub(super) fn carried(
        &mut self,
        kind: &str,
        rid: i64,
        version: u64,
        indexed: &Indexed,
        (writer, before): (Option<i64>, i64),
    ) -> Result<Carried, StoreError> {
        let family = self.shared.catalogue.kind(kind).ok_or_else(unknown_kind)?.family;
        let pat = match (family, indexed.patients.as_slice()) {
            (Family::System, _) => SYSTEM,
            (Family::Shared, _) => SHARED,
            (Family::Clinical, [one]) => self.mentioned("Patient", one)?,
            (Family::Clinical, several) => {
                for owner in several {
                    let owner = self.mentioned("Patient", owner)?;
                    let sql = "INSERT OR IGNORE INTO comp (owner, rid, ver) VALUES (?1, ?2, ?3)";
                    self.connection.prepare_cached(sql)?.execute(params![owner, rid, to_i64(version)])?;
                }
                SEVERAL
            }
        };
        let facts = &indexed.facts;
        let named = facts.institution.as_deref().map(|id| self.institution(id)).transpose()?;
        let org = match (family, writer, named) {
            (Family::Shared | Family::System, ..) => 0,
            (_, Some(writer), _) if writer != before.abs() => writer,
            (_, None, Some(named)) if before <= 0 => -named,
            _ => before,
        };
        let enc = match &facts.encounter {
            Some(_) if kind == "Encounter" => rid,
            Some(id) => self.mentioned("Encounter", id)?,
            None => 0,
        };
        let dept = match &facts.department {
            Some(code) => self.memory.given.dict.number(self.connection, code)?,
            None => 0,
        };
        let d = indexed.main_date.map(day);
        Ok(Carried { pat, mask: i64::from(indexed.mask), d, org, enc, dept })
    }

    /// The number of an institution.
    pub(super) fn institution(&mut self, id: &str) -> Result<i64, StoreError> {
        self.mentioned("Organization", id)
    }

    /// The number of a record that is mentioned.
    pub(super) fn mentioned(&mut self, kind: &str, id: &str) -> Result<i64, StoreError> {
        let kind = self.kind_no(kind)?;
        self.memory.given.ids.mentioned(self.connection, kind, id)
    }
}
