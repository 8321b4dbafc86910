use ieum_store::access::AccessPlan;
use ieum_store::engine::{HistoryRequest, HistoryScope, Stretch};

use crate::support::{Store, everything, only};

fn walk(
    store: &Store,
    access: &AccessPlan,
    scope: HistoryScope<'_>,
    since: Option<i64>,
    limit: usize,
) -> Vec<String> {
    let view = store.engine.snapshot().unwrap();
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = view
            .history(access, &HistoryRequest { scope, since, at: None, backward: false, after, limit })
            .unwrap();
        found.extend(
            page.records.iter().map(|record| format!("{}{}@{}", record.id, record.version, record.t)),
        );
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

fn fill(store: &Store) {
    for step in 0..4_i64 {
        store.clock.set(1_000 * (step + 1));
        store.put(&format!(r#"{{"resourceType":"Patient","id":"a","name":[{{"text":"가{step}"}}]}}"#));
        if step % 2 == 0 {
            store.put(&format!(
                r#"{{"resourceType":"Observation","id":"x","subject":{{"reference":"Patient/a"}},"issued":"200{step}-01-01T00:00:00Z"}}"#
            ));
        }
    }
    store.delete("Patient", "a");
    store.put(r#"{"resourceType":"Patient","id":"b"}"#);
}

on_every_engine! {
    /// Newest first, none lost between pages, at each level.
    fn history_is_complete_at_every_level(store: &Store) {
        fill(store);
        let all = everything();
        for limit in [1, 2, 3, 100] {
            assert_eq!(walk(store, &all, HistoryScope::Record("Patient", "a"), None, limit), ["a5@7", "a4@6", "a3@4", "a2@3", "a1@1"]);
            assert_eq!(walk(store, &all, HistoryScope::Kind("Patient"), None, limit), ["b1@8", "a5@7", "a4@6", "a3@4", "a2@3", "a1@1"]);
            assert_eq!(
                walk(store, &all, HistoryScope::System, None, limit),
                ["b1@8", "a5@7", "a4@6", "x2@5", "a3@4", "a2@3", "x1@2", "a1@1"]
            );
            assert!(walk(store, &all, HistoryScope::Record("Patient", "never"), None, limit).is_empty());
        }
    }

    /// `_since` takes from an instant on, that instant included.
    fn since_is_inclusive(store: &Store) {
        fill(store);
        let view = store.engine.snapshot().unwrap();
        let third = view.read_version(&everything(), "Patient", "a", 3).unwrap().unwrap().instant;
        drop(view);
        assert_eq!(walk(store, &everything(), HistoryScope::Record("Patient", "a"), Some(third), 2), ["a5@7", "a4@6", "a3@4"]);
        assert_eq!(walk(store, &everything(), HistoryScope::System, Some(third), 2), ["b1@8", "a5@7", "a4@6", "x2@5", "a3@4"]);
        assert_eq!(walk(store, &everything(), HistoryScope::System, Some(third + 1), 2), ["b1@8", "a5@7", "a4@6", "x2@5"]);
    }

    /// `_at` takes what was the newest version at some time in a stretch.
    fn at_takes_what_was_the_newest(store: &Store) {
        fill(store);
        let view = store.engine.snapshot().unwrap();
        let instant = |version| view.read_version(&everything(), "Patient", "a", version).unwrap().unwrap().instant;
        let (second, third, last) = (instant(2), instant(3), instant(5));
        let found = |scope, from: i64, until: i64| {
            let at = Some(Stretch { from, until });
            let mut request = HistoryRequest { scope, since: None, at, after: None, backward: false, limit: 1 };
            let mut found = Vec::new();
            loop {
                let page = view.history(&everything(), &request).unwrap();
                found.extend(page.records.iter().map(|record| format!("{}{}", record.id, record.version)));
                assert!(page.total.is_none_or(|total| total >= found.len() as u64));
                request.after = page.next;
                if request.after.is_none() {
                    return found;
                }
            }
        };
        let patient = HistoryScope::Record("Patient", "a");
        assert_eq!(found(patient, third, third + 1), ["a3"]);
        assert_eq!(found(patient, third - 1, third), ["a2"]);
        assert_eq!(found(patient, third - 1, third + 1), ["a3", "a2"]);
        assert_eq!(found(patient, second, i64::MAX), ["a5", "a4", "a3", "a2"]);
        assert_eq!(found(patient, 0, 1), [""; 0]);
        assert_eq!(found(HistoryScope::Kind("Patient"), last, i64::MAX), ["b1", "a5"]);
        assert_eq!(found(HistoryScope::System, third, third + 1), ["a3", "x1"]);
        assert_eq!(found(HistoryScope::System, i64::MAX - 1, i64::MAX), ["b1", "a5", "x2"]);
    }

    /// Going back gives the pages that were seen.
    fn history_goes_back(store: &Store) {
        fill(store);
        let view = store.engine.snapshot().unwrap();
        for scope in [HistoryScope::Record("Patient", "a"), HistoryScope::Kind("Patient"), HistoryScope::System] {
            let mut request = HistoryRequest { scope, since: None, at: None, after: None, backward: false, limit: 2 };
            let first = view.history(&everything(), &request).unwrap();
            assert_eq!(first.previous, None);
            request.after.clone_from(&first.next);
            let second = view.history(&everything(), &request).unwrap();
            (request.after, request.backward) = (second.previous, true);
            let back = view.history(&everything(), &request).unwrap();
            assert_eq!((back.records, back.previous, back.next), (first.records, None, first.next));
        }
    }

    /// Versions of others are not there, deletions included.
    fn history_shows_only_ones_own(store: &Store) {
        fill(store);
        assert_eq!(walk(store, &only(&["b"]), HistoryScope::System, None, 2), ["b1@8"]);
        assert!(walk(store, &only(&["b"]), HistoryScope::Record("Patient", "a"), None, 2).is_empty());
        assert_eq!(walk(store, &only(&["a"]), HistoryScope::Kind("Observation"), None, 2), ["x2@5", "x1@2"]);
    }

    /// A walk begun before a write ends as if the write had not been.
    fn a_walk_does_not_see_later_writes(store: &Store) {
        fill(store);
        let view = store.engine.snapshot().unwrap();
        let request = HistoryRequest { scope: HistoryScope::System, since: None, at: None, backward: false, after: None, limit: 3 };
        let first = view.history(&everything(), &request).unwrap();
        drop(view);
        store.put(r#"{"resourceType":"Patient","id":"c"}"#);
        let view = store.engine.snapshot().unwrap();
        let rest = view.history(&everything(), &HistoryRequest { after: first.next, limit: 100, ..request }).unwrap();
        assert_eq!(rest.records.len(), 5);
    }
}
