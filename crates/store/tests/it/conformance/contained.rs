//! `_contained`.

use ieum_store::engine::SearchRequest;

use crate::support::{Store, everything, finds, only};

fn fill(store: &Store) {
    let medication = |id: &str, code: &str| {
        format!(r#"{{"resourceType":"Medication","id":"{id}","code":{{"coding":[{{"code":"{code}"}}]}}}}"#)
    };
    store.put(&medication("own", "x"));
    store.put(&medication("other", "y"));
    for (id, patient, inner) in [
        ("m1", "p1", vec![medication("a", "x"), medication("b", "x"), medication("c", "y")]),
        ("m2", "p2", vec![medication("a", "z")]),
        ("m3", "p2", vec![medication("own", "x")]),
    ] {
        store.put(&format!(
            r#"{{"resourceType":"MedicationRequest","id":"{id}","subject":{{"reference":"Patient/{patient}"}},"contained":[{}]}}"#,
            inner.join(",")
        ));
    }
}

/// Records found with the contained resource that is meant, page by page.
fn parts(store: &Store, url: &str, limit: usize) -> Vec<(String, Option<String>)> {
    let query = store.query(url);
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let request = SearchRequest { query: &query, after, backward: false, limit };
        let page = store.page(&everything(), &request);
        assert_eq!(page.parts.len(), page.records.len());
        found.extend(page.records.into_iter().map(|record| record.id).zip(page.parts));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

on_every_engine! {
    fn containers(store: &Store) {
        fill(store);
        finds(store, "Medication?code=x", &["own"]);
        finds(store, "Medication?code=x&_contained=false", &["own"]);
        finds(store, "Medication?code=x&_contained=true", &["m1", "m3"]);
        finds(store, "Medication?code=x&_contained=both", &["m1", "m3", "own"]);
        finds(store, "Medication?code=y&_contained=both", &["m1", "other"]);
        finds(store, "Medication?_contained=true", &["m1", "m2", "m3"]);
        finds(store, "Medication?_contained=true&_id=own", &["m3"]);
        finds(store, "Medication?_contained=true&code:not=x", &["m1", "m2"]);
        finds(store, "Patient?_contained=both", &[]);
        assert_eq!(store.find(&only(&["p2"]), "Medication?_contained=true&code=x,z"), ["m2", "m3"]);
        assert!(store.try_query("Medication?_contained=both&_sort=code").is_err());
        assert!(store.try_query("Medication?_contained=maybe").is_err());
        store.delete("MedicationRequest", "m3");
        finds(store, "Medication?code=x&_contained=true", &["m1"]);
    }

    fn contained_resources(store: &Store) {
        fill(store);
        let part = |id: &str, part: &str| (id.to_owned(), Some(part.to_owned()));
        let url = "Medication?_contained=true&_containedType=contained&code=x";
        for limit in [1, 2, 10] {
            assert_eq!(parts(store, url, limit), [part("m1", "a"), part("m1", "b"), part("m3", "own")]);
        }
        let both = parts(store, "Medication?_contained=both&_containedType=contained&_sort=-code,_id", 2);
        let record = |id: &str| (id.to_owned(), None);
        let mut expected = vec![part("m2", "a"), part("m1", "c"), record("other"), part("m1", "a"), part("m1", "b")];
        assert_eq!(both[..5], expected[..]);
        expected = vec![record("own"), part("m3", "own")];
        assert_eq!(both[5..], expected[..]);
        assert_eq!(store.engine.snapshot().unwrap().count(&everything(), &store.query(url)).unwrap(), 3);
    }
}
