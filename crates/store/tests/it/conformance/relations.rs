//! Records found by others: lists, chains, hierarchies, compartments, order by what is referred to.

use ieum_fhir::search::{Query, compartment_filter};
use ieum_store::engine::SearchRequest;

use crate::support::{Store, everything, finds, finds_in_order, only};

fn fill(store: &Store) {
    for json in [
        r#"{"resourceType":"Location","id":"hospital","name":"Hospital"}"#,
        r#"{"resourceType":"Location","id":"ward","name":"Ward","partOf":{"reference":"Location/hospital"}}"#,
        r#"{"resourceType":"Location","id":"room","name":"Room","partOf":{"reference":"Location/ward"}}"#,
        r#"{"resourceType":"Location","id":"x","partOf":{"reference":"Location/y"}}"#,
        r#"{"resourceType":"Location","id":"y","partOf":{"reference":"Location/x"}}"#,
        r#"{"resourceType":"Organization","id":"o1","name":"가상병원"}"#,
        r#"{"resourceType":"Organization","id":"o2","name":"나라의원","partOf":{"reference":"Organization/o1"}}"#,
        r#"{"resourceType":"Patient","id":"p1","name":[{"text":"하"},{"text":"다"}],"gender":"male","managingOrganization":{"reference":"Organization/o2"}}"#,
        r#"{"resourceType":"Patient","id":"p2","name":[{"text":"나"}],"gender":"female","managingOrganization":{"reference":"Organization/o1"}}"#,
        r#"{"resourceType":"Patient","id":"p3"}"#,
        r#"{"resourceType":"Encounter","id":"e1","status":"finished","subject":{"reference":"Patient/p1"},"location":[{"location":{"reference":"Location/room"}}]}"#,
        r#"{"resourceType":"Encounter","id":"e2","status":"planned","subject":{"reference":"Patient/p2"},"location":[{"location":{"reference":"Location/hospital"}}]}"#,
        r#"{"resourceType":"Observation","id":"b1","status":"final","subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},"performer":[{"reference":"Patient/p2"}]}"#,
        r#"{"resourceType":"Observation","id":"b2","status":"final","subject":{"reference":"Patient/p2"},"encounter":{"reference":"Encounter/e2"}}"#,
        r#"{"resourceType":"Observation","id":"b3","status":"final","subject":{"reference":"Patient/p3"}}"#,
        r#"{"resourceType":"Observation","id":"b4","status":"final"}"#,
        r#"{"resourceType":"List","id":"l1","status":"current","mode":"working","subject":{"reference":"Patient/p1"},"entry":[{"item":{"reference":"Patient/p1"}},{"item":{"reference":"Observation/b2"}}]}"#,
        r#"{"resourceType":"List","id":"l2","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/p3"}}]}"#,
    ] {
        store.put(json);
    }
}

