use ieum_store::access::AccessPlan;
use ieum_store::engine::{HistoryRequest, HistoryScope};

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
        let page = view.history(access, &HistoryRequest { scope, since, after, limit }).unwrap();
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
        let request = HistoryRequest { scope: HistoryScope::System, since: None, after: None, limit: 3 };
        let first = view.history(&everything(), &request).unwrap();
        drop(view);
        store.put(r#"{"resourceType":"Patient","id":"c"}"#);
        let view = store.engine.snapshot().unwrap();
        let rest = view.history(&everything(), &HistoryRequest { after: first.next, limit: 100, ..request }).unwrap();
        assert_eq!(rest.records.len(), 5);
    }
}
