//! Questions that would cost too much are refused before they are asked; others are not.

use ieum_store::commit::StoreError;
use ieum_store::engine::SearchRequest;
use ieum_store::sqlite::SqliteOptions;

use crate::support::{Store, everything, sqlite_with_options};

/// 300 observations of three patients, and room for 250 records in a question.
fn store(directory: &std::path::Path) -> Store {
    let options = SqliteOptions { readers: 2, query_records: 250, ..SqliteOptions::default() };
    let store = sqlite_with_options(directory, options);
    for number in 0..3 {
        store.put(&format!(r#"{{"resourceType":"Patient","id":"p{number}","active":true}}"#));
    }
    for number in 0..300 {
        store.put(&format!(
            r#"{{"resourceType":"Observation","id":"b{number}","status":"final","subject":{{"reference":"Patient/p{}"}},
            "effectiveDateTime":"2026-03-{:02}"}}"#,
            number % 3,
            number % 28 + 1
        ));
    }
    store
}

fn cost(answer: Result<u64, StoreError>) -> (u64, u64, Vec<String>) {
    match answer {
        Err(StoreError::TooCostly { records, most, narrower }) => (records, most, narrower),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_costs_too_much_is_refused_with_its_cost_and_what_narrows_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let count = |url: &str| store.engine.snapshot().unwrap().count(&everything(), &store.query(url));
    let page = |url: &str| {
        let query = store.query(url);
        let request = SearchRequest { query: &query, after: None, backward: false, limit: 10 };
        store.engine.snapshot().unwrap().search(&everything(), &request).map(|page| page.records.len() as u64)
    };
    let (records, most, narrower) = cost(count("Observation"));
    assert_eq!((records, most), (300, 250));
    assert_eq!(narrower, ["patient", "subject", "identifier"]);
    // Each condition counts, and each key of an order.
    assert_eq!(cost(count("Observation?status:not=final&code:missing=true")).0, 600);
    assert_eq!(cost(page("Observation?_sort=date,_id")).0, 900);
    // Values of some parameters are gathered of all records first.
    assert_eq!(cost(page("Observation?_sort=date,status")).0, 1_200);
    assert_eq!(
        cost(count("Observation?patient.active:missing=true")).2,
        ["subject", "identifier", "encounter"]
    );
    // A page without order ends when it is full, whatever there is behind it.
    assert_eq!(page("Observation").unwrap(), 10);
    assert_eq!(page("Observation?status:not=amended").unwrap(), 10);
    // A small set to start from is what counts.
    assert_eq!(count("Observation?patient=Patient/p1").unwrap(), 100);
    assert_eq!(count("Observation?status:not=amended&patient=Patient/p1").unwrap(), 100);
    assert_eq!(page("Observation?patient=Patient/p1&_sort=date").unwrap(), 10);
    assert_eq!(cost(page("Observation?patient=Patient/p1&_sort=date,_id")).0, 300);
    assert_eq!(count("Observation?_id=b1,b2").unwrap(), 2);
    assert_eq!(count("Patient?active:missing=false").unwrap(), 3);
    // What a chain leads to is looked for once, whatever the walk: 300 observations for at most three patients.
    assert_eq!(cost(page("DocumentReference?related:Observation.code:missing=true")).0, 300);
}
