//! The one interface to stored records. Engines: [`crate::sqlite`], and [`crate::memory`], the oracle.

use std::sync::Arc;

use ieum_fhir::search::Query;
use ieum_fhir::search::custom::CustomParam;

use crate::access::{AccessPlan, Proof};
use crate::bounded;
use crate::catalogue::Catalogue;
use crate::commit::{CommitError, CommitRequest, Committed, StoreError};
use crate::custom::{IndexStep, IndexWork};
use crate::record::{Op, Record};
use crate::sensitive::SensitiveCodes;

mod page;

pub use page::*;

/// A place where records live. All engines pass the same conformance suite.
pub trait Engine: Send + Sync {
    /// Makes the commit durable and visible, then answers. May share its disk write with other waiting commits.
    ///
    /// # Errors
    /// [`CommitError`]; then nothing of the request has happened.
    fn commit(&self, request: CommitRequest) -> Result<Committed, CommitError>;

    /// An unchanging view of everything committed so far.
    ///
    /// # Errors
    /// [`StoreError`] when the engine cannot serve.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, StoreError>;

    /// Writes an audit entry that belongs to no commit (a refusal, an attempt); durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be made durable.
    fn audit(&self, entry: &AuditEntry) -> Result<(), StoreError>;

    /// Remembers how far a follower of the feed has come; durable when it returns. One that is at 0, as everybody is who has
    /// not begun, is forgotten.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be made durable.
    fn set_follower(&self, name: &str, t: u64) -> Result<(), StoreError>;

    /// The catalogue in force.
    fn catalogue(&self) -> Arc<Catalogue>;

    /// Puts these search parameters into force, and takes all others away that are not built in. New ones, and those
    /// that mean something else now, cannot be searched by until [`Engine::index_some`] has done what
    /// [`Engine::index_work`] tells. Nothing happens to those that are as they were. An engine that is opened knows none
    /// until this has been called: call it before anything is written.
    ///
    /// # Errors
    /// [`StoreError`]; then everything is as before.
    fn define(&self, params: &[Arc<CustomParam>]) -> Result<(), StoreError>;

    /// Puts other sensitive codes into force, unless they are the same: what is written from now on is labelled by them, all
    /// that is there in the background ([`Engine::index_some`]). They stay in force when the engine is opened again.
    ///
    /// # Errors
    /// [`StoreError`]; then everything is as before.
    fn set_sensitive(&self, codes: &Arc<SensitiveCodes>) -> Result<(), StoreError>;

    /// What is to be done in the background.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn index_work(&self) -> Result<Vec<IndexWork>, StoreError>;

    /// Does a part of it, of about so many records; durable when it returns. Work that is done, stopped or unknown is
    /// finished.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of the part is done.
    fn index_some(&self, work: &IndexWork, records: usize) -> Result<IndexStep, StoreError>;

    /// Leaves the indexing by a parameter where it is, so that it is no work any more, or lets it go on. What is not
    /// being indexed stays as it is.
    ///
    /// # Errors
    /// [`StoreError`] when that could not be made durable.
    fn halt_indexing(&self, kind: &str, code: &str, halt: bool) -> Result<(), StoreError>;
}

/// A consistent view for reading. Hold it briefly: a view kept open keeps old pages on disk.
pub trait Snapshot {
    /// The newest commit in this view; 0 when there is none.
    fn t(&self) -> u64;

    /// The catalogue of this view.
    fn catalogue(&self) -> &Catalogue;

    /// When the newest commit was made, in microseconds since 1970; 0 when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn instant(&self) -> Result<i64, StoreError>;

    /// The newest version of a record, deletion markers included; `None` if it never existed for this caller.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn read(&self, access: &AccessPlan, kind: &str, id: &str) -> Result<Option<Record>, StoreError>;

