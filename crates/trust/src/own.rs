//! Records of our own kinds in this room: found and read with all their pages. They are written by [`crate::records::put`].

use ieum_fhir::search::{Filter, Param, Query, ReferenceTest, SystemTest, Test, TokenTest, Total};
use ieum_store::commit::StoreError;
use ieum_store::own::OwnKind;
use ieum_store::record::Record;
use serde::de::DeserializeOwned;

use crate::access::Access;
use crate::door::{Door, DoorError};

/// Records read at a time.
const PAGE: usize = 1_000;

/// A record with its place in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept<T> {
    /// Its id.
    pub id: String,
    /// The version that was read.
    pub version: u64,
    /// What it says.
    pub record: T,
}

/// A record by its id, unless it was deleted.
pub(crate) fn read<T: DeserializeOwned>(
    door: &Door,
    access: &Access,
    kind: &OwnKind,
    id: &str,
) -> Result<Option<Kept<T>>, StoreError> {
    let record = door.view(access)?.read(kind.name, id)?;
    record.filter(|record| !record.is_deleted()).map(|record| kept(&record)).transpose()
}

/// All records with a value.
pub(crate) fn find<T: DeserializeOwned>(
    door: &Door,
    access: &Access,
    kind: &OwnKind,
    (param, value): (&str, &str),
) -> Result<Vec<Kept<T>>, DoorError> {
    let test = Test::Token(TokenTest { system: SystemTest::Any, code: Some(value.to_owned()) });
    matching(door, access, kind, (param, test))
}

/// All records with a reference.
pub(crate) fn find_reference<T: DeserializeOwned>(
    door: &Door,
    access: &Access,
    kind: &OwnKind,
    (param, to, id): (&str, &str, &str),
) -> Result<Vec<Kept<T>>, DoorError> {
    let test = Test::Reference(ReferenceTest::Local { kind: to.to_owned(), id: id.to_owned() });
    matching(door, access, kind, (param, test))
}

fn matching<T: DeserializeOwned>(
    door: &Door,
    access: &Access,
    kind: &OwnKind,
    (param, test): (&str, Test),
) -> Result<Vec<Kept<T>>, DoorError> {
    let view = door.view(access)?;
    let param = Param { kind: kind.name.into(), code: param.into() };
    let filters = vec![Filter::Any { param, tests: vec![test] }];
    let query = Query { kind: kind.name.into(), filters, total: Total::None, ..Query::default() };
    let (mut found, mut next) = (Vec::new(), None::<String>);
    loop {
        let page = view.search(&query, next.as_deref(), PAGE)?;
        for record in &page.records {
            found.push(kept(record)?);
        }
        next = page.next;
        if next.is_none() {
            return Ok(found);
        }
    }
}

fn kept<T: DeserializeOwned>(record: &Record) -> Result<Kept<T>, StoreError> {
    let read = serde_json::from_slice(&record.plain_json());
    let damaged = |_| StoreError::Damaged(format!("a record of kind {} cannot be read", record.kind));
    Ok(Kept { id: record.id.clone(), version: record.version, record: read.map_err(damaged)? })
}
