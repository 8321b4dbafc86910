//! Files that earlier versions wrote: every build opens all of them.
//!
//! `golden/schema-N.sqlite.zst` is a store as schema version N wrote it, `golden/schema-N.txt` what is in it. They are
//! never edited. A new schema version adds its own with `IEUM_WRITE_GOLDEN=1 cargo test -p ieum-store golden`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ieum_store::catalogue::Catalogue;
use ieum_store::clock::Clock;
use ieum_store::commit::{CommitError, Expect};
use ieum_store::engine::Engine;
use ieum_store::sqlite::{SqliteEngine, SqliteOptions};

use crate::support::{BASE, Store, catalogue, everything, only, sqlite_in, sqlite_with};

/// The newest schema version: the last golden file must be of it.
const NEWEST: u32 = 5;

const RECORDS: [&str; 5] = [
    r#"{"resourceType":"Patient","id":"p1","name":[{"text":"김가상"}],"birthDate":"1980-02-03","active":true}"#,
    r#"{"resourceType":"Patient","id":"0194f3c2-0000-7000-8000-0123456789ab","name":[{"text":"이가상"}]}"#,
    r#"{"resourceType":"Observation","id":"o1","meta":{"security":[{"system":"s","code":"R"}]},"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2026-03-01","valueQuantity":{"value":72.0,"code":"/min","system":"http://unitsofmeasure.org"}}"#,
    r#"{"resourceType":"Appointment","id":"a1","status":"booked","participant":[{"actor":{"reference":"Patient/p1"},"status":"accepted"},{"actor":{"reference":"Patient/0194f3c2-0000-7000-8000-0123456789ab"},"status":"accepted"}]}"#,
    r#"{"resourceType":"TestNote","id":"n1","state":"open","about":"Patient/p1"}"#,
];

const QUESTIONS: [&str; 6] = [
    "Patient?name=ㄱㄱㅅ",
    "Patient?birthdate=1980",
    "Observation?patient=p1&code=http://loinc.org|8867-4&value-quantity=gt70",
    "Observation?date=2026-03",
    "Appointment?patient.active=false",
    "TestNote?state=open",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn clock() -> Clock {
    Arc::new(|| 1_790_000_000_000_000)
}

/// What can be seen of a store, as lines.
fn seen(store: &Store) -> Vec<String> {
    let view = store.engine.snapshot().unwrap();
    let mut lines = Vec::new();
    for question in QUESTIONS {
        lines.push(format!("{question} {:?}", store.find(&everything(), question)));
    }
    for json in RECORDS {
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        let (kind, id) = (value["resourceType"].as_str().unwrap(), value["id"].as_str().unwrap());
        for version in 1..=3 {
            let record = view.read_version(&everything(), kind, id, version).unwrap();
            lines.push(record.map_or_else(
                || format!("{kind}/{id}@{version} none"),
                |record| {
                    let json = if record.is_deleted() { Vec::new() } else { record.json() };
                    format!("{kind}/{id}@{version} {:?} {}", record.op, String::from_utf8(json).unwrap())
                },
            ));
        }
    }
    lines.extend(view.feed(&everything(), 0, 1_000).unwrap().iter().map(|entry| format!("{entry:?}")));
    lines.extend(view.audit_entries(None, 1_000).unwrap().iter().map(|entry| format!("{entry:?}")));
    lines
}

fn fill(store: &Store) {
    store.clock.set(1_790_000_000_000_000);
    RECORDS.iter().for_each(|json| drop(store.put(json)));
    store.put(&RECORDS[0].replace("\"active\":true", "\"active\":false"));
    store.delete("Observation", "o1");
    store.put(RECORDS[2]);
    store.engine.set_follower("lake", 3).unwrap();
}

#[test]
fn every_file_ever_written_can_be_read() {
    if std::env::var_os("IEUM_WRITE_GOLDEN").is_some() {
        write();
    }
    for version in 1..=NEWEST {
        let directory = tempfile::tempdir().unwrap();
        let packed = std::fs::read(folder().join(format!("schema-{version}.sqlite.zst"))).unwrap();
        let file = zstd::decode_all(packed.as_slice()).unwrap();
        std::fs::write(directory.path().join("records.sqlite"), file).unwrap();
        let store = sqlite_in(directory);
        let expected = std::fs::read_to_string(folder().join(format!("schema-{version}.txt"))).unwrap();
        assert_eq!(seen(&store), expected.lines().collect::<Vec<_>>(), "schema {version}");
        assert_eq!(store.engine.snapshot().unwrap().follower("lake").unwrap(), 3);
        // It can be written on, and its indexes are what its bodies say.
        store.put(r#"{"resourceType":"Patient","id":"new"}"#);
        assert_eq!(store.check().faults, Vec::<String>::new(), "schema {version}");
        assert_eq!(store.check().schema, u64::from(NEWEST));
    }
}

fn write() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let store = sqlite_in(directory);
    fill(&store);
    std::fs::write(folder().join(format!("schema-{NEWEST}.txt")), seen(&store).join("\n") + "\n").unwrap();
    store.stop();
    let file = std::fs::read(path.join("records.sqlite")).unwrap();
    let packed = zstd::encode_all(file.as_slice(), 19).unwrap();
    std::fs::write(folder().join(format!("schema-{NEWEST}.sqlite.zst")), packed).unwrap();
}

/// A file of a newer program is refused, and left as it is.
#[test]
fn a_newer_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let open = || SqliteEngine::open(directory.path(), &catalogue(), clock(), SqliteOptions::default());
    open().unwrap().stop();
    let connection = rusqlite::Connection::open(directory.path().join("records.sqlite")).unwrap();
    connection.pragma_update(None, "user_version", 1_000).unwrap();
    drop(connection);
    let error = open().err().unwrap().to_string();
    assert!(error.contains("newer ieum"), "{error}");
}

