//! Conditional references (`Patient?identifier=…`), resolved last as R4 says (`http.html#trules`): each means the one
//! record that matches in the state after the transaction, be it an old one or one that the transaction writes.

use std::collections::{HashMap, HashSet};

use axum::http::StatusCode;
use ieum_fhir::definitions::r4;
use ieum_fhir::outcome::Code;
use ieum_fhir::search::{Filter, Param, Query, Test, passes};
use ieum_store::catalogue::KindDef;
use ieum_store::commit::Guard;
use ieum_store::prepare::Indexed;
use ieum_trust::door::View;

use super::super::bundle::Entry;
use super::super::conditional::{self, Found, Stumble};
use super::super::error;
use super::Fate;
use super::references::References;
use crate::authorization::scope;
use crate::call::{Call, Failure};

/// How often at most a written record is held against criteria, in one transaction.
const COMPARISONS: usize = 10_000_000;

/// Looks up conditional references, each once.
pub(super) struct Conditional<'c> {
    call: &'c Call<'c>,
    view: &'c View<'c>,
    entries: &'c [&'c Entry<'c>],
    fates: &'c [Fate],
    guards: &'c mut Vec<Guard>,
    /// Records written or deleted, whose state before no longer counts.
    touched: HashSet<(&'c str, &'c str)>,
    /// What the transaction writes, by kind, as far as it has been asked for.
    written: HashMap<String, Vec<(String, Indexed)>>,
    comparisons: usize,
    known: HashMap<String, String>,
}

impl<'c> Conditional<'c> {
    /// For one attempt at a transaction.
    pub(super) fn new(
        call: &'c Call<'c>,
        view: &'c View<'c>,
        entries: &'c [&'c Entry<'c>],
        fates: &'c [Fate],
        guards: &'c mut Vec<Guard>,
    ) -> Self {
        let touched = entries.iter().zip(fates).filter_map(|(entry, fate)| match fate {
            Fate::Put { id, .. } | Fate::Patched { id, .. } | Fate::Delete { id: Some(id), .. } => {
                Some((entry.place.kind.as_str(), id.as_str()))
            }
            _ => None,
        });
        let touched = touched.collect();
        let (written, known) = (HashMap::new(), HashMap::new());
        Self { call, view, entries, fates, guards, touched, written, comparisons: 0, known }
    }

    /// What a text in `entry` means, if it is a conditional reference. `resolved` has all other references.
    ///
    /// # Errors
    /// 412 when it does not mean exactly one record; 400 when it cannot be told.
    pub(super) fn target(
        &mut self,
        entry: &Entry<'_>,
        text: &str,
        resolved: &References,
    ) -> Result<Option<String>, Stumble> {
        let Some((kind, criteria)) = text.split_once('?').filter(|(kind, _)| r4().is_resource(kind)) else {
            return Ok(None);
        };
        if let Some(known) = self.known.get(text) {
            return Ok(Some(known.clone()));
        }
        let refuse = |failure: Failure| Stumble::Failed(failure.under(&entry.name()));
        scope::check_search(self.call, kind, criteria).map_err(refuse)?;
        let query = conditional::criteria_in(self.call, self.view, kind, criteria).map_err(refuse)?;
        let (found, guard) = conditional::find(self.view, &query)?;
        let mut matching = self.matching(&query, resolved).map_err(refuse)?;
        match found {
            // Which of them are left after the transaction could change until the commit without the guard noticing.
            Found::Several => return Err(refuse(error::multiple_matches())),
            Found::One(id) if !self.touched.contains(&(kind, id.as_str())) => matching.push(id),
            Found::One(_) | Found::None => {}
        }
        let id = match matching.as_slice() {
            [id] => id,
            [] => return Err(refuse(unmatched())),
            _ => return Err(refuse(error::multiple_matches())),
        };
        self.guards.push(guard);
        let target = format!("{kind}/{id}");
        self.known.insert(text.to_owned(), target.clone());
        Ok(Some(target))
    }

