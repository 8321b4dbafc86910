//! An engine that does not do some things when it is told so, as a store under load or on a failing disk would.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ieum_fhir::search::Query;
use ieum_fhir::search::custom::CustomParam;
use ieum_store::access::{AccessPlan, Proof};
use ieum_store::catalogue::Catalogue;
use ieum_store::commit::{CommitError, CommitRequest, Committed, StoreError};
use ieum_store::custom::{IndexStep, IndexWork};
use ieum_store::engine::{
    AsOfPage, AsOfRequest, AuditEntry, CompartmentPage, CompartmentRequest, Engine, FeedEntry, HistoryPage,
    HistoryRequest, KeysPage, KeysRequest, PlacesPage, SearchPage, SearchRequest, Snapshot, StoredAuditEntry,
};
use ieum_store::record::Record;
use ieum_store::sensitive::SensitiveCodes;

/// What does not work at the moment.
#[derive(Default)]
pub(crate) struct Failing {
    /// Putting search parameters into force.
    pub(crate) define: AtomicBool,
    /// Searching for ValueSets.
    pub(crate) value_sets: AtomicBool,
    /// Reading the feed.
    pub(crate) feed: AtomicBool,
}

impl Failing {
    pub(crate) fn set(what: &AtomicBool, fails: bool) {
        what.store(fails, Ordering::SeqCst);
    }

    fn check(what: &AtomicBool) -> Result<(), StoreError> {
        if what.load(Ordering::SeqCst) { Err(StoreError::TooSlow { limit_seconds: 1 }) } else { Ok(()) }
    }
}

pub(super) struct Unreliable {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) failing: Arc<Failing>,
}

impl Engine for Unreliable {
    fn commit(&self, request: CommitRequest) -> Result<Committed, CommitError> {
        self.engine.commit(request)
    }
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError> {
        let failing = Arc::clone(&self.failing);
        Ok(Box::new(View { snapshot: self.engine.snapshot()?, failing }))
    }
    fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        self.engine.audit(entry)
    }
    fn set_follower(&self, name: &str, t: u64) -> Result<(), StoreError> {
        self.engine.set_follower(name, t)
    }
    fn catalogue(&self) -> Arc<Catalogue> {
        self.engine.catalogue()
    }
    fn define(&self, params: &[Arc<CustomParam>]) -> Result<(), StoreError> {
        Failing::check(&self.failing.define)?;
        self.engine.define(params)
    }
    fn set_sensitive(&self, codes: &Arc<SensitiveCodes>) -> Result<(), StoreError> {
        self.engine.set_sensitive(codes)
    }

    fn index_work(&self) -> Result<Vec<IndexWork>, StoreError> {
        self.engine.index_work()
    }
    fn index_some(&self, work: &IndexWork, records: usize) -> Result<IndexStep, StoreError> {
        self.engine.index_some(work, records)
    }
    fn halt_indexing(&self, kind: &str, code: &str, halt: bool) -> Result<(), StoreError> {
        self.engine.halt_indexing(kind, code, halt)
    }
}

struct View<'s> {
    snapshot: Box<dyn Snapshot + 's>,
    failing: Arc<Failing>,
}

impl Snapshot for View<'_> {
    fn t(&self) -> u64 {
        self.snapshot.t()
    }
    fn catalogue(&self) -> &Catalogue {
        self.snapshot.catalogue()
    }
    fn instant(&self) -> Result<i64, StoreError> {
        self.snapshot.instant()
    }
    fn read(&self, access: &AccessPlan, kind: &str, id: &str) -> Result<Option<Record>, StoreError> {
        self.snapshot.read(access, kind, id)
    }
    fn read_version(
        &self,
        access: &AccessPlan,
        kind: &str,
        id: &str,
        version: u64,
    ) -> Result<Option<Record>, StoreError> {
        self.snapshot.read_version(access, kind, id, version)
    }
    fn history(&self, access: &AccessPlan, request: &HistoryRequest<'_>) -> Result<HistoryPage, StoreError> {
        self.snapshot.history(access, request)
    }
    fn search(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Result<SearchPage, StoreError> {
        if request.query.kind == "ValueSet" {
            Failing::check(&self.failing.value_sets)?;
        }
        self.snapshot.search(access, request)
    }
    fn places(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Result<PlacesPage, StoreError> {
        self.snapshot.places(access, request)
    }
    fn count(&self, access: &AccessPlan, query: &Query) -> Result<u64, StoreError> {
        self.snapshot.count(access, query)
    }
    fn compartment(
        &self,
        access: &AccessPlan,
        request: &CompartmentRequest<'_>,
    ) -> Result<CompartmentPage, StoreError> {
        self.snapshot.compartment(access, request)
    }
    fn as_of(&self, access: &AccessPlan, request: &AsOfRequest<'_>) -> Result<AsOfPage, StoreError> {
        self.snapshot.as_of(access, request)
    }
    fn keys(&self, access: &AccessPlan, request: &KeysRequest<'_>) -> Result<KeysPage, StoreError> {
        self.snapshot.keys(access, request)
    }
    fn feed(&self, access: &AccessPlan, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError> {
        Failing::check(&self.failing.feed)?;
        self.snapshot.feed(access, after, limit)
    }
    fn follower(&self, name: &str) -> Result<u64, StoreError> {
        self.snapshot.follower(name)
    }
    fn audit_entries(&self, before: Option<u64>, limit: usize) -> Result<Vec<StoredAuditEntry>, StoreError> {
        self.snapshot.audit_entries(before, limit)
    }
    fn relations(&self, access: &AccessPlan, patient: &str) -> Result<Vec<Proof>, StoreError> {
        self.snapshot.relations(access, patient)
    }

    fn census(&self, access: &AccessPlan) -> Result<Vec<(String, u64)>, StoreError> {
        self.snapshot.census(access)
    }
}
