//! Numbers for kinds and parameters, kept in the file so that they outlive any list in the program.

use std::collections::HashMap;

use ieum_fhir::index::Facet;
use rusqlite::{Connection, params};

use super::schema;
use crate::catalogue::Catalogue;
use crate::commit::StoreError;

/// Numbers per kind; a parameter's number is `kind * PER_KIND + place`.
const PER_KIND: i64 = 4096;

/// Parameters per kind without their facets.
const PER_FACET: i64 = 1024;

/// Places that fit the two presence columns of `res`.
const PRESENCE_BITS: i64 = 126;

/// The number of the pseudo kind under which references to other servers are kept.
pub(super) const EXTERNAL: i64 = 0;

/// Numbers of all kinds and parameters of the catalogue.
#[derive(Debug)]
pub(super) struct Registry {
    by_name: HashMap<String, usize>,
    kinds: Vec<KindNumbers>,
    names: HashMap<i64, String>,
}

/// The numbers of one kind.
#[derive(Debug)]
pub(super) struct KindNumbers {
    pub(super) no: i64,
    /// Parameter numbers, in the order of the catalogue.
    pub(super) tp: Vec<i64>,
}

/// A parameter whose index rows must be made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChangedParam {
    pub(super) kind: String,
    pub(super) tp: i64,
}

impl Registry {
    /// Reads the numbers, gives new ones to what is new, and tells which parameters now mean something else.
    pub(super) fn load(
        connection: &mut Connection,
        catalogue: &Catalogue,
    ) -> Result<(Self, Vec<ChangedParam>), StoreError> {
        let transaction = connection.transaction()?;
        let mut registry = Self { by_name: HashMap::new(), kinds: Vec::new(), names: HashMap::new() };
        let mut changed = Vec::new();
        // Which ones had changed nobody knows any more when the indexing did not come to its end.
        if schema::is_reindexing(&transaction)? {
            schema::ask_for_rebuild(&transaction)?;
        }
        for kind in catalogue.kinds() {
            transaction
                .prepare_cached("INSERT INTO kind (name) VALUES (?1) ON CONFLICT DO NOTHING")?
                .execute(params![kind.name])?;
            let no: i64 = transaction
                .prepare_cached("SELECT no FROM kind WHERE name = ?1")?
                .query_row(params![kind.name], |row| row.get(0))?;
            let mut known = known_params(&transaction, no)?;
            let mut tp = Vec::with_capacity(kind.params.len());
            let mut next = known.values().map(|(tp, _)| tp + 1).max().unwrap_or(no * PER_KIND);
            for param in &kind.params {
                let number = match known.remove(&param.code) {
                    Some((number, definition)) if definition == param.definition => number,
                    other => {
                        let number = other.map_or(next, |(number, _)| number);
                        next = next.max(number + 1);
                        transaction
                            .prepare_cached("INSERT OR REPLACE INTO param VALUES (?1, ?2, ?3, ?4)")?
                            .execute(params![number, no, param.code, param.definition])?;
                        changed.push(ChangedParam { kind: kind.name.clone(), tp: number });
                        number
                    }
                };
                tp.push(number);
            }
            registry.names.insert(no, kind.name.clone());
            registry.by_name.insert(kind.name.clone(), registry.kinds.len());
            registry.kinds.push(KindNumbers { no, tp });
        }
        if !changed.is_empty() {
            schema::begin_reindexing(&transaction)?;
        }
        transaction.commit()?;
        Ok((registry, changed))
    }

    /// The numbers as they are; every parameter of the catalogue must have one.
    pub(super) fn read(connection: &Connection, catalogue: &Catalogue) -> Result<Self, StoreError> {
        let missing = || StoreError::Engine("a parameter without number".into());
        let mut registry = Self { by_name: HashMap::new(), kinds: Vec::new(), names: HashMap::new() };
        for kind in catalogue.kinds() {
            let no: i64 = connection
                .prepare_cached("SELECT no FROM kind WHERE name = ?1")?
                .query_row(params![kind.name], |row| row.get(0))?;
            let known = known_params(connection, no)?;
            let number = |code: &String| known.get(code).map(|(tp, _)| *tp).ok_or_else(missing);
            let tp = kind.params.iter().map(|param| number(&param.code)).collect::<Result<_, _>>()?;
            registry.names.insert(no, kind.name.clone());
            registry.by_name.insert(kind.name.clone(), registry.kinds.len());
            registry.kinds.push(KindNumbers { no, tp });
        }
        Ok(registry)
    }

    /// The numbers of a kind.
    pub(super) fn kind(&self, name: &str) -> Option<&KindNumbers> {
        self.by_name.get(name).map(|&index| &self.kinds[index])
    }

    /// The name of a kind.
    pub(super) fn name(&self, no: i64) -> Result<&str, StoreError> {
        let unknown = || StoreError::Damaged("a record of a kind this program does not know".into());
        self.names.get(&no).map(String::as_str).ok_or_else(unknown)
    }
}

fn known_params(connection: &Connection, kind: i64) -> Result<HashMap<String, (i64, String)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT code, tp, definition FROM param WHERE kind = ?1")?;
    let rows = statement.query_map(params![kind], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The number under which values of one facet of a parameter are kept. Facets that no parameter has both of share one.
pub(super) fn facet(tp: i64, facet: Facet) -> i64 {
    tp + PER_FACET
        * match facet {
            Facet::Value => 0,
            Facet::Text | Facet::Identifier | Facet::Canonical => 1,
            Facet::OfType => 2,
        }
}

/// All numbers under which values of a parameter are kept.
pub(super) fn facets(tp: i64) -> [i64; 3] {
    [tp, tp + PER_FACET, tp + 2 * PER_FACET]
}

/// The place of a parameter's facet within its kind.
pub(super) fn place(tp: i64) -> u64 {
    (tp % PER_KIND).cast_unsigned()
}

/// The number of the kind to which a parameter belongs.
pub(super) fn kind_of(tp: i64) -> i64 {
    tp / PER_KIND
}

/// The numbers of a kind whose parameters have a bit in the presence columns.
pub(super) fn with_presence(kind: i64) -> std::ops::Range<i64> {
    kind * PER_KIND..kind * PER_KIND + PRESENCE_BITS
}

/// The bit of a parameter in the two presence columns, as (low, high); none when it does not fit.
pub(super) fn presence(tp: i64) -> Option<(i64, i64)> {
    let place = tp % PER_KIND;
    match place {
        0..63 => Some((1 << place, 0)),
        63..PRESENCE_BITS => Some((0, 1 << (place - 63))),
        _ => None,
    }
}
