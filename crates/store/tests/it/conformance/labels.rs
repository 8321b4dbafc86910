use std::sync::Arc;

use ieum_store::access::AccessPlan;
use ieum_store::custom::IndexWork;
use ieum_store::engine::{HistoryRequest, HistoryScope};
use ieum_store::sensitive::SensitiveCodes;

use crate::support::{Store, catalogue, everything, sqlite_with};

const KCD: &str = "urn:kcd";

fn label_by(store: &Store, categories: &str) {
    let mut codes = SensitiveCodes::default();
    codes.add(KCD, categories, true, 2).unwrap();
    store.engine.set_sensitive(&Arc::new(codes)).unwrap();
}

fn condition(id: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","id":"{id}","subject":{{"reference":"Patient/a"}},"code":{{"coding":[{{"system":"{KCD}","code":"{code}"}}]}}}}"#
    )
}

/// Somebody from whom the class is hidden.
fn plan() -> AccessPlan {
    AccessPlan { denied: 2, ..everything() }
}

/// Versions of a record that are shown.
fn versions(store: &Store, id: &str) -> Vec<u64> {
    let scope = HistoryScope::Record("Condition", id);
    let request = HistoryRequest { scope, since: None, at: None, backward: false, after: None, limit: 100 };
    let page = store.engine.snapshot().unwrap().history(&plan(), &request).unwrap();
    page.records.iter().map(|record| record.version).collect()
}

fn fill(store: &Store) {
    for (id, code) in [("c1", "F20.0"), ("c2", "f329"), ("c3", "I10"), ("c4", "B24")] {
        store.put(&condition(id, code));
    }
    // Corrected to what is not sensitive, and the other way round.
    store.put(&condition("c5", "F20.0"));
    store.put(&condition("c5", "I10"));
    store.put(&condition("c6", "B24"));
    store.put(&condition("c6", "F20.0"));
    store.put(&condition("c7", "F20.0"));
    store.delete("Condition", "c7");
    store.put(&condition("c8", "B24"));
    store.delete("Condition", "c8");
    store.put(&condition("c8", "I10"));
    store.put(&format!(
        r##"{{"resourceType":"Observation","id":"o1","status":"final","subject":{{"reference":"Patient/a"}},"focus":[{{"reference":"#c"}}],"contained":[{{"resourceType":"Condition","id":"c","subject":{{"reference":"Patient/a"}},"code":{{"coding":[{{"system":"{KCD}","code":"F20.0"}}]}}}}]}}"##
    ));
}

on_every_engine! {
    /// A sensitive code labels the record that is found by it, also inside another, when it is written.
    fn codes_label_records(store: &Store) {
        label_by(store, "F00-F99");
        store.index_all();
        fill(store);
        assert_eq!(store.find(&plan(), "Condition"), ["c3", "c4", "c5", "c8"]);
        assert_eq!(store.find(&plan(), &format!("Condition?code={KCD}|F20.0")), [""; 0]);
        assert_eq!(store.find(&plan(), "Observation"), [""; 0]);
        assert_eq!(store.find(&plan(), "Condition?_contained=both"), ["c3", "c4", "c5", "c8"]);
        assert!(store.read(&plan(), "Condition", "c7").is_none(), "the deletion is as sensitive as what it deleted");
        assert_eq!(versions(store, "c5"), [2], "what it said before stays hidden");
        assert_eq!(versions(store, "c6"), [0; 0]);
        assert_eq!(versions(store, "c8"), [3, 2, 1]);
        assert_eq!(store.find(&everything(), "Condition").len(), 7);
    }

    /// Other codes label what is there already: newest versions, older ones, deletions.
    fn other_codes_label_anew(store: &Store) {
        fill(store);
        assert_eq!(store.find(&plan(), "Condition").len(), 7);
        label_by(store, "F00-F99");
        assert_eq!(store.engine.index_work().unwrap(), [IndexWork::label()]);
        store.index_all();
        assert_eq!(store.engine.index_work().unwrap(), []);
        assert_eq!(store.find(&plan(), "Condition"), ["c3", "c4", "c5", "c8"]);
        assert_eq!(store.find(&plan(), "Observation"), [""; 0]);
        assert_eq!(versions(store, "c5"), [2]);
        assert!(store.read(&plan(), "Condition", "c7").is_none());
        label_by(store, "B20-B24");
        store.index_all();
        assert_eq!(store.find(&plan(), "Condition"), ["c1", "c2", "c3", "c5", "c6", "c8"]);
        assert_eq!(store.find(&plan(), "Observation"), ["o1"]);
        assert!(store.read(&plan(), "Condition", "c7").is_some());
        assert_eq!(versions(store, "c5"), [2, 1]);
        assert_eq!(versions(store, "c6"), [2]);
        assert_eq!(versions(store, "c8"), [3]);
        // The same once more is no work.
        label_by(store, "B20-B24");
        assert_eq!(store.engine.index_work().unwrap(), []);
    }

    /// What is written while records are labelled has the new labels at once.
    fn writing_goes_on_meanwhile(store: &Store) {
        fill(store);
        label_by(store, "I10");
        store.put(&condition("c9", "I10"));
        store.put(&condition("c1", "I10"));
        assert!(!store.find(&plan(), "Condition").contains(&"c9".to_owned()));
        store.index_all();
        assert_eq!(store.find(&plan(), "Condition"), ["c2", "c4", "c6"]);
        store.put(&condition("c1", "F20.0"));
        assert_eq!(versions(store, "c1"), [3, 1]);
    }
}

