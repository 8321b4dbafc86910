//! `_include` and `_revinclude`: records that go with a page.
//!
//! Written on the snapshot alone, so that every engine includes alike and nothing is included that the caller could
//! not read.

use std::collections::HashSet;

use ieum_fhir::index::{IndexValue, Target};
use ieum_fhir::search::{Filter, Include, Param, Query, ReferenceTest, Test};

use crate::access::AccessPlan;
use crate::catalogue::Catalogue;
use crate::commit::StoreError;
use crate::engine::{SearchRequest, Snapshot};
use crate::record::Record;

/// Records included with one page, at most. More is cut, and said so.
pub const MOST: usize = 1_000;
/// Rounds of `:iterate`, at most. More is cut, and said so.
const ROUNDS: usize = 32;

/// What goes with a page.
#[derive(Debug, Clone, Default)]
pub struct Included {
    /// The records, none of them on the page itself.
    pub records: Vec<Record>,
    /// True when there were more than [`MOST`], or than there was room for.
    pub cut: bool,
}

/// Finds what goes with `page`, of about so many bytes at most.
///
/// # Errors
/// [`StoreError`] when the engine fails.
pub fn included(
    snapshot: &dyn Snapshot,
    access: &AccessPlan,
    includes: &[Include],
    page: &[Record],
    bytes: usize,
) -> Result<Included, StoreError> {
    let (seen, included) = (HashSet::new(), Included::default());
    let mut finder =
        Finder { snapshot, access, catalogue: snapshot.catalogue(), seen, room: bytes, included };
    finder.seen.extend(page.iter().map(|record| (record.kind.clone(), record.id.clone())));
    let mut from = finder.round(includes.iter(), page)?;
    let iterating: Vec<&Include> = includes.iter().filter(|include| include.iterate).collect();
    for _ in 0..ROUNDS {
        if from.is_empty() || iterating.is_empty() || finder.included.cut {
            break;
        }
        from = finder.round(iterating.iter().copied(), &from)?;
    }
    finder.included.cut |= !from.is_empty() && !iterating.is_empty();
    Ok(finder.included)
}

struct Finder<'f> {
    snapshot: &'f dyn Snapshot,
    access: &'f AccessPlan,
    catalogue: &'f Catalogue,
    seen: HashSet<(String, String)>,
    /// Bytes that may still be added.
    room: usize,
    included: Included,
}

impl Finder<'_> {
    /// One step from some records; gives those that are new.
    fn round<'i>(
        &mut self,
        includes: impl Iterator<Item = &'i Include>,
        from: &[Record],
    ) -> Result<Vec<Record>, StoreError> {
        let start = self.included.records.len();
        for include in includes {
            if include.reverse { self.backward(include, from)? } else { self.forward(include, from)? }
        }
        Ok(self.included.records[start..].to_vec())
    }

    /// The records that these refer to.
    fn forward(&mut self, include: &Include, from: &[Record]) -> Result<(), StoreError> {
        for record in from.iter().filter(|record| record.kind == include.source) {
            for (kind, id) in self.references(record, &include.params)? {
                let wanted = include.target.as_ref().is_none_or(|target| *target == kind);
                if !wanted || self.seen.contains(&(kind.clone(), id.clone())) {
                    continue;
                }
                if self.included.cut {
                    return Ok(());
                }
                let target = self.snapshot.read(self.access, &kind, &id)?;
                if let Some(target) = target.filter(|target| !target.is_deleted()) {
                    self.add(target);
                }
            }
        }
        Ok(())
    }

    /// The records that refer to these.
    fn backward(&mut self, include: &Include, from: &[Record]) -> Result<(), StoreError> {
        let targets =
            from.iter().filter(|record| include.target.as_ref().is_none_or(|kind| *kind == record.kind));
        let local =
            |record: &Record| ReferenceTest::Local { kind: record.kind.clone(), id: record.id.clone() };
        let tests: Vec<Test> = targets.map(|record| Test::Reference(local(record))).collect();
        if tests.is_empty() {
            return Ok(());
        }
        for param in &include.params {
            let filters = vec![Filter::Any { param: param.clone(), tests: tests.clone() }];
            let query = Query { kind: include.source.clone(), filters, ..Query::default() };
            let request = SearchRequest { query: &query, after: None, backward: false, limit: MOST };
            let page = self.snapshot.search_within(self.access, &request, self.room)?;
            self.included.cut |= page.next.is_some();
            for record in page.records {
                if !self.seen.contains(&(record.kind.clone(), record.id.clone())) {
                    self.add(record);
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, record: Record) {
        if self.included.records.len() >= MOST || record.body.len() > self.room {
            self.included.cut = true;
            return;
        }
        self.room -= record.body.len();
        self.seen.insert((record.kind.clone(), record.id.clone()));
        self.included.records.push(record);
    }

    fn references(&self, record: &Record, params: &[Param]) -> Result<Vec<(String, String)>, StoreError> {
        let damaged = |what: &str| StoreError::Damaged(what.to_owned());
        let kind = self.catalogue.kind(&record.kind).ok_or_else(|| damaged("a record of an unknown kind"))?;
        let positions: Vec<usize> = params.iter().filter_map(|param| kind.param(&param.code)).collect();
        let indexed =
            self.catalogue.index_body(kind, &record.id, &record.body).map_err(|_| damaged("a body"))?;
        let values =
            indexed.values.into_iter().filter(|(position, _)| positions.contains(&usize::from(*position)));
        Ok(values
            .filter_map(|(_, value)| match value {
                IndexValue::Reference(Target::Local { kind, id }) => {
                    Some((kind.into_owned(), id.into_owned()))
                }
                _ => None,
            })
            .collect())
    }
}