    /// The ids of records that the transaction writes and that match.
    fn matching(&mut self, query: &Query, resolved: &References) -> Result<Vec<String>, Failure> {
        let kind = self.call.kinds.catalogue().kind(&query.kind).ok_or_else(error::unknown_type)?;
        if !self.written.contains_key(&query.kind) {
            let written = self.prepared(kind, resolved)?;
            self.written.insert(query.kind.clone(), written);
        }
        let written = self.written.get(&query.kind).map(Vec::as_slice).unwrap_or_default();
        self.comparisons = self.comparisons.saturating_add(written.len() * query.filters.len());
        if self.comparisons > COMPARISONS {
            let what =
                "too many conditional references to types that the transaction writes; refer by fullUrl";
            return Err(error::bad(Code::SearchTooCostly, what));
        }
        let mut ids = Vec::new();
        for (id, indexed) in written {
            match holds_all(kind, id, indexed, &query.filters) {
                Some(true) => ids.push(id.clone()),
                Some(false) => {}
                None => {
                    let what = "criteria about other records cannot be used for a type that the transaction \
                                writes; refer to entries by fullUrl";
                    return Err(error::bad(Code::SearchNotSupported, what));
                }
            }
        }
        Ok(ids)
    }

    /// What the records of a kind that are written will be found by.
    fn prepared(&self, kind: &KindDef, resolved: &References) -> Result<Vec<(String, Indexed)>, Failure> {
        let catalogue = self.call.kinds.catalogue();
        let of_kind = self.entries.iter().zip(self.fates).filter(|(entry, _)| entry.place.kind == kind.name);
        let mut prepared = Vec::new();
        for (entry, fate) in of_kind {
            match (fate, entry.resource) {
                (Fate::Put { id, .. }, Some(resource)) => {
                    let record =
                        catalogue.prepare(kind, id, resource, &mut |value| resolved.replacement(value));
                    prepared.push((id.clone(), record.indexed));
                }
                (Fate::Patched { id, json, validation, .. }, _) => {
                    let record = resolved.prepare_patched(self.call, kind, id, json, validation)?;
                    prepared.push((id.clone(), record.indexed));
                }
                _ => {}
            }
        }
        Ok(prepared)
    }
}

fn unmatched() -> Failure {
    let what =
        "a conditional reference must match one record that is there after the transaction; create it first";
    error::failure(StatusCode::PRECONDITION_FAILED, Code::ReferenceUnmatched, what)
}

/// Whether a record fulfils all conditions; `None` when that depends on other records.
fn holds_all(kind: &KindDef, id: &str, indexed: &Indexed, filters: &[Filter]) -> Option<bool> {
    let mut is_certain = true;
    for filter in filters {
        match holds(kind, id, indexed, filter) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => is_certain = false,
        }
    }
    is_certain.then_some(true)
}

fn holds(kind: &KindDef, id: &str, indexed: &Indexed, filter: &Filter) -> Option<bool> {
    let values = |param: &Param| {
        let position = kind.param(&param.code);
        let values = indexed.values.iter();
        values.filter(move |(place, _)| Some(usize::from(*place)) == position).map(|(_, value)| value)
    };
    let passes_any = |param: &Param, tests: &[Test]| {
        // References may themselves be conditional, and not be resolved yet.
        let is_alone = !tests.iter().any(|test| matches!(test, Test::Reference(_)));
        is_alone.then(|| values(param).any(|value| tests.iter().any(|test| passes(test, value))))
    };
    match filter {
        Filter::Any { param, tests } => passes_any(param, tests),
        Filter::None { param, tests } => passes_any(param, tests).map(|passes| !passes),
        Filter::Missing { param, missing } => Some(values(param).next().is_none() == *missing),
        Filter::Id(ids) => Some(ids.iter().any(|asked| asked == id)),
        _ => None,
    }
}
