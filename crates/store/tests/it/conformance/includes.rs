//! `_include` and `_revinclude`.

use ieum_store::access::AccessPlan;
use ieum_store::engine::SearchRequest;
use ieum_store::include::{Included, included};

use crate::support::{Store, everything, only};

fn fill(store: &Store) {
    for json in [
        r#"{"resourceType":"Organization","id":"o1","partOf":{"reference":"Organization/o2"}}"#,
        r#"{"resourceType":"Organization","id":"o2","partOf":{"reference":"Organization/o3"}}"#,
        r#"{"resourceType":"Organization","id":"o3","partOf":{"reference":"Organization/o1"}}"#,
        r#"{"resourceType":"Patient","id":"p1","managingOrganization":{"reference":"Organization/o1"}}"#,
        r#"{"resourceType":"Patient","id":"p2","link":[{"other":{"reference":"Patient/p1"}}]}"#,
        r#"{"resourceType":"Practitioner","id":"d"}"#,
        r#"{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient/p1"}}"#,
        r#"{"resourceType":"Observation","id":"b","subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e"},
            "performer":[{"reference":"Patient/p2"},{"reference":"Practitioner/d"},{"reference":"Practitioner/gone"},{"reference":"http://else.test/Patient/p9"}]}"#,
    ] {
        store.put(json);
    }
}

fn all(store: &Store, access: &AccessPlan, url: &str) -> Included {
    let query = store.query(url);
    let page = store.page(access, &SearchRequest { query: &query, after: None, backward: false, limit: 100 });
    let snapshot = store.engine.snapshot().unwrap();
    included(&*snapshot, access, &query.includes, &page.records, usize::MAX).unwrap()
}

fn ids(store: &Store, access: &AccessPlan, url: &str) -> Vec<String> {
    let found = all(store, access, url);
    assert!(!found.cut);
    let mut ids: Vec<String> = found.records.into_iter().map(|record| record.id).collect();
    ids.sort();
    ids
}

on_every_engine! {
    fn what_goes_with_a_page(store: &Store) {
        fill(store);
        for (url, expected) in [
            ("Observation?_include=Observation:subject", &["p1"][..]),
            ("Observation?_include=Observation:performer", &["d", "p2"]),
            ("Observation?_include=Observation:performer:Patient", &["p2"]),
            ("Observation?_include=*", &["d", "e", "p1", "p2"]),
            ("Observation?_include=Observation:*:Practitioner", &["d"]),
            ("Observation?_include=Observation:subject&_include:iterate=Patient:organization", &["o1", "p1"]),
            (
                "Observation?_include=Observation:subject&_include:iterate=Patient:organization&_include:iterate=Organization:partof",
                &["o1", "o2", "o3", "p1"],
            ),
            ("Observation?_include:iterate=*", &["d", "e", "o1", "o2", "o3", "p1", "p2"]),
            ("Organization?_id=o1&_include:iterate=Organization:partof", &["o2", "o3"]),
            ("Patient?_id=p1&_revinclude=Observation:subject", &["b"]),
            ("Patient?_id=p1&_revinclude=*", &["b", "e", "p2"]),
            ("Patient?_id=p1&_revinclude=Encounter:subject&_revinclude:iterate=Observation:encounter", &["b", "e"]),
            ("Patient?_id=p1&_revinclude=Observation:subject&_include:iterate=Observation:performer:Practitioner", &["b", "d"]),
            ("Organization?_id=o1&_revinclude=Patient:organization&_revinclude:iterate=Patient:link", &["p1", "p2"]),
        ] {
            assert_eq!(ids(store, &everything(), url), expected, "{url}");
        }
        // What the caller does not reach goes with nothing, and leads nowhere.
        assert_eq!(ids(store, &only(&["p1"]), "Observation?_include:iterate=*"), ["d", "e", "o1", "o2", "o3", "p1"]);
        assert_eq!(ids(store, &only(&["p2"]), "Organization?_id=o1&_revinclude:iterate=Patient:*"), [""; 0]);
    }

    fn ways_without_end_are_cut_and_said_to_be(store: &Store) {
        for number in 0..40 {
            store.put(&format!(
                r#"{{"resourceType":"Organization","id":"o{number}","partOf":{{"reference":"Organization/o{}"}}}}"#,
                number + 1
            ));
        }
        let found = all(store, &everything(), "Organization?_id=o0&_include:iterate=Organization:partof");
        assert!(found.cut && found.records.len() > 30);
        let found = all(store, &everything(), "Organization?_id=o20&_include:iterate=Organization:partof");
        assert!(!found.cut);
        assert_eq!(found.records.len(), 19);
    }
}
