//! A store learns from its records how to compress them, and nothing about a person.

use std::path::Path;

use ieum_store::sqlite::SqliteOptions;
use rusqlite::Connection;

use crate::support::{Store, everything, sqlite_with_options};

/// Records of so many patients, before and after something is learnt.
const PATIENTS: usize = 400;

/// What all records say.
const COMMON: &str = "Serum concentration of a made-up substance, by a made-up method";

fn options() -> SqliteOptions {
    SqliteOptions { readers: 4, learn_at: PATIENTS as u64, ..SqliteOptions::default() }
}

/// Two records of a patient; `secret` stands in them and nowhere else.
fn put(store: &Store, number: usize) {
    let secret = secret(number);
    store.put(&format!(
        r#"{{"resourceType":"Patient","id":"p{number}","name":[{{"text":"{secret}"}}],"birthDate":"19{:02}-02-03"}}"#,
        number % 100
    ));
    store.put(&format!(
        r#"{{"resourceType":"Observation","id":"o{number}","status":"final","code":{{"coding":[{{"system":"http://lab.test","code":"S-77",
        "display":"{COMMON}"}}],"text":"{COMMON}"}},"subject":{{"reference":"Patient/p{number}","display":"{secret}"}},
        "note":[{{"text":"{secret} was told so"}}],
        "method":{{"coding":[{{"system":"http://lab.test/methods","code":"M-1234","display":"Measured twice, and written down by hand"}}]}},"valueQuantity":{{"value":{number}.25,"unit":"mg/dL"}}}}"#
    ));
}

/// Long enough to be worth learning, were it common.
fn secret(number: usize) -> String {
    format!("Fake Person With A Long Name Number {number} Of Nowhere")
}

/// The dictionaries in the file, and how many bodies were made with each.
fn learnt(path: &Path) -> (Vec<Vec<u8>>, Vec<(i64, i64)>) {
    let connection = Connection::open(path.join("records.sqlite")).unwrap();
    let mut all = connection.prepare("SELECT bytes FROM zdict").unwrap();
    let dictionaries = all.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let mut used = connection.prepare("SELECT codec, count(*) FROM res WHERE op = 1 GROUP BY codec").unwrap();
    let used = used.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    (dictionaries, used.collect::<Result<_, _>>().unwrap())
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn what_is_common_is_learnt_and_nothing_of_a_person() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let open = || sqlite_with_options(path, options());
    let store = open();
    // Records of which nobody knows whose they are may all be of one person.
    for number in 0..30 {
        let person =
            r#"{"resourceType":"Patient","name":[{"text":"Only One Fake Person In Many Documents"}]}"#;
        store.put(&format!(
            r#"{{"resourceType":"Bundle","id":"b{number}","type":"collection","entry":[{{"resource":{person}}}]}}"#
        ));
    }
    (0..PATIENTS).for_each(|number| put(&store, number));
    // What was under way is waited for, and later records are made with it.
    store.stop();
    let (dictionaries, _) = learnt(path);
    let [dictionary] = dictionaries.as_slice() else { panic!("{} dictionaries", dictionaries.len()) };
    assert!(contains(dictionary, COMMON));
    for number in 0..PATIENTS {
        assert!(!contains(dictionary, &secret(number)), "{number}");
        assert!(!contains(dictionary, &format!("Patient/p{number}\"")), "{number}");
    }
    assert!(!contains(dictionary, "was told so"));
    assert!(!contains(dictionary, "In Many Documents"));

    let store = open();
    (PATIENTS..PATIENTS + 50).for_each(|number| put(&store, number));
    let (_, used) = learnt(path);
    let after = used.iter().find(|(codec, _)| *codec >= 16).map_or(0, |(_, count)| *count);
    assert!(after >= 100, "{used:?}");
    for number in [0, PATIENTS - 1, PATIENTS + 49] {
        let view = store.engine.snapshot().unwrap();
        let record = view.read(&everything(), "Observation", &format!("o{number}")).unwrap().unwrap();
        assert!(contains(&record.json(), &secret(number)), "{number}");
    }
    assert_eq!(store.check().faults, Vec::<String>::new());
    store.stop();

    // A store without its dictionary says so; it does not guess.
    Connection::open(path.join("records.sqlite")).unwrap().execute("DELETE FROM zdict", []).unwrap();
    assert!(!open().check().faults.is_empty());
}