/// A parameter that means something else than when the file was written is indexed again at start.
#[test]
fn changed_parameters_are_indexed_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let store = sqlite_in(directory);
    fill(&store);
    store.stop();
    let connection = rusqlite::Connection::open(path.join("records.sqlite")).unwrap();
    connection
        .execute_batch(
            "UPDATE param SET definition = 'another'; UPDATE res SET present = 0, vals = x''; DELETE FROM tok; DELETE FROM ref;
             DELETE FROM dat; DELETE FROM num; DELETE FROM str; DELETE FROM cho",
        )
        .unwrap();
    drop(connection);
    let engine = SqliteEngine::open(&path, &catalogue(), clock(), SqliteOptions::default()).unwrap();
    assert_eq!(engine.check(&mut |_, _| {}).unwrap().faults, Vec::<String>::new());
    assert_eq!(engine.snapshot().unwrap().t(), 8);
}

/// Killed between giving a parameter its new meaning and indexing by it, a store finds out at the next start.
#[test]
fn indexing_that_was_cut_off_is_done_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let store = sqlite_in(directory);
    fill(&store);
    store.stop();
    let connection = rusqlite::Connection::open(path.join("records.sqlite")).unwrap();
    // The definitions are the new ones already; that rows are missing nothing else tells.
    connection
        .execute_batch("INSERT INTO meta VALUES ('reindexing', 1); DELETE FROM tok; DELETE FROM dat")
        .unwrap();
    drop(connection);
    let engine = SqliteEngine::open(&path, &catalogue(), clock(), SqliteOptions::default()).unwrap();
    assert_eq!(engine.check(&mut |_, _| {}).unwrap().faults, Vec::<String>::new());
}