    /// One version of a record.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn read_version(
        &self,
        access: &AccessPlan,
        kind: &str,
        id: &str,
        version: u64,
    ) -> Result<Option<Record>, StoreError>;

    /// Versions, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn history(&self, access: &AccessPlan, request: &HistoryRequest<'_>) -> Result<HistoryPage, StoreError>;

    /// Records that match, in the asked order, from a position on.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    fn search(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Result<SearchPage, StoreError>;

    /// Where the records that match stand in the asked order, without the records: an answer that is put together of
    /// several searches reads only those that come to stand on its page.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    fn places(&self, access: &AccessPlan, request: &SearchRequest<'_>) -> Result<PlacesPage, StoreError>;

    /// The same of about so many bytes at most, and of at least one record if there is any: the page ends early. As it
    /// stands it reads in pieces, and holds one piece more than it gives; an engine that learns sizes as it reads does
    /// better.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    fn search_within(
        &self,
        access: &AccessPlan,
        request: &SearchRequest<'_>,
        bytes: usize,
    ) -> Result<SearchPage, StoreError> {
        bounded::search(self, access, request, bytes)
    }

    /// Versions, newest first, of about so many bytes at most; see [`Snapshot::search_within`].
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn history_within(
        &self,
        access: &AccessPlan,
        request: &HistoryRequest<'_>,
        bytes: usize,
    ) -> Result<HistoryPage, StoreError> {
        bounded::history(self, access, request, bytes)
    }

    /// Records of a patient's compartment, of about so many bytes at most; see [`Snapshot::search_within`].
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn compartment_within(
        &self,
        access: &AccessPlan,
        request: &CompartmentRequest<'_>,
        bytes: usize,
    ) -> Result<CompartmentPage, StoreError> {
        bounded::compartment(self, access, request, bytes)
    }

    /// How many records match.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    fn count(&self, access: &AccessPlan, query: &Query) -> Result<u64, StoreError>;

    /// Current records in the compartments of some patients and these patients' own records, in the order of creation.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn compartment(
        &self,
        access: &AccessPlan,
        request: &CompartmentRequest<'_>,
    ) -> Result<CompartmentPage, StoreError>;

    /// Records of one kind exactly as they were at a commit, however many views the walk takes: nothing that was
    /// written later shows, and nothing that was deleted later is missing.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn as_of(&self, access: &AccessPlan, request: &AsOfRequest<'_>) -> Result<AsOfPage, StoreError>;

    /// Which records match, and in which version, without the records themselves. All pages of a walk must come from
    /// one view; what is listed can be read at any later time with [`Snapshot::read_version`].
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails or the question takes too long.
    fn keys(&self, access: &AccessPlan, request: &KeysRequest<'_>) -> Result<KeysPage, StoreError>;

    /// Changes after commit `after`, oldest first, whole commits up to about `limit` changes.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn feed(&self, access: &AccessPlan, after: u64, limit: usize) -> Result<Vec<FeedEntry>, StoreError>;

    /// How far a follower has come; 0 at first.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn follower(&self, name: &str) -> Result<u64, StoreError>;

    /// Audit entries, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn audit_entries(&self, before: Option<u64>, limit: usize) -> Result<Vec<StoredAuditEntry>, StoreError>;

    /// Treatment relations to a patient, those over and those to come too, by their end, the latest first; none for a caller who
    /// does not reach the Patient record.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn relations(&self, access: &AccessPlan, patient: &str) -> Result<Vec<Proof>, StoreError>;

    /// Current records by kind that this caller reaches, kinds without records left out. Who reaches the system's own
    /// records is given the counts of everything: numbers, not records.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn census(&self, access: &AccessPlan) -> Result<Vec<(String, u64)>, StoreError>;
}

/// One change in the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedEntry {
    /// The commit.
    pub t: u64,
    /// When, in microseconds since 1970.
    pub instant: i64,
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: String,
    /// The version made.
    pub version: u64,
    /// How.
    pub op: Op,
}

/// What happened, for the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Account, client or process.
    pub actor: String,
    /// Role acted in.
    pub role: String,
    /// Purpose of use.
    pub purpose: String,
    /// What was tried, such as `create`.
    pub action: String,
    /// The record or route concerned, without patient data: kind, or kind and id.
    pub target: String,
    /// Whether it was done.
    pub allowed: bool,
}

impl AuditEntry {
    /// The entry of a commit.
    #[must_use]
    pub fn of_commit(request: &CommitRequest) -> Self {
        let target = match request.changes.as_slice() {
            [one] => one.key().0.to_owned(),
            several => format!("{} records", several.len()),
        };
        Self {
            actor: request.access.actor.id.clone(),
            role: request.access.actor.role.clone(),
            purpose: request.access.purpose.clone(),
            action: request.action.to_owned(),
            target,
            allowed: true,
        }
    }
}

/// An audit entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAuditEntry {
    /// Its number.
    pub number: u64,
    /// When, in microseconds since 1970.
    pub instant: i64,
    /// The commit it belongs to, with the number of changes in it.
    pub commit: Option<(u64, u64)>,
    /// What happened.
    pub entry: AuditEntry,
}
