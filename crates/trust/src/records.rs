//! Records of our own kinds as values: read, found by one of their parameters, changed without losing what others change.

use ieum_fhir::json::{Document, Limits};
use ieum_fhir::search::{Filter, Param, Query, SystemTest, Test, TokenTest, Total};
use ieum_store::commit::{Change, CommitError, Expect, Guard, StoreError};
use ieum_store::own::OwnKind;
use ieum_store::prepare::Prepared;
use ieum_store::record::Record;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access::Access;
use crate::door::{Door, DoorError, View};

/// Attempts to change a record while others change it.
const ATTEMPTS: u32 = 32;

/// A record with its place in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// Its id.
    pub id: String,
    /// The version that was read.
    pub version: u64,
    /// What it holds.
    pub value: T,
}

/// A record of ours, ready for the commit.
///
/// # Panics
/// When it is not JSON or its kind not in the catalogue: bugs.
#[must_use]
pub fn prepared(door: &Door, kind: &OwnKind, id: &str, record: &impl Serialize) -> Prepared {
    let json = serde_json::to_vec(record).expect("our own records are JSON");
    let document = Document::parse(&json, &Limits::default()).expect("our own records are JSON");
    let catalogue = door.catalogue();
    let def = catalogue.kind(kind.name).expect("our own kinds are in the catalogue");
    catalogue.prepare(def, id, document.root(), &mut |_| None)
}

/// The same as a change.
#[must_use]
pub fn put(door: &Door, kind: &OwnKind, id: &str, record: &impl Serialize, expect: Expect) -> Change {
    Change::Put { record: Box::new(prepared(door, kind, id, record)), expect }
}

/// A record by its id; `None` when it is not there or deleted.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub fn read<T: DeserializeOwned>(
    view: &View<'_>,
    kind: &OwnKind,
    id: &str,
) -> Result<Option<Kept<T>>, StoreError> {
    let record = view.read(kind.name, id)?.filter(|record| !record.is_deleted());
    record.as_ref().map(kept).transpose()
}

/// The records whose parameter has a value, at most so many.
///
/// # Errors
/// [`StoreError`] when they cannot be read.
pub fn find<T: DeserializeOwned>(
    view: &View<'_>,
    kind: &OwnKind,
    (code, value): (&str, &str),
    most: usize,
) -> Result<Vec<Kept<T>>, StoreError> {
    let page = view.search(&query(kind, code, value), None, most).map_err(|error| match error {
        DoorError::Store(error) => error,
        DoorError::Cursor(_) => StoreError::Engine("a token was not given".into()),
    })?;
    page.records.iter().map(kept).collect()
}

/// What asks for the records whose parameter has a value.
#[must_use]
pub fn query(kind: &OwnKind, code: &str, value: &str) -> Query {
    let param = Param { kind: kind.name.into(), code: code.into() };
    let test = TokenTest { system: SystemTest::Any, code: Some(value.to_owned()) };
    let filters = vec![Filter::Any { param, tests: vec![Test::Token(test)] }];
    Query { kind: kind.name.into(), filters, total: Total::None, ..Query::default() }
}

/// That no record has this value, judged when the commit takes its place.
#[must_use]
pub fn none_has(kind: &OwnKind, code: &str, value: &str) -> Guard {
    Guard { query: query(kind, code, value), found: Vec::new() }
}

/// Changes a record. `change` sees the newest version, again and again if others write meanwhile; when it gives `None`,
/// nothing is written. `None` is also what comes of a record that is not there.
///
/// # Errors
/// [`CommitError`] when a guard does not hold, the access may not, or the store fails.
pub fn change<T: Serialize + DeserializeOwned, R>(
    door: &Door,
    (access, action): (&Access, &'static str),
    (kind, id): (&OwnKind, &str),
    guards: &[Guard],
    mut change: impl FnMut(&mut T) -> Option<R>,
) -> Result<Option<R>, CommitError> {
    for _ in 0..ATTEMPTS {
        let Some(mut kept) = read::<T>(&door.view(access)?, kind, id)? else { return Ok(None) };
        let Some(result) = change(&mut kept.value) else { return Ok(None) };
        let put = put(door, kind, id, &kept.value, Expect::Version(kept.version));
        match door.commit(access, action, guards.to_vec(), vec![put]) {
            Err(CommitError::Version { .. }) => {}
            done => return done.map(|_| Some(result)),
        }
    }
    Err(CommitError::Overloaded)
}

fn kept<T: DeserializeOwned>(record: &Record) -> Result<Kept<T>, StoreError> {
    let value = serde_json::from_slice(&record.plain_json())
        .map_err(|_| StoreError::Damaged(format!("{} {} cannot be read", record.kind, record.id)))?;
    Ok(Kept { id: record.id.clone(), version: record.version, value })
}
