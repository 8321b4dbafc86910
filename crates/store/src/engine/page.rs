//! What is asked of a snapshot page by page, and what a page is.

use ieum_fhir::search::Query;

use crate::record::Record;

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