on_every_engine! {
    fn lists(store: &Store) {
        fill(store);
        finds(store, "Patient?_list=l1", &["p1"]);
        finds(store, "Patient?_list=l1,l2", &["p1", "p3"]);
        finds(store, "Observation?_list=List/l1&status=final", &["b2"]);
        finds(store, "Patient?_list=none", &[]);
        assert!(store.try_query("Patient?_list=$current-allergies").is_err());
        // A list that the caller does not reach is none.
        assert_eq!(store.find(&only(&["p3"]), "Observation?_list=l1"), [""; 0]);
    }

    fn chains_and_has_in_one_another(store: &Store) {
        fill(store);
        finds(store, "Observation?encounter.subject:Patient.organization.partof.name=가상", &["b1"]);
        finds(store, "Organization?_has:Patient:organization:_has:Observation:patient:status=final", &["o1", "o2"]);
        finds(store, "Organization?_has:Patient:organization:_has:Encounter:patient:status=planned", &["o1"]);
        finds(store, "Patient?_has:Observation:patient:encounter.status=finished", &["p1"]);
        finds(store, "Observation?subject:Patient._has:Encounter:patient:location.name=room", &["b1"]);
        finds(store, "Observation?patient._id=p1,p2", &["b1", "b2"]);
        finds(store, "Observation?patient._list=l1", &["b1"]);
        finds(store, "Observation?patient:missing=true", &["b4"]);
        finds(store, "Observation?patient.gender:missing=true", &["b3"]);
        finds(store, "Observation?patient.organization:missing=false", &["b1", "b2"]);
    }

    fn hierarchies(store: &Store) {
        fill(store);
        finds(store, "Location?partof:below=hospital", &["room", "ward"]);
        finds(store, "Location?partof:below=Location/ward", &["room"]);
        // The room is part of the ward, the ward of the hospital: both are above the room, and so is what they are part of.
        finds(store, "Location?partof:above=Location/room", &["room", "ward"]);
        finds(store, "Encounter?location:below=hospital", &["e1", "e2"]);
        finds(store, "Encounter?location:below=ward,room", &["e1"]);
        finds(store, "Encounter?location:above=room", &["e1", "e2"]);
        finds(store, "Encounter?location:above=ward", &["e2"]);
        finds(store, "Encounter?location:below=none", &[]);
        finds(store, "Location?partof:below=x", &["x", "y"]);
        finds(store, "Patient?organization:below=o1", &["p1", "p2"]);
        finds(store, "Observation?patient.organization:below=Organization/o2", &["b1"]);
        assert!(store.try_query("Observation?subject:below=Patient/p1").is_err());
        assert!(store.try_query("Observation?specimen:below=1").is_err());
    }

    fn order_by_what_is_referred_to(store: &Store) {
        fill(store);
        finds_in_order(store, "Observation?_sort=subject:Patient.name", &["b2", "b1", "b3", "b4"]);
        finds_in_order(store, "Observation?_sort=-patient.name", &["b1", "b2", "b3", "b4"]);
        finds_in_order(store, "Observation?_sort=patient.organization.name,-_id", &["b2", "b1", "b4", "b3"]);
        finds_in_order(store, "Observation?_sort=-patient._lastUpdated", &["b3", "b2", "b1", "b4"]);
        finds_in_order(store, "Observation?_sort=patient._id", &["b1", "b2", "b3", "b4"]);
        // What the caller does not reach orders nothing.
        let access = only(&["p1"]);
        assert_eq!(store.find_paged(&access, "Observation?_sort=patient.name", 1), ["b1"]);
        for refused in ["subject.name", "code.name", "patient.nonsense", "subject:Practitioner.name", "patient.near"] {
            assert!(store.try_query(&format!("Observation?_sort={refused}")).is_err(), "{refused}");
        }
    }

    fn compartments(store: &Store) {
        fill(store);
        let find = |compartment: &str, id: &str, kind: &str| {
            let filters = vec![compartment_filter(compartment, id, kind).unwrap()];
            let query = Query { kind: kind.into(), filters, ..Query::default() };
            let request = SearchRequest { query: &query, after: None, backward: false, limit: 100 };
            let mut ids: Vec<String> =
                store.page(&everything(), &request).records.into_iter().map(|record| record.id).collect();
            ids.sort();
            ids
        };
        assert_eq!(find("Patient", "p1", "Observation"), ["b1"]);
        assert_eq!(find("Patient", "p2", "Observation"), ["b1", "b2"]);
        assert_eq!(find("Patient", "p1", "Encounter"), ["e1"]);
        assert_eq!(find("Patient", "p1", "Patient"), ["p1"]);
        assert_eq!(find("Encounter", "e1", "Observation"), ["b1"]);
        assert_eq!(find("Encounter", "e1", "Encounter"), ["e1"]);
        assert_eq!(find("Device", "d", "Observation"), [""; 0]);
        assert_eq!(compartment_filter("Patient", "p1", "Organization"), None);
        assert_eq!(compartment_filter("Location", "l", "Encounter"), None);
    }
}
