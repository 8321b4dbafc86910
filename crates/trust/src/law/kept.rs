//! What is in force, kept as a record: a change is a version of it, made at start, with its audit entry.

use ieum_store::access::Family;
use ieum_store::commit::{CommitError, StoreError};
use ieum_store::own::OwnKind;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Law;
use super::row::Row;
use crate::access::Access;
use crate::account::put_own;
use crate::door::Door;

/// The record kind: one record, whose versions are what was in force.
pub static LAW: OwnKind = OwnKind { name: "IeumLaw", family: Family::System, params: &[] };

const ID: &str = "law";

#[derive(Serialize)]
struct Kept<'l> {
    digest: String,
    rows: &'l [Row],
}

#[derive(serde::Deserialize)]
struct KeptDigest {
    digest: String,
}

/// Writes down what is in force, if it is not what was in force before; true when it is another.
///
/// # Errors
/// [`CommitError`] when the store fails.
pub fn keep(door: &Door, law: &Law) -> Result<bool, CommitError> {
    let access = Access::system("law");
    let digest = digest(law);
    let before = door.view(&access)?.read(LAW.name, ID)?;
    if let Some(record) = before.filter(|record| !record.is_deleted()) {
        let kept: KeptDigest = serde_json::from_slice(&record.plain_json())
            .map_err(|_| StoreError::Damaged("the law in force cannot be read".to_owned()))?;
        if kept.digest == digest {
            return Ok(false);
        }
    }
    put_own(door, &access, "law", &LAW, ID, &Kept { digest, rows: law.rows() })?;
    Ok(true)
}

/// A digest of all rows, whatever their order and wherever they stand.
fn digest(law: &Law) -> String {
    let text = |row: &Row| {
        let row = Row { file: String::new(), ..row.clone() };
        serde_json::to_string(&row).expect("a row is JSON")
    };
    let mut rows: Vec<String> = law.rows().iter().map(text).collect();
    rows.sort_unstable();
    let digest = Sha256::digest(rows.join("\n").as_bytes());
    crate::account::hexadecimal(&digest)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ieum_store::catalogue::Catalogue;
    use ieum_store::memory::MemoryEngine;

    use super::*;
    use crate::evidence::POLICY;

    static KINDS: &[&OwnKind] = &[&LAW];

    fn entries(door: &Door) -> usize {
        door.view(&Access::system("test")).unwrap().audit_entries(None, 10).unwrap().len()
    }

    #[test]
    fn a_change_is_written_down_once() {
        let catalogue = Arc::new(Catalogue::new(KINDS, Vec::new(), POLICY));
        let door = Door::new(Arc::new(MemoryEngine::new(catalogue, Arc::new(|| 0))), [0; 32]);
        let law = Law::built_in();
        assert!(keep(&door, &law).unwrap());
        assert!(!keep(&door, &law).unwrap());
        let mut moved = law.clone();
        moved.rows.reverse();
        moved.rows[0].line += 7;
        assert!(!keep(&door, &moved).unwrap());
        assert_eq!(entries(&door), 1);
        let mut changed = law;
        changed.rows[0].value =
            super::super::row::Value::Number { number: 15, unit: super::super::row::Unit::Age };
        assert!(keep(&door, &changed).unwrap());
        assert_eq!(entries(&door), 2);
        let record = door.view(&Access::system("test")).unwrap().read(LAW.name, ID).unwrap().unwrap();
        assert_eq!(record.version, 2);
        let json: serde_json::Value = serde_json::from_slice(&record.plain_json()).unwrap();
        assert_eq!(json["rows"][0]["value"]["number"], 15);
    }
}