/// A hub that moves keeps its addresses: what was another server's record under the new one becomes its own, and what
/// was its own under the old one stays so.
#[test]
fn a_new_address_is_indexed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let store = sqlite_in(directory);
    for (id, base) in [("old", BASE), ("new", "http://new.test/fhir"), ("near", "http://new.test/fhir2")] {
        let subject = format!(r#"{{"reference":"{base}/Patient/p1"}}"#);
        store.put(&format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","subject":{subject}}}"#
        ));
    }
    let subject = |store: &Store| store.find(&only(&["p1"]), "Observation?subject=Patient/p1");
    assert_eq!(subject(&store), ["old"]);
    store.stop();
    assert_eq!(SqliteEngine::bases(&path).unwrap(), [BASE]);
    let bases = [BASE, "http://new.test/fhir"].map(ToOwned::to_owned).to_vec();
    let store = sqlite_with(&path, &Catalogue::new(&[], bases.clone(), ieum_store::access::Policy::NONE));
    assert_eq!(subject(&store), ["new", "old"]);
    assert_eq!(store.check().faults, Vec::<String>::new());
    store.put(r#"{"resourceType":"Observation","id":"new","status":"final"}"#);
    assert_eq!(subject(&store), ["old"]);
    assert_eq!(store.check().faults, Vec::<String>::new());
    assert_eq!(SqliteEngine::bases(&path).unwrap(), bases);
}

/// One damaged record is one damaged record: it cannot be written, all others can, also in the same moment.
#[test]
fn damage_stays_where_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_owned();
    let store = sqlite_in(directory);
    fill(&store);
    store.stop();
    let connection = rusqlite::Connection::open(path.join("records.sqlite")).unwrap();
    // A frame without dictionary whose body claims to be longer than it is.
    let frame = zstd::encode_all([255_u8, 255, 0, 0, b'x'].as_slice(), 1).unwrap();
    let sql = "UPDATE res SET codec = 0, body = ?1 WHERE id = 'p1'";
    assert_eq!(connection.execute(sql, [frame]).unwrap(), 1);
    drop(connection);
    let store = sqlite_with(&path, &catalogue());
    assert!(store.engine.snapshot().unwrap().read(&everything(), "Patient", "p1").is_err());
    assert!(!store.check().faults.is_empty());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for round in 0..50 {
                    let damaged = store.put_change(RECORDS[0], Expect::Anything);
                    assert!(matches!(store.commit(vec![damaged]), Err(CommitError::Store(_))));
                    store.put(&format!(r#"{{"resourceType":"Patient","id":"n{number}-{round}"}}"#));
                }
            });
        }
    });
    assert_eq!(store.find(&everything(), "Patient?_id=n0-0,n7-49").len(), 2);
}

/// Damage is found: a missing row, a row too many, a wrong column, a lost version, a lost commit.
#[test]
fn damage_is_found() {
    for damage in [
        "DELETE FROM tok",
        "DELETE FROM dat",
        "INSERT INTO ref VALUES (1, 1, 1)",
        "UPDATE res SET vals = x'0102'",
        "UPDATE tokval SET x = x + 1",
        "UPDATE res SET present = 0",
        "INSERT INTO content (rowid, terms) VALUES (1, '1')",
        "INSERT INTO content (content) VALUES ('delete-all')",
        "DELETE FROM ver",
        "DELETE FROM commits WHERE t = 3",
        "DELETE FROM audit WHERE t = 2",
        "DELETE FROM feed WHERE t = 2",
        "UPDATE res SET body = x'00' WHERE ver = 2",
        "UPDATE ver SET body = x'00' WHERE op <> 3",
        "DELETE FROM idmap WHERE id = 'p1'",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let store = sqlite_in(directory);
        fill(&store);
        assert_eq!(store.check().faults, Vec::<String>::new());
        store.stop();
        let connection = rusqlite::Connection::open(path.join("records.sqlite")).unwrap();
        assert!(connection.execute(damage, []).unwrap() > 0, "{damage}");
        drop(connection);
        let engine = SqliteEngine::open(&path, &catalogue(), clock(), SqliteOptions::default()).unwrap();
        let report = engine.check(&mut |_, _| {}).unwrap();
        assert!(!report.faults.is_empty(), "not found: {damage}");
    }
}
