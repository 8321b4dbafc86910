use std::sync::Arc;

use ieum_store::access::{AccessPlan, Reach};
use ieum_store::commit::{CommitError, CommitRequest, Expect};
use ieum_store::engine::{CompartmentRequest, HistoryRequest, HistoryScope};

use crate::support::{Store, everything, only};

fn fill(store: &Store) {
    for json in [
        r#"{"resourceType":"Organization","id":"org","name":"가상의원"}"#,
        r#"{"resourceType":"Patient","id":"a","name":[{"text":"김가상"}],"managingOrganization":{"reference":"Organization/org"}}"#,
        r#"{"resourceType":"Patient","id":"b","name":[{"text":"이가상"}]}"#,
        r#"{"resourceType":"Observation","id":"oa","status":"final","subject":{"reference":"Patient/a"}}"#,
        r#"{"resourceType":"Observation","id":"ob","status":"final","subject":{"reference":"Patient/b"}}"#,
        r#"{"resourceType":"Observation","id":"on","status":"final"}"#,
        r#"{"resourceType":"Observation","id":"ov","status":"final","subject":{"reference":"Patient/a"},"meta":{"security":[{"system":"s","code":"V"}]}}"#,
        r#"{"resourceType":"Appointment","id":"both","status":"booked","participant":[{"actor":{"reference":"Patient/a"}},{"actor":{"reference":"Patient/b"}}]}"#,
        r#"{"resourceType":"TestNote","id":"n","state":"open","about":"Patient/a","made":"2026-03-01","parts":[{"size":3}]}"#,
    ] {
        store.put(json);
    }
}

