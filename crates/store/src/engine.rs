//! The one interface to stored records. Engines: [`crate::sqlite`], and [`crate::memory`], the oracle.

use ieum_fhir::search::Query;

use crate::access::AccessPlan;
use crate::commit::{CommitError, CommitRequest, Committed, StoreError};
use crate::record::{Op, Record};

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

    /// Remembers how far a follower of the feed has come; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be made durable.
    fn set_follower(&self, name: &str, t: u64) -> Result<(), StoreError>;
}

/// A consistent view for reading. Hold it briefly: a view kept open keeps old pages on disk.
pub trait Snapshot {
    /// The newest commit in this view; 0 when there is none.
    fn t(&self) -> u64;

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

    /// Current records by kind that this caller reaches, kinds without records left out. Who reaches the system's own
    /// records is given the counts of everything: numbers, not records.
    ///
    /// # Errors
    /// [`StoreError`] when the engine fails.
    fn census(&self, access: &AccessPlan) -> Result<Vec<(String, u64)>, StoreError>;
}

/// Which versions a history covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryScope<'a> {
    /// All kinds.
    System,
    /// One kind.
    Kind(&'a str),
    /// One record.
    Record(&'a str, &'a str),
}

/// A page of history.
#[derive(Debug, Clone)]
pub struct HistoryRequest<'a> {
    /// Which versions.
    pub scope: HistoryScope<'a>,
    /// Only versions made at or after this instant (microseconds since 1970).
    pub since: Option<i64>,
    /// Only versions that were the newest of their record at some time in this stretch, deletions included.
    pub at: Option<Stretch>,
    /// Where the previous page ended, or the next one began when going back.
    pub after: Option<Position>,
    /// Towards the newest instead of the oldest.
    pub backward: bool,
    /// At most so many.
    pub limit: usize,
}

/// A stretch of time, in microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first instant.
    pub from: i64,
    /// The instant at which it is over.
    pub until: i64,
}

/// Versions, newest first.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// The versions.
    pub records: Vec<Record>,
    /// Where the page before ends; `None` at the newest.
    pub previous: Option<Position>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Position>,
    /// How many versions there are in the scope.
    pub total: Option<u64>,
}

/// A page of a search.
#[derive(Debug, Clone)]
pub struct SearchRequest<'a> {
    /// What is asked; its `includes`, `summary`, `elements` and `count` are the caller's business.
    pub query: &'a Query,
    /// Where the previous page ended, or the next one began when going back.
    pub after: Option<Position>,
    /// Towards the start instead of the end.
    pub backward: bool,
    /// At most so many.
    pub limit: usize,
}

/// Matching records in order.
#[derive(Debug, Clone, Default)]
pub struct SearchPage {
    /// The records.
    pub records: Vec<Record>,
    /// With `_containedType=contained`: for each of the records the id of the resource inside it that is meant, `None`
    /// for the record itself. Empty in all other searches.
    pub parts: Vec<Option<String>>,
    /// Just before the first of them; `None` when the result begins here.
    pub previous: Option<Position>,
    /// Just after the last of them; `None` when the result ends here.
    pub next: Option<Position>,
}

/// Places of matching records, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlacesPage {
    /// The places.
    pub places: Vec<Place>,
    /// Whether there are more in the direction of the walk.
    pub more: bool,
}

/// A match, and where it stands. Places of searches on different kinds in one view can be compared when these have the
/// same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it stands.
    pub position: Position,
    /// Kind of the record.
    pub kind: String,
    /// Id of the record.
    pub id: String,
    /// With `_containedType=contained`: the id of the resource inside the record that is meant.
    pub part: Option<String>,
}

/// A place in an ordered result. A record unchanged since the first page appears exactly once, whatever is written
/// meanwhile: places are values, not counts, and records created after `as_of` are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The newest commit when the first page was made.
    pub as_of: u64,
    /// The sort values of the record at this place; `None` for a record without value.
    pub keys: Vec<Option<SortValue>>,
    /// The engine's own number of that record, or of the change, which makes the order total.
    pub last: i64,
}

/// A value to sort by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SortValue {
    /// Times and commit numbers.
    Int(i64),
    /// Text.
    Text(String),
    /// Numbers, as [`ieum_fhir::decimal::SortKey`].
    Bytes(Vec<u8>),
}

/// A page of the compartments of some patients.
#[derive(Debug, Clone)]
pub struct CompartmentRequest<'a> {
    /// The patients, by id. What is in the compartments of several of them is given once.
    pub patients: &'a [String],
    /// Only these kinds; empty for all.
    pub kinds: &'a [String],
    /// Only records changed at or after this instant.
    pub since: Option<i64>,
    /// Where the previous page ended.
    pub after: Option<Position>,
    /// At most so many.
    pub limit: usize,
}

/// Records of a compartment.
#[derive(Debug, Clone, Default)]
pub struct CompartmentPage {
    /// The records.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Position>,
}

/// A page of a kind as it was at a commit.
#[derive(Debug, Clone)]
pub struct AsOfRequest<'a> {
    /// The kind.
    pub kind: &'a str,
    /// The commit.
    pub t: u64,
    /// Records that were there, or deletions.
    pub which: AsOfWhich,
    /// Only versions made after this instant (microseconds since 1970).
    pub since: Option<i64>,
    /// Only records in the compartment of some patient.
    pub of_patients: bool,
    /// Where the previous page ended.
    pub after: Option<i64>,
    /// Records looked at, at most: a page may hold fewer, or none, and the walk goes on all the same.
    pub limit: usize,
}

/// Which versions a walk as of a commit gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOfWhich {
    /// Records that were there.
    Live,
    /// Records that had been deleted: the deletion itself.
    Deleted,
}

/// Records as they were at a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AsOfPage {
    /// The versions.
    pub records: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<i64>,
}

/// A page of a list of matching records.
#[derive(Debug, Clone)]
pub struct KeysRequest<'a> {
    /// What is asked; only its kind and filters count.
    pub query: &'a Query,
    /// Only records in the compartment of some patient.
    pub of_patients: bool,
    /// Where the previous page ended.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// A list of records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysPage {
    /// The records, in the order of their places.
    pub keys: Vec<Key>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<i64>,
}

/// Which record, in which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The engine's own number of the record: lists of one kind from one view can be merged by it.
    pub place: i64,
    /// Id of the record.
    pub id: String,
    /// The version.
    pub version: u64,
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
