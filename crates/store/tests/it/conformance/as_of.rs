use ieum_store::access::AccessPlan;
use ieum_store::engine::{AsOfRequest, AsOfWhich, KeysRequest};

use crate::support::{Store, everything, only};

/// A walk in pages, each from a view of its own: `id` and version of each record.
fn walk(store: &Store, access: &AccessPlan, request: &AsOfRequest<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let view = store.engine.snapshot().unwrap();
        let page = view.as_of(access, &AsOfRequest { after, ..request.clone() }).unwrap();
        found.extend(page.records.iter().map(|record| format!("{}@{}", record.id, record.version)));
        assert!(page.records.len() <= request.limit);
        assert!(page.next.is_none() || page.next != after, "a walk does not move");
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

fn request(kind: &str, t: u64) -> AsOfRequest<'_> {
    AsOfRequest { kind, t, which: AsOfWhich::Live, since: None, of_patients: false, after: None, limit: 2 }
}

fn patient(store: &Store, id: &str, name: &str) {
    store.put(&format!(r#"{{"resourceType":"Patient","id":"{id}","name":[{{"text":"{name}"}}]}}"#));
}

fn observation(store: &Store, id: &str, subject: &str) {
    store.put(&format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","subject":{{"reference":"{subject}"}}}}"#
    ));
}

on_every_engine! {
    /// Every kind of later change is undone: created, changed, deleted, created again, and back again.
    fn a_walk_shows_exactly_what_was_there(store: &Store) {
        for id in ["a", "b", "c", "d", "e"] {
            patient(store, id, "처음");
        }
        store.delete("Patient", "d");
        patient(store, "e", "두번째");
        let t = store.engine.snapshot().unwrap().t();
        let then = ["a@1", "b@1", "c@1", "e@2"];
        for limit in [1, 2, 3, 100] {
            assert_eq!(walk(store, &everything(), &AsOfRequest { limit, ..request("Patient", t) }), then);
        }
        patient(store, "a", "나중");
        store.delete("Patient", "b");
        patient(store, "d", "다시");
        patient(store, "f", "새로");
        store.delete("Patient", "c");
        patient(store, "c", "다시");
        store.delete("Patient", "e");
        for limit in [1, 2, 3, 100] {
            assert_eq!(walk(store, &everything(), &AsOfRequest { limit, ..request("Patient", t) }), then);
            let now = store.engine.snapshot().unwrap().t();
            assert_eq!(
                walk(store, &everything(), &AsOfRequest { limit, ..request("Patient", now) }),
                ["a@2", "c@3", "d@3", "f@1"]
            );
        }
        assert!(walk(store, &everything(), &request("Patient", 0)).is_empty());
        assert!(walk(store, &everything(), &request("Nothing", t)).is_empty());
    }

    /// Changes between two pages of a walk change nothing in it.
    fn a_walk_is_not_moved_by_writes_between_its_pages(store: &Store) {
        for number in 0..6 {
            patient(store, &format!("p{number}"), "처음");
        }
        let t = store.engine.snapshot().unwrap().t();
        let mut found = Vec::new();
        let mut after = None;
        for round in 0.. {
            let view = store.engine.snapshot().unwrap();
            let page = view.as_of(&everything(), &AsOfRequest { after, ..request("Patient", t) }).unwrap();
            drop(view);
            found.extend(page.records.iter().map(|record| format!("{}@{}", record.id, record.version)));
            after = page.next;
            if after.is_none() {
                break;
            }
            patient(store, &format!("p{}", (round * 2 + 3) % 6), "나중");
            store.delete("Patient", &format!("p{}", (round + 4) % 6));
            patient(store, &format!("new{round}"), "새로");
        }
        assert_eq!(found, ["p0@1", "p1@1", "p2@1", "p3@1", "p4@1", "p5@1"]);
    }

    /// Deletions are given with the version they are, those alone that were the last word at the commit.
    fn deletions_since_an_instant(store: &Store) {
        for (at, id) in [(1_000, "a"), (2_000, "b"), (3_000, "c")] {
            store.clock.set(at);
            patient(store, id, "가");
        }
        store.clock.set(4_000);
        store.delete("Patient", "a");
        store.clock.set(5_000);
        store.delete("Patient", "b");
        store.clock.set(6_000);
        patient(store, "b", "다시");
        let t = store.engine.snapshot().unwrap().t();
        store.clock.set(7_000);
        store.delete("Patient", "c");
        let deleted = |t, since| {
            let request = AsOfRequest { which: AsOfWhich::Deleted, since, ..request("Patient", t) };
            walk(store, &everything(), &request)
        };
        assert_eq!(deleted(t, None), ["a@2"]);
        assert_eq!(deleted(t, Some(3_999)), ["a@2"]);
        assert!(deleted(t, Some(4_000)).is_empty());
        assert_eq!(deleted(t - 1, Some(4_000)), ["b@2"]);
        assert_eq!(deleted(t + 1, Some(4_000)), ["c@2"]);
        let live = AsOfRequest { since: Some(2_000), ..request("Patient", t) };
        assert_eq!(walk(store, &everything(), &live), ["b@3", "c@1"]);
        assert_eq!(store.engine.snapshot().unwrap().instant().unwrap(), 7_000);
    }

    /// Access is asked of the version of then, and so is whose record it is.
    fn a_walk_shows_only_what_was_ones_own(store: &Store) {
        patient(store, "a", "가");
        patient(store, "b", "나");
        observation(store, "x", "Patient/a");
        observation(store, "y", "Patient/b");
        observation(store, "z", "Device/d");
        let t = store.engine.snapshot().unwrap().t();
        observation(store, "x", "Patient/b");
        let x = request("Observation", t);
        // What is another's by now is not shown to whom it was attributed then.
        assert!(walk(store, &only(&["a"]), &x).is_empty());
        assert_eq!(walk(store, &only(&["b"]), &x), ["y@1"]);
        assert_eq!(walk(store, &only(&["b"]), &request("Observation", t + 1)), ["x@2", "y@1"]);
        assert_eq!(walk(store, &everything(), &x), ["x@1", "y@1", "z@1"]);
        assert_eq!(walk(store, &everything(), &AsOfRequest { of_patients: true, ..x }), ["x@1", "y@1"]);
        assert_eq!(walk(store, &everything(), &AsOfRequest { of_patients: true, ..request("Patient", t) }), ["a@1", "b@1"]);
        let hidden = AccessPlan { denied: 1, ..everything() };
        store.put(r#"{"resourceType":"Patient","id":"r","meta":{"security":[{"system":"s","code":"R"}]}}"#);
        let now = store.engine.snapshot().unwrap().t();
        assert_eq!(walk(store, &hidden, &request("Patient", now)), ["a@1", "b@1"]);
        let system = AccessPlan { system: false, ..everything() };
        store.put(r#"{"resourceType":"TestNote","id":"n","state":"x"}"#);
        let now = store.engine.snapshot().unwrap().t();
        assert!(walk(store, &system, &request("TestNote", now)).is_empty());
        assert_eq!(walk(store, &everything(), &request("TestNote", now)), ["n@1"]);
    }

    /// A list names each matching record once, with its version, and what it names can be read later.
    fn lists_name_records_and_versions(store: &Store) {
        for (id, subject) in [("x", "Patient/a"), ("y", "Patient/b"), ("z", "Device/d"), ("w", "Patient/a")] {
            observation(store, id, subject);
        }
        store.put(r#"{"resourceType":"Observation","id":"x","status":"amended","subject":{"reference":"Patient/a"}}"#);
        let list = |access: &AccessPlan, url: &str, of_patients, limit| {
            let query = store.query(url);
            let view = store.engine.snapshot().unwrap();
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let request = KeysRequest { query: &query, of_patients, after, limit };
                let page = view.keys(access, &request).unwrap();
                found.extend(page.keys.iter().map(|key| format!("{}@{}", key.id, key.version)));
                after = page.next;
                if after.is_none() {
                    return found;
                }
            }
        };
        for limit in [1, 2, 100] {
            assert_eq!(list(&everything(), "Observation", false, limit), ["x@2", "y@1", "z@1", "w@1"]);
            assert_eq!(list(&everything(), "Observation", true, limit), ["x@2", "y@1", "w@1"]);
            assert_eq!(list(&everything(), "Observation?status=final", false, limit), ["y@1", "z@1", "w@1"]);
            assert_eq!(list(&only(&["a"]), "Observation", false, limit), ["x@2", "w@1"]);
        }
        store.delete("Observation", "y");
        let view = store.engine.snapshot().unwrap();
        assert!(!view.read_version(&everything(), "Observation", "y", 1).unwrap().unwrap().is_deleted());
    }
}
