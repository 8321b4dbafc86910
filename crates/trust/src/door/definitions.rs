//! Search parameters that records define (`SearchParameter`): who may define them, and how they come into force.
//!
//! They are taken from what is stored, as a whole, when the data are opened and after each commit that changes some. So
//! it makes no difference how one was written, and what a crash left undone is done at the next start. Of two with the
//! same code on the same type the older counts.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard, PoisonError};

use ieum_fhir::json::{Document, Limits};
use ieum_fhir::search::custom::{CustomParam, Definition, read};
use ieum_fhir::search::{Query, Total};
use ieum_store::body::write_plain;
use ieum_store::commit::{Change, StoreError};
use ieum_store::custom::{IndexStep, IndexWork, admitted};
use ieum_store::sensitive::SensitiveCodes;

use super::{Door, DoorError};
use crate::access::Access;

/// The type of resource that defines search parameters.
pub const DEFINITION: &str = "SearchParameter";

/// Records read at a time.
const PAGE: usize = 500;

/// The ids of definitions that are changed.
pub(super) fn named(changes: &[Change]) -> Vec<String> {
    let keys = changes.iter().map(Change::key).filter(|(kind, _)| *kind == DEFINITION);
    keys.map(|(_, id)| id.to_owned()).collect()
}

/// The parameters that a stored body defines; what cannot be taken into service defines none.
fn params_of(id: &str, json: &[u8]) -> Vec<CustomParam> {
    let Ok(document) = Document::parse(json, &Limits::default()) else { return Vec::new() };
    match read(document.root()) {
        Ok(Definition::Custom(params)) => params,
        Ok(Definition::NotActive | Definition::BuiltIn) => Vec::new(),
        Err(issues) => {
            let places: Vec<&str> = issues.iter().map(|issue| issue.place.as_str()).collect();
            tracing::warn!(definition.id = id, places = ?places, "a search parameter is not taken into service");
            Vec::new()
        }
    }
}

/// Whether changes write definitions that are to be searched by.
pub(super) fn are_active(changes: &[Change]) -> bool {
    changes.iter().any(|change| match change {
        Change::Put { record, .. } if record.kind == DEFINITION => {
            let mut json = Vec::new();
            write_plain(&record.body, &record.kind, &record.id, &mut json);
            !params_of(&record.id, &json).is_empty()
        }
        _ => false,
    })
}

impl Door {
    /// Puts everything into force that is stored. To be called when the data are opened, before anything is written.
    ///
    /// # Errors
    /// [`StoreError`] when the store fails.
    pub fn define_all(&self) -> Result<(), StoreError> {
        let _turn = self.defining.lock().unwrap_or_else(PoisonError::into_inner);
        self.define_stored()
    }

    /// The same, in turn.
    fn define_stored(&self) -> Result<(), StoreError> {
        let view = self.view(&Access::system("definitions"))?;
        let query = Query { kind: DEFINITION.into(), total: Total::None, ..Query::default() };
        let mut params = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let page = view.search(&query, next.as_deref(), PAGE).map_err(|error| match error {
                DoorError::Store(error) => error,
                DoorError::Cursor(_) => StoreError::Engine("a page token of ours is not taken".into()),
            })?;
            for record in &page.records {
                params.extend(params_of(&record.id, &record.plain_json()));
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        drop(view);
        self.engine.define(&admitted(params))
    }

    /// Puts into force what a commit has changed, and lets the indexing go on that was stopped. Most definitions that are
    /// stored describe what R4 has, or are drafts, and change nothing. What goes wrong here is outstanding: the commit itself
    /// is durable.
    pub(super) fn take_definitions(&self, changed: &[String], are_active: bool) {
        if let Err(error) = self.take(changed, are_active) {
            tracing::error!(error = %error, "definitions of search parameters could not be put into force yet");
            self.outstanding().extend(changed.iter().cloned());
        }
    }

    /// Puts into force what could not be before. To be called again and again.
    ///
    /// # Errors
    /// [`StoreError`] when it still cannot be.
    pub fn take_outstanding(&self) -> Result<(), StoreError> {
        let changed: Vec<String> = std::mem::take(&mut *self.outstanding()).into_iter().collect();
        if changed.is_empty() {
            return Ok(());
        }
        let taken = self.take(&changed, true);
        if taken.is_err() {
            self.outstanding().extend(changed);
        }
        taken
    }

    fn outstanding(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, changed: &[String], are_active: bool) -> Result<(), StoreError> {
        let turn = self.defining.lock().unwrap_or_else(PoisonError::into_inner);
        let is_changed = |param: &Arc<CustomParam>| changed.contains(&param.resource);
        // Asked in turn: what another commit puts into force at this moment may be what this one takes away.
        if !are_active && !self.engine.catalogue().custom().any(is_changed) {
            return Ok(());
        }
        self.define_stored()?;
        drop(turn);
        for param in self.engine.catalogue().custom().filter(|param| is_changed(param)) {
            self.engine.halt_indexing(param.kind, &param.code, false)?;
        }
        Ok(())
    }

    /// Puts the codes into force that label records; those there already are labelled anew in the background.
    ///
    /// # Errors
    /// [`StoreError`]; then everything is as before.
    pub fn set_sensitive(&self, codes: SensitiveCodes) -> Result<(), StoreError> {
        self.engine.set_sensitive(&Arc::new(codes))
    }

    /// What is to be done in the background so that records can be searched by new parameters, and have the labels of
    /// other codes.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn index_work(&self) -> Result<Vec<IndexWork>, StoreError> {
        self.engine.index_work()
    }

    /// Does a part of it; see [`ieum_store::engine::Engine::index_some`]. Nothing of the records is shown.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn index_some(&self, work: &IndexWork, records: usize) -> Result<IndexStep, StoreError> {
        self.engine.index_some(work, records)
    }

    /// Leaves the indexing by a parameter where it is.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    pub fn stop_indexing(&self, kind: &str, code: &str) -> Result<(), StoreError> {
        self.engine.halt_indexing(kind, code, true)
    }
}