/// A store that is closed in the midst of it goes on where it was, and keeps the codes.
#[test]
fn labelling_outlives_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let store = sqlite_with(path, &catalogue());
    fill(&store);
    label_by(&store, "F00-F99");
    assert!(store.index_some(2));
    assert_eq!(store.check().faults, [""; 0]);
    store.stop();
    let store = sqlite_with(path, &catalogue());
    assert_eq!(store.engine.index_work().unwrap(), [IndexWork::label()]);
    store.index_all();
    assert_eq!(store.find(&plan(), "Condition"), ["c3", "c4", "c5", "c8"]);
    assert_eq!(store.check().faults, [""; 0]);
    store.stop();
    let store = sqlite_with(path, &catalogue());
    store.put(&condition("c9", "F20.0"));
    assert!(!store.find(&plan(), "Condition").contains(&"c9".to_owned()));
}

fn order(id: &str) -> String {
    format!(
        r#"{{"resourceType":"MedicationRequest","id":"{id}","status":"active","intent":"order","subject":{{"reference":"Patient/a"}},
        "medicationCodeableConcept":{{"text":"x"}},"reasonCode":[{{"coding":[{{"system":"{KCD}","code":"F20.0"}}]}}]}}"#
    )
}

#[test]
fn codes_label_where_nothing_is_searched() {
    let store = crate::support::sqlite();
    label_by(&store, "F00-F99");
    store.index_all();
    store.put(&order("m1"));
    store.put(&format!(
        r#"{{"resourceType":"ServiceRequest","id":"s1","status":"active","intent":"order","subject":{{"reference":"Patient/a"}},
        "reasonCode":[{{"coding":[{{"system":"{KCD}","code":"F20.0"}}]}}]}}"#
    ));
    store.put(&format!(
        r#"{{"resourceType":"Claim","id":"k1","status":"active","use":"claim","patient":{{"reference":"Patient/a"}},"created":"2026-01-01",
        "type":{{"text":"x"}},"provider":{{"display":"x"}},"priority":{{"text":"x"}},"insurance":[{{"sequence":1,"focal":true,"coverage":{{"display":"x"}}}}],
        "diagnosis":[{{"sequence":1,"diagnosisCodeableConcept":{{"coding":[{{"system":"{KCD}","code":"F20.0"}}]}}}}]}}"#
    ));
    store.put(&format!(
        r#"{{"resourceType":"Flag","id":"f1","status":"active","subject":{{"reference":"Patient/a"}},
        "code":{{"coding":[{{"system":"{KCD}","code":"F20.0"}}]}}}}"#
    ));
    let shown: Vec<_> = ["MedicationRequest", "ServiceRequest", "Claim", "Flag"]
        .map(|kind| store.find(&plan(), kind))
        .concat();
    assert_eq!(shown, [""; 0]);
}

#[test]
fn a_new_parameter_leaves_labels_in_order() {
    let store = crate::support::sqlite();
    label_by(&store, "F00-F99");
    store.index_all();
    store.put(&order("m1"));
    store.define(&[r#"{"resourceType":"SearchParameter","id":"why","url":"http://x.test/why","name":"n","status":"active",
        "description":"d","code":"why","base":["MedicationRequest"],"type":"token","expression":"MedicationRequest.reasonCode"}"#]);
    store.index_all();
    store.put(&order("m2"));
    assert_eq!(store.find(&plan(), "MedicationRequest"), [""; 0]);
    assert_eq!(store.check().faults, [""; 0]);
}
