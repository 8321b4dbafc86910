//! Questions whose way leads over very many records are answered in full.

use ieum_store::commit::Expect;

use crate::support::{everything, finds, sqlite};

/// More than any list of parameters, and any cap that one would think of.
const MANY: usize = 100_001;

#[test]
fn chains_over_a_hundred_thousand_records_are_complete() {
    let store = sqlite();
    store.put(r#"{"resourceType":"Organization","id":"g","name":"가상"}"#);
    store.put(r#"{"resourceType":"Organization","id":"empty","name":"가상"}"#);
    let patient = |number: usize| {
        let last = if number + 1 == MANY { r#","gender":"female""# } else { "" };
        let json = format!(
            r#"{{"resourceType":"Patient","id":"p{number}","active":true{last},"managingOrganization":{{"reference":"Organization/g"}}}}"#
        );
        store.put_change(&json, Expect::New)
    };
    let numbers: Vec<usize> = (0..MANY).collect();
    for some in numbers.chunks(10_000) {
        store.commit(some.iter().map(|number| patient(*number)).collect()).unwrap();
    }
    // The last of them, the first, and one that is nobody's.
    for (id, subject) in [("last", MANY - 1), ("first", 0), ("none", MANY)] {
        store.put(&format!(r#"{{"resourceType":"Observation","id":"{id}","status":"final","subject":{{"reference":"Patient/p{subject}"}}}}"#));
    }
    let count = |url: &str| store.engine.snapshot().unwrap().count(&everything(), &store.query(url)).unwrap();
    assert_eq!(count("Patient?organization.name=가상"), MANY as u64);
    finds(&store, "Observation?patient.active=true", &["first", "last"]);
    finds(&store, "Observation?patient.organization.name=가상", &["first", "last"]);
    finds(&store, "Observation?_filter=patient.active eq true", &["first", "last"]);
    finds(&store, "Organization?_has:Patient:organization:active=true", &["g"]);
    finds(&store, "Organization?_has:Patient:organization:gender=female", &["g"]);
    finds(&store, "Organization?_has:Patient:organization:_has:Observation:patient:status=final", &["g"]);
    finds(&store, "Observation?patient._has:Observation:patient:_id=last", &["last"]);
}