on_every_engine! {
    /// A patient reaches what is theirs and what is nobody's, in every way of asking.
    fn a_patient_reaches_only_their_own(store: &Store) {
        fill(store);
        let a = only(&["a"]);
        assert_eq!(store.find(&a, "Patient"), ["a"]);
        assert_eq!(store.find(&a, "Observation"), ["oa", "ov"]);
        assert_eq!(store.find(&a, "Observation?status=final"), ["oa", "ov"]);
        assert_eq!(store.find(&a, "Appointment"), ["both"]);
        assert_eq!(store.find(&a, "Organization"), ["org"]);
        assert!(store.find(&a, "TestNote").is_empty());
        assert!(store.read(&a, "Patient", "b").is_none());
        assert!(store.read(&a, "Observation", "ob").is_none());
        assert!(store.read(&a, "Observation", "on").is_none());
        assert!(store.read(&a, "TestNote", "n").is_none());
        assert_eq!(store.find(&only(&["a", "b"]), "Observation"), ["oa", "ob", "ov"]);
        assert!(store.find(&only(&["nobody"]), "Observation?status=final").is_empty());
    }

    /// Neither chains nor `_has` tell about records that are hidden.
    // threat: 3
    fn hidden_records_do_not_shine_through_chains(store: &Store) {
        fill(store);
        let a = only(&["a"]);
        assert_eq!(store.find(&everything(), "Appointment?patient.name=이"), ["both"]);
        assert!(store.find(&a, "Appointment?patient.name=이").is_empty());
        assert_eq!(store.find(&a, "Appointment?patient.name=김"), ["both"]);
        let no_v = AccessPlan { denied: 2, ..everything() };
        store.delete("Observation", "oa");
        assert_eq!(store.find(&everything(), "Patient?_has:Observation:patient:status=final"), ["a", "b"]);
        assert_eq!(store.find(&no_v, "Patient?_has:Observation:patient:status=final"), ["b"]);
        assert_eq!(store.find(&everything(), "Organization?_has:Patient:organization:name=김"), ["org"]);
        assert!(store.find(&only(&["b"]), "Organization?_has:Patient:organization:name=김").is_empty());
    }

    /// A denied class does not exist: read, search, count, history, feed, compartment.
    // threat: 4
    fn a_denied_class_does_not_exist(store: &Store) {
        fill(store);
        let plan = AccessPlan { denied: 2, ..everything() };
        assert!(store.read(&plan, "Observation", "ov").is_none());
        assert_eq!(store.find(&plan, "Observation?status=final"), ["oa", "ob", "on"]);
        let view = store.engine.snapshot().unwrap();
        let feed = view.feed(&plan, 0, 100).unwrap();
        assert!(feed.iter().all(|entry| entry.id != "ov"));
        let request = HistoryRequest { scope: HistoryScope::System, since: None, at: None, backward: false, after: None, limit: 100 };
        let history = view.history(&plan, &request).unwrap();
        assert!(history.records.iter().all(|record| record.id != "ov"));
        let request = CompartmentRequest { patients: &["a".to_owned()], kinds: &[], since: None, after: None, limit: 100 };
        let compartment = view.compartment(&plan, &request).unwrap();
        let ids: Vec<_> = compartment.records.iter().map(|record| record.id.as_str()).collect();
        assert_eq!(ids, ["a", "oa", "both"]);
    }

    /// What a caller cannot read they can neither overwrite nor delete, also after it was deleted; and nothing of the
    /// commit happens.
    fn hidden_records_cannot_be_written(store: &Store) {
        fill(store);
        let blind = AccessPlan { write: true, ..only(&["a"]) };
        let no_v = AccessPlan { denied: 2, ..everything() };
        let put = |json: &str| vec![store.put_change(json, Expect::Anything)];
        let other = r#"{"resourceType":"Patient","id":"b"}"#;
        let denied = |plan: &AccessPlan, changes| {
            let before = store.engine.snapshot().unwrap().t();
            let result = store.engine.commit(CommitRequest {
                access: Arc::new(plan.clone()), action: "test", guards: vec![], changes,
            });
            assert!(matches!(result, Err(CommitError::Denied)), "{result:?}");
            assert_eq!(store.engine.snapshot().unwrap().t(), before);
        };
        let delete = |kind: &str, id: &str| Store::delete_change(kind, id);
        denied(&blind, put(other));
        denied(&blind, vec![delete("Observation", "ob")]);
        denied(&no_v, vec![delete("Observation", "oa"), delete("Observation", "ov")]);
        assert!(store.read(&everything(), "Observation", "oa").is_some());
        store.delete("Patient", "b");
        denied(&blind, put(other));
        let own = put(r#"{"resourceType":"Patient","id":"a","active":true}"#);
        let request = CommitRequest { access: Arc::new(blind), action: "test", guards: vec![], changes: own };
        assert_eq!(store.engine.commit(request).unwrap().changes[0].version, 2);
    }

    /// Types outside the specification's patient compartment are not everybody's: a task, a stored document, a binary
    /// belong to the patient they name, or to no patient.
    fn what_may_be_about_a_patient_is_not_everybodys(store: &Store) {
        fill(store);
        for json in [
            r#"{"resourceType":"Task","id":"t","status":"requested","intent":"order","for":{"reference":"Patient/a"}}"#,
            r#"{"resourceType":"Binary","id":"i","contentType":"text/plain","securityContext":{"reference":"http://hub.test/fhir/Patient/a"}}"#,
            r#"{"resourceType":"Device","id":"d","patient":{"reference":"Patient/a"}}"#,
            r#"{"resourceType":"Contract","id":"c","subject":[{"reference":"Patient/a"}]}"#,
            r#"{"resourceType":"Bundle","id":"b","type":"document"}"#,
        ] {
            store.put(json);
        }
        for (kind, id, owner) in
            [("Task", "t", true), ("Binary", "i", true), ("Device", "d", true), ("Contract", "c", true), ("Bundle", "b", false)]
        {
            assert_eq!(store.read(&only(&["a"]), kind, id).is_some(), owner, "{kind}");
            assert!(store.read(&only(&["b"]), kind, id).is_none(), "{kind}");
            assert!(store.find(&only(&["b"]), kind).is_empty(), "{kind}");
            assert!(store.read(&everything(), kind, id).is_some(), "{kind}");
        }
    }

    /// A record that becomes hidden takes its older versions with it.
    fn older_versions_are_hidden_with_the_newest(store: &Store) {
        fill(store);
        store.put(r#"{"resourceType":"Observation","id":"oa","status":"final","subject":{"reference":"Patient/a"},"meta":{"security":[{"system":"s","code":"V"}]}}"#);
        let plan = AccessPlan { denied: 2, ..everything() };
        let view = store.engine.snapshot().unwrap();
        assert!(view.read_version(&plan, "Observation", "oa", 1).unwrap().is_none());
        assert!(view.read_version(&everything(), "Observation", "oa", 1).unwrap().is_some());
        for scope in [HistoryScope::System, HistoryScope::Kind("Observation"), HistoryScope::Record("Observation", "oa")] {
            let request = HistoryRequest { scope, since: None, at: None, backward: false, after: None, limit: 100 };
            let history = view.history(&plan, &request).unwrap();
            assert!(history.records.iter().all(|record| record.id != "oa"));
        }
        assert!(view.feed(&plan, 0, 100).unwrap().iter().all(|entry| entry.id != "oa"));
    }

    /// The class of the version decides, not that of the newest.
    fn each_version_has_its_own_class(store: &Store) {
        fill(store);
        store.put(r#"{"resourceType":"Observation","id":"ov","status":"final","subject":{"reference":"Patient/a"}}"#);
        let plan = AccessPlan { denied: 2, ..everything() };
        let view = store.engine.snapshot().unwrap();
        assert!(view.read_version(&plan, "Observation", "ov", 1).unwrap().is_none());
        assert!(view.read_version(&plan, "Observation", "ov", 2).unwrap().is_some());
        let scope = HistoryScope::Record("Observation", "ov");
        let page = view.history(&plan, &HistoryRequest { scope, since: None, at: None, backward: false, after: None, limit: 9 }).unwrap();
        assert_eq!(page.records.len(), 1);
        assert!(page.total.is_none_or(|total| total == 1));
    }

    /// A record that changes hands, mostly because it was filed under the wrong patient, is found by its new owner only;
    /// its old versions are then no patient's.
    fn a_record_that_changes_hands_moves(store: &Store) {
        fill(store);
        store.put(r#"{"resourceType":"Observation","id":"oa","status":"final","subject":{"reference":"Patient/b"}}"#);
        store.put(r#"{"resourceType":"Appointment","id":"both","status":"booked","participant":[{"actor":{"reference":"Patient/b"}}]}"#);
        assert_eq!(store.find(&only(&["a"]), "Observation"), ["ov"]);
        assert_eq!(store.find(&only(&["b"]), "Observation?status=final"), ["oa", "ob"]);
        assert!(store.find(&only(&["a"]), "Appointment").is_empty());
        let view = store.engine.snapshot().unwrap();
        assert!(view.read_version(&only(&["a"]), "Appointment", "both", 1).unwrap().is_none());
        assert!(view.read_version(&everything(), "Appointment", "both", 1).unwrap().is_some());
        assert!(view.read_version(&only(&["a"]), "Appointment", "both", 2).unwrap().is_none());
        assert!(view.read_version(&only(&["b"]), "Observation", "oa", 1).unwrap().is_none());
    }

    /// Who may see the system's records need not see any patient's; counts are no records.
    fn an_operator_sees_numbers_not_records(store: &Store) {
        fill(store);
        let operator = AccessPlan { clinical: Reach::Nothing, system: true, write: false, ..everything() };
        assert!(store.find(&operator, "Patient").is_empty());
        assert!(store.read(&operator, "Organization", "org").is_none());
        assert_eq!(store.find(&operator, "TestNote?state=open&made=2026-03&size=3"), ["n"]);
        let census = store.engine.snapshot().unwrap().census(&operator).unwrap();
        assert!(census.contains(&("Observation".into(), 4)) && census.contains(&("TestNote".into(), 1)));
        let own = store.engine.snapshot().unwrap().census(&only(&["a"])).unwrap();
        assert!(own.contains(&("Observation".into(), 2)) && !own.iter().any(|(kind, _)| kind == "TestNote"));
        let no_system = AccessPlan { system: false, ..everything() };
        assert!(store.find(&no_system, "TestNote").is_empty());
        let nothing = AccessPlan { clinical: Reach::Nothing, system: false, ..everything() };
        assert!(store.engine.snapshot().unwrap().feed(&nothing, 0, 10).unwrap().is_empty());
    }

    /// Who may not write does not.
    fn writing_needs_permission(store: &Store) {
        let change = store.put_change(r#"{"resourceType":"Patient","id":"x"}"#, ieum_store::commit::Expect::Anything);
        let access = std::sync::Arc::new(only(&["x"]));
        let request = ieum_store::commit::CommitRequest { access, action: "test", guards: vec![], changes: vec![change] };
        assert!(matches!(store.engine.commit(request), Err(CommitError::Denied)));
        assert!(store.read(&everything(), "Patient", "x").is_none());
    }

    /// A compartment is walked in pages, by kind and since.
    fn a_compartment_is_walked_in_pages(store: &Store) {
        fill(store);
        let view = store.engine.snapshot().unwrap();
        let walk = |kinds: &[String], since: Option<i64>| {
            let mut ids = Vec::new();
            let mut after = None;
            loop {
                let request = CompartmentRequest { patients: &["a".to_owned()], kinds, since, after, limit: 1 };
                let page = view.compartment(&everything(), &request).unwrap();
                ids.extend(page.records.into_iter().map(|record| record.id));
                after = page.next;
                if after.is_none() {
                    return ids;
                }
            }
        };
        assert_eq!(walk(&[], None), ["a", "oa", "ov", "both"]);
        assert_eq!(walk(&["Observation".into()], None), ["oa", "ov"]);
        let since = view.read(&everything(), "Observation", "ov").unwrap().unwrap().instant;
        assert_eq!(walk(&[], Some(since)), ["ov", "both"]);
    }
}
